"""The Folders tab: where models are kept, what they take, and other apps' models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.views.folder_rows import AppRow, FolderRow
from desktop.views.settings_rows import SettingsRow
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label, rule, scrolled
from desktop.widgets.inputs import Segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.controllers.folders import Places
    from desktop.widgets.theme import Theme

_WIDTH: Final = 760
_GUTTER: Final = 24


class FoldersPage(QFrame):
    """Models folders, other apps, and what happens to files from elsewhere.

    Signals:
        add_asked: Path of a folder.
        drop_asked, default_asked: Path of a folder of the list.
        look_asked: To look at every folder again.
        app_asked: An app, and whether its models are listed.
        bringing_asked: ``link``, ``copy``, ``move``, or empty to be asked.
    """

    add_asked = Signal(str)
    drop_asked = Signal(str)
    default_asked = Signal(str)
    look_asked = Signal()
    app_asked = Signal(str, bool)
    bringing_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._folder_rows: list[FolderRow] = []
        self._app_rows: dict[str, AppRow] = {}
        self.setObjectName("folders_page")
        self.setAccessibleName(self.tr("Folders"))
        self.setProperty("ground", "page")
        self._add = Button(
            self.tr("Add a folder"), theme, name="folders_add", icon_name="plus", small=True
        )
        self._add.clicked.connect(self._ask_folder)
        self._folders = _Card()
        self._apps = _Card()
        self._apps_box = self._section(
            self.tr("Models of other apps"),
            self.tr("They are read where they are. Nothing is copied, changed or removed."),
            self._apps,
        )
        self._bringing = Segments(
            self.tr("Files from elsewhere"),
            (
                ("", self.tr("Ask")),
                ("link", self.tr("Link")),
                ("copy", self.tr("Copy")),
                ("move", self.tr("Move")),
            ),
            theme,
            name="folders_bringing",
        )
        self._bringing.chosen.connect(self.bringing_asked)
        self._total = label("", theme, "small", "text3", wrap=True, name="folders_total")
        self._build()

    def set_theme(self, theme: Theme) -> None:
        """Make rows with this theme from now on."""
        self._theme = theme

    def set_places(self, places: Places) -> None:
        """Show where models are."""
        folders = places.overview.folders
        if [row.path for row in self._folder_rows] != [view.path for view in folders]:
            self._folder_rows = [self._folder_row(number) for number in range(len(folders))]
            self._folders.set_parts(self._folder_rows)
        for row, view in zip(self._folder_rows, folders, strict=True):
            row.set_folder(view, alone=len(folders) == 1)
        apps = places.overview.apps
        if list(self._app_rows) != [view.app for view in apps]:
            self._app_rows = {view.app: self._app_row(view.app, view.name) for view in apps}
            self._apps.set_parts(list(self._app_rows.values()))
        for app in apps:
            self._app_rows[app.app].set_app(app)
        self._apps_box.setVisible(bool(apps))
        self._bringing.set_value(places.bringing)
        self._total.setText(self._total_words(places))

    def _total_words(self, places: Places) -> str:
        overview = places.overview
        words = self.tr("Models take {0} in all.").format(formatting.size(overview.used_bytes))
        if overview.linked == 1:
            words += " " + self.tr("1 more is linked from elsewhere.")
        elif overview.linked:
            more = self.tr("{0} more are linked from elsewhere.")
            words += " " + more.format(formatting.count(overview.linked))
        return words

    def _folder_row(self, number: int) -> FolderRow:
        row = FolderRow(self._theme, name=f"folder_{number}")
        row.drop_asked.connect(self.drop_asked)
        row.default_asked.connect(self.default_asked)
        row.look_asked.connect(self.look_asked)
        row.open_asked.connect(_open_folder)
        return row

    def _app_row(self, app: str, name: str) -> AppRow:
        row = AppRow(name, self._theme, name=f"folders_app_{app}")
        row.toggled.connect(lambda shown, app=app: self.app_asked.emit(app, shown))
        return row

    def _build(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(_GUTTER, 20, _GUTTER, _GUTTER)
        column.setSpacing(24)
        folders = self._section(
            self.tr("Models folders"),
            self.tr("Models lie in them as author/name/file. Downloads go to the default."),
            self._folders,
            self._add,
        )
        card = _Card()
        words = self.tr(
            "What happens to a model that you drop on the window or open by a double-click."
        )
        row = SettingsRow(
            self.tr("Files from elsewhere"),
            words,
            self._bringing,
            self._theme,
            name="folders_bringing_row",
        )
        card.set_parts([row])
        for part in (folders, self._apps_box, card, self._total):
            part.setMaximumWidth(_WIDTH)
            column.addWidget(part)
        column.addStretch(1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scrolled(body, "folders_scroll", self.tr("Folders")))

    def _section(
        self, title: str, words: str, card: QWidget, button: Button | None = None
    ) -> QWidget:
        box = QWidget()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(title, self._theme, "heading"), 1)
        if button is not None:
            head.addWidget(button)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(label(words, self._theme, "small", "text3", wrap=True))
        column.addSpacing(4)
        column.addWidget(card)
        return box

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Add a models folder"))
        dialog.setObjectName("folders_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.add_asked)
        dialog.open()


class _Card(QFrame):
    """An outlined card whose rows can be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 1, 1, 1)
        self._column.setSpacing(0)

    def set_parts(self, parts: Sequence[QWidget]) -> None:
        """Hold these rows instead, with hairlines between them."""
        while (item := self._column.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for number, part in enumerate(parts):
            if number:
                self._column.addWidget(rule())
            self._column.addWidget(part)


def _open_folder(path: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))
