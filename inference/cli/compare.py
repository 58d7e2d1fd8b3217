"""``glasshouse models compare``: perplexity, speed, size and memory of models on one text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.inspect_text import add_reading_options
from inference.cli.meter import Meter
from inference.cli.options import add_json, clean_path, whole
from inference.cli.session import INTERRUPTED, find_model, interruptible
from inference.errors import InferenceError
from inference.evaluation.book import FILE, ResultBook
from inference.evaluation.families import beside_the_largest, best_readers, choices
from inference.evaluation.measuring import Evaluator, Subject, Task, common_window
from inference.evaluation.result import Result, Trouble
from inference.evaluation.stopping import StoppedError
from inference.host.client import EngineClient
from inference.library.model_defaults import with_defaults
from inference.library.notes import FILE as NOTES
from inference.library.notes import ModelNotes
from inference.paths import app_paths
from inference.text.files import read_text
from inference.types import LoadOptions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cli.console import Json
    from inference.evaluation.families import Against, Choice
    from inference.evaluation.measuring import Step
    from inference.types import ModelInfo

_STEPS: dict[Step, str] = {
    "checking": "checking its files",
    "loading": "loading",
    "reading": "reading the text",
    "timing": "measuring its speed",
}


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare``."""
    parser = actions.add_parser(
        "compare",
        help="perplexity, speed, size and memory of several models on one text",
        description="Read one text with several models, one after the other, each in a process of "
        "its own, and put what was measured side by side. What was measured before with the same "
        "files, text and versions is taken as it is.",
    )
    parser.add_argument("models", metavar="MODEL", nargs="+", type=clean_path)
    parser.add_argument(
        "--text",
        metavar="FILE",
        type=clean_path,
        help="the text to read; without it, standard input",
    )
    add_reading_options(parser, "tokens read at once, the same for all models (512)")
    parser.add_argument("--threads", type=whole(1, 512), metavar="N", help="processor threads")
    parser.add_argument("--again", action="store_true", help="measure also what is known already")
    add_json(parser)
    parser.set_defaults(handler=compare)


def compare(arguments: argparse.Namespace) -> int:
    """Measure and print; return the exit status."""
    infos = list({info.id: info for info in map(find_model, arguments.models)}.values())
    text = (
        console.read_input()
        if arguments.text is None
        else read_text(Path(arguments.text).expanduser())
    )
    task = Task(text, arguments.method, common_window(infos, arguments.window), arguments.again)
    cancel = CancelToken()
    outcomes: list[Result | Trouble] = []
    interrupted = False
    with interruptible(cancel):
        for number, info in enumerate(infos, start=1):
            meter = Meter(as_json=False)
            label = f"{number} of {len(infos)}: {info.id}"
            try:
                outcome = _evaluate(task, info, arguments, cancel, (meter, label))
            except StoppedError:
                interrupted = True
                break
            finally:
                meter.clear()
            outcomes.append(outcome)
            if arguments.json:
                console.json_line(_told(outcome))
    results = [one for one in outcomes if isinstance(one, Result)]
    if arguments.json:
        console.json_line({"event": "finished", "advice": _advice(results)})
    else:
        _print(outcomes)
    if interrupted:
        return INTERRUPTED
    return 0 if results else 1


def _evaluate(
    task: Task,
    info: ModelInfo,
    arguments: argparse.Namespace,
    cancel: CancelToken,
    shown: tuple[Meter, str],
) -> Result | Trouble:
    meter, label = shown
    paths = app_paths()
    defaults = ModelNotes(paths.data / NOTES).of(info).defaults
    plain = LoadOptions(info.path, info.engine, threads=arguments.threads)
    options = with_defaults(plain, info, defaults)
    evaluator = Evaluator(lambda: EngineClient(arguments.factory), ResultBook(paths.data / FILE))

    def tell(step: Step, fraction: float) -> None:
        meter.tell(f"{label}: {_STEPS[step]}, {fraction:.0%}", None)

    try:
        return evaluator.evaluate(task, Subject(info, options), cancel, tell)
    except StoppedError:
        raise
    except InferenceError as error:
        console.note(f"{info.id}: {error.message} {error.hint}".rstrip())
        return Trouble(info, error.message, error.hint)


# --- for programs --------------------------------------------------------------------------------


