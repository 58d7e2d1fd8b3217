"""Walk-through: ten steps from a text to its next word, with live numbers, and a last chapter."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QListView,
    QVBoxLayout,
    QWidget,
)

from desktop.controllers.pairs import OtherHalf
from desktop.inside import ChatRun, FindSwitch, RunChat
from desktop.prompt_parts import parts_before
from desktop.views.inside.view import InsideView
from desktop.views.inside.walk_figures import WalkFigures
from desktop.views.inside.walk_foot import WalkFoot
from desktop.views.inside.walk_list import ICON, SEEN, StepDelegate
from desktop.views.inside.walk_steps import steps
from desktop.widgets import formatting
from desktop.widgets.charts.pieces import shown, spoken
from desktop.widgets.controls import Button, label, panel, scrolled, tell
from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.theme import layout
from inference.inside.questions import (
    AskAttention,
    AskLens,
    AskNext,
    AskUpdates,
    AskVectors,
    NextTokens,
)
from inference.inside.stages import Sorted, draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent, QResizeEvent

    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.views.inside.walk_steps import Step
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo

_LIST: Final = 232
_NARROW_BELOW: Final = 760
_VECTORS: Final = 5
_TEXTS: Final = 1000  # so many pieces can be drawn and appended


class WalkView(InsideView):
    """Goes through the steps; what one shows is asked for when it is reached.

    Args:
        theme: The look at the start.
        half_of: Finds the other half of a model's pair, for the last chapter.

    Signals:
        view_asked: Id of the view that shows more, and the layer that is spoken of.
        text_asked: A text to begin again with.
        source_asked: A ``TextSource`` to begin again with.
        model_asked: Id of the other model of the pair.
        found_asked: A ``Fetchable`` that would be the other half.
    """

    view_asked = Signal(str, int)
    text_asked = Signal(str)
    source_asked = Signal(object)
    model_asked = Signal(str)
    found_asked = Signal(object)

    def __init__(
        self, theme: Theme, half_of: Callable[[ModelInfo], OtherHalf] = lambda _model: OtherHalf()
    ) -> None:
        super().__init__(theme, "inside_walk")
        self._steps = steps()
        self._at = 0
        self._thinks = False
        self._switch = FindSwitch("")
        self._subject: Subject | None = None
        self._keyboard: QWidget | None = None
        self._question: Inquiry | None = None
        self._next: NextTokens | None = None
        self._items = QStandardItemModel(self)
        for step in self._steps:
            item = QStandardItem(step.name)
            item.setEditable(False)
            item.setData(step.icon, ICON)
            self._items.appendRow(item)
        self._list = QListView()
        self._list.setObjectName("walk_steps")
        self._list.setAccessibleName(self.tr("Steps"))
        self._list.setModel(self._items)
        self._list.setItemDelegate(StepDelegate(theme, self._list))
        self._list.setMouseTracking(True)
        self._list.selectionModel().currentChanged.connect(self._on_current)
        self._number = label("", theme, "label_strong", "accent", name="walk_number")
        self._name = label("", theme, "display", name="walk_name")
        self._paragraphs = [
            label("", theme, "reading", wrap=True, name=f"walk_words_{n}") for n in range(3)
        ]
        self.figures = WalkFigures(theme, half_of)
        self.figures.draw_button.clicked.connect(self._on_draw)
        self.figures.append_button.clicked.connect(self._on_append)
        self.figures.pair.model_asked.connect(self._on_pair)
        self.figures.pair.words_asked.connect(self._begin_again)
        self.figures.pair.found_asked.connect(self.found_asked)
        self.figures.said.connect(self.said)
        self._more = Button("", theme, kind="link", name="walk_more")
        self._more.clicked.connect(
            lambda: self.view_asked.emit(self._steps[self._at].view, self._layer())
        )
        count = sum(not step.icon for step in self._steps)
        self._foot = WalkFoot(theme, self, count)
        self._foot.turned.connect(lambda by: self.go_to(self._at + by))
        self.figures.thinking.asked.connect(self.asked)
        self._build(theme)
        self._show_thinking(shown=False)
        self._show_step()

    def _build(self, theme: Theme) -> None:
        side = self._side = panel("side", "walk_side", "right")
        side.setFixedWidth(_LIST)
        listed = QVBoxLayout(side)
        listed.setContentsMargins(8, 12, 8, 12)
        listed.addWidget(self._list)
        body = QWidget()
        body.setMaximumWidth(layout("measure") + 48)
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(10)
        column.addWidget(self._number)
        column.addWidget(self._name)
        for paragraph in self._paragraphs:
            column.addWidget(paragraph)
        column.addSpacing(6)
        column.addWidget(self.figures)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        holder = QWidget()
        centred = QHBoxLayout(holder)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(body, 20)
        centred.addStretch(1)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        self._scroll = scrolled(holder, "walk_scroll", self.tr("The step"))
        right.addWidget(self._scroll, 1)
        right.addWidget(self._foot)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addLayout(right, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room to the step where there is little; its number says where one is."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_BELOW
        self._side.setHidden(narrow)
        self._foot.set_narrow(narrow=narrow)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the pages of a step that is longer than its place."""
        by = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(event.key()), 0)
        bar = self._scroll.verticalScrollBar()
        bar.setValue(bar.value() + by * bar.pageStep())
        if not by:
            super().keyPressEvent(event)

    # --- steps -----------------------------------------------------------------------------

    def go_to(self, place: int) -> None:
        """Show a step."""
        at = max(0, min(place, self._last()))
        if at == self._at:
            return
        had_focus = self._foot.has_keyboard()
        self._at = at
        self._show_step()
        self._scroll.verticalScrollBar().setValue(0)
        if had_focus:
            self.focus_first()

    def focus_first(self) -> None:
        """Put the keyboard on what leads on, so that Space goes through all steps."""
        self._foot.take_keyboard()

    def _last(self) -> int:
        """Return the place of the last chapter that this model has."""
        return len(self._steps) - (1 if self._thinks else 2)

    def _on_current(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.row() != self._at:
            self.go_to(now.row())

    def _show_step(self) -> None:
        step, last = self._steps[self._at], self._last()
        count = sum(not one.icon for one in self._steps)
        self._items.item(self._at).setData(1, SEEN)
        self._list.setCurrentIndex(self._items.index(self._at, 0))
        self._number.setText(
            self.tr("After the steps")
            if step.icon
            else self.tr("Step {0} of {1}").format(self._at + 1, count)
        )
        self._name.setText(step.name)
        self._say(step)
        following = self._steps[self._at + 1].name if self._at < last else ""
        self._foot.show_step(self._at, last + 1, self._number.text(), following)
        self._more.setVisible(bool(step.view))
        self._more.setText(
            self.tr("Open this place in “{0}”").format(self._view_names().get(step.view, ""))
        )
        self.figures.open(step.id)
        self._ask(step)

    def _view_names(self) -> dict[str, str]:
        return {
            "tokens": self.tr("Tokens"),
            "embeddings": self.tr("Embeddings"),
            "attention": self.tr("Attention"),
            "layers": self.tr("Layers"),
            "next_word": self.tr("Next word"),
            "lab": self.tr("Decoding lab"),
        }

    def _say(self, step: Step) -> None:
        subject = self._subject
        names = ("vocabulary", "count", "last", "layer", "layers", "start", "chat", "kept")
        facts = dict.fromkeys(names, "")
        if subject is not None:
            loaded = subject.loaded
            facts = {
                "vocabulary": formatting.count(loaded.n_vocab),
                "count": formatting.count(len(subject.ids_before)),
                "last": spoken(subject.tokens[subject.chosen - 1]),
                "layer": str(self._layer() + 1),
                "layers": str(loaded.n_layers),
                "start": self._start_words(subject),
                "chat": self._chat_words(subject),
                "kept": self._kept_words(subject),
            }
        for place, paragraph in enumerate(self._paragraphs):
            words = step.words[place].format(**facts) if place < len(step.words) else ""
            tell(paragraph, words)
        said = " ".join(one.text() for one in self._paragraphs if one.text())
        self._foot.describe(f"{self._number.text()}. {step.name}. {said}")

    def _chat_words(self, subject: Subject) -> str:
        if subject.source.request.messages is None:
            return ""
        return self.tr(
            "This is a chat, and your words do not go in alone: the chat template writes marks "
            "around them, which tell the model who speaks."
        )

    def _start_words(self, subject: Subject) -> str:
        if subject.source.request.messages is not None:
            marks = sum(
                len(part.pieces) for part in parts_before(subject) if part.speaker == "template"
            )
            return self.tr(
                "{0} of them are not words of the chat: the chat template put them there."
            ).format(formatting.count(marks))
        first = subject.tokens[0]
        if not first.special:
            return ""
        return self.tr("The first one, {0}, is not yours: it marks where a text begins.").format(
            shown(first)
        )

    def _kept_words(self, subject: Subject) -> str:
        """Return how many pieces the text's own settings leave; none while that is not known."""
        if self._next is None:
            return "…"
        stages = Sorted.found_in(self._next).stages(subject.source.request.sampling)
        return formatting.count(int((stages.drawn > 0).sum()))

    def _layer(self) -> int:
        return 0 if self._subject is None else self._subject.loaded.n_layers // 2

    # --- what is shown ---------------------------------------------------------------------

    def show_subject(self, subject: Subject) -> None:
        """Go on with another text, in the same step."""
        self._subject = subject
        self._next = None
        self.figures.set_subject(subject)
        self.figures.thinking.show_model(subject.model.id)
        self._switch = FindSwitch(self.figures.thinking.question())
        self._show_thinking(shown=self._thinks and subject.loaded.has_chat_template)
        self._show_step()
        if self._keyboard is not None:  # the page puts the keyboard into its text meanwhile
            QTimer.singleShot(0, self, self._take_keyboard_back)
        if subject.loaded.has_chat_template:
            self.asked.emit(self._switch)

    def _show_thinking(self, *, shown: bool) -> None:
        """Offer the last chapter to a model that can be told to think, or not to."""
        self._thinks = shown
        self._list.setRowHidden(len(self._steps) - 1, not shown)
        self._at = min(self._at, self._last())

    def _ask(self, step: Step) -> None:
        subject = self._subject
        if subject is None:
            return
        ids = subject.ids_before
        last = len(ids) - 1
        questions: dict[str, Inquiry] = {
            "vectors": AskVectors(ids[-_VECTORS:]),
            "attention": AskAttention(ids, self._layer(), "mean", (last, 0, 1, last + 1)),
            "forward": AskUpdates(ids),
            "layers": AskLens(ids, 3),
        }
        for name in ("scores", "choice", "again", "pair"):
            questions[name] = AskNext(ids, _TEXTS, all_logits=True)
        self._question = questions.get(step.id)
        if self._question is not None:
            self.asked.emit(self._question)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found, if it is of this step."""
        if question == self._switch and isinstance(finding, bool):
            self._show_thinking(shown=finding)
            self._show_step()
        elif isinstance(question, RunChat) and isinstance(finding, ChatRun):
            self.figures.thinking.show_run(question, finding)
        if question != self._question or self._subject is None:
            return
        if isinstance(finding, NextTokens):
            self._next = finding
            self._say(self._steps[self._at])
        self.figures.show_finding(self._steps[self._at].id, finding)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Let the thinking chapter be tried again."""
        if isinstance(question, RunChat):
            self.figures.thinking.end(problem.message)

    def _on_draw(self) -> None:
        if self._next is None or self._subject is None:
            return
        ordered = Sorted.found_in(self._next)
        stages = ordered.stages(self._subject.source.request.sampling)
        self.figures.show_drawn(draw(stages, random.random()))  # noqa: S311  for show

    def _on_append(self) -> None:
        """Begin again with the likeliest piece, or the one that was drawn, behind the text."""
        subject = self._subject
        if subject is None or self._next is None:
            return
        piece = self.figures.piece_to_append(self._next).text
        source = subject.answer_with(piece)
        if source is None:
            self._begin_again(subject.words_before + piece)
        else:
            self._keyboard = QApplication.focusWidget()
            self.source_asked.emit(source)

    def _on_pair(self, model_id: str) -> None:
        """Let another model read the same words; the end of a text is where it begins to look."""
        subject = self._subject
        if subject is not None and subject.chosen < len(subject.tokens):
            self._begin_again(subject.words_before)
        self._keyboard = QApplication.focusWidget()
        self.model_asked.emit(model_id)

    def _begin_again(self, text: str) -> None:
        """Read another text; meanwhile nothing is shown, and the keyboard comes back afterwards."""
        self._keyboard = QApplication.focusWidget()
        self.text_asked.emit(text)

    def _take_keyboard_back(self) -> None:
        held, self._keyboard = self._keyboard, None
        if held is None:
            return
        if self.isAncestorOf(held) and held.isVisible() and held.isEnabled():
            focus_by_keyboard(held, Qt.FocusReason.OtherFocusReason)
        else:
            self.focus_first()
