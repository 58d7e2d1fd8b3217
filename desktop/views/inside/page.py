"""The Inside page: views on the left, a text in tokens, a figure, and what can be set beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.views.chat_page import ElidedLabel
from desktop.views.inside.asking import Asking
from desktop.views.inside.reading_note import ReadingNote
from desktop.views.inside.start_page import StartPage
from desktop.widgets import formatting
from desktop.widgets.category_delegate import CategoryDelegate
from desktop.widgets.controls import IconButton, label, panel
from desktop.widgets.inputs import Combo
from desktop.widgets.notice import Notice
from desktop.widgets.overlay import Overlay
from desktop.widgets.theme import layout
from desktop.widgets.token_strip import TokenStrip

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent

    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.views.inside.entry import Entry
    from desktop.views.inside.view import InsideView
    from desktop.widgets.theme import Theme

_VIEWS: Final = 176
_CONTROLS: Final = 288
_NARROW_BELOW: Final = 900
_ID: Final = int(Qt.ItemDataRole.UserRole)


class InsidePage(QFrame):
    """Holds the views; each is made when it is first opened.

    Args:
        theme: The look at the start.
        entries: From top to bottom; entries of one group stand together.
        can_load: Whether a model, by its id, is installed.

    Signals:
        asked: A ``Question``.
        place_chosen: Index of a token.
        text_given: A text of the person's own to look at.
        said: A sentence for the person.
        continue_asked: Text of a token; see ``InsideView``.
        view_opened: Id of the view that is seen now.
        stop_asked: What the model is asked is given up.
        load_asked: Id of the model that wrote what is shown.
    """

    asked = Signal(object)
    place_chosen = Signal(int)
    text_given = Signal(str)
    said = Signal(str)
    continue_asked = Signal(str)
    view_opened = Signal(str)
    stop_asked = Signal()
    load_asked = Signal(str)

    def __init__(
        self,
        theme: Theme,
        entries: tuple[Entry, ...],
        can_load: Callable[[str], bool] = lambda _id: False,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._entries = {entry.id: entry for entry in entries}
        self._made: dict[str, InsideView] = {}
        self._subject: Subject | None = None
        self._refused: type[object] | None = None
        self._narrow = False
        self._controls_wanted = False
        self.setObjectName("inside_page")
        self.setAccessibleName(self.tr("Inside"))
        self.setProperty("ground", "page")
        self._list = self._make_list(entries)
        self._combo = Combo(self.tr("View"), theme, name="inside_view_choice")
        for entry in entries:
            self._combo.addItem(entry.title, entry.id)
        self._combo.activated.connect(lambda row: self.open_view(self._combo.itemData(row)))
        self._title = label("", theme, "title", name="inside_title")
        self._source = ElidedLabel(theme, name="inside_source")
        self._source.setFont(theme.font("body"))
        self._model = label("", theme, "small", "text3", name="inside_model")
        self._strip = TokenStrip(theme, "inside_tokens_strip")
        self._strip.place_chosen.connect(self.place_chosen)
        self.asking = Asking(theme)
        self._place = label("", theme, "small", "text2", name="inside_place")
        self._notice = Notice(theme, name="inside_problem", severity="info")
        self._notice.hide()
        self._reading = ReadingNote(theme, can_load)
        self._reading.load_asked.connect(self.load_asked)
        self._empty = StartPage(theme)
        self._empty.text_given.connect(self.text_given)
        self._empty.load_asked.connect(self.load_asked)
        self._empty.walk_asked.connect(lambda: self.open_view("walk").focus_first())
        self._empty.back_asked.connect(self._on_back)
        self._stack = QStackedWidget()
        self._side = QStackedWidget()
        self._build(theme)
        first = next(entry for entry in entries if not entry.begins)
        self.open_view(first.id)
        self.show_subject(None)

    # --- what is shown ---------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Make views with this theme from now on."""
        self._theme = theme

    def open_view(self, view_id: str) -> InsideView:
        """Open a view, making it on its first time."""
        view = self._made.get(view_id)
        if view is None:
            view = self._made[view_id] = self._entries[view_id].make(self._theme)
            view.asked.connect(self.asked)
            view.place_chosen.connect(self.place_chosen)
            view.said.connect(self.said)
            view.continue_asked.connect(self.continue_asked)
            view.stop_asked.connect(self.stop_asked)
            self._stack.addWidget(view)
            self._side.addWidget(view.controls() or QWidget())
        self._stack.setCurrentWidget(view)
        self._side.setCurrentIndex(self._stack.currentIndex())
        self._title.setText(self._entries[view_id].title)
        self._mark_current(view_id)
        self._notice.hide()
        self._make_room()
        self.view_opened.emit(view_id)
        if self._subject is not None:
            view.show_subject(self._subject)
        return view

    def current_view(self) -> str:
        """Return the id of the open view."""
        shown = self._stack.currentWidget()
        return next(name for name, view in self._made.items() if view is shown)

    def show_subject(self, subject: Subject | None) -> None:
        """Show another text, or say that there is none."""
        waited = self._empty.field.hasFocus()  # it is hidden now; the keyboard goes on in the text
        self._subject = subject
        self._notice.hide()
        self._reading.show_subject(subject)
        self._empty.offer_back(offered=subject is not None)
        self._make_room()
        if subject is None:
            return
        self._source.set_text(subject.source.title)
        self._say_model(subject)
        self._show_strip(subject)
        self._made[self.current_view()].show_subject(subject)
        if waited and not self.is_alone:
            self.focus_text()

    @property
    def is_alone(self) -> bool:
        """Whether the open view has texts of its own."""
        return self._entries[self.current_view()].alone

    def show_place(self, subject: Subject) -> None:
        """Show another place of the same text."""
        self._subject = subject
        self._notice.hide()
        self._show_strip(subject)
        self._made[self.current_view()].show_place(subject)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Hand on what was found; what was said of an earlier question of its kind is over."""
        if type(question) is self._refused:
            self._notice.hide()
        view = self._made[self.current_view()]
        view.mark_answered(question, is_answered=True)
        view.take(question, finding)

    def refuse(self, question: Inquiry | None, problem: Problem) -> None:
        """Say what cannot be shown, above the figure."""
        self._refused = type(question)
        self._notice.say(problem.title, f"{problem.message} {problem.hint}".strip())
        self._notice.show()
        if question is None:
            self._empty_words(problem)
        else:
            view = self._made[self.current_view()]
            view.mark_answered(question, is_answered=False)
            view.refuse(question, problem)

    def say_no_model(self, words: str, stopped: str = "") -> None:
        """Say why there is nothing to look into yet; ``stopped`` is the id of a model to load."""
        self._empty.say(words, stopped)

    def focus_text(self) -> None:
        """Put the keyboard where a person goes on."""
        target: QWidget = self._empty.field if self._subject is None else self._strip
        if self.is_alone:
            target = self._made[self.current_view()]
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_strip(self, subject: Subject) -> None:
        self._strip.set_text(subject.tokens, subject.chosen)
        words = self.tr("{0} of {1}").format(
            formatting.count(subject.chosen + 1), formatting.count(len(subject.tokens) + 1)
        )
        self._place.setText(words)
        self._previous.setEnabled(subject.chosen > 1)
        self._next.setEnabled(subject.chosen < len(subject.tokens))

    def _say_model(self, subject: Subject) -> None:
        engine = self.tr("native engine") if subject.loaded.engine == "native" else "GGUF"
        self._model.setText(f"{subject.model.name} · {engine} · {subject.loaded.dtype}")

    def _empty_words(self, problem: Problem) -> None:
        self._empty.say(f"{problem.message} {problem.hint}".strip())

    # --- how it is built -------------------------------------------------------------------

    def _make_list(self, entries: tuple[Entry, ...]) -> QListView:
        self._items = QStandardItemModel(self)
        icons: list[str] = []
        group = ""
        for entry in entries:
            if entry.group != group:
                group = entry.group
                head = QStandardItem(group)
                head.setFlags(Qt.ItemFlag.NoItemFlags)
                self._items.appendRow(head)
                icons.append("")
            item = QStandardItem(entry.title)
            item.setData(entry.id, _ID)
            item.setEditable(False)
            self._items.appendRow(item)
            icons.append(entry.icon_name)
        view = QListView()
        view.setObjectName("inside_views")
        view.setAccessibleName(self.tr("Views"))
        view.setModel(self._items)
        view.setItemDelegate(CategoryDelegate(tuple(icons), self._theme, view))
        view.setMouseTracking(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.selectionModel().currentChanged.connect(self._on_current)
        view.activated.connect(lambda _row: self._made[self.current_view()].focus_first())
        return view

    def _on_current(self, now: QModelIndex, _before: QModelIndex) -> None:
        name = now.data(_ID)
        if name and name != self.current_view():
            self.open_view(name)

    def _mark_current(self, view_id: str) -> None:
        self._combo.setCurrentIndex(self._combo.findData(view_id))
        for row in range(self._items.rowCount()):
            if self._items.item(row).data(_ID) == view_id:
                self._list.setCurrentIndex(self._items.index(row, 0))

    def _build(self, theme: Theme) -> None:
        views = panel("side", "inside_side", "right")
        views.setFixedWidth(_VIEWS)
        column = QVBoxLayout(views)
        column.setContentsMargins(8, 0, 8, 12)
        head = label(self.tr("Inside"), theme, "heading")
        head.setFixedHeight(layout("header"))
        head.setContentsMargins(8, 0, 0, 0)
        column.addWidget(head)
        column.addWidget(self._list, 1)
        words = self.tr("Every figure says whether it is measured, derived or an illustration.")
        honest = label(words, theme, "small", "text3", wrap=True)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 0, 4, 0)
        foot.addWidget(honest)
        column.addLayout(foot)
        self._views_panel = views
        self._work = self._make_work(theme)
        self._head = self._make_head(theme)
        holder = QWidget()
        right = QVBoxLayout(holder)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        self._pages = QStackedLayout()
        right.addWidget(self._head)
        right.addLayout(self._pages, 1)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._work)
        self._overlay = Overlay(self, theme, name="inside_overlay")
        self._overlay.closed.connect(self._on_overlay_closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(views)
        row.addWidget(holder, 1)

    def _make_work(self, theme: Theme) -> QWidget:
        work = QWidget()
        column = QVBoxLayout(work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._strip_row = self._make_strip_row(theme)
        column.addWidget(self._strip_row)
        self._notes = QWidget()
        box = QVBoxLayout(self._notes)
        box.setContentsMargins(24, 0, 24, 0)
        box.addWidget(self._reading)
        box.addWidget(self._notice)
        column.addWidget(self._notes)
        self._side_panel = panel("side", "inside_controls", "left")
        self._side_panel.setFixedWidth(_CONTROLS)
        side = QVBoxLayout(self._side_panel)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self._side)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self._stack, 1)
        self._row.addWidget(self._side_panel)
        column.addLayout(self._row, 1)
        return work

    def _make_head(self, theme: Theme) -> QWidget:
        head = panel("page", "inside_header", "bottom")
        head.setFixedHeight(layout("header"))
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 0, 16, 0)
        row.setSpacing(12)
        row.addWidget(self._title)
        row.addWidget(self._combo)
        row.addWidget(self._source, 1)
        row.addStretch(0)  # where the source is hidden the combo stays as wide as its words
        row.addWidget(self._model)
        self._own = IconButton(
            "pencil", self.tr("Look at a text of your own"), theme, name="inside_own"
        )
        self._own.clicked.connect(self._on_own)
        self._toggle = IconButton(
            "panel-right",
            self.tr("Settings of this view"),
            theme,
            name="inside_controls_toggle",
            checkable=True,
        )
        self._toggle.clicked.connect(self._on_toggle)
        row.addWidget(self._own)
        row.addWidget(self._toggle)
        return head

    def _make_strip_row(self, theme: Theme) -> QWidget:
        strip = panel("side", "inside_strip", "bottom")
        row = QHBoxLayout(strip)
        row.setContentsMargins(24, 0, 16, 0)
        row.setSpacing(6)
        self._previous = IconButton(
            "chevron-left", self.tr("The token before"), theme, name="inside_previous", size=26
        )
        self._next = IconButton(
            "chevron-right", self.tr("The next token"), theme, name="inside_next", size=26
        )
        self._previous.clicked.connect(lambda: self._step(-1))
        self._next.clicked.connect(lambda: self._step(1))
        row.addWidget(self._previous)
        row.addWidget(self._place)
        row.addWidget(self._next)
        row.addWidget(self._strip, 1)
        row.addWidget(self.asking)
        return strip

    def _step(self, by: int) -> None:
        if self._subject is not None:
            self.place_chosen.emit(self._subject.chosen + by)

    def _on_own(self) -> None:
        """Go back to the field for a text of one's own; what was looked at stays behind it."""
        self._show_work(shown=False)
        self._empty.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_back(self) -> None:
        self._make_room()
        views = self._combo if self._narrow else self._list
        target = views if self._subject is None else self._strip
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- width -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give way where it is narrow."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_BELOW
        self._narrow = narrow
        self._views_panel.setVisible(not narrow)
        self._combo.setVisible(narrow)
        self._title.setVisible(not narrow)
        self._make_room()

    def _make_room(self) -> None:
        """Show what the open view and the width have use for."""
        for part in (self._strip_row, self._notes):
            part.setVisible(not self.is_alone)
        self._show_work(shown=self.is_alone or self._subject is not None)

    def _show_work(self, *, shown: bool) -> None:
        """Show the open view, or the page for a text of one's own, and what is beside it."""
        self._pages.setCurrentWidget(self._work if shown else self._empty)
        self._head.setVisible(shown or self._narrow)
        of_text = shown and not self.is_alone
        for part in (self._source, self._own):
            part.setVisible(of_text)
        self._model.setVisible(of_text and self.width() >= _NARROW_BELOW + 100)
        self._place_controls()

    def _place_controls(self) -> None:
        has_controls = self._made[self.current_view()].controls() is not None
        is_open = self._pages.currentWidget() is self._work
        self._toggle.setVisible(has_controls and self._narrow and is_open)
        if self._overlay.content is self._side_panel and not self._narrow:
            self._overlay.close_content()
        if self._overlay.content is not self._side_panel:
            self._side_panel.setVisible(has_controls and not self._narrow)

    def _on_toggle(self) -> None:
        if self._overlay.content is self._side_panel:
            self._overlay.close_content()
            return
        self._side_panel.show()
        self._overlay.open_side(self._side_panel, "right", _CONTROLS)
        self._toggle.setChecked(True)

    def _on_overlay_closed(self) -> None:
        self._toggle.setChecked(False)
        self._row.addWidget(self._side_panel)
        self._place_controls()
