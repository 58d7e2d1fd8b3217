"""What coming back to a chat costs, against reading it anew: both engines, from memory and disk.

    python packaging/benchmarks/come_back.py               1-billion shape, 4,000 tokens
    python packaging/benchmarks/come_back.py --shape 60m   a small one, to try it out

Each round runs both sides in the same engine process: a chat of 4,000 tokens is read cold, another
chat is spoken to, and the first one goes on with 16 new tokens: from the copy in memory, and, in a
new process, from the file. Measured is the time to the first token as it arrives on this side of
the pipe. Target: a tenth of the cold time. Then what the copying costs the chat that is turned to,
at once or half a second after the answer's end, when the copy has been made while nobody waited:
its first token after 4,000 tokens that are kept, against the same after 4,000 that are not.
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

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import make_checkpoint  # noqa: E402  packaging/ is no package: its scripts find each other by path
import stop  # noqa: E402

from inference.cancel import CancelToken  # noqa: E402
from inference.events import Failed, Started, TokenEvent  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.past import folder as files  # noqa: E402
from inference.paths import app_paths  # noqa: E402
from inference.types import (  # noqa: E402
    GenerationRequest,
    LoadOptions,
    PastOptions,
    SamplingParams,
)
from tests.helpers.checkpoints import tiny_llama  # noqa: E402

LONG = 4_000
NEW = 16
MORE = 240  # enough for a new copy of it all
OTHER = 64
PAUSE_S = 0.5
TARGET = 0.10
_ROOM = PastOptions(memory_bytes=4_000_000_000, disk_bytes=8_000_000_000)
_LETTERS = 97  # ids of ordinary tokens in the made-up vocabulary


def native_checkpoint(shape_name: str) -> Path:
    """Return a folder of the same shape for the native engine, made if it is not there."""
    if shape_name == "1b":
        return stop.checkpoint()
    folder = app_paths().cache / "benchmarks" / f"random-{shape_name}-native"
    shape = make_checkpoint.SHAPES[shape_name]
    if not (folder / "model.safetensors").exists():
        tiny_llama(
            folder,
            dtype="bfloat16",
            vocab_size=shape.vocabulary,
            width=shape.hidden,
            n_layers=shape.layers,
            n_heads=shape.heads,
            n_kv_heads=shape.kv_heads,
            head_width=shape.hidden // shape.heads,
            mlp_width=shape.ffn,
            context=8192,
            tied_output=True,
        )
    return folder


def text(length: int, number: int) -> tuple[int, ...]:
    """Return ids that no other number begins with."""
    return tuple(_LETTERS + (index * 7 + number * 13) % 20_000 for index in range(length))


def first_token(client: EngineClient, ids: tuple[int, ...], chat: str) -> tuple[float, int]:
    """Ask for one token; return the seconds until it came, and how many tokens were reused."""
    sampling = SamplingParams(temperature=0, max_tokens=1)
    request = GenerationRequest("bench", token_ids=ids, sampling=sampling, cache_key=chat)
    began = time.perf_counter()
    seconds, reused = 0.0, 0
    for event in client.generate(request, CancelToken()):
        if isinstance(event, Failed):
            sys.exit(f"{event.message}\n{event.detail}")
        if isinstance(event, Started):
            reused = event.reused_tokens
        if isinstance(event, TokenEvent):
            seconds = time.perf_counter() - began
    if not seconds:
        sys.exit("The random model ended at once; nothing can be measured with it.")
    return seconds, reused


def measure(client: EngineClient, options: LoadOptions, number: int) -> dict[str, float]:
    """Run one round; return seconds by name."""
    chat = text(LONG, 5 * number)
    client.load(options)
    first_token(client, text(32, 5 * number + 1), "")  # the first run pages the file in
    cold, reused = first_token(client, chat, "a")
    _check("cold", reused, at_most=0)
    turned, _ = first_token(client, text(OTHER, 5 * number + 2), "b")
    memory, reused = first_token(client, (*chat, *text(NEW, 5 * number + 3)), "a")
    _check("from memory", reused, at_least=LONG)
    first_token(client, (*chat, *text(MORE, 5 * number + 3)), "a")
    time.sleep(PAUSE_S)
    later, _ = first_token(client, text(OTHER, 5 * number + 4), "d")
    client.rest(CancelToken())  # an engine that has nothing to do does it by itself
    client.close()
    client.load(options)
    first_token(client, text(32, 5 * number + 1), "")
    disk, reused = first_token(client, (*chat, *text(NEW, 5 * number + 4)), "a")
    _check("from disk", reused, at_least=LONG)
    first_token(client, (*chat, *text(NEW, 5 * number + 4)), "")  # the same, and nobody's
    alone, _ = first_token(client, text(OTHER, 5 * number + 3), "c")
    return {
        "cold": cold,
        "memory": memory,
        "disk": disk,
        "turned": turned,
        "later": later,
        "alone": alone,
    }


def _check(where: str, reused: int, *, at_least: int = 0, at_most: int = LONG + MORE) -> None:
    if not at_least <= reused <= at_most:
        sys.exit(f"{where}: {reused} tokens were reused; that is not what is to be measured.")


def compare(engine: str, options: LoadOptions, rounds: int) -> bool:
    """Measure one engine and print its lines; return whether both targets are met."""
    with closing(EngineClient()) as client:
        found = [measure(client, options, number) for number in range(rounds)]
    size = max((size for _path, size in files.files(app_paths().past)), default=0)
    files.clear(app_paths().past)
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    met = True
    for name, words in (("memory", "back from memory"), ("disk", "back from disk")):
        ratio = middle[name] / middle["cold"]
        met &= ratio <= TARGET
        each = "  ".join(f"{one[name]:.2f}/{one['cold']:.2f}" for one in found)
        print(
            f"{engine:8}{words:18}{middle[name]:8.2f} s{middle['cold']:9.2f} s"
            f"{ratio:8.1%}{TARGET:8.0%}   {each}"
        )
    for name, words in (("turned", "turning at once"), ("later", "turning later")):
        each = "  ".join(f"{one[name]:.2f}/{one['alone']:.2f}" for one in found)
        print(
            f"{engine:8}{words:18}{middle[name]:8.2f} s{middle['alone']:9.2f} s"
            f"{middle[name] / middle['alone']:8.2f}{'':8}   {each}"
        )
    print(f"{engine:8}kept: {size / 1e6:.0f} MB for {LONG:,} tokens", flush=True)
    return met


def main() -> None:
    """Run the benchmark; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", choices=sorted(make_checkpoint.SHAPES), default="1b")
    parser.add_argument("--engine", choices=("gguf", "native"), help="default: both")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, help="default: one per physical core")
    arguments = parser.parse_args()
    paths = {}
    if arguments.engine != "native":
        paths["gguf"] = make_checkpoint.checkpoint(arguments.shape)
    if arguments.engine != "gguf":
        paths["native"] = native_checkpoint(arguments.shape)
    met = True
    print(f"{arguments.shape:8}{'first token':18}{'ours':>10}{'cold':>11}{'ratio':>8}{'target':>8}")
    with tempfile.TemporaryDirectory() as home:
        os.environ["GLASSHOUSE_HOME"] = home  # the engine processes', too
        for engine, path in paths.items():
            options = LoadOptions(
                path=str(path),
                engine=engine,  # type: ignore[arg-type]
                threads=arguments.threads,
                n_ctx=LONG + MORE + 96,
                past=_ROOM,
            )
            met &= compare(engine, options, arguments.rounds)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
