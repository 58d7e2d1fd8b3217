"""Keeps the answer under way on disk, off the GUI thread; the newest text wins."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.errors import StoreError

if TYPE_CHECKING:
    from desktop.controllers.engine_worker import Sink
    from desktop.store.chats import Chats

SAVE_EVERY_MS = 950
"""Just under a second, so that writing takes no more than the rest of it."""


@dataclass(frozen=True, slots=True)
class PartialNotSaved:
    """The text so far could not be kept."""

    message_id: str
    error: StoreError


class PartialSaver:
    """One thread with room for one text.

    Args:
        chats: Where to keep it.
        sink: Told when that does not work.
    """

    def __init__(self, chats: Chats, sink: Sink) -> None:
        self._chats = chats
        self._sink = sink
        self._changed = threading.Condition()
        self._next: tuple[str, str, bytes] | None = None
        self._closing = CancelToken()
        self._thread = threading.Thread(target=self._work, name="partial-saver", daemon=True)
        self._thread.start()

    def put(self, message_id: str, text: str, tokens: bytes = b"") -> None:
        """Keep this text soon; returns at once."""
        with self._changed:
            self._next = (message_id, text, tokens)
            self._changed.notify()

    def close(self) -> None:
        """Let go of what is waiting (the end of the answer is saved elsewhere) and stop."""
        with self._changed:
            self._closing.cancel()
            self._next = None
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._closing.cancelled)
                if self._closing.cancelled or self._next is None:
                    return
                message_id, text, tokens = self._next
                self._next = None
            try:
                self._chats.save_partial(message_id, text, tokens)
            except StoreError as error:
                # Closing must not wait for room in an inbox that the closing thread would empty.
                self._sink(PartialNotSaved(message_id, error), self._closing)
