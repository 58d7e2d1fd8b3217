"""``glasshouse bench``: how fast a model reads and writes here, and what memory it takes.

Reading is timed by the engine, writing from outside the engine process, so that what a person waits
for is what is counted. Prompts are random tokens: speed does not depend on their meaning. It is
memory that bounds writing, which reads every weight for every token: how near an engine comes to
what the memory of the processor or of the graphics card can give is measured too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.bandwidth import read_bandwidth
from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.options import add_json, add_load_options, add_model, whole
from inference.cli.session import INTERRUPTED, Interrupted, interruptible, opened
from inference.evaluation.speed import Trial, time_model
from inference.evaluation.stopping import StoppedError
from inference.host.ask import ask_card_speed
from inference.host.report import CardSpeed
from inference.library import checkpoint_folder
from inference.library.estimate import bytes_per_token
from inference.library.gguf_header import read_header
from inference.library.memory_shape import shape_of_config, shape_of_header

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from inference.cli.session import Session
    from inference.types import LoadedModel

_Result: TypeAlias = "dict[str, str | int | float | list[float] | None]"


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
    trial = Trial(arguments.prompt_tokens, arguments.tokens, arguments.repeat, arguments.top)
    try:
        speed = time_model(session.client, trial, cancel)
    except StoppedError:
        raise Interrupted from None
    memory = _memory_speed(loaded)
    gives = memory.bytes_per_s or None
    reads = speed.tokens_per_s * _bytes_read(session)
    return {
        "model": session.info.id,
        "engine": session.info.engine,
        "device": loaded.device,
        "threads": loaded.threads,
        "dtype": loaded.dtype,
        "load_s": session.load_s,
        "prompt_tokens": speed.prompt_tokens,
        "prompt_tokens_per_s": speed.prompt_tokens_per_s,
        "completion_tokens": speed.completion_tokens,
        "decode_tokens_per_s": speed.tokens_per_s,
        "prompt_runs": list(speed.reading),
        "decode_runs": list(speed.writing),
        "memory_bytes": session.client.memory_bytes(),
        "peak_memory_bytes": session.client.peak_memory_bytes(),
        "weights_bytes": loaded.weights_bytes,
        "kv_cache_bytes": loaded.kv_cache_bytes,
        "weights_read_bytes_per_s": reads,
        "memory_bandwidth_bytes_per_s": gives,
        "bandwidth_share": reads / gives if gives else None,
        "bandwidth_problem": memory.problem or None,
    }


def _memory_speed(loaded: LoadedModel) -> CardSpeed:
    """Measure the memory that the weights are in, or say why that cannot be done."""
    if loaded.device == "CPU":
        return CardSpeed(read_bandwidth(loaded.threads))
    layers = loaded.n_layers + (loaded.engine == "gguf")  # llama.cpp counts the output as one
    if loaded.gpu_layers < layers:
        return CardSpeed(problem="the weights are in two memories, the card's and the processor's")
    return ask_card_speed(loaded.device)


def _bytes_read(session: Session) -> int:
    """Return the bytes of weights that one token passes through."""
    path = Path(session.info.path)
    if session.info.engine == "gguf":
        shape = shape_of_header(read_header(path))
    else:
        shape = shape_of_config(checkpoint_folder.read_config(path))
    return bytes_per_token(shape, session.loaded.weights_bytes)


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
        ("bandwidth", _bandwidth(result, figures)),
        ("memory", f"{console.size_text(figures['memory_bytes'])} in the engine process"),
        ("of that", f"{weights} weights, {cache} KV cache at full context"),
    ]
    console.table(rows)
    console.line(f"Medians of {repeated} runs.")


def _bandwidth(result: _Result, figures: Mapping[str, float]) -> str:
    reads = figures["weights_read_bytes_per_s"]
    gives = figures.get("memory_bandwidth_bytes_per_s")
    said = f"writing reads {reads / 1e9:.1f} GB/s of weights"
    if gives is None:
        return f"{said}; what the memory gives is not known: {result['bandwidth_problem']}"
    of = "the memory gives" if result["device"] == "CPU" else "a large copy on the card moves"
    return f"{said}, {reads / gives:.0%} of the {gives / 1e9:.1f} that {of}"
