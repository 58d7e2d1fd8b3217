"""How much of llama.cpp's own speed reaches a person: our engine process against ``llama-bench``.

    python packaging/benchmarks/decode.py

Both sides run the same file with the same threads, in turns, so that what else the computer does
meets both. Printed are tokens per second of every round, medians and their ratios. Targets: decode
0.95, with five alternatives per token 0.90, a prompt of 512 tokens 0.95. Then a stop in the middle
of a 4,000-token prompt, which has to act within 200 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import llama_bench  # noqa: E402  packaging/ is no package: its scripts find each other by path
import make_checkpoint  # noqa: E402

from inference.cancel import CancelToken  # noqa: E402
from inference.events import Failed, Finished, PromptProgress  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.types import GenerationRequest, LoadOptions, SamplingParams  # noqa: E402

DECODED = 128
PROMPT = 512
LONG_PROMPT = 4000
STOP_TARGET_MS = 200
_LETTERS = 97  # ids of ordinary tokens in the made-up vocabulary


def measure_ours(client: EngineClient, prompt: int, decoded: int, top_n: int, round_: int) -> float:
    """Run one request and return tokens per second as they arrive on this side of the pipe.

    Args:
        client: With the model loaded.
        prompt: Tokens to read; other ones in each round, so that nothing is reused.
        decoded: Tokens to decode after it, 0 to measure reading.
        top_n: Alternatives per token.
        round_: Number of the round.
    """
    ids = tuple(_LETTERS + (index * 7 + round_ * 13) % 20_000 for index in range(prompt))
    sampling = SamplingParams(temperature=0, max_tokens=decoded)
    request = GenerationRequest(f"bench-{round_}", token_ids=ids, sampling=sampling, top_n=top_n)
    began = read = time.perf_counter()
    for event in client.generate(request, CancelToken()):
        if isinstance(event, PromptProgress) and event.done == event.total:
            read = time.perf_counter()
        if isinstance(event, Failed):
            sys.exit(f"{event.message}\n{event.detail}")
        if isinstance(event, Finished):
            finished = event
    ended = time.perf_counter()
    if decoded == 0:
        return prompt / (read - began)
    # After the prompt the first token costs no decode; n tokens are n - 1 steps.
    steps = finished.usage.completion_tokens - 1
    if steps < decoded // 2:
        sys.exit("The random model ended early; nothing can be measured with it.")
    return steps / (ended - read)


def measure_stop(client: EngineClient, after_s: float) -> float:
    """Stop a long prefill after a while; return the milliseconds until the answer had ended."""
    ids = tuple(_LETTERS + index % 20_000 for index in range(LONG_PROMPT))
    request = GenerationRequest("stop", token_ids=ids, sampling=SamplingParams(max_tokens=1))
    cancel = CancelToken()
    asked_at = 0.0

    def stop() -> None:
        nonlocal asked_at
        asked_at = time.perf_counter()
        cancel.cancel()

    timer = threading.Timer(after_s, stop)
    timer.start()
    reason = ""
    for event in client.generate(request, cancel):
        if isinstance(event, Finished):
            reason = event.reason
    ended = time.perf_counter()
    timer.join()
    if reason != "cancelled":
        sys.exit("The prompt was read before the stop; choose a larger model.")
    return (ended - asked_at) * 1000


def compare(client: EngineClient, program: Path, model: Path, threads: int, rounds: int) -> bool:
    """Measure both sides in turns, print the table, return whether every target is met."""
    tests = (  # name, prompt, decoded, alternatives, target
        ("decode", 1, DECODED, 0, 0.95),
        ("decode, 5 alternatives", 1, DECODED, 5, 0.90),
        ("prompt of 512", PROMPT, 0, 0, 0.95),
    )
    met = True
    print(f"{'':24}{'ours':>9}{'llama-bench':>13}{'ratio':>8}{'target':>8}   rounds (ours/theirs)")
    for name, prompt, decoded, top_n, target in tests:
        ours: list[float] = []
        theirs: list[float] = []
        for round_ in range(rounds):
            ours.append(measure_ours(client, prompt, decoded, top_n, round_))
            read = prompt if decoded == 0 else 0
            theirs.append(llama_bench.measure(program, model, threads, read, decoded))
        ratio = statistics.median(ours) / statistics.median(theirs)
        met &= ratio >= target
        pairs = "  ".join(f"{a:.1f}/{b:.1f}" for a, b in zip(ours, theirs, strict=True))
        print(
            f"{name:24}{statistics.median(ours):9.1f}{statistics.median(theirs):13.1f}"
            f"{ratio:8.3f}{target:8.2f}   {pairs}",
            flush=True,
        )
    return met


def main() -> None:
    """Run the benchmark; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", choices=sorted(make_checkpoint.SHAPES), default="1b")
    parser.add_argument("--threads", type=int, help="default: one per physical core")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sdist", type=Path, help="llama-cpp-python's source archive, if at hand")
    arguments = parser.parse_args()
    model = make_checkpoint.checkpoint(arguments.shape)
    program = llama_bench.llama_bench(arguments.sdist)
    with closing(EngineClient()) as client:
        options = LoadOptions(
            path=str(model), engine="gguf", threads=arguments.threads, n_ctx=LONG_PROMPT + 96
        )
        loaded = client.load(options, lambda *_: None, CancelToken())
        print(f"{model.name}, {loaded.threads} threads, {loaded.device}", flush=True)
        measure_ours(client, 32, 4, 0, 0)  # the first run pages the file in
        met = compare(client, program, model, loaded.threads, arguments.rounds)
        stops = [measure_stop(client, 0.4 + 0.37 * number) for number in range(5)]
        listed = ", ".join(f"{stop:.0f}" for stop in stops)
        print(f"stop within a prompt of {LONG_PROMPT:,}: {listed} ms (target {STOP_TARGET_MS})")
        met &= max(stops) <= STOP_TARGET_MS
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
