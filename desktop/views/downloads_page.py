"""The Downloads page: what runs, what needs the person, what waits, what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop.views.download_row import DownloadRowView
from desktop.views.downloads_band import DownloadsBand
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label, panel, rule, scrolled
from desktop.widgets.empty_state import EmptyState
from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QHideEvent, QShowEvent

    from desktop.download_values import DiskUse, DownloadRow, DownloadTotals, Group
    from desktop.widgets.theme import Theme

_ORDER: Final[tuple[Group, ...]] = ("now", "needs_you", "waiting", "done")
_DISK_EVERY: Final = 10


class _Section(QWidget):
    """A heading with its number, and rows between hairlines."""

    def __init__(self, title: str, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self._count = label("", theme, "small", "text3")
        head = QHBoxLayout()
        head.setSpacing(8)
        self._title = label(title, theme, "small_medium")
        head.addWidget(self._title)
        head.addWidget(self._count)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 8)
        column.setSpacing(0)
        column.addLayout(head)
        column.addSpacing(6)
        column.addWidget(rule())
        self._column = column
        self._rules: tuple[QFrame, ...] = ()
        self._views: tuple[DownloadRowView, ...] = ()

    def set_views(self, views: tuple[DownloadRowView, ...]) -> None:
        """Show these rows in this order."""
        self._count.setText(formatting.count(len(views)))
        self.setVisible(bool(views))
        if views == self._views:
            return
        # Not takeAt: its item lives on in Python, and Qt then keeps a row's height for ever.
        for widget in (*self._views, *self._rules):
            self._column.removeWidget(widget)
        for line in self._rules:
            line.deleteLater()
        self._rules = tuple(rule() for _ in views)
        for view, line in zip(views, self._rules, strict=True):
            self._column.addWidget(view)
            view.show()  # now: shown with the next event, it would have lost the keyboard
            self._column.addWidget(line)
        self._views = views

    @property
    def views(self) -> tuple[DownloadRowView, ...]:
        """The rows."""
        return self._views


class DownloadsPage(QFrame):
    """All downloads.

    Signals:
        acted: Row id and what its buttons ask, see ``DownloadRowView``.
        move_asked: Row id and its new place among all rows.
        pause_all_asked, resume_all_asked, clear_asked, discover_asked, disk_asked: No argument.
        parallel_asked: Number of files.
    """

    acted = Signal(str, str)
    move_asked = Signal(str, int)
    pause_all_asked = Signal()
    resume_all_asked = Signal()
    clear_asked = Signal()
    discover_asked = Signal()
    disk_asked = Signal()
    parallel_asked = Signal(int)

    def __init__(self, theme: Theme, parallel: int) -> None:
        super().__init__()
        self._theme = theme
        self._rows: tuple[DownloadRow, ...] = ()
        self._views: dict[str, DownloadRowView] = {}
        self._seconds = 0
        self.setObjectName("downloads_page")
        self.setAccessibleName(self.tr("Downloads"))
        self.setProperty("ground", "page")
        self._all = Button(
            self.tr("Pause all"), theme, name="downloads_all", icon_name="pause", small=True
        )
        self._all.clicked.connect(self._on_all)
        self._clear = Button(
            self.tr("Clear done"), theme, kind="ghost", name="downloads_clear", small=True
        )
        self._clear.clicked.connect(self.clear_asked)
        self.band = DownloadsBand(theme, parallel)
        self.band.parallel_asked.connect(self.parallel_asked)
        titles = {
            "now": self.tr("Now"),
            "needs_you": self.tr("Needs you"),
            "waiting": self.tr("Waiting"),
            "done": self.tr("Done"),
        }
        self._sections = {
            group: _Section(titles[group], theme, name=f"downloads_{group}") for group in _ORDER
        }
        self._empty = EmptyState(
            "download",
            self.tr("No downloads"),
            self.tr("Models that you download appear here, and go on where they stopped."),
            theme,
            name="downloads_empty",
            action=self.tr("Look at models"),
        )
        self._empty.acted.connect(self.discover_asked)
        self._mark = QFrame(self)
        self._mark.setObjectName("downloads_drop_mark")
        self._mark.setProperty("part", "drop_mark")
        self._mark.hide()
        self._clock = QTimer(self)
        self._clock.setInterval(1_000)
        self._clock.timeout.connect(self._on_second)
        self._build()

    def set_theme(self, theme: Theme) -> None:
        """Make later rows with this theme."""
        self._theme = theme

    def set_rows(
        self, rows: tuple[DownloadRow, ...], totals: DownloadTotals, history: Sequence[float]
    ) -> None:
        """Show the downloads as they stand."""
        self._rows = rows
        focused = self._focused()
        by_keys = self.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        lined = [row for row in rows if row.group == "waiting"]
        first = next((row.id for row in rows if row.state == "queued"), "")
        for row in rows:
            view = self._views.get(row.id)
            if view is None:
                view = self._views[row.id] = self._new_view(row)
            can_rise = row.group == "waiting" and bool(lined) and lined[0].id != row.id
            view.set_row(row, is_next=row.id == first, can_rise=can_rise)
        for row_id in set(self._views) - {row.id for row in rows}:
            view = self._views.pop(row_id)
            view.hide()
            view.deleteLater()
        for group, section in self._sections.items():
            section.set_views(tuple(self._views[row.id] for row in rows if row.group == group))
        self._keep_focus(focused, with_ring=by_keys)
        self.band.set_totals(totals, history)
        self._show_buttons()
        self._pages.setCurrentIndex(1 if rows else 0)

    def set_disk(self, use: DiskUse) -> None:
        """Show the disk of the models folder."""
        self.band.set_disk(use)

    def focus_first(self) -> None:
        """Put the keyboard on the first row."""
        for view in self._in_order():
            focus_by_keyboard(view, Qt.FocusReason.TabFocusReason)
            return

    # -- parts --------------------------------------------------------------------------------

    def _build(self) -> None:
        head = panel("page", "downloads_header", "bottom")
        head.setFixedHeight(layout("header"))
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(label(self.tr("Downloads"), self._theme, "title"))
        row.addStretch(1)
        row.addWidget(self._all)
        row.addWidget(self._clear)
        body = QWidget()
        body.setProperty("part", "scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 4, 24, 24)
        column.setSpacing(0)
        for section in self._sections.values():
            section.hide()
            column.addWidget(section)
        column.addStretch(1)
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self._empty)
        self._area = scrolled(body, "downloads_scroll", self.tr("Downloads"))
        self._pages.addWidget(self._area)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(head)
        outer.addWidget(self.band)
        outer.addWidget(pages, 1)

    def _new_view(self, row: DownloadRow) -> DownloadRowView:
        view = DownloadRowView(row, self._theme)
        view.acted.connect(self._on_acted)
        view.stepped.connect(lambda by, v=view: self._step(v, by))
        view.drag_moved.connect(self._on_drag)
        view.drag_ended.connect(self._on_drop)
        return view

    def _show_buttons(self) -> None:
        under_way = any(row.can_pause for row in self._rows)
        paused = any(row.state == "paused" for row in self._rows)
        self._all.setVisible(under_way or paused)
        text = self.tr("Pause all") if under_way else self.tr("Go on with all")
        self._all.setText(text)
        self._all.setAccessibleName(text)
        self._all.set_icon("pause" if under_way else "play", self._theme)
        self._clear.setVisible(any(row.state == "finished" for row in self._rows))

    def _on_all(self) -> None:
        under_way = any(row.can_pause for row in self._rows)
        (self.pause_all_asked if under_way else self.resume_all_asked).emit()

    # -- the keyboard -------------------------------------------------------------------------

    def _in_order(self) -> list[DownloadRowView]:
        return [view for section in self._sections.values() for view in section.views]

    def _focused(self) -> DownloadRowView | None:
        return next((view for view in self._in_order() if view.holds_focus()), None)

    def _keep_focus(self, before: DownloadRowView | None, *, with_ring: bool) -> None:
        """A row that moves to another heading takes the keyboard along; a lost one hands it on."""
        if before is None or before.holds_focus():
            return
        stays = before.row.id in self._views
        view = before if stays else next(iter(self._in_order()), None)
        if view is not None:
            view.setFocus(Qt.FocusReason.OtherFocusReason)
            # Moving it took the focus away for a moment, and with it the window's memory of keys.
            self.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange, with_ring)
            view.update()
            self._area.ensureWidgetVisible(view)

    def _step(self, view: DownloadRowView, by: int) -> None:
        views = self._in_order()
        at = views.index(view) + by
        if 0 <= at < len(views):
            focus_by_keyboard(views[at], Qt.FocusReason.TabFocusReason)
            self._area.ensureWidgetVisible(views[at])

    # -- the order ----------------------------------------------------------------------------

    def _on_acted(self, row_id: str, action: str) -> None:
        if action in {"up", "down"}:
            lined = [row.id for row in self._rows if row.group == "waiting"]
            at = lined.index(row_id) + (-1 if action == "up" else 1)
            if 0 <= at < len(lined):
                self._ask_move(row_id, [one for one in lined if one != row_id], at)
            return
        self.acted.emit(row_id, action)

    def _ask_move(self, row_id: str, others: list[str], at: int) -> None:
        """Put a row before the one at ``at`` among the others in line, or behind the last."""
        ids = [row.id for row in self._rows if row.id != row_id]
        place = ids.index(others[at]) if at < len(others) else ids.index(others[-1]) + 1
        self.move_asked.emit(row_id, place)

    def _drop_place(self, row_id: str, place: QPoint) -> tuple[list[DownloadRowView], int]:
        views = [one for one in self._sections["waiting"].views if one.row.id != row_id]
        middles = [view.mapToGlobal(view.rect().center()).y() for view in views]
        return views, sum(middle < place.y() for middle in middles)

    def _on_drag(self, row_id: str, place: QPoint) -> None:
        views, at = self._drop_place(row_id, place)
        if not views:
            return
        view = views[min(at, len(views) - 1)]
        corner = view.rect().bottomLeft() if at == len(views) else view.rect().topLeft()
        spot = view.mapTo(self, corner)
        self._mark.setGeometry(spot.x(), spot.y() - 1, view.width(), 2)
        self._mark.show()
        self._mark.raise_()

    def _on_drop(self, row_id: str, place: QPoint) -> None:
        self._mark.hide()
        views, at = self._drop_place(row_id, place)
        if views:
            self._ask_move(row_id, [view.row.id for view in views], at)

    # -- the clock ----------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the disk, and let seconds count."""
        super().showEvent(event)
        self._seconds = 0
        self._clock.start()
        self.disk_asked.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._clock.stop()

    def _on_second(self) -> None:
        self._seconds += 1
        if self._seconds % _DISK_EVERY == 0 and any(row.can_pause for row in self._rows):
            self.disk_asked.emit()
        for view in self._views.values():
            if view.row.state in {"waiting", "paused", "failed"}:
                view.refresh()
