"""Anatomy: the parts of the model, what each one does, and the lines of our network that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.inside import ReadAnatomy
from desktop.views.inside.part_words import CODE, part_words, tensor_words
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.block_stack import BlockStack
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.tensor_table import TensorTable
from desktop.widgets.controls import label, scrolled
from desktop.widgets.inputs import Combo
from inference.inside.code import excerpt
from inference.library.anatomy import Anatomy, kv_bytes_per_token

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme

_STACK: Final = 310
_NARROW_STACK: Final = 236
_NARROW_BELOW: Final = 760


class AnatomyView(InsideView):
    """The stack of parts on the left; tensors, words and code of the chosen one beside it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_anatomy")
        self._asked: ReadAnatomy | None = None
        self._anatomy: Anatomy | None = None
        self._subject: Subject | None = None
        self._stack = BlockStack(theme, "block_stack", self.tr("The parts of the model"))
        self._stack.place_chosen.connect(self._choose)
        self._stack_frame = FigureFrame(self._stack, theme, self.tr("The parts"), origin="measured")
        self._tensors = TensorTable(theme, "tensor_table", self.tr("Its tensors"))
        self._tensor_frame = FigureFrame(
            self._tensors, theme, self.tr("Its tensors"), origin="measured"
        )
        self._tensors.place_chosen.connect(self._choose_tensor)
        self._words = label("", theme, "body", "text", wrap=True, name="anatomy_words")
        self._tensor_words = label(
            "", theme, "small", "text2", wrap=True, name="anatomy_tensor_words"
        )
        self._which = Combo(self.tr("Part of the code"), theme, name="anatomy_code_choice")
        self._which.currentIndexChanged.connect(self._show_code)
        self._whose = label("", theme, "small", "text3", wrap=True, name="anatomy_whose")
        self._code = QPlainTextEdit()
        self._code.setObjectName("anatomy_code")
        self._code.setAccessibleName(self.tr("The lines that do it"))
        self._code.setReadOnly(True)
        self._code.setFont(theme.font("code_small"))
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._code.setMinimumHeight(260)
        for frame in (self._stack_frame, self._tensor_frame):
            frame.said.connect(self.said)
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        left = QWidget()
        stack = QVBoxLayout(left)
        stack.setContentsMargins(24, 16, 8, 16)
        stack.addWidget(self._stack_frame)
        stack.addStretch(1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(16, 16, 24, 16)
        column.setSpacing(14)
        column.addWidget(self._words)
        column.addWidget(self._tensor_frame)
        column.addWidget(self._tensor_words)
        column.addWidget(label(self.tr("The lines that do it"), theme, "heading"))
        column.addWidget(self._whose)
        column.addWidget(self._which)
        column.addWidget(self._code, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._area = scrolled(left, "anatomy_stack_scroll", self.tr("The parts"))
        row.addWidget(self._area)
        row.addWidget(scrolled(right, "anatomy_scroll", self.tr("The chosen part")), 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the chosen part more room where there is little."""
        super().resizeEvent(event)
        self._area.setFixedWidth(_STACK if self.width() >= _NARROW_BELOW else _NARROW_STACK)

    def show_subject(self, subject: Subject) -> None:
        """Read the parts of the model in memory, once."""
        self._subject = subject
        self._whose.setText(
            self.tr("Of the native engine, which has this model in memory.")
            if subject.loaded.engine == "native"
            else self.tr(
                "llama.cpp computes this model with code of its own; "
                "these lines of the native engine do the same."
            )
        )
        question = ReadAnatomy(subject.model.path)
        if question != self._asked:
            self._anatomy = None  # of another model
        if self._anatomy is None:
            self._asked = question
            self.asked.emit(question)
        else:
            self._stack_frame.set_sentence(self._total(self._anatomy))

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show the parts."""
        if question != self._asked or not isinstance(finding, Anatomy):
            return
        self._anatomy = finding
        self._stack.set_blocks(finding.blocks)
        self._stack_frame.set_sentence(self._total(finding))
        self._choose(min(1, len(finding.blocks) - 1))

    def _total(self, parts: Anatomy) -> str:
        subject = self._subject
        if subject is None:
            return ""
        kv_bytes = kv_bytes_per_token(parts, subject.loaded)
        return self.tr("{0} weights. Each token of context takes {1} in the KV cache.").format(
            formatting.parameters(parts.parameters), formatting.small_size(kv_bytes)
        )

    def _choose(self, place: int) -> None:
        if self._anatomy is None:
            return
        block = self._anatomy.blocks[place]
        self._stack.set_chosen(place)
        self._tensors.set_tensors(block.tensors)
        kind = block.name.split()[0]
        self._words.setText(part_words(kind))
        self._tensor_words.setText(self.tr("Choose a tensor to read what it does."))
        if self._which.property("kind_shown") != kind:
            self._which.setProperty("kind_shown", kind)
            self._which.clear()
            for file, name in CODE[kind]:
                self._which.addItem(f"{name} · {file}", (file, name))
            self._which.setCurrentIndex(0)

    def _choose_tensor(self, place: int) -> None:
        """Say what a tensor does, and show the lines that use it."""
        tensor = self._tensors.tensors[place]
        self._tensors.set_chosen(place)
        known = tensor_words(tensor)
        if known is None:
            words = self.tr("{0}: nothing is known here about a tensor of this name.")
            self._tensor_words.setText(words.format(tensor.name))
            return
        self._tensor_words.setText(f"{tensor.name}: {known.words}")
        at = [self._which.itemData(row) for row in range(self._which.count())]
        if known.code in at:
            self._which.setCurrentIndex(at.index(known.code))

    def _show_code(self) -> None:
        chosen = self._which.currentData(Qt.ItemDataRole.UserRole)
        if chosen is None:
            return
        found = excerpt(*chosen)
        lines = found.text.split("\n")
        width = len(str(found.first_line + len(lines)))
        self._code.setPlainText(
            "\n".join(f"{found.first_line + n:>{width}}  {line}" for n, line in enumerate(lines))
        )
