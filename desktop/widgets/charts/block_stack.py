"""The parts of a model as a stack, in the order in which a token passes through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.tensor_table import shape_words

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.library.anatomy import Block

_ROW: Final = 34
_GAP: Final = 6


class BlockStack(Figure):
    """Places are the parts."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._blocks: tuple[Block, ...] = ()
        self._chosen = -1

    def set_blocks(self, blocks: tuple[Block, ...]) -> None:
        """Show other parts."""
        self._blocks = blocks
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def set_chosen(self, place: int) -> None:
        """Frame a part."""
        self._chosen = place
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return the height of the stack."""
        return QSize(240, len(self._blocks) * (_ROW + _GAP) + 4)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._blocks:
            return self.tr("Nothing to show yet.")
        most = max(self._blocks, key=lambda block: block.parameters)
        words = self.tr("{0} parts with {1} weights, from {2} to {3}; most are in {4}: {5}.")
        return words.format(
            len(self._blocks),
            formatting.parameters(sum(block.parameters for block in self._blocks)),
            *(self._name(block) for block in (self._blocks[0], self._blocks[-1], most)),
            formatting.parameters(most.parameters),
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return every tensor of every part: shape, type and number of weights."""
        rows = [
            (block.name, one.name, shape_words(one), one.type_name, str(one.parameters))
            for block in self._blocks
            for one in block.tensors
        ]
        return (("part", "tensor", "shape", "stored as", "weights"), *rows)

    def place_count(self) -> int:
        """Return the number of parts."""
        return len(self._blocks)

    def place_at(self, spot: QPoint) -> int:
        """Return the part at a spot."""
        place = spot.y() // (_ROW + _GAP)
        return place if 0 <= place < len(self._blocks) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one part."""
        block = self._blocks[place]
        types = ", ".join(sorted({tensor.type_name for tensor in block.tensors}))
        return self.tr("{0}: {1} weights, {2}").format(
            self._name(block), formatting.parameters(block.parameters), types
        )

    def _numbers(self, painter: QPainter, block: Block, room: float) -> str:
        """Return its weights and how they are stored; that only where there is room."""
        count = formatting.parameters(block.parameters)
        whole = f"{count} · {self._type(block)}"
        return whole if painter.fontMetrics().horizontalAdvance(whole) <= room else count

    def _type(self, block: Block) -> str:
        """Return how most of its weights are stored."""
        counts: dict[str, int] = {}
        for tensor in block.tensors:
            counts[tensor.type_name] = counts.get(tensor.type_name, 0) + tensor.parameters
        return max(counts, key=lambda name: counts[name], default="")

    def _name(self, block: Block) -> str:
        kind, _, number = block.name.partition(" ")
        if kind == "block":
            return self.tr("Block {0}").format(int(number) + 1)
        return self.tr("Embedding") if kind == "embedding" else self.tr("Output")

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint boxes and the stream between them."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, block in enumerate(self._blocks):
            top = place * (_ROW + _GAP)
            box = QRectF(1, top + 1, size.width() - 2, _ROW - 2)
            is_chosen = place == self._chosen
            painter.setPen(QPen(theme.line_strong, 1))
            painter.setBrush(theme.selected if is_chosen else theme.raised)
            if place == self.mark:
                painter.setPen(QPen(theme.focus, 2))
            painter.drawRoundedRect(box, 6, 6)
            painter.setFont(theme.font("body_strong" if is_chosen else "body"))
            painter.setPen(theme.text)
            align = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box.adjusted(10, 0, 0, 0), align, self._name(block))
            room = box.width() - 28 - painter.fontMetrics().horizontalAdvance(self._name(block))
            painter.setFont(theme.font("small", tabular=True))
            painter.setPen(theme.text2)
            painter.drawText(
                box.adjusted(0, 0, -10, 0),
                align | Qt.AlignmentFlag.AlignRight,
                self._numbers(painter, block, room),
            )
            if place + 1 < len(self._blocks):
                painter.setPen(QPen(theme.line_strong, 2))
                middle = size.width() / 2
                painter.drawLine(round(middle), top + _ROW, round(middle), top + _ROW + _GAP)
