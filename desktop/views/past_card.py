"""Settings of what models have read: how much of the disk it may take, how much it takes, Clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from desktop.views.settings_rows import SettingsCard, SettingsRow
from desktop.widgets import formatting
from desktop.widgets.controls import Button

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.widgets.theme import Theme

_LIMITS_GB: Final = (1, 4, 16, 64)


class PastCard(SettingsCard):
    """Two rows: the limit, and what is kept now.

    Args:
        limit: The control of the limit; ``past_limits`` are its options.
        theme: The look.

    Attributes:
        clear_button: Whoever listens deletes what is kept.
    """

    def __init__(self, limit: QWidget, theme: Theme) -> None:
        self.clear_button = Button(
            _tr("Clear"), theme, name="clear_past", icon_name="trash-2", small=True
        )
        self.clear_button.setAccessibleName(_tr("Clear what models have read"))
        self.clear_button.setEnabled(False)
        self._kept = SettingsRow(
            _tr("Kept now"), "", self.clear_button, theme, name="setting_past_kept_row"
        )
        words = _tr(
            "What a model has read of a chat stays on this disk, so that it does not read it again "
            "when you come back. The chats used least recently go first. A larger limit applies "
            "when a model is loaded again."
        )
        row = SettingsRow(past_title(), words, limit, theme, name="setting_past_disk_mb_row")
        super().__init__(_tr("Coming back to chats"), [row, self._kept], theme)
        self._kept.say(_tr("Counting"))

    def set_bytes(self, used: int) -> None:
        """Show how much is kept."""
        self.clear_button.setEnabled(used > 0)
        if used:
            self._kept.say(_tr("{0} on this disk").format(formatting.size(used)))
        else:
            self._kept.say(_tr("Nothing"))


def past_title() -> str:
    """Return the name of the limit."""
    return _tr("Room for what models have read")


def past_limits() -> list[tuple[str, object]]:
    """Return the limits on offer, in words and in megabytes."""
    sizes = [(_tr("{0} GB").format(formatting.count(gb)), gb * 1_000) for gb in _LIMITS_GB]
    return [(_tr("Off"), 0), *sizes]


def _tr(text: str) -> str:
    return QCoreApplication.translate("PastCard", text)
