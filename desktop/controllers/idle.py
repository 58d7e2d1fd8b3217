"""``IdleWatch``: says when a model in memory has not been used for as long as the person set."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE_MS = 60_000


class IdleWatch(QObject):
    """Looks once a minute while a model waits; the setting may change meanwhile.

    Args:
        minutes: After how many; ``None`` = never.
        parent: Qt parent.

    Signals:
        rest_due: With the minutes that have passed.

    Attributes:
        minute_ms: How long a minute is; tests have shorter ones.
    """

    rest_due = Signal(int)

    def __init__(self, minutes: Callable[[], int | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._minutes = minutes
        self.minute_ms = _MINUTE_MS
        self._since = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        """The model has just been used, and waits now."""
        self._since = time.monotonic()
        self._timer.start(self.minute_ms)

    def end(self) -> None:
        """It is being used, or gone."""
        self._timer.stop()

    def _look(self) -> None:
        minutes = self._minutes()
        passed_ms = (time.monotonic() - self._since) * 1000
        if minutes is not None and passed_ms >= minutes * self.minute_ms - 1:
            self.rest_due.emit(minutes)
        else:
            self._timer.start(self.minute_ms)
