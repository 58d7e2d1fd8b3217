"""A chapter of the walk-through: the same words in a base model and in an instruct model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.controllers.pairs import OtherHalf
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.share_bars import Share, ShareBars, likeliest
from desktop.widgets.controls import Button, label, tell
from desktop.widgets.found_delegate import kind_words
from desktop.widgets.model_delegate import kind_word

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Subject
    from desktop.widgets.theme import Theme
    from inference.inside.questions import NextTokens
    from inference.types import ModelInfo

_SHOWN: Final = 7
_KEPT: Final = 8


class WalkPair(QWidget):
    """Shows the model in memory, and beside it the other half of its pair once that has read.

    Args:
        theme: The look at the start.
        half_of: Finds the other half.

    Signals:
        said: A sentence for the person.
        model_asked: Id of a model to read the same words next.
        found_asked: A ``Fetchable`` whose page is to be seen.
        words_asked: The person's words, to be read alone.
    """

    said = Signal(str)
    model_asked = Signal(str)
    found_asked = Signal(object)
    words_asked = Signal(str)

    def __init__(self, theme: Theme, half_of: Callable[[ModelInfo], OtherHalf]) -> None:
        super().__init__()
        self.setObjectName("walk_pair_chapter")
        self._half_of = half_of
        self._half = OtherHalf()
        self._subject: Subject | None = None
        self._told: dict[tuple[str, str], tuple[ModelInfo, tuple[Share, ...]]] = {}
        self._mine = ShareBars(theme, "walk_mine", self.tr("The model in memory"))
        self._other = ShareBars(theme, "walk_other", self.tr("The other half"))
        self._names = [
            label("", theme, "body_strong", wrap=True, name=f"walk_{side}_name")
            for side in ("mine", "other")
        ]
        self._note = label("", theme, "body", "text2", wrap=True, name="walk_pair_note")
        self._read = Button("", theme, name="walk_pair", icon_name="scale")
        self._find = Button(self.tr("Show it in Discover"), theme, name="walk_pair_find")
        self._starter = Button(self.tr("Take the starter pair"), theme, name="walk_pair_starter")
        self._alone = Button(self.tr("Read your words alone"), theme, name="walk_pair_alone")
        self._read.clicked.connect(self._on_read)
        self._find.clicked.connect(self._on_find)
        self._starter.clicked.connect(self._on_starter)
        self._alone.clicked.connect(self._on_alone)
        self._sides: list[QWidget] = []
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        sides = QHBoxLayout()
        sides.setSpacing(24)
        for name, bars, title in zip(
            self._names,
            (self._mine, self._other),
            (self.tr("In memory now"), self.tr("The other half")),
            strict=True,
        ):
            side = QWidget()
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            frame = FigureFrame(bars, theme, title, origin="measured")
            frame.said.connect(self.said)
            column.addWidget(name)
            column.addWidget(frame)
            column.addStretch(1)
            self._sides.append(side)
            sides.addWidget(side, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._read, self._alone, self._find, self._starter):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(sides)
        column.addWidget(self._note)
        column.addLayout(buttons)

    # --- what is shown ---------------------------------------------------------------------

    def show_subject(self, subject: Subject) -> None:
        """Show another text or another model; asked for when the chapter is open."""
        self._subject = subject
        self._half = self._half_of(subject.model)
        self._names[0].setText(_named(subject.model))
        self._say()
        self._show_other()

    def show_next(self, finding: NextTokens) -> None:
        """Show what the model in memory would write next, and keep it for the other side."""
        if self._subject is None:
            return
        rows = likeliest(finding.top, _SHOWN)
        self._mine.set_rows(rows)
        while len(self._told) >= _KEPT:
            self._told.pop(next(iter(self._told)))
        key = self._subject.words_before, self._subject.model.id
        self._told[key] = self._subject.model, rows
        self._show_other()

    def _show_other(self) -> None:
        other, subject = self._half.model, self._subject
        told = None
        if other is not None and subject is not None:
            told = self._told.get((subject.words_before, other.id))
        self._sides[1].setVisible(told is not None)
        if told is not None:
            self._names[1].setText(_named(told[0]))
            self._other.set_rows(told[1])

    def _say(self) -> None:
        half, subject = self._half, self._subject
        if subject is None:
            return
        is_chat = subject.source.request.messages is not None
        self._read.setVisible(half.model is not None and not is_chat)
        self._alone.setVisible(is_chat)
        self._find.setVisible(half.fetchable is not None and half.model is None)
        self._starter.setVisible(half.model is None and half.starter is not None and not is_chat)
        if half.model is not None:
            words = self.tr("The other half of this pair is {0}.").format(half.model.name)
            self._read.setText(self._reading(half.model))
            self._read.setAccessibleName(self._read.text())
            self._read.setAccessibleDescription(words)
        else:
            words = self._missing(subject.model)
        if is_chat:
            alone = self.tr(
                "This is a chat, and a base model has not learned how chats are written. Let both "
                "read your last message as a plain text."
            )
            words = f"{words} {alone}".strip()
        tell(self._note, words)

    def _reading(self, other: ModelInfo) -> str:
        if other.kind == "base":
            return self.tr("Read it with the base model")
        if other.kind == "instruct":
            return self.tr("Read it with the instruct model")
        return self.tr("Read it with the other model")

    def _missing(self, model: ModelInfo) -> str:
        """Say that the other half is not here, and which one it is."""
        get = self._half.fetchable
        if get is not None:
            return self.tr(
                "The other half of this pair is not on this computer: it is {0} ({1}, {2})."
            ).format(get.name, kind_words(get.kind), get.version)
        wanted = kind_word("instruct" if model.kind == "base" else "base").lower()
        return self.tr(
            "No {0} model with the name and the shape of {1} is on this computer, and the "
            "catalogue does not list one."
        ).format(wanted, model.name)

    # --- what is pressed -------------------------------------------------------------------

    def _on_read(self) -> None:
        if self._half.model is not None:
            self.model_asked.emit(self._half.model.id)

    def _on_find(self) -> None:
        if self._half.fetchable is not None:
            self.found_asked.emit(self._half.fetchable)

    def _on_starter(self) -> None:
        if self._half.starter is not None:
            self.model_asked.emit(self._half.starter.id)

    def _on_alone(self) -> None:
        messages = self._subject.source.request.messages if self._subject is not None else None
        said = [message.content for message in messages or () if message.role == "user"]
        if said:
            self.words_asked.emit(said[-1])


def _named(model: ModelInfo) -> str:
    return model.name if model.kind == "unknown" else f"{model.name} · {kind_word(model.kind)}"
