"""Measures one model on one text, in an engine process of its own."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from inference.errors import InferenceError, UnsupportedRequestError
from inference.evaluation.identity import text_hash, versions
from inference.evaluation.result import PARTS, Key, Result
from inference.evaluation.speed import Trial, time_model
from inference.evaluation.stopping import StoppedError
from inference.inside.perplexity import LLAMA_WINDOW, Reading, measure
from inference.inside.words import scored_bytes
from inference.types import PastOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from inference.cancel import CancelToken
    from inference.evaluation.book import ResultBook
    from inference.host.client import EngineClient
    from inference.inside.perplexity import Method, Score
    from inference.types import LoadOptions, ModelInfo, TokenPiece

Step: TypeAlias = Literal["checking", "loading", "timing", "reading"]
Tell: TypeAlias = "Callable[[Step, float], None]"
"""Called with what is done now and the fraction of it."""

TRIAL: Final = Trial(prompt_tokens=256, tokens=32, repeat=3)


@dataclass(frozen=True, slots=True)
class Task:
    """What to measure models on.

    Attributes:
        text: One for all.
        method: How it is cut.
        window: Tokens read at once, the same for all.
        again: Measure also what is known from before.
    """

    text: str
    method: Method = "overlap"
    window: int = LLAMA_WINDOW
    again: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and how it is loaded; its context becomes what measuring needs."""

    info: ModelInfo
    options: LoadOptions


@dataclass(frozen=True, slots=True)
class Watch:
    """Who may end a measurement, and who hears how far it is."""

    cancel: CancelToken
    tell: Tell


def common_window(models: Iterable[ModelInfo], asked: int | None = None) -> int:
    """Return the window for all: as asked, or 512, or less where one was trained for less."""
    if asked is not None:
        return asked
    return min([LLAMA_WINDOW, *(info.n_ctx_train for info in models if info.n_ctx_train > 0)])


class Evaluator:
    """Measures one model after the other; each has an engine process of its own.

    Args:
        new_client: Makes a client; its process ends before ``evaluate`` returns.
        book: Results from before, and where new ones go.
    """

    def __init__(self, new_client: Callable[[], EngineClient], book: ResultBook) -> None:
        self._new_client = new_client
        self._book = book

    def evaluate(self, task: Task, subject: Subject, cancel: CancelToken, tell: Tell) -> Result:
        """Return what is known of a model on a text, measuring it where nothing is.

        Args:
            task: On what.
            subject: Which model, and how it is loaded.
            cancel: Ends it.
            tell: Hears how far it is.

        Raises:
            StoppedError: Cancelled.
            InferenceError: The model cannot be measured; its message is for people.
        """
        info = subject.info
        _check(task, info)
        options = _plain(subject.options, task.window, info)
        with _stoppable(cancel):
            found = self._book.hash_of(Path(info.path), cancel, lambda done: tell("checking", done))
            key = Key(
                found,
                text_hash(task.text),
                task.method,
                task.window,
                _words(options),
                versions(info.engine),
            )
            known = None if task.again else self._book.find(key)
            if known is not None:
                return msgspec.structs.replace(known, info=info)
            with closing(self._new_client()) as client:
                result = _measure(task, key, Subject(info, options), client, Watch(cancel, tell))
        self._book.keep(result)
        return result


def _measure(task: Task, key: Key, subject: Subject, client: EngineClient, watch: Watch) -> Result:
    cancel, tell = watch.cancel, watch.tell
    began = time.monotonic()
    tell("loading", 0.0)
    loaded = client.load(subject.options, lambda done, *_: tell("loading", done), cancel)
    load_s = time.monotonic() - began
    tell("timing", 0.0)
    speed = time_model(client, TRIAL, cancel, lambda done: tell("timing", done))
    memory_bytes = client.peak_memory_bytes()  # scoring sets more aside than a chat needs
    pieces = client.tokenize(task.text, add_bos=loaded.adds_bos)
    score = _score(task, client, pieces, watch)
    return Result(
        key=key,
        info=subject.info,
        tokens=len(pieces),
        scored=score.scored,
        windows=score.n_windows,
        nats=score.nats,
        scored_bytes=scored_bytes(task.text, pieces, score.logprobs) or 0,
        text_bytes=len(task.text.encode("utf-8", "replace")),
        parts=score.parts(PARTS),
        speed=speed,
        memory_bytes=memory_bytes,
        load_s=load_s,
        n_ctx=loaded.n_ctx,
        device=loaded.device,
        dtype=loaded.dtype,
        threads=loaded.threads,
        measured_at=time.time(),
    )


def _score(task: Task, client: EngineClient, pieces: tuple[TokenPiece, ...], watch: Watch) -> Score:
    watch.tell("reading", 0.0)
    ids = tuple(piece.id for piece in pieces)
    has_bos = client.loaded.adds_bos and bool(pieces) and pieces[0].special
    reading = Reading(ids, task.window, has_bos=has_bos, method=task.method)
    return measure(
        reading,
        lambda question: client.inspect(question, watch.cancel),
        lambda done: watch.tell("reading", done),
    )


def _check(task: Task, info: ModelInfo) -> None:
    if info.problem:
        raise InferenceError(info.problem)
    if not task.text.strip():
        raise UnsupportedRequestError("There is no text to read.", "Write one, or open a file.")
    if info.kind == "embedding":
        raise UnsupportedRequestError(
            "It turns texts into numbers and expects no next word.", "Choose a language model."
        )
    if 0 < info.n_ctx_train < task.window:
        raise UnsupportedRequestError(
            f"It was trained for texts of {info.n_ctx_train:,} tokens, and the window has "
            f"{task.window:,}.",
            f"Choose a window of {info.n_ctx_train:,} tokens or fewer for all.",
        )


def _plain(options: LoadOptions, window: int, info: ModelInfo) -> LoadOptions:
    """Return options with the context that measuring needs, and without what it has no use for."""
    needed = TRIAL.prompt_tokens + TRIAL.tokens
    n_ctx = max(window, min(needed, info.n_ctx_train or needed))
    return msgspec.structs.replace(options, n_ctx=n_ctx, draft="", past=PastOptions())


def _words(options: LoadOptions) -> str:
    """Return what of the options changes the figures."""
    parts = {
        "context": options.n_ctx,
        "gpu_layers": options.gpu_layers,
        "flash": options.flash_attention,
        "cache": options.kv_cache_type,
        "mmap": options.mmap,
        "threads": options.threads,
        "device": options.device,
        "dtype": options.dtype,
        "compile": options.compile,
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items())


@contextmanager
def _stoppable(cancel: CancelToken) -> Iterator[None]:
    """Turn the ways in which an engine says that it was stopped into one."""
    try:
        yield
    except InferenceError as error:
        if cancel.cancelled and not isinstance(error, StoppedError):
            raise StoppedError from error
        raise
