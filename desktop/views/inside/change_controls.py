"""What can be changed in Change and see: parts switched off, another word, temperatures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.views.inside.steering import Steering
from desktop.widgets.charts.pieces import shown, spoken
from desktop.widgets.controls import Button, label, panel, rule, scrolled
from desktop.widgets.inputs import Combo
from inference.inside.questions import BlockOff, Change, EdgeOff, HeadOff

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Subject
    from desktop.widgets.theme import Theme


class ChangeControls(QWidget):
    """What is switched off, as a list that grows, a word put in place of another, temperatures.

    Signals:
        changed: Something is switched off or on again.
        word_given: A word to cut into tokens.
    """

    changed = Signal()
    word_given = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("change_controls")
        self._theme = theme
        self._changes: list[Change] = []
        self._subject: Subject | None = None
        self._edit: tuple[int, tuple[int, ...]] | None = None
        self._put_in = ""
        self._kind = Combo(self.tr("What to switch off"), theme, name="change_kind")
        for value, words in (
            ("head", self.tr("A head")),
            ("attention", self.tr("Attention of a layer")),
            ("forward", self.tr("Feed-forward of a layer")),
            ("block", self.tr("A whole layer")),
            ("edge", self.tr("A look at one token")),
        ):
            self._kind.addItem(words, value)
        self._kind.activated.connect(self._show_fields)
        self._layer = Combo(self.tr("Layer"), theme, name="change_layer")
        self._head = Combo(self.tr("Head"), theme, name="change_head")
        self._target = Combo(self.tr("Token"), theme, name="change_target")
        self._add = Button(self.tr("Switch it off"), theme, name="change_add", icon_name="power")
        self._add.clicked.connect(self._on_add)
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        self._place = Combo(self.tr("Token to replace"), theme, name="change_place")
        self._word = QLineEdit()
        self._word.setObjectName("change_word")
        self._word.setAccessibleName(self.tr("Another word"))
        self._word.setPlaceholderText(self.tr("another word"))
        self._word.returnPressed.connect(self._on_word)
        self._replace = Button(self.tr("Put it in"), theme, name="change_replace")
        self._replace.clicked.connect(self._on_word)
        self._undo = Button(
            self.tr("As it is"), theme, kind="ghost", name="change_reset", small=True
        )
        self.native_button = Button(
            self.tr("Load its native form"), theme, name="change_native", icon_name="refresh-cw"
        )
        self.native_button.hide()
        self.steering = Steering(theme)
        self.steering.changed.connect(self.changed)
        self._undo.clicked.connect(self._on_reset)
        self._build(theme)
        self._show_fields()

    def _build(self, theme: Theme) -> None:
        body = panel("side", "change_body")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("Switch off"), theme, "heading"))
        head.addStretch(1)
        head.addWidget(self._undo)
        column.addLayout(head)
        column.addWidget(self.native_button)
        for widget in (self._kind, self._layer, self._head, self._target, self._add):
            column.addWidget(widget)
        column.addLayout(self._list)
        column.addWidget(rule())
        column.addWidget(label(self.tr("Put another word in"), theme, "heading"))
        column.addWidget(self._place)
        column.addWidget(self._word)
        column.addWidget(self._replace)
        column.addWidget(rule())
        column.addWidget(self.steering)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "change_controls_scroll", self.tr("Switch off")))

    def set_theme(self, theme: Theme) -> None:
        """List changes with this theme from now on."""
        self._theme = theme

    # --- what is asked ---------------------------------------------------------------------

    def changes(self) -> tuple[Change, ...]:
        """Return what is switched off."""
        return tuple(self._changes)

    @property
    def has_edit(self) -> bool:
        """Whether another word stands in the text."""
        return self._edit is not None

    def edited(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return the ids with the other word in them; empty where nothing is replaced."""
        if self._edit is None or self._edit[0] >= len(ids):
            return ()
        place, new = self._edit
        return (*ids[:place], *new, *ids[place + 1 :])

    def set_subject(self, subject: Subject) -> None:
        """Offer the parts of this model and the tokens of this text."""
        other = self._subject is None or subject.tokens is not self._subject.tokens
        moved = self._subject is None or subject.chosen != self._subject.chosen
        if self._subject is None or subject.model != self._subject.model:
            self._changes = []  # parts of another model, which this one may not have
        self._subject = subject
        if subject.loaded.engine != "native":
            self._changes = []
        if other or moved:
            # Places of another text, or tokens that are no longer read, mean nothing now.
            self._changes = [one for one in self._changes if not isinstance(one, EdgeOff)]
            self._edit = None
        self._show_list()
        loaded = subject.loaded
        _offer(self._layer, [self.tr("Layer {0}").format(n + 1) for n in range(loaded.n_layers)])
        names = [f"{n}  {shown(one)}" for n, one in enumerate(subject.tokens)]
        _offer(self._target, names[: max(1, subject.chosen - 1)])
        _offer(self._place, names[: subject.chosen])
        if other or moved:  # the latest token read is near and counts most; the first is a mark
            self._place.setCurrentIndex(self._place.count() - 1)
        native = loaded.engine == "native"
        reason = self.tr("Only in the native form of a model can parts be switched off.")
        self._add.set_reason("" if native else reason)

    def set_heads(self, count: int) -> None:
        """Offer so many heads."""
        _offer(self._head, [self.tr("Head {0}").format(n + 1) for n in range(count)])

    def set_edit(self, pieces: object) -> None:
        """Put the tokens of another word in place of the chosen one."""
        if isinstance(pieces, tuple) and pieces:
            self._edit = max(0, self._place.currentIndex()), tuple(one.id for one in pieces)
            self._put_in = self._word.text().strip()
            self._show_list()
            self.changed.emit()

    # --- inside ----------------------------------------------------------------------------

    def _show_fields(self) -> None:
        kind = self._kind.currentData()
        self._layer.setVisible(kind != "edge")
        self._head.setVisible(kind == "head")
        self._target.setVisible(kind == "edge")

    def _on_add(self) -> None:
        subject, kind = self._subject, self._kind.currentData()
        if subject is None:
            return
        layer = max(0, self._layer.currentIndex())
        change: Change
        if kind == "head":
            change = HeadOff(layer, max(0, self._head.currentIndex()))
        elif kind == "edge":
            change = EdgeOff(subject.chosen - 1, max(0, self._target.currentIndex()))
        else:
            change = BlockOff(layer, kind)
        if change not in self._changes:
            self._changes.append(change)
            self._show_list()
            self.changed.emit()

    def _on_word(self) -> None:
        word = self._word.text()
        if word.strip():
            self.word_given.emit(word if word.startswith(" ") else f" {word}")

    def _on_reset(self) -> None:
        self._changes, self._edit = [], None
        self.steering.reset()
        self._show_list()
        self.changed.emit()

    def _take_back(self, change: Change) -> None:
        self._changes.remove(change)
        self._show_list()
        self.changed.emit()

    def _show_list(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for number, change in enumerate(self._changes):
            take_back = partial(self._take_back, change)
            self._list_one(f"change_{number}", self._words_of(change), take_back)
        if self._edit is not None and self._subject is not None:
            words = self.tr("“{0}” instead of “{1}”").format(
                self._put_in, spoken(self._subject.tokens[self._edit[0]])
            )
            self._list_one("change_edit", words, self._on_word_back)

    def _list_one(self, name: str, words: str, take_back: Callable[[], None]) -> None:
        button = Button(words, self._theme, kind="ghost", name=name, icon_name="x", small=True)
        button.setToolTip(self.tr("Take this change back"))
        button.clicked.connect(lambda _checked=False: take_back())
        self._list.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _on_word_back(self) -> None:
        self._edit = None
        self._show_list()
        self.changed.emit()

    def _words_of(self, change: Change) -> str:
        if isinstance(change, HeadOff):
            return self.tr("Layer {0}, head {1}").format(change.layer + 1, change.head + 1)
        if isinstance(change, EdgeOff):
            subject = self._subject
            word = "" if subject is None else shown(subject.tokens[change.target])
            return self.tr("The look at {0}").format(word)
        parts = {
            "block": self.tr("Layer {0}"),
            "attention": self.tr("Attention of layer {0}"),
            "forward": self.tr("Feed-forward of layer {0}"),
        }
        return parts[change.part].format(change.layer + 1)


def _offer(combo: Combo, names: list[str]) -> None:
    if [combo.itemText(n) for n in range(combo.count())] == names:
        return
    before = combo.currentIndex()
    combo.clear()
    combo.addItems(names)
    combo.setCurrentIndex(max(0, min(before, len(names) - 1)))
