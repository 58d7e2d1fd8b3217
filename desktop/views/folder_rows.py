"""Rows of the Folders tab: one models folder, one other app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import Badge, Button, IconButton, label, set_tone
from desktop.widgets.empty_state import Glyph
from desktop.widgets.icons import icon
from desktop.widgets.inputs import Switch
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QResizeEvent

    from desktop.widgets.theme import Theme
    from inference.library.overview import AppView, FolderView


class ElidedLabel(QLabel):
    """One line of plain text, shortened in its middle where it does not fit."""

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self._whole = ""
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font("body_medium"))
        self.setProperty("tone", "text")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_whole(self, text: str) -> None:
        """Show this text as far as it fits; all of it is the tooltip."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        mode = Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self._whole, mode, max(1, self.width())))


class FolderRow(QWidget):
    """A models folder: where, how it is, what it takes, and what can be done with it.

    Signals:
        drop_asked, default_asked, open_asked: The folder's path.
        look_asked: To look whether it is there again.
    """

    drop_asked = Signal(str)
    default_asked = Signal(str)
    open_asked = Signal(str)
    look_asked = Signal()

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._view: FolderView | None = None
        self.setObjectName(name)
        self.setMinimumHeight(rows("setting"))
        self._glyph = Glyph("folder-open", theme, "text2", 18)
        self._path = ElidedLabel(theme, name=f"{name}_path")
        self._badge = Badge(self.tr("Default"), theme, "accent")
        self._facts = label("", theme, "small", "text3", wrap=True, name=f"{name}_facts")
        self._connect = Button(
            self.tr("Look again"), theme, name=f"{name}_look", icon_name="refresh-cw", small=True
        )
        self._connect.clicked.connect(self.look_asked)
        self._more = IconButton(
            "ellipsis", self.tr("What can be done with this folder"), theme, name=f"{name}_more"
        )
        self._more.clicked.connect(self._open_menu)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._path, 1)
        head.addWidget(self._badge)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addStretch(1)
        texts.addLayout(head)
        texts.addWidget(self._facts)
        texts.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._glyph)
        row.addLayout(texts, 1)
        row.addWidget(self._connect)
        row.addWidget(self._more)

    @property
    def path(self) -> Path | None:
        """The folder that is shown."""
        return self._view.path if self._view is not None else None

    def set_theme(self, theme: Theme) -> None:
        """Draw menus with this theme from now on."""
        self._theme = theme

    def set_folder(self, view: FolderView, *, alone: bool) -> None:
        """Show a folder; ``alone`` = it is the only one, so nobody needs to be told the default."""
        self._view = view
        words = self._words(view)
        away = view.state == "absent"
        self._path.set_whole(str(view.path))
        set_tone(self._path, "text3" if away else "text")
        self._glyph.set_icon("hard-drive" if away else "folder-open", "text3" if away else "text2")
        self._badge.setVisible(view.is_default and not alone)
        self._facts.setText(words)
        set_tone(self._facts, "warn" if view.state in {"unreadable", "read only"} else "text3")
        self._connect.setVisible(away)
        self.setAccessibleName(str(view.path))
        self.setAccessibleDescription(words)
        self._more.setAccessibleDescription(str(view.path))
        self._more.setVisible(bool(self._actions()))

    def _words(self, view: FolderView) -> str:
        number = formatting.count(view.models)
        size = formatting.size(view.used_bytes)
        one = view.models == 1
        if view.state == "absent":
            kept = self.tr("Its model is remembered" if one else "Its {0} models are remembered")
            if not view.models:
                kept = self.tr("It is looked for each time")
            return self.tr("Not connected. {0}; connect its drive, then look again.").format(
                kept.format(number)
            )
        if view.state == "unreadable":
            return self.tr("This folder cannot be read. Check its permissions.")
        if view.state == "not made yet":
            return self.tr("No models yet. The folder is made by the first download.")
        parts = [self.tr("1 model, {1}" if one else "{0} models, {1}").format(number, size)]
        if view.trash_bytes:
            parts.append(self.tr("{0} in the trash").format(formatting.size(view.trash_bytes)))
        parts.append(self.tr("{0} free").format(formatting.size(view.free_bytes)))
        words = self.tr("{0}.").format("; ".join(parts))
        if view.state == "read only":
            words += " " + self.tr("Nothing can be added or removed: it may only be read.")
        return words

    def _actions(self) -> list[tuple[str, str, str]]:
        view = self._view
        if view is None:
            return []
        actions: list[tuple[str, str, str]] = []
        if not view.is_default and view.state in {"ready", "not made yet"}:
            actions.append(("default", self.tr("Let downloads go here"), "check"))
        if view.state in {"ready", "read only"}:
            actions.append(("open", self.tr("Open in the file manager"), "folder-open"))
        if not view.is_own:
            actions.append(("drop", self.tr("Take off the list"), "x"))
        return actions

    def make_menu(self) -> QMenu:
        """Return a menu of what can be done; it deletes itself when it closes."""
        menu = QMenu(self)
        menu.setObjectName("folder_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asked = {"default": self.default_asked, "open": self.open_asked, "drop": self.drop_asked}
        path = str(self.path)
        for action, words, icon_name in self._actions():
            entry = menu.addAction(icon(icon_name, self._theme), words)
            entry.setObjectName(f"folder_menu_{action}")
            entry.triggered.connect(lambda _checked=False, a=action: asked[a].emit(path))
        return menu

    def _open_menu(self) -> None:
        self.make_menu().popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))


class AppRow(QWidget):
    """Another app: its name, where its models are, and whether they are listed.

    Signals:
        toggled: Whether they shall be listed.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setObjectName(f"{name}_row")
        self.setAccessibleName(title)
        self.setMinimumHeight(rows("setting"))
        self._place = ElidedLabel(theme, name=f"{name}_place")
        self._place.setFont(theme.font("small"))
        self._place.setProperty("tone", "text3")
        self._facts = label("", theme, "small", "text3", wrap=True, name=f"{name}_facts")
        self._switch = Switch(self.tr("List the models of {0}").format(title), theme, name=name)
        self._switch.clicked.connect(self.toggled)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(label(title, theme, "body_medium"))
        texts.addWidget(self._place)
        texts.addWidget(self._facts)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(20)
        row.addLayout(texts, 1)
        row.addWidget(self._switch, 0, Qt.AlignmentFlag.AlignVCenter)

    def set_app(self, view: AppView) -> None:
        """Show an app."""
        places = ", ".join(map(str, view.folders)) or self.tr("Its folder is not there now.")
        self._place.set_whole(places)
        words = self.tr("Not listed. Nothing in it is looked at before you switch it on.")
        if view.shown:
            one = view.models == 1
            words = self.tr("1 model, {1}, used where it is." if one else
                            "{0} models, {1}, used where they are.").format(
                formatting.count(view.models), formatting.size(view.used_bytes)
            )  # fmt: skip
        self._facts.setText(words)
        self._switch.setChecked(bool(view.shown))
        self._switch.setAccessibleDescription(f"{places}. {words}")
