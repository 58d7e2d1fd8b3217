"""The native engine on the processor against ``transformers`` ``generate``, 1-billion shape.

    python packaging/benchmarks/native.py                      everything, some five minutes
    python packaging/benchmarks/native.py --only decode int8   a part; see --help
    python packaging/benchmarks/native.py --busy               where other programs run

Both sides run the same random weights (a Llama of 1.24 billion, made the first time: 2.5 GB) with
the same threads in one process, in turns, so that what else the computer does meets both. Printed
are medians, ratios, targets and every round. Targets: decoding in bfloat16 1.8 times transformers
and 85 % of what the memory reads between its tokens; int8 2.6 times; a prompt of 512 tokens 1.0.
What else is printed (loading, memory, Python's share, long contexts with a plot) is in
``native_costs.py``.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import native_costs  # noqa: E402  packaging/ is no package: its scripts find each other by path
import torch  # noqa: E402
from stop import checkpoint  # noqa: E402
from table import Row, print_heading, print_row  # noqa: E402

from inference.bandwidth import MemoryReader  # noqa: E402
from inference.cancel import CancelToken  # noqa: E402
from inference.events import Failed, Finished, TokenEvent  # noqa: E402
from inference.native.engine import NativeEngine, open_engine  # noqa: E402
from inference.threads import physical_cores  # noqa: E402
from inference.types import GenerationRequest, LoadOptions, SamplingParams  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

CLOCK = time.perf_counter
PROMPT = 512
PARTS = ("decode", "int8", "prefill", "overhead", "loading", "memory", "growth")
TURN, READS, TURNS = 8, 4, 30  # tokens, and reads of the memory, in a turn
DECODE_TARGET, BANDWIDTH_TARGET, INT8_TARGET, PREFILL_TARGET = 1.8, 0.85, 2.6, 1.0


def engine(folder: Path, threads: int, dtype: str = "bfloat16", n_ctx: int = 1024) -> NativeEngine:
    """Return our side, in this process."""
    options = LoadOptions(
        path=str(folder), engine="native", device="cpu", dtype=dtype, threads=threads, n_ctx=n_ctx
    )
    return open_engine(options, lambda *_: None, CancelToken())


def ours(side: NativeEngine, prompt: int, tokens: int, round_: int) -> float:
    """Answer greedily; return the passes through the network, or tokens read, per second.

    Args:
        side: With the model loaded.
        prompt: Tokens to read, other ones in each round, so that nothing is reused.
        tokens: Tokens to write; the first comes from the prompt's pass.
        round_: Number of the round.
    """
    ids = tuple(_ids(prompt, round_))
    sampling = SamplingParams(temperature=0, max_tokens=tokens)
    request = GenerationRequest(f"bench-{round_}", token_ids=ids, sampling=sampling)
    began = CLOCK()
    for event in side.generate(request, CancelToken()):
        if isinstance(event, Failed):
            sys.exit(f"{event.message}\n{event.detail}")
        if isinstance(event, Finished) and event.usage.completion_tokens < tokens:
            sys.exit("The random model ended early; nothing can be measured with it.")
    seconds = CLOCK() - began
    return (prompt if prompt > 1 else tokens) / seconds


class Theirs:
    """The same network in transformers, as its pages say to use it."""

    def __init__(self, network: Any) -> None:  # noqa: ANN401  transformers ships no types
        import transformers  # noqa: PLC0415  heavy

        self._network = network
        network.generation_config.eos_token_id = None
        self.version = transformers.__version__

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Load a checkpoint folder."""
        import transformers  # noqa: PLC0415  heavy

        return cls(transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16))

    def __call__(self, prompt: int, tokens: int, round_: int) -> float:
        """As ``ours``."""
        ids = torch.tensor([_ids(prompt, round_)], device=self._network.device)  # (1, T)
        began = CLOCK()
        self._network.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False
        )
        return (prompt if prompt > 1 else tokens) / (CLOCK() - began)

    def scores(self, ids: Tensor) -> Tensor:
        """Return the logits after each of the ids, (1, T, V)."""
        logits: Tensor = self._network(ids).logits
        return logits


def _ids(count: int, round_: int) -> list[int]:
    return [97 + (index * 7 + round_ * 13) % 20_000 for index in range(count)]


def in_turns(sides: list[Callable[[int], float]], rounds: int) -> list[list[float]]:
    """Run the sides in turns, one round each to warm up; return what each round of each gave."""
    for side in sides:
        side(0)
    found: list[list[float]] = [[] for _ in sides]
    for round_ in range(1, rounds + 1):
        for side, speeds in zip(sides, found, strict=True):
            speeds.append(side(round_))
    return found


