"""The tree of a beam search: steps from left to right, given-up branches struck through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken, written

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import BeamTree

_STEP: Final = 112
_BOX: Final = QSize(84, 26)
_ROW: Final = 42
_TOP: Final = 16


class BeamTreeFigure(Figure):
    """Places are the tokens that were looked at, step by step."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._tree: BeamTree | None = None
        self._steps: list[int] = []
        self._rows: list[int] = []
        self._winners: set[int] = set()

    def set_tree(self, tree: BeamTree | None) -> None:
        """Show another search."""
        self._tree = tree
        self._steps, self._rows, self._winners = [], [], set()
        if tree is not None:
            self._place(tree)
        size = self.sizeHint()
        self.setMinimumSize(size)
        self.refresh()

    def _place(self, tree: BeamTree) -> None:
        """Give each token its step and its row: within a step they come best first."""
        counts: dict[int, int] = {}
        for node in tree.nodes:
            step = 0 if node.parent < 0 else self._steps[node.parent] + 1
            self._steps.append(step)
            self._rows.append(counts.get(step, 0))
            counts[step] = counts.get(step, 0) + 1
        at = tree.winner
        while at >= 0:
            self._winners.add(at)
            at = tree.nodes[at].parent

    def sizeHint(self) -> QSize:
        """Return the size of the whole tree."""
        steps, rows = max(self._steps, default=0) + 1, max(self._rows, default=0) + 1
        return QSize(steps * _STEP + 8, rows * _ROW + _TOP + 8)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        tree = self._tree
        if tree is None:
            return self.tr("Nothing to show yet.")
        given_up = sum(node.state == "pruned" for node in tree.nodes)
        won = [tree.nodes[at] for at in sorted(self._winners)]
        text = "".join(shown(node) if node.special else node.text for node in won)
        return self.tr("{0} tokens looked at, {1} given up; the winner is “{2}”.").format(
            len(tree.nodes), given_up, text.strip()
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        nodes = () if self._tree is None else self._tree.nodes
        rows = [
            (
                str(n),
                str(node.parent),
                written(node),
                f"{node.logprob:.6g}",
                f"{node.score:.6g}",
                node.state,
            )
            for n, node in enumerate(nodes)
        ]
        return (("place", "parent", "token", "logprob", "score", "state"), *rows)

    def place_count(self) -> int:
        """Return the number of tokens."""
        return len(self._steps)

    def place_at(self, spot: QPoint) -> int:
        """Return the token at a spot."""
        point = spot.toPointF()
        return next((n for n in range(len(self._steps)) if self._box(n).contains(point)), -1)

    def place_words(self, place: int) -> str:
        """Return what is said of one token."""
        if self._tree is None:
            return ""
        node = self._tree.nodes[place]
        states = {
            "kept": self.tr("went on"),
            "finished": self.tr("completed an answer"),
            "pruned": self.tr("was given up"),
        }
        return self.tr("Step {0}: “{1}”, score {2}, {3}").format(
            self._steps[place] + 1,
            spoken(node),
            formatting.decimal(node.score, 2),
            states[node.state],
        )

    def _box(self, place: int) -> QRectF:
        left, top = 4 + self._steps[place] * _STEP, _TOP + self._rows[place] * _ROW
        return QRectF(left, top, _BOX.width(), _BOX.height())

    def _whole(self, place: int) -> QRectF:
        """Return what a box covers with its outline and the score above it."""
        return self._box(place).adjusted(-2, -_TOP, 2, 2)

    def place_rect(self, place: int) -> QRect:
        """Return what changes its looks with one token that is marked."""
        return self._whole(place).toAlignedRect()

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint curves, then boxes."""
        del size
        tree = self._tree
        if tree is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        exposed, places = self.exposed(), [self._whole(n) for n in range(len(tree.nodes))]
        for place, node in enumerate(tree.nodes):
            if node.parent >= 0 and exposed.intersects(places[place] | places[node.parent]):
                self._draw_curve(painter, node.parent, place)
        for place, whole in enumerate(places):
            if exposed.intersects(whole):
                self._draw_box(painter, tree, place)

    def _draw_curve(self, painter: QPainter, parent: int, place: int) -> None:
        theme = self.theme
        start, end = self._box(parent), self._box(place)
        wins = place in self._winners
        painter.setPen(QPen(theme.accent, 2.5) if wins else QPen(theme.line_strong, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        path = QPainterPath(QPointF(start.right(), start.center().y()))
        middle = (start.right() + end.left()) / 2
        path.cubicTo(
            QPointF(middle, start.center().y()),
            QPointF(middle, end.center().y()),
            QPointF(end.left(), end.center().y()),
        )
        painter.drawPath(path)

    def _draw_box(self, painter: QPainter, tree: BeamTree, place: int) -> None:
        theme, node, box = self.theme, tree.nodes[place], self._box(place)
        wins, dropped = place in self._winners, node.state == "pruned"
        painter.setPen(QPen(theme.accent if wins else theme.line_strong, 1.5 if wins else 1))
        if place == self.mark:
            painter.setPen(QPen(theme.focus, 2))
        painter.setBrush(theme.accent_soft if wins else theme.raised)
        painter.drawRoundedRect(box, 5, 5)
        painter.setFont(theme.font("label", tabular=True))
        painter.setPen(theme.text3)
        above = QRectF(box.left(), box.top() - 14, box.width(), 13)
        painter.drawText(above, Qt.AlignmentFlag.AlignRight, formatting.decimal(node.score, 1))
        font = theme.font("code_small", bold=wins)
        font.setStrikeOut(dropped)
        painter.setFont(font)
        painter.setPen(theme.text3 if dropped else theme.text)
        words = painter.fontMetrics().elidedText(
            shown(node), Qt.TextElideMode.ElideRight, round(box.width()) - 10
        )
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
