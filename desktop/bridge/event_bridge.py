"""An inbox between worker threads and the GUI thread: bounded, emptied about 30 times a second.

It knows neither engines nor windows; only that adjacent pieces of one answer can be joined.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from inference.events import TokenEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.cancel import CancelToken

_TICK_MS = 33
_CAPACITY = 4_096
_PER_TICK = 1_024  # joining so many events takes well under a millisecond
_WATCH_S = 0.05


class JoinedTokens(TokenEvent, frozen=True, tag="joined_tokens"):
    """Several tokens in one event; ``ids`` are theirs, in order."""

    ids: tuple[int, ...] = ()


def ids_of(event: TokenEvent) -> tuple[int, ...]:
    """Return the ids of all tokens that an event stands for."""
    return event.ids if isinstance(event, JoinedTokens) else (event.token_id,)


class EventBridge(QObject):
    """Carries events from any thread into the GUI thread, in order, in batches.

    Lives in the GUI thread as long as the app. The first event after a pause is delivered at
    once, the following ones together every 33 ms.

    Args:
        parent: Qt parent.
        capacity: Events held at most; then producers wait.
    """

    batch_received = Signal(object)
    """A tuple of events, oldest first; adjacent token events of one answer are joined."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None, capacity: int = _CAPACITY) -> None:
        super().__init__(parent)
        self._events: deque[object] = deque()
        self._capacity = capacity
        self._room = threading.Condition()
        self._waking = False
        self._closed = False
        self._drained_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    def post(self, event: object, cancel: CancelToken | None = None) -> bool:
        """Put an event into the inbox; waits while it is full. Not for the GUI thread.

        Args:
            event: Any value.
            cancel: Gives up waiting when set; an event that ends something is posted without.

        Returns:
            ``False`` when the event was dropped: cancelled while waiting, or the app is closing.
        """
        with self._room:
            while len(self._events) >= self._capacity and not self._closed:
                if cancel is not None and cancel.cancelled:
                    return False
                self._room.wait(_WATCH_S)
            if self._closed:
                return False
            self._events.append(event)
            wake = not self._waking
            self._waking = True
            if wake:  # inside the lock, so that close() cannot come in between
                self._woken.emit()
        return True

    def flush(self) -> None:
        """Deliver what has arrived, now; for the moment before closing."""
        with self._room:
            taken = list(self._events)
            self._events.clear()
            self._room.notify_all()
        if taken:
            self._emit_batch(join_tokens(taken))

    def close(self) -> None:
        """Drop what is left and let no producer wait any longer."""
        with self._room:
            self._closed = True
            self._events.clear()
            self._room.notify_all()
        self._timer.stop()

    def _on_woken(self) -> None:
        if self._closed or self._timer.isActive():
            return
        since_ms = int((time.monotonic() - self._drained_at) * 1000)
        self._timer.start(max(0, _TICK_MS - since_ms))

    def _on_tick(self) -> None:
        with self._room:
            count = min(len(self._events), _PER_TICK)
            taken = [self._events.popleft() for _ in range(count)]
            more = bool(self._events)
            self._waking = more
            self._room.notify_all()
        self._drained_at = time.monotonic()
        if more:
            self._timer.start(_TICK_MS)
        if taken:
            self._emit_batch(join_tokens(taken))

    def _emit_batch(self, events: tuple[object, ...]) -> None:
        self.batch_received.emit(events)


def join_tokens(events: Iterable[object]) -> tuple[object, ...]:
    """Join adjacent token events of one answer, sample and kind.

    The joined event has all text and ids and the last one's index; probabilities are left out.
    """
    joined: list[object] = []
    run: list[TokenEvent] = []
    for event in events:
        if isinstance(event, TokenEvent):
            if run and not _together(run[-1], event):
                joined.append(_join(run))
                run = []
            run.append(event)
            continue
        if run:
            joined.append(_join(run))
            run = []
        joined.append(event)
    if run:
        joined.append(_join(run))
    return tuple(joined)


def _together(one: TokenEvent, other: TokenEvent) -> bool:
    return (one.request_id, one.kind, one.sample) == (other.request_id, other.kind, other.sample)


def _join(run: list[TokenEvent]) -> TokenEvent:
    last = run[-1]
    if len(run) == 1:
        return last
    text = "".join(event.text for event in run)
    ids = tuple(event.token_id for event in run)
    return JoinedTokens(
        last.request_id,
        last.index,
        last.token_id,
        text,
        kind=last.kind,
        sample=last.sample,
        ids=ids,
    )
