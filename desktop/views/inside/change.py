"""Change and see: switch parts off or put other words in, with the unchanged run beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.inside import ReadAnatomy, ReadWords
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown_piece
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import Button, label, panel, rule, scrolled
from desktop.widgets.inputs import Combo
from inference.inside.questions import (
    AskChanged,
    BlockOff,
    Change,
    ChangedRun,
    EdgeOff,
    HeadOff,
    NextTokens,
)
from inference.library.anatomy import Anatomy

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.theme import Theme

_SHOWN: Final = 8
_LENGTH: Final = 16


class ChangeView(InsideView):
    """Two runs side by side: as it is, and as it is changed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_change")
        self._subject: Subject | None = None
        self._asked: AskChanged | None = None
        self._words: ReadWords | None = None
        self._side = _Controls(theme)
        self._side.changed.connect(self._run)
        self._side.word_given.connect(self._on_word)
        self._sentence = label("", theme, "body", wrap=True, name="change_sentence")
        self._before = ShareBars(theme, "change_before", self.tr("As it is"), full=1.0)
        self._after = ShareBars(theme, "change_after", self.tr("Changed"), full=1.0)
        self._before_text = label("", theme, "body", "text2", wrap=True, name="change_before_text")
        self._after_text = label("", theme, "body", "text2", wrap=True, name="change_after_text")
        runs = QHBoxLayout()
        runs.setSpacing(20)
        for title, bars, words in (
            (self.tr("As it is"), self._before, self._before_text),
            (self.tr("Changed"), self._after, self._after_text),
        ):
            frame = FigureFrame(bars, theme, title, origin="measured")
            frame.said.connect(self.said)
            box = QVBoxLayout()
            box.addWidget(frame)
            box.addWidget(label(self.tr("It goes on, likeliest first:"), theme, "small", "text3"))
            box.addWidget(words)
            box.addStretch(1)
            runs.addLayout(box, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(14)
        column.addWidget(self._sentence)
        column.addLayout(runs)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "change_scroll", self.tr("Change and see")))

    def controls(self) -> QWidget | None:
        """Return what can be switched off."""
        return self._side

    def show_subject(self, subject: Subject) -> None:
        """Offer this model's parts, and run the text up to the chosen place."""
        self._subject = subject
        self._side.set_subject(subject)
        self.asked.emit(ReadAnatomy(subject.model.path))  # the number of heads
        if subject.loaded.engine != "native":
            self._sentence.setText(
                self.tr(
                    "llama.cpp runs a GGUF model as a whole, so nothing in it can be switched "
                    "off. Choose the same model in its native form (Ctrl+M) to try changes."
                )
            )
            return
        self._run()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show both runs."""
        if question == self._words and isinstance(finding, tuple):
            self._side.set_edit(finding[0])
        elif isinstance(finding, Anatomy):
            self._side.set_heads(finding.n_heads)
        elif question == self._asked and isinstance(finding, ChangedRun):
            self._show(finding)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Say why there is nothing to compare."""
        if question == self._asked:
            self._sentence.setText(f"{problem.message} {problem.hint}".strip())

    def _on_word(self, word: str) -> None:
        self._words = ReadWords((word,))
        self.asked.emit(self._words)

    def _run(self) -> None:
        subject = self._subject
        if subject is None or subject.loaded.engine != "native":
            return
        ids = subject.ids_before
        changed = self._side.edited(ids)
        self._asked = AskChanged(ids, self._side.changes(), changed, _LENGTH)
        self.asked.emit(self._asked)

    def _show(self, run: ChangedRun) -> None:
        self._before.set_rows(_shares(run.before))
        self._after.set_rows(_shares(run.after))
        self._before_text.setText(run.before_text.strip())
        self._after_text.setText(run.after_text.strip())
        self._sentence.setText(self._told(run))

    def _told(self, run: ChangedRun) -> str:
        bits = formatting.decimal(run.shift_bits, 2)
        if not self._side.changes() and not self._side.has_edit:
            return self.tr("Nothing is changed yet: switch something off at the right.")
        first, other = run.before.top[0], run.after.top[0]
        if first.id == other.id:
            return self.tr(
                "“{0}” stays the likeliest. The chances moved by {1} bits (Kullback-Leibler)."
            ).format(first.text.strip() or first.text, bits)
        return self.tr(
            "“{0}” becomes “{1}”. The chances moved by {2} bits (Kullback-Leibler)."
        ).format(first.text.strip() or first.text, other.text.strip() or other.text, bits)


def _shares(found: NextTokens) -> tuple[tuple[str, float], ...]:
    return tuple((one.text, math.exp(one.logprob)) for one in found.top[:_SHOWN])


class _Controls(QWidget):
    """What is switched off, as a list that grows, and a word put in place of another.

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
        for widget in (self._kind, self._layer, self._head, self._target, self._add):
            column.addWidget(widget)
        column.addLayout(self._list)
        column.addWidget(rule())
        column.addWidget(label(self.tr("Put another word in"), theme, "heading"))
        column.addWidget(self._place)
        column.addWidget(self._word)
        column.addWidget(self._replace)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "change_controls_scroll", self.tr("Switch off")))

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
        self._subject = subject
        if other or moved:
            # Places of another text, or tokens that are no longer read, mean nothing now.
            self._changes = [one for one in self._changes if not isinstance(one, EdgeOff)]
            self._edit = None
            self._show_list()
        loaded = subject.loaded
        _offer(self._layer, [self.tr("Layer {0}").format(n + 1) for n in range(loaded.n_layers)])
        names = [f"{n}  {shown_piece(one)}" for n, one in enumerate(subject.tokens)]
        _offer(self._target, names[: max(1, subject.chosen - 1)])
        _offer(self._place, names[: subject.chosen])
        native = loaded.engine == "native"
        reason = "" if native else self.tr("Only a model in its native form can be changed.")
        for button in (self._add, self._replace):
            button.set_reason(reason)

    def set_heads(self, count: int) -> None:
        """Offer so many heads."""
        _offer(self._head, [self.tr("Head {0}").format(n + 1) for n in range(count)])

    def set_edit(self, pieces: object) -> None:
        """Put the tokens of another word in place of the chosen one."""
        if isinstance(pieces, tuple) and pieces:
            self._edit = max(0, self._place.currentIndex()), tuple(one.id for one in pieces)
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
            words = self._words_of(change)
            button = Button(
                words, self._theme, kind="ghost", name=f"change_{number}", icon_name="x", small=True
            )
            button.setToolTip(self.tr("Switch it on again"))
            button.clicked.connect(lambda _checked=False, one=change: self._take_back(one))
            self._list.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _words_of(self, change: Change) -> str:
        if isinstance(change, HeadOff):
            return self.tr("Layer {0}, head {1}").format(change.layer + 1, change.head + 1)
        if isinstance(change, EdgeOff):
            subject = self._subject
            word = "" if subject is None else shown_piece(subject.tokens[change.target])
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
