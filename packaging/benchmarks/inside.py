"""What looking inside costs, for each engine on the 1-billion shape, and whether the window waits.

    python packaging/benchmarks/inside.py                        both engines, some eight minutes
    python packaging/benchmarks/inside.py --engine gguf          one of them
    python packaging/benchmarks/inside.py --shape 60m            a small one, to try it out
    python packaging/benchmarks/inside.py --parts engine         without the window
    python packaging/benchmarks/inside.py --busy                 where other programs run

Targets: the panel shows tokens and next word 100 ms after it was asked for where the position is
in the cache; the attention of all layers of 256 tokens takes at most twice as long as reading
them; one layer of 1,000 tokens moves nothing of the others; a chat after questions decodes as fast
as before them; the event loop of the window is late by at most 16 ms (p99) throughout. Both sides
of each ratio are measured in turns in one run. ``--busy`` takes one thread and counts the engine's
own processor time in place of the time on the wall. Exit status 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import inside_window  # noqa: E402  packaging/ is no package: its scripts find each other by path
import make_checkpoint  # noqa: E402
import psutil  # noqa: E402
from come_back import native_checkpoint, text  # noqa: E402

from inference.cancel import CancelToken  # noqa: E402
from inference.events import Failed, Finished, TokenEvent  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.host.protocol import Inspected, encode  # noqa: E402
from inference.inside.questions import (  # noqa: E402
    AskAttention,
    AskAttentionOverview,
    AskLens,
    AskNext,
    AskSurprise,
    AskUpdates,
)
from inference.types import GenerationRequest, LoadOptions, SamplingParams  # noqa: E402

if TYPE_CHECKING:
    from inference.inside.questions import Question

SHORT, LONG = 256, 1_000
WRITTEN = 48
NEXT_MS, ATTENTION, CHAT = 100.0, 2.0, 0.97


class Watched(EngineClient):
    """A client with a clock: the wall's, or the processor time of its engine process."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__()
        self._busy = busy

    def now(self) -> float:
        """Return seconds."""
        if not self._busy:
            return time.perf_counter()
        used = psutil.Process(self.pid).cpu_times()
        return float(used.user + used.system)


def answer(client: Watched, ids: tuple[int, ...], tokens: int) -> tuple[float, float]:
    """Continue ids; return the seconds to the first token, and tokens per second after it."""
    sampling = SamplingParams(temperature=0, max_tokens=tokens)
    request = GenerationRequest("bench", token_ids=ids, sampling=sampling, cache_key="chat")
    began = client.now()
    first, written = 0.0, 0
    for event in client.generate(request, CancelToken()):
        if isinstance(event, Failed):
            sys.exit(f"{event.message}\n{event.detail}")
        if isinstance(event, TokenEvent) and not first:
            first = client.now() - began
        if isinstance(event, Finished):
            written = event.usage.completion_tokens
    if written < tokens:
        sys.exit("The random model ended early; nothing can be measured with it.")
    return first, (tokens - 1) / max(client.now() - began - first, 1e-9)


def ask(client: Watched, question: Question) -> tuple[float, int]:
    """Ask; return the seconds until the answer is here, and the bytes that came with it."""
    began = client.now()
    finding = client.inspect(question, CancelToken())
    return client.now() - began, len(encode(Inspected("client-1", finding)))


def line(engine: str, name: str, value: str, rounds: list[float], *, met: bool | None) -> bool:
    """Print one line; return whether its target, if it has one, is met."""
    word = {None: "", True: "met", False: "MISSED"}[met]
    each = " ".join(f"{one:.3g}" for one in rounds)
    print(f"{engine:7}{name:44}{value:>22}  {word:7}{each}", flush=True)
    return met is not False


