"""The keys of the window: one list that is both what works and what Ctrl+/ shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from desktop.widgets.controls import IconButton, KeyCap, label
from desktop.widgets.overlay import FloatFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop.widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class Key:
    """One shortcut: what it does, its keys, and whether the window itself acts on it."""

    action: str
    keys: str
    words: str
    by_window: bool = True


def all_keys() -> tuple[Key, ...]:
    """Return every shortcut in the order the dialog shows them."""
    return (
        Key("new_chat", "Ctrl+N", _tr("New chat")),
        Key("find_chat", "Ctrl+K", _tr("Find in all chats")),
        Key("models", "Ctrl+M", _tr("Choose a model")),
        Key("find_model", "Ctrl+F", _tr("Find a model, on its page"), by_window=False),
        Key("send", "Return", _tr("Send the message"), by_window=False),
        Key("line", "Shift+Return", _tr("New line in the message"), by_window=False),
        Key("stop", "Esc", _tr("Stop the answer, or close what is in front")),
        Key("undo", "Ctrl+Z", _tr("Bring back what was deleted last")),
        Key("list", "Ctrl+B", _tr("Show or hide the chats")),
        Key("panel", "Ctrl+J", _tr("Show or hide the chat settings")),
        Key("page_chat", "Ctrl+1", _tr("Page: chat")),
        Key("inside", "Ctrl+I", _tr("Look inside at the chosen word")),
        Key("page_inside", "Ctrl+2", _tr("Page: inside")),
        Key("page_models", "Ctrl+3", _tr("Page: models")),
        Key("page_downloads", "Ctrl+4", _tr("Page: downloads")),
        Key("page_settings", "Ctrl+,", _tr("Page: settings")),
        Key("next_region", "F6", _tr("Next part of the window")),
        Key("previous_region", "Shift+F6", _tr("Previous part of the window")),
        Key("rename", "F2", _tr("Rename the chosen chat"), by_window=False),
        Key("delete", "Del", _tr("Delete the chosen chat"), by_window=False),
        Key("keys", "Ctrl+/", _tr("This list")),
        Key("close", "Ctrl+Q", _tr("Close Glasshouse")),
    )


def bind(window: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
    """Make the keys of the window work.

    Args:
        window: Where the keys are taken.
        actions: What to call, by ``Key.action``; one for each key the window acts on.

    Raises:
        KeyError: A key has no action.
    """
    for key in all_keys():
        if not key.by_window:
            continue
        shortcut = QShortcut(QKeySequence(key.keys), window)
        shortcut.setObjectName(f"key_{key.action}")
        shortcut.activated.connect(actions[key.action])


class KeysDialog(FloatFrame):
    """Lists every key in two columns."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name="keys_dialog", kind="dialog", parent=parent)
        self.setAccessibleName(self.tr("Keys"))
        head = QHBoxLayout()
        head.setContentsMargins(20, 14, 12, 6)
        head.addWidget(label(self.tr("Keys"), theme, "title"))
        head.addStretch(1)
        self.close_button = IconButton("x", self.tr("Close"), theme, name="keys_close", keys="Esc")
        head.addWidget(self.close_button)
        grid = QGridLayout()
        grid.setContentsMargins(20, 4, 20, 20)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(2, 16)
        every = all_keys()
        half = (len(every) + 1) // 2
        for number, key in enumerate(every):
            column = 0 if number < half else 3
            row = number if number < half else number - half
            words = label(key.words, theme)
            cap = KeyCap(key.keys, theme)
            grid.addWidget(words, row, column)
            grid.addWidget(cap, row, column + 1, Qt.AlignmentFlag.AlignRight)
        self.body.addLayout(head)
        self.body.addLayout(grid)
        self.setFocusProxy(self.close_button)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Keys", text)
