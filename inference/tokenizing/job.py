"""Asking about tokenizers from outside: a child process that ends when it has answered.

Needs neither the tokenizers library nor llama.cpp: the window and the command line use it alike.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from contextlib import closing, suppress
from typing import IO, TYPE_CHECKING, Final

from inference.errors import EngineCrashedError, InferenceError, from_wire
from inference.host.endings import exit_cause
from inference.host.spawn import spawn, tokens_command
from inference.tokenizing.orders import Built, Languages, NotRead, decode_told, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inference.cancel import CancelToken
    from inference.tokenizing.orders import BuildTokens, CutText, TellLanguages, TokenOrder, Told

_POLL_S: Final = 0.05
_KEPT_LINES: Final = 40


def cut_texts(order: CutText, cancel: CancelToken) -> Iterator[Told]:
    """Yield each model's tokens as soon as they are known, or ``NotRead``.

    Raises:
        EngineCrashedError: The process ended before it had answered.
        InferenceError: ``cancel`` was set.
    """
    yield from _told(order, len(order.paths), cancel)


def build_tokens(order: BuildTokens, cancel: CancelToken) -> Built:
    """Return how tokens came about.

    Raises:
        CorruptCheckpointError: The tokenizer cannot be read.
        EngineCrashedError, InferenceError: As for ``cut_texts``.
    """
    (told,) = _told(order, 1, cancel)
    if isinstance(told, NotRead):
        raise from_wire(told.error, told.message, told.hint, told.detail)
    assert isinstance(told, Built)  # noqa: S101  what such an order is answered by
    return told


def tell_languages(order: TellLanguages, cancel: CancelToken) -> Languages:
    """Return what each language of a text costs.

    Raises:
        EngineCrashedError, InferenceError: As for ``cut_texts``.
    """
    (told,) = _told(order, 1, cancel)
    assert isinstance(told, Languages)  # noqa: S101  what such an order is answered by
    return told


def _told(order: TokenOrder, count: int, cancel: CancelToken) -> Iterator[Told]:
    with closing(_Child(order)) as child:
        for _ in range(count):
            yield decode_told(child.line(cancel))


class _Child:
    """The process and the two threads that empty its pipes."""

    def __init__(self, order: TokenOrder) -> None:
        process = spawn(tokens_command())
        self._process = process
        assert process.stdin is not None  # noqa: S101  it has three pipes
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        self._pipes = (process.stdin, process.stdout, process.stderr)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._errors: deque[bytes] = deque(maxlen=_KEPT_LINES)
        takers = (self._lines.put, self._errors.append)
        self._threads = [
            threading.Thread(target=_pass_on, args=job, daemon=True)
            for job in zip(self._pipes[1:], takers, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        with suppress(OSError):  # it ended at once: the first line says so
            written, body = 0, encode(order) + b"\n"
            while written < len(body):
                written += process.stdin.write(body[written:])

    def line(self, cancel: CancelToken) -> bytes:
        """Wait for the next answer."""
        while not cancel.cancelled:
            with suppress(queue.Empty):
                line = self._lines.get(timeout=_POLL_S)
                if line:
                    return line
                raise self._end()
        raise InferenceError("Looking at tokenizers was stopped.")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in self._pipes:
            pipe.close()

    def _end(self) -> EngineCrashedError:
        cause, _hint = exit_cause(self._process.wait())
        said = b"".join(self._errors).decode(errors="replace")
        return EngineCrashedError(
            f"Reading the tokenizers stopped: {cause}.",
            "Try again; if it happens every time, a model's files may be damaged.",
            said,
        )


def _pass_on(pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
    """Hand over each line, and an empty one at the end."""
    with suppress(OSError, ValueError):
        for line in iter(pipe.readline, b""):
            take(line)
    take(b"")
