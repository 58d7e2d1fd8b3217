"""What a download looks like is told to a screen reader as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.widgets.download_charts import SpeedHistory
from desktop.widgets.formatting import NBSP

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def _said(history: SpeedHistory) -> str:
    return history.accessibleDescription().replace(NBSP, " ")


def test_the_speed_of_the_last_minute_is_told(qtbot: QtBot, theme: Theme) -> None:
    history = SpeedHistory(theme)
    qtbot.addWidget(history)
    history.set_values((90e6, *(5e6,) * 30, 12e6, *(3e6,) * 30))
    assert _said(history) == "3 MB per second now, 12 MB at most"
    history.set_values(())
    assert _said(history) == "0 MB per second now, 0 MB at most"
    assert not history.grab().isNull()
