"""``glasshouse bench``: how fast a model reads and writes here, and what memory it takes.

Reading is timed by the engine, writing from outside the engine process, so that what a person waits
for is what is counted. Prompts are random tokens: speed does not depend on their meaning. On the
processor it is memory that bounds writing, which reads every weight for every token: how near an
engine comes to what the memory can give is measured too.
"""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inference.bandwidth import read_bandwidth
from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.options import add_json, add_load_options, add_model, whole
from inference.cli.session import INTERRUPTED, Interrupted, interruptible, opened
from inference.errors import UnsupportedRequestError, from_wire
from inference.events import Failed, Finished, TokenEvent
from inference.library import checkpoint_folder
from inference.library.estimate import bytes_per_token
from inference.library.gguf_header import read_header
from inference.library.memory_shape import shape_of_config, shape_of_header
from inference.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    import argparse

    from inference.cli.session import Session

_Result: TypeAlias = "dict[str, str | int | float | list[float] | None]"
_SHORT_PROMPT = 8
_ATTEMPTS = 8


class _Run(msgspec.Struct, frozen=True):
    """One measured answer: tokens and seconds of reading and of writing."""

    prompt_tokens: int
    prompt_s: float
    written: int
    write_s: float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench``."""
    parser = commands.add_parser(
        "bench",
        help="measure speed and memory",
        description="Measure prompt and decode speed in tokens per second (medians) and memory.",
    )
    add_model(parser)
    parser.add_argument("--prompt-tokens", type=whole(1), default=512, metavar="N")
    parser.add_argument("--tokens", type=whole(2), default=128, metavar="N", help="to write")
    parser.add_argument("--repeat", type=whole(1, 100), default=3, metavar="N")
    parser.add_argument("--top", type=whole(0, 20), default=0, metavar="N")
    add_load_options(parser)
    add_json(parser)
    parser.set_defaults(handler=bench, parser=parser)


def bench(arguments: argparse.Namespace) -> int:
    """Measure and print; return the exit status."""
    cancel = CancelToken()
    try:
        with interruptible(cancel), opened(arguments, cancel) as session:
            result = _measure(session, arguments, cancel)
    except Interrupted:
        return INTERRUPTED
    if arguments.json:
        console.json_line(result)
    else:
        _print(result)
    return 0


def _measure(session: Session, arguments: argparse.Namespace, cancel: CancelToken) -> _Result:
    loaded = session.loaded
    n_prompt = min(arguments.prompt_tokens, loaded.n_ctx - 1)
    n_write = min(arguments.tokens, loaded.n_ctx - _SHORT_PROMPT)
    if n_prompt < 1 or n_write < 2:
        raise UnsupportedRequestError(
            f"A context of {loaded.n_ctx} tokens is too short to measure in.",
            "Choose a larger `--context`.",
        )
    draw = random.Random(1)  # noqa: S311  repeatable, not secret
    _once(session, _prompt(session, draw, _SHORT_PROMPT), 2, arguments.top, cancel)  # warm-up
    reading, writing = [], []
    for _ in range(arguments.repeat):
        prompt = _prompt(session, draw, n_prompt)
        reading.append(_once(session, prompt, 1, arguments.top, cancel))
        writing.append(_write(session, draw, n_write, arguments.top, cancel))
    gives = read_bandwidth(loaded.threads) if loaded.device == "CPU" else None
    prompt_speeds = [run.prompt_tokens / run.prompt_s for run in reading if run.prompt_s]
    decode_speeds = [(run.written - 1) / run.write_s for run in writing if run.write_s]
    decoded = statistics.median(decode_speeds) if decode_speeds else 0.0
    reads = decoded * _bytes_read(session)
    return {
        "model": session.info.id,
        "engine": session.info.engine,
        "device": loaded.device,
        "threads": loaded.threads,
        "dtype": loaded.dtype,
        "load_s": session.load_s,
        "prompt_tokens": n_prompt,
        "prompt_tokens_per_s": statistics.median(prompt_speeds) if prompt_speeds else 0.0,
        "completion_tokens": min(run.written for run in writing),
        "decode_tokens_per_s": decoded,
        "prompt_runs": prompt_speeds,
        "decode_runs": decode_speeds,
        "memory_bytes": session.client.memory_bytes(),
        "peak_memory_bytes": session.client.peak_memory_bytes(),
        "weights_bytes": loaded.weights_bytes,
        "kv_cache_bytes": loaded.kv_cache_bytes,
        "weights_read_bytes_per_s": reads,
        "memory_bandwidth_bytes_per_s": gives,
        "bandwidth_share": reads / gives if gives else None,
    }


def _bytes_read(session: Session) -> int:
    """Return the bytes of weights that one token passes through."""
    path = Path(session.info.path)
    if session.info.engine == "gguf":
        shape = shape_of_header(read_header(path))
    else:
        shape = shape_of_config(checkpoint_folder.read_config(path))
    return bytes_per_token(shape, session.loaded.weights_bytes)


def _prompt(session: Session, draw: random.Random, length: int) -> tuple[int, ...]:
    """Return random ids, no two prompts alike, so that no cached prefix helps."""
    ends = set(session.loaded.eos_ids)
    ids = [token for token in range(session.loaded.n_vocab) if token not in ends]
    return tuple(draw.choices(ids, k=length))


def _write(
    session: Session, draw: random.Random, tokens: int, top: int, cancel: CancelToken
) -> _Run:
    """Let it write; where it ends early, try other prompts and take the longest answer."""
    best: _Run | None = None
    for _ in range(_ATTEMPTS):
        run = _once(session, _prompt(session, draw, _SHORT_PROMPT), tokens, top, cancel)
        if best is None or run.written > best.written:
            best = run
        if best.written >= tokens:
            break
    if best is None or best.written < 2:
        raise UnsupportedRequestError(
            "This model ends its answer before there is anything to measure.",
            "Try again with another model.",
        )
    return best


def _once(
    session: Session, prompt: tuple[int, ...], tokens: int, top: int, cancel: CancelToken
) -> _Run:
    sampling = SamplingParams(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, max_tokens=tokens)
    request = GenerationRequest("bench", token_ids=prompt, sampling=sampling, top_n=top)
    first = last = 0.0
    for event in session.client.generate(request, cancel):
        match event:
            case TokenEvent():
                last = time.perf_counter()
                first = first or last
            case Failed():
                raise from_wire(event.error, event.message, event.hint, event.detail)
            case Finished(reason="cancelled"):
                raise Interrupted
            case Finished():
                computed = event.usage.prompt_tokens - event.usage.reused_tokens
                written = event.usage.completion_tokens
                return _Run(computed, event.timings.prompt_s, written, last - first)
            case _:
                pass
    raise AssertionError  # a stream always ends with one of the above


def _print(result: _Result) -> None:
    figures = {key: value for key, value in result.items() if isinstance(value, int | float)}
    runs = result["decode_runs"]
    repeated = len(runs) if isinstance(runs, list) else 0
    weights = console.size_text(figures["weights_bytes"])
    cache = console.size_text(figures["kv_cache_bytes"])
    rows = [
        ("model", f"{result['model']} ({result['engine']}, {result['dtype']})"),
        ("device", f"{result['device']}, {result['threads']} threads"),
        ("loading", f"{figures['load_s']:.2f} s, process start included"),
        (
            "reading",
            f"{figures['prompt_tokens_per_s']:.1f} tokens/s ({result['prompt_tokens']} tokens)",
        ),
        (
            "writing",
            f"{figures['decode_tokens_per_s']:.1f} tokens/s ({result['completion_tokens']} tokens)",
        ),
        ("bandwidth", _bandwidth(result)),
        ("memory", f"{console.size_text(figures['memory_bytes'])} in the engine process"),
        ("of that", f"{weights} weights, {cache} KV cache at full context"),
    ]
    console.table(rows)
    console.line(f"Medians of {repeated} runs.")


def _bandwidth(result: _Result) -> str:
    reads, gives = result["weights_read_bytes_per_s"], result["memory_bandwidth_bytes_per_s"]
    if not isinstance(reads, float) or not isinstance(gives, float):
        return "measured on the processor only"
    return (
        f"writing reads {reads / 1e9:.1f} GB/s of weights, {reads / gives:.0%} of the "
        f"{gives / 1e9:.1f} that the memory gives"
    )