def decode(folder: Path, theirs: Theirs, arguments: argparse.Namespace, dtype: str) -> bool:
    """Compare decoding; return whether the targets are met."""
    target = DECODE_TARGET if dtype == "bfloat16" else INT8_TARGET
    with closing(engine(folder, arguments.threads, dtype)) as side:
        mine, other = in_turns(
            [
                lambda round_: ours(side, 1, arguments.tokens, round_),
                lambda round_: theirs(1, arguments.tokens, round_),
            ],
            arguments.rounds,
        )
        met = print_row(Row(f"decode, {dtype}", "tokens/s", mine, other, target))
        return met & share_of_memory(side, arguments, dtype)


def share_of_memory(side: NativeEngine, arguments: argparse.Namespace, dtype: str) -> bool:
    """Print what share of the memory's speed decoding reaches; return whether the target is met.

    A few tokens and a few reads of the memory take turns: on a shared computer its speed changes
    within seconds. Each turn of tokens is held against the reads just before and just after it, and
    the median of all turns counts. The first read after tokens is left out: threads that computed
    them are still on their way to sleep.
    """
    request = GenerationRequest(
        "share",
        token_ids=tuple(_ids(1, arguments.rounds + 1)),
        sampling=SamplingParams(temperature=0, max_tokens=1 + TURN * TURNS),
    )
    events = (event for event in side.generate(request, CancelToken()) if _is_token(event))
    next(events)  # comes from the prompt
    reached, given = [], []  # bytes per second
    with closing(MemoryReader(arguments.threads)) as memory:
        for turn in range(TURNS + 1):
            memory.read()
            given.append(statistics.mean(memory.read() for _ in range(READS)))
            if turn < TURNS:
                began = CLOCK()
                found = sum(1 for _ in itertools.islice(events, TURN))
                reached.append(found * side.loaded.weights_bytes / (CLOCK() - began))
    share = statistics.median(
        2 * mine / (before + after)
        for mine, before, after in zip(reached, given, given[1:], strict=False)
    )
    print(
        f"  reads {statistics.median(reached) / 1e9:.1f} GB/s of weights, where the memory gives "
        f"{statistics.median(given) / 1e9:.1f} ({min(given) / 1e9:.1f} to {max(given) / 1e9:.1f}), "
        f"in turns: {share:.0%}"
        + (f", target {BANDWIDTH_TARGET:.0%}" if dtype == "bfloat16" else ""),
        flush=True,
    )
    return dtype != "bfloat16" or share >= BANDWIDTH_TARGET


def _is_token(event: object) -> bool:
    if isinstance(event, Failed):
        sys.exit(f"{event.message}\n{event.detail}")
    return isinstance(event, TokenEvent)


def prefill(folder: Path, theirs: Theirs, arguments: argparse.Namespace) -> bool:
    """Compare reading a prompt; return whether the target is met."""
    with closing(engine(folder, arguments.threads)) as side:
        mine, other = in_turns(
            [
                lambda round_: ours(side, PROMPT, 1, round_),
                lambda round_: theirs(PROMPT, 1, round_),
            ],
            arguments.rounds,
        )
    return print_row(Row(f"prompt of {PROMPT}", "tokens/s", mine, other, PREFILL_TARGET))


def main() -> int:
    """Run the parts asked for; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--threads", type=int, default=physical_cores())
    parser.add_argument(
        "--busy",
        action="store_true",
        help="one thread, timed by the processor time it took: two would wait for each other",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=32, help="to decode in a round")
    arguments = parser.parse_args()
    if arguments.busy:
        arguments.threads = 1
        globals()["CLOCK"] = time.process_time
    torch.set_num_threads(arguments.threads)
    folder, met = checkpoint(), True
    if "overhead" in arguments.only:
        met &= native_costs.overhead()
    if "loading" in arguments.only:
        met &= native_costs.loading(folder, arguments.threads)
    if "memory" in arguments.only:
        met &= native_costs.memory(folder, arguments.threads)
    if {"decode", "int8", "prefill"} & set(arguments.only):
        theirs = Theirs.of(folder)
        print_heading(f"transformers {theirs.version}", arguments.threads)
        if "decode" in arguments.only:
            met &= decode(folder, theirs, arguments, "bfloat16")
        if "int8" in arguments.only:
            met &= decode(folder, theirs, arguments, "int8")
        if "prefill" in arguments.only:
            met &= prefill(folder, theirs, arguments)
    if "growth" in arguments.only:
        met &= native_costs.growth(folder)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
