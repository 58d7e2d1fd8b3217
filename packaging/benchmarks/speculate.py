"""What guessing tokens ahead brings: plain against speculative decoding, both in one run.

    python packaging/benchmarks/speculate.py                   the shipped models
    python packaging/benchmarks/speculate.py --large native    the 1-billion shape (also: gguf)

Each case answers the same greedy request in turns, plainly and with guesses. Printed are tokens per
second of both (medians), their ratio, how many guesses were taken, and whether the text is the same
(where rounding by the size of a batch tips a near-tie, it need not be).

What the cases mean. The shipped models are trained, so their share of guesses taken is a real one;
but they are so small that a pass costs little more than the work around it, and the ratio says
little. Looking up is for texts that come again: here questions that are asked a second time. No
second trained size is shipped: the draft pair is a model and its own Q8_0 form, whose guesses are
nearly always right and cost as much as the answer, so only the share is of interest. ``--large``
shows the other half, a model bound by memory. Its weights are random, so a bias makes it write one
token again and again: all guesses are right, and the ratio is a bound: what a pass over nine tokens
costs beside nine passes over one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import make_checkpoint  # noqa: E402  packaging/ is no package: its scripts find each other by path
import stop  # noqa: E402

from inference.cancel import CancelToken  # noqa: E402
from inference.events import Failed, Finished, TokenEvent  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.types import (  # noqa: E402
    EngineKind,
    GenerationRequest,
    LoadOptions,
    Message,
    SamplingParams,
    Speculate,
)

STARTER = ROOT / "resources" / "starter"
QUESTIONS = (
    "What is a token?",
    "Why is the sky blue?",
    "Can you tell me a story about a dog?",
    "What is a language model?",
)
_TOKEN = 97  # an ordinary token in every model here


@dataclass(frozen=True, slots=True)
class Case:
    """A model, what it is asked, and who guesses."""

    name: str
    options: LoadOptions
    speculate: Speculate
    again: bool = False
    bias: tuple[tuple[int, float], ...] = ()
    tokens: int = 200


@dataclass(frozen=True, slots=True)
class Run:
    """Some answers and what they took."""

    seconds: float
    drafted: int
    accepted: int
    ids: tuple[int, ...]


def cases(large: str | None, threads: int | None) -> list[Case]:
    """Return what is to be measured."""

    def options(path: Path, draft: Path | None = None) -> LoadOptions:
        engine: EngineKind = "gguf" if path.suffix == ".gguf" else "native"
        drafting = "" if draft is None else str(draft)
        return LoadOptions(str(path), engine, threads=threads, draft=drafting, n_ctx=1024)

    if large is not None:
        path = make_checkpoint.checkpoint() if large == "gguf" else stop.checkpoint()
        return [Case(path.stem, options(path), "prompt", bias=((_TOKEN, 100.0),), tokens=64)]
    f16, q8 = (STARTER / f"starter-instruct-{form}.gguf" for form in ("F16", "Q8_0"))
    folder = STARTER / "starter-instruct"
    return [
        Case("asked again, native, looked up", options(folder), "prompt", again=True),
        Case("asked again, gguf, looked up", options(f16), "prompt", again=True),
        Case("asked once, native, looked up", options(folder), "prompt"),
        Case("asked once, gguf, looked up", options(f16), "prompt"),
        Case("asked once, gguf, Q8_0 drafts F16", options(f16, q8), "draft"),
    ]


def answers(client: EngineClient, case: Case, speculate: Speculate) -> Run:
    """Answer each question, the second time with the first answer in view."""
    runs = []
    for question in QUESTIONS:
        messages = [Message("user", question)]
        if case.again:
            first = answer(client, case, tuple(messages), "off")[1]
            messages += [Message("assistant", first), Message("user", question)]
        runs.append(answer(client, case, tuple(messages), speculate)[0])
        if case.bias:
            break
    return Run(
        sum(run.seconds for run in runs),
        sum(run.drafted for run in runs),
        sum(run.accepted for run in runs),
        tuple(token for run in runs for token in run.ids),
    )


def answer(
    client: EngineClient, case: Case, messages: tuple[Message, ...], speculate: Speculate
) -> tuple[Run, str]:
    """Answer once; return also the text."""
    sampling = SamplingParams(
        temperature=0, max_tokens=case.tokens, speculate=speculate, logit_bias=case.bias
    )
    raw = case.bias or not client.loaded.has_chat_template
    request = GenerationRequest(
        "bench",
        messages=None if raw else messages,
        token_ids=tuple(range(_TOKEN, _TOKEN + 16)) if raw else None,
        sampling=sampling,
    )
    tokens: list[TokenEvent] = []
    for event in client.generate(request, CancelToken()):
        match event:
            case TokenEvent():
                tokens.append(event)
            case Failed():
                sys.exit(f"{event.message}\n{event.detail}")
            case Finished(usage=usage, timings=timings):
                ids = tuple(token.token_id for token in tokens)
                run = Run(timings.decode_s, usage.drafted_tokens, usage.accepted_tokens, ids)
                return run, "".join(token.text for token in tokens)
            case _:
                pass
    raise AssertionError  # a stream always ends with one of the above


def compare(case: Case, rounds: int) -> None:
    """Measure both ways in turns, and print one line."""
    with closing(EngineClient()) as client:
        client.load(case.options, lambda *_: None, CancelToken())
        answers(client, case, "off")  # the first run pages the files in
        answers(client, case, case.speculate)
        plain: list[Run] = []
        guessed: list[Run] = []
        for _ in range(rounds):
            plain.append(answers(client, case, "off"))
            guessed.append(answers(client, case, case.speculate))
    before = statistics.median(len(run.ids) / run.seconds for run in plain)
    after = statistics.median(len(run.ids) / run.seconds for run in guessed)
    last = guessed[-1]
    share = last.accepted / last.drafted if last.drafted else 0.0
    same = "same text" if last.ids == plain[-1].ids else "another text (rounding)"
    taken = f"{last.accepted}/{last.drafted} = {share:.0%}"
    print(
        f"{case.name:34}{before:9.1f}{after:10.1f}{after / before:8.2f}   {taken:18}"
        f"{len(last.ids):5} tokens, {same}",
        flush=True,
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--large", choices=("gguf", "native"), help="the 1-billion shape")
    parser.add_argument("--threads", type=int, help="default: one per physical core")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{'':34}{'plain':>9}{'guessed':>10}{'ratio':>8}   {'guesses taken':18}")
    for case in cases(arguments.large, arguments.threads):
        compare(case, arguments.rounds)


if __name__ == "__main__":
    main()