def _told(outcome: Result | Trouble) -> Json:
    info = outcome.info
    head: dict[str, Json] = {"model": info.id, "engine": info.engine, "type": info.quantization}
    if isinstance(outcome, Trouble):
        return {"event": "trouble", **head, "message": outcome.message, "hint": outcome.hint}
    known = not math.isnan(outcome.bits_per_byte)
    return {
        "event": "result",
        **head,
        "perplexity": outcome.perplexity,
        "bits_per_token": outcome.bits_per_token,
        "bits_per_byte": outcome.bits_per_byte if known else None,
        "method": outcome.key.method,
        "window": outcome.key.window,
        "windows": outcome.windows,
        "text_tokens": outcome.tokens,
        "scored_tokens": outcome.scored,
        "scored_bytes": outcome.scored_bytes or None,
        "prompt_tokens": outcome.speed.prompt_tokens,
        "prompt_tokens_per_s": outcome.speed.prompt_tokens_per_s,
        "completion_tokens": outcome.speed.completion_tokens,
        "decode_tokens_per_s": outcome.speed.tokens_per_s,
        "size_bytes": info.size_bytes,
        "peak_memory_bytes": outcome.memory_bytes,
        "load_s": outcome.load_s,
        "context": outcome.n_ctx,
        "device": outcome.device,
        "dtype": outcome.dtype,
        "threads": outcome.threads,
        "measured_at": outcome.measured_at,
        "model_sha256": outcome.key.model,
        "text_sha256": outcome.key.text,
        "versions": outcome.key.versions,
    }


# --- for people ----------------------------------------------------------------------------------


def _print(outcomes: Sequence[Result | Trouble]) -> None:
    results = [one for one in outcomes if isinstance(one, Result)]
    if not results:
        return
    beside = beside_the_largest(results)
    head = ("MODEL", "TYPE", "PERPLEXITY", "", "BITS/BYTE", "READS", "WRITES", "FILE", "MEMORY")
    rows = [_row(one, beside.get(one.info.id)) for one in results]
    console.table([head, *rows], right=tuple(range(2, len(head))))
    key = results[0].key
    console.line(
        f"Read in windows of {key.window:,} tokens ({_METHODS[key.method]}). Perplexity counts by "
        "token: between models with other tokens compare bits per byte."
    )
    if beside:
        console.line("The percentage is the increase against the largest file of the same weights.")
    for sentence in _advice(results):
        console.line(sentence)


_METHODS = {"overlap": "overlapping by half", "llama.cpp": "the method of llama.cpp"}


def _row(result: Result, compared: Against | None) -> tuple[str, ...]:
    bits = result.bits_per_byte
    return (
        result.info.id,
        result.dtype if result.info.engine == "native" else result.info.quantization,
        console.perplexity_text(result.perplexity),
        "" if compared is None else _percent(compared),
        "?" if math.isnan(bits) else f"{bits:.3f}",
        f"{result.speed.prompt_tokens_per_s:,.1f}/s",
        f"{result.speed.tokens_per_s:,.1f}/s",
        console.size_text(result.info.size_bytes),
        console.size_text(result.memory_bytes),
    )


def _percent(compared: Against) -> str:
    if not compared.is_clear:
        return "±0 %"
    return f"{100 * compared.cost:+.1f} %"


def _advice(results: Sequence[Result]) -> list[str]:
    sentences = [_choice_words(choice) for choice in choices(results)]
    readers = best_readers(results)
    if len(readers) > 1:
        first, second = readers[:2]
        sentences.append(
            f"Of different models, {first.info.id} expects this text best: "
            f"{first.bits_per_byte:.3f} bits per byte; next is {second.info.id} with "
            f"{second.bits_per_byte:.3f}."
        )
    return sentences


def _choice_words(choice: Choice) -> str:
    compared, other, reference = choice.against, choice.other.info.id, choice.reference.info.id
    costs = f"costs {100 * compared.cost:.1f} % of perplexity"
    if not compared.is_clear:
        costs = "costs nothing that this text could show"
    elif compared.cost < 0:
        costs = f"has {-100 * compared.cost:.1f} % less perplexity"
    takes = f"takes {100 * compared.memory:.0f} % of the memory of {reference}"
    if choice.chosen is choice.reference:
        return f"Stay with {reference}: {other} {costs}, and {takes}."
    return f"Take {other}: it {costs}, and {takes}."
