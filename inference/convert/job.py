"""Making one file, seen from outside: a child process, a part file, and a whole file at the end.

Needs neither torch nor llama.cpp: the window and the command line use it alike. The part file lies
beside the file to come and is hidden; it goes whatever happens, and a later run removes those of
processes that were killed.
"""

from __future__ import annotations

import itertools
import os
import queue
import re
import subprocess
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, TypeAlias

import msgspec
import psutil

from inference.convert import orders
from inference.errors import (
    EngineCrashedError,
    InferenceError,
    UnsupportedRequestError,
    from_wire,
)
from inference.host.endings import exit_cause
from inference.host.spawn import engine_environment, life_line, making_command, no_window
from inference.library.gguf_header import read_header
from inference.library.registry import store_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from inference.cancel import CancelToken
    from inference.convert.orders import Action, Order

    Sink: TypeAlias = Callable[[Action, int, int], None]

_POLL_S: Final = 0.1
_KEPT_LINES: Final = 40
_WAIT_S: Final = 10.0
_numbers: Final = itertools.count()


class MakingStopped(Exception):  # noqa: N818  not an error: it was asked for
    """The work was cancelled; nothing is left of it."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A new model file.

    Attributes:
        path: Where it is.
        size_bytes: Its size.
        notes: Sentences about what it can less well than its source.
    """

    path: Path
    size_bytes: int
    notes: tuple[str, ...]


def make_file(
    steps: Sequence[Order],
    target: Path,
    progress: Sink,
    cancel: CancelToken,
    *,
    replace: bool = False,
) -> MadeFile:
    """Carry out orders, each in a child process.

    Args:
        steps: What to make; each works on what the one before it made, and ``part`` is chosen here.
        target: The file to come; its folder is made where missing.
        progress: Told which step has done how much of how much, in this thread.
        cancel: Looked at ten times a second.
        replace: A file of that name may be replaced.

    Raises:
        MakingStopped: ``cancel`` was set; nothing is left of the work.
        UnsupportedRequestError: There is a file of that name.
        StoreError: The folder cannot be written.
        InferenceError: One of its children: what the work itself met. Nothing is left of it.
    """
    if target.exists() and not replace:
        raise UnsupportedRequestError(
            f"There is a {target.name} in {target.parent} already.",
            "Choose another name, or let it be replaced (--force).",
        )
    made_folders = _make_folder(target.parent)
    parts = [target.with_name(f".{target.name}.{os.getpid()}.{next(_numbers)}.part") for _ in steps]
    notes: list[str] = []
    try:
        _remove_orphans(target)
        for index, (order, part) in enumerate(zip(steps, parts, strict=True)):
            source = order.source if index == 0 else str(parts[index - 1])
            ordered = msgspec.structs.replace(order, source=source, part=str(part))
            notes += _run(ordered, progress, cancel)
        read_header(parts[-1])
        _put_in_place(parts[-1], target)
        return MadeFile(target, target.stat().st_size, tuple(notes))
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        for folder in made_folders:
            with suppress(OSError):  # not empty: the file is there
                folder.rmdir()


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder; return those that were not there, innermost first."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise store_error(exc, folder) from exc
    return missing


def _put_in_place(part: Path, target: Path) -> None:
    try:
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as exc:
        raise store_error(exc, target.parent) from exc


def _remove_orphans(target: Path) -> None:
    """Remove part files of this target whose process is gone."""
    part = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\.\d+\.part")
    for path in target.parent.iterdir():
        match = part.fullmatch(path.name)
        if match and not psutil.pid_exists(int(match[1])):
            with suppress(OSError):
                path.unlink()


def _run(order: Order, progress: Sink, cancel: CancelToken) -> tuple[str, ...]:
    with life_line() as stdin, _child(order, stdin) as child:
        assert child.stdout is not None  # noqa: S101  for the type checker: both are pipes
        assert child.stderr is not None  # noqa: S101
        said: deque[bytes] = deque(maxlen=_KEPT_LINES)
        drain = threading.Thread(target=said.extend, args=(child.stderr,), daemon=True)
        drain.start()
        for line in _lines(child.stdout, cancel):
            match orders.decode_report(line):
                case orders.Progress(done, total):
                    progress(order.action, done, total)
                case orders.Made(notes):
                    return notes
                case orders.Refused(error, message, hint, detail):
                    raise from_wire(error, message, hint, detail)
        code = child.wait(_WAIT_S)
        drain.join(_WAIT_S)
    raise _crashed(code, b"".join(said).decode("utf-8", "replace"))


def _child(order: Order, stdin: int) -> _Ending:
    try:
        return _Ending(
            subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
                making_command(orders.encode(order)),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=engine_environment(),
                creationflags=no_window(),
            )
        )
    except OSError as exc:
        raise InferenceError(
            "The program that writes the file could not be started.",
            "Close other programs and try again.",
            str(exc),
        ) from exc


class _Ending:
    """A child process that is gone when the ``with`` block ends, whatever happened in it."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._child

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _lines(pipe: IO[bytes], cancel: CancelToken) -> Iterator[bytes]:
    """Yield lines until the pipe ends; raise when cancelled."""
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def read() -> None:
        with suppress(OSError, ValueError):  # closed under the reader
            for line in pipe:
                waiting.put(line)
        waiting.put(None)

    threading.Thread(target=read, name="making", daemon=True).start()
    while True:
        if cancel.cancelled:
            raise MakingStopped
        try:
            line = waiting.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if line is None:
            return
        yield line


def _crashed(code: int, said: str) -> InferenceError:
    cause, _ = exit_cause(code)
    return EngineCrashedError(
        f"The work stopped: {cause}.",
        "Nothing was changed. Try again; if it happens every time, the model's files may be "
        "damaged.",
        said,
    )