def next_word(engine: str, client: Watched, rounds: int) -> bool:
    """Time the question for the next word: position in the cache, and a text not read yet."""
    cached, fresh = [], []
    for number in range(rounds):
        ids = text(SHORT, 31 + number)
        fresh.append(ask(client, AskNext(ids, 40, all_logits=True))[0] * 1000)
        other = text(SHORT, 61 + number)
        answer(client, other, 2)
        for place in (SHORT, SHORT // 2, SHORT - 30):
            seconds, _ = ask(client, AskNext(other[:place], 40, all_logits=True))
            cached.append(seconds * 1000)
    middle = statistics.median(cached)
    line(
        engine, "next word, not read before", f"{statistics.median(fresh):.0f} ms", fresh, met=None
    )
    words = f"{middle:.0f} of {NEXT_MS:.0f} ms"
    return line(engine, "next word, position in the cache", words, cached, met=middle <= NEXT_MS)


def attention(engine: str, client: Watched, rounds: int) -> bool:
    """Time all layers of 256 tokens against reading them, and one layer of 1,000 tokens."""
    plain, all_layers = [], []
    for number in range(rounds):
        ids = text(SHORT, 91 + number)
        plain.append(answer(client, ids, 1)[0])
        all_layers.append(ask(client, AskAttentionOverview(ids))[0])
    ratio = statistics.median(all_layers) / statistics.median(plain)
    words = f"{ratio:.2f} of {ATTENTION:.1f} x"
    met = line(
        engine, "attention, 256 tokens, to plain reading", words, all_layers, met=ratio <= ATTENTION
    )
    line(engine, "  plain reading, s", "", plain, met=None)
    ids, layers = text(LONG, 7), client.loaded.n_layers
    last = layers - 1
    read_s, _ = answer(client, ids, 1)
    whole_s, _ = ask(client, AskAttentionOverview(ids))
    one_s, one_bytes = ask(client, AskAttention(ids, layers // 2, "mean"))
    part_s, part_bytes = ask(client, AskAttention(ids, layers // 2, "mean", (0, 0, 32, 32)))
    last_s, _ = ask(client, AskAttention(ids, last, 0))
    values = LONG * LONG * 4
    words = f"{one_bytes / 1e6:.2f} of {values / 1e6:.2f} MB"
    met &= line(engine, "one layer of 1,000 tokens moves", words, [], met=one_bytes <= values + 100)
    words = f"{part_bytes / 1e3:.1f} kB in {part_s * 1000:.0f} ms"
    line(engine, "  then 32 x 32 cells of it", words, [], met=None)
    words = f"{one_s:.1f} / {last_s:.1f} / {whole_s:.1f} / {read_s:.1f} s"
    line(engine, "  middle layer / last / all / plain reading", words, [], met=None)
    return met


def chat(engine: str, options: LoadOptions, rounds: int, *, busy: bool) -> bool:
    """Compare decoding before anything was asked and after questions of many kinds."""
    before, after = [], []
    for number in range(rounds):
        with closing(Watched(busy=busy)) as client:
            client.load(options)
            answer(client, text(32, 3), 4)  # pages the file in
            ids = text(64, 121 + number)
            before.append(answer(client, ids, WRITTEN)[1])
            for question in (
                AskNext(ids[:40]),
                AskAttentionOverview(ids),
                AskLens(ids),
                AskUpdates(ids),
                AskSurprise(ids),
            ):
                ask(client, question)
            after.append(answer(client, text(64, 151 + number), WRITTEN)[1])
    ratio = statistics.median(after) / statistics.median(before)
    words = f"{ratio:.2f} of {CHAT:.2f} x"
    met = line(engine, "decoding after questions, to before them", words, after, met=ratio >= CHAT)
    line(engine, "  before them, tokens/s", "", before, met=None)
    return met


def measure_engine(engine: str, options: LoadOptions, rounds: int, *, busy: bool) -> bool:
    """Measure what needs no window."""
    with closing(Watched(busy=busy)) as client:
        client.load(options)
        answer(client, text(32, 3), 4)
        met = next_word(engine, client, rounds)
        met &= attention(engine, client, rounds)
    return met & chat(engine, options, rounds, busy=busy)


def main() -> None:
    """Run the benchmark; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", choices=sorted(make_checkpoint.SHAPES), default="1b")
    parser.add_argument("--engine", choices=("gguf", "native"), help="default: both")
    parser.add_argument("--parts", nargs="+", choices=("engine", "window"), help="default: both")
    parser.add_argument("--threads", type=int, help="default: one per physical core")
    parser.add_argument("--busy", action="store_true", help="processor time of one thread")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each thing a person does")
    arguments = parser.parse_args()
    busy, threads = arguments.busy, 1 if arguments.busy else arguments.threads
    engines = [arguments.engine] if arguments.engine else ["gguf", "native"]
    parts = arguments.parts or ["engine", "window"]
    print(f"load of this computer: {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
    met = True
    made = {"gguf": make_checkpoint.checkpoint, "native": native_checkpoint}
    paths = {engine: made[engine](arguments.shape) for engine in engines}
    for engine, path in paths.items():
        with tempfile.TemporaryDirectory() as home:
            os.environ["GLASSHOUSE_HOME"] = home  # the engine processes', too
            if "engine" in parts:
                options = LoadOptions(str(path), engine, n_ctx=4096, threads=threads)
                met &= measure_engine(engine, options, arguments.rounds, busy=busy)
            if "window" in parts:
                met &= inside_window.measure(
                    engine, path, Path(home), arguments.seconds, line, busy=busy
                )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
