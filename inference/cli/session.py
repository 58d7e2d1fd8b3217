"""What every command does with a model: find it, load it, watch for Ctrl+C, let it go."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.cli.decoding import draft_model
from inference.cli.options import load_options
from inference.errors import (
    CorruptCheckpointError,
    InferenceError,
    ModelNotFoundError,
    OutOfMemoryError,
)
from inference.host.client import EngineClient
from inference.library.describe import examine
from inference.library.fit import gigabytes
from inference.library.installed import Library
from inference.library.machine import this_machine
from inference.library.notes import FILE as NOTES
from inference.library.notes import ModelNotes
from inference.library.smaller import smaller
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import FrameType

    from inference.cancel import CancelToken
    from inference.library.lookup import EngineChoice
    from inference.types import LoadedModel, LoadOptions, LoadStep, ModelInfo

INTERRUPTED = 130
"""Exit status after Ctrl+C."""

_BAR = 24


class Interrupted(Exception):  # noqa: N818  not an error: Ctrl+C was pressed
    """Ctrl+C was pressed before there was an answer."""


class Session:
    """One loaded model with its engine process.

    Attributes:
        client: The engine.
        info: Facts from the files.
        load_s: Seconds from the start of the process until the model was ready.
    """

    def __init__(self, client: EngineClient, info: ModelInfo, options: LoadOptions) -> None:
        self.client = client
        self.info = info
        self._options = options
        self.load_s = 0.0

    def load(self, cancel: CancelToken) -> None:
        """Load the model, or load it again after its process died.

        Raises:
            InferenceError: One of its children.
            Interrupted: ``cancel`` was set.
        """
        begun = time.monotonic()
        with _progress_bar(self.info.name) as progress:
            try:
                self.client.load(self._options, progress, cancel)
            except InferenceError as error:
                if cancel.cancelled:
                    raise Interrupted from None
                raise _with_smaller(error, self._options) from None
        self.load_s = time.monotonic() - begun

    @property
    def loaded(self) -> LoadedModel:
        """Facts from the engine."""
        return self.client.loaded

    @property
    def completes(self) -> bool:
        """Whether this model continues text instead of answering it."""
        is_base = self.info.kind == "base" and not self._options.chat_template
        return is_base or not self.loaded.has_chat_template


def _with_smaller(error: InferenceError, options: LoadOptions) -> InferenceError:
    """Say with which option it would fit, where memory ran out and one can be named."""
    found = smaller(options, this_machine()) if isinstance(error, OutOfMemoryError) else None
    if found is None or found.n_ctx == found.n_ctx_before:
        return error
    freed = gigabytes(found.frees_bytes)
    hint = f"`--context {found.n_ctx}` instead of {found.n_ctx_before:,} tokens frees {freed}."
    return OutOfMemoryError(error.message, hint, error.detail)


def find_model(name: str, engine: EngineChoice = "auto") -> ModelInfo:
    """Return the model a person means by an id, part of one, a file or a folder.

    Raises:
        InferenceError: There is none, none for this engine, or it cannot be loaded.
    """
    info = Library(app_paths()).find(name, engine)
    if info.absent:
        raise ModelNotFoundError(info.problem)
    if info.problem:
        error = examine(Path(info.path))[1]
        raise error or CorruptCheckpointError(info.problem)
    return info


@contextmanager
def opened(arguments: argparse.Namespace, cancel: CancelToken) -> Iterator[Session]:
    """Load the model that ``arguments`` name for the length of a ``with`` block.

    Raises:
        InferenceError: One of its children.
        Interrupted: ``cancel`` was set, and whatever was going on ended for that.
    """
    info = find_model(arguments.model, arguments.engine)
    defaults = ModelNotes(app_paths().data / NOTES).of(info).defaults
    options = load_options(arguments, info, defaults)
    if name := draft_model(arguments):
        draft = find_model(name, info.engine)
        options = msgspec.structs.replace(options, draft=draft.path)
    client = EngineClient(arguments.factory)
    try:
        session = Session(client, info, options)
        session.load(cancel)
        if info.origin:
            ModelNotes(app_paths().data / NOTES).used(info, time.time())
        yield session
    except InferenceError:
        if cancel.cancelled:
            raise Interrupted from None
        raise
    finally:
        client.close()


class _ProgressBar:
    """A bar on standard error, drawn only after a moment: quick loads stay silent."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun = time.monotonic()
        self._shown = False

    def __call__(self, fraction: float, step: LoadStep = "reading") -> None:
        if time.monotonic() - self._begun < 0.5:
            return
        self._shown = True
        filled = round(fraction * _BAR)
        bar = "=" * filled + " " * (_BAR - filled)
        doing = "Preparing" if step == "compiling" else "Loading"
        print(
            f"\r{doing} {self._name} [{bar}] {fraction:4.0%}\x1b[K",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def clear(self) -> None:
        """Take the bar away again."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _progress_bar(name: str) -> Iterator[_ProgressBar | None]:
    if not sys.stderr.isatty():
        yield None
        return
    bar = _ProgressBar(name)
    try:
        yield bar
    finally:
        bar.clear()


@contextmanager
def interruptible(cancel: CancelToken) -> Iterator[None]:
    """Let Ctrl+C set ``cancel``; a second one breaks off at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        if cancel.cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
