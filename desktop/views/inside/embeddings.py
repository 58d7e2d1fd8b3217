"""Embeddings: neighbours of a word in the model's own table, sums of words, and a map of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.inside import ReadWords
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown, shown_piece
from desktop.widgets.charts.point_map import MapPoint, PointMap
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import Button, label, scrolled
from inference.inside.questions import Array, AskHidden, AskNeighbours, AskVectors, Neighbours

if TYPE_CHECKING:
    import numpy.typing as npt

    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme

_SHOWN: Final = 12
_TERM: Final = re.compile(r"([+-]?)\s*([^+-]+)")


def _two_digits(number: float) -> str:
    return formatting.decimal(number, 2)


class EmbeddingsView(InsideView):
    """About the chosen token, or about words that a person adds and subtracts."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_embeddings")
        self._subject: Subject | None = None
        self._signs: tuple[int, ...] = ()
        self._asked: AskNeighbours | None = None
        self._words: ReadWords | None = None
        self._vectors: AskVectors | None = None
        self._hidden: AskHidden | None = None
        self._names: dict[int, str] = {}
        self._names_on_map: dict[int, str] = {}
        self._field = QLineEdit()
        self._field.setObjectName("embedding_words")
        self._field.setAccessibleName(self.tr("Words to add and subtract"))
        self._field.setPlaceholderText(self.tr("king - man + woman"))
        self._field.returnPressed.connect(self._on_words)
        look = Button(self.tr("Find neighbours"), theme, name="embedding_look")
        look.clicked.connect(self._on_words)
        self._told = label("", theme, "small", "text3", wrap=True, name="embedding_told")
        self._near = ShareBars(
            theme, "neighbours", self.tr("Nearest neighbours"), _two_digits, full=1.0
        )
        self._map = PointMap(theme, "embedding_map", self.tr("A map of them"))
        self._turn = ShareBars(
            theme, "turning", self.tr("How the context turns it"), _two_digits, full=1.0
        )
        self._frames = (
            FigureFrame(
                self._near,
                theme,
                self.tr("Nearest neighbours"),
                self.tr("Tokens whose vectors point the same way; a cosine of 1 is the same one."),
                origin="measured",
            ),
            FigureFrame(self._map, theme, self.tr("A map of them"), origin="derived", method="PCA"),
            FigureFrame(
                self._turn,
                theme,
                self.tr("How the context turns the chosen token"),
                self.tr("Cosine between its vector at the start and after each block."),
                origin="derived",
            ),
        )
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(18)
        row = QHBoxLayout()
        row.addWidget(self._field, 1)
        row.addWidget(look)
        column.addLayout(row)
        column.addWidget(self._told)
        for frame in self._frames:
            frame.said.connect(self.said)
            column.addWidget(frame)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "embeddings_scroll", self.tr("Embeddings")))

    def show_subject(self, subject: Subject) -> None:
        """Show the neighbours of the chosen token."""
        self._subject = subject
        place = min(subject.chosen, len(subject.tokens) - 1)
        piece = subject.tokens[place]
        self._names = {piece.id: shown_piece(piece)}
        self._told.setText(self.tr("Now: “{0}” of the text.").format(shown_piece(piece)))
        self._ask((piece.id,), ())
        self._hidden = AskHidden(subject.ids[: place + 1], (place,))
        self.asked.emit(self._hidden)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if question == self._words and isinstance(finding, tuple):
            self._on_pieces(finding)
        elif question == self._asked and isinstance(finding, Neighbours):
            self._on_neighbours(finding)
        elif isinstance(finding, Array):
            if question == self._vectors:
                self._show_map(finding.numbers())
            elif question == self._hidden:
                self._show_turning(finding.numbers()[:, 0])

    def _ask(self, plus: tuple[int, ...], minus: tuple[int, ...]) -> None:
        self._asked = AskNeighbours(plus, minus, _SHOWN)
        self.asked.emit(self._asked)

    def _on_words(self) -> None:
        text = self._field.text().strip() or self._field.placeholderText()
        terms = [(sign, word.strip()) for sign, word in _TERM.findall(text) if word.strip()]
        if not terms or self._subject is None:
            return
        self._signs = tuple(-1 if sign == "-" else 1 for sign, _ in terms)
        # Within a text most words begin with a space, and that is how a vocabulary has them.
        self._words = ReadWords(tuple(f" {word}" for _, word in terms))
        self.asked.emit(self._words)

    def _on_pieces(self, words: tuple[object, ...]) -> None:
        """Look for neighbours of the words; one that the model cuts up counts with all pieces."""
        plus: list[int] = []
        minus: list[int] = []
        told = []
        self._names = {}
        for sign, pieces in zip(self._signs, words, strict=True):
            assert isinstance(pieces, tuple)  # noqa: S101  the tokens of a word
            (plus if sign > 0 else minus).extend(piece.id for piece in pieces)
            self._names |= {piece.id: shown_piece(piece) for piece in pieces}
            cut = " ".join(shown_piece(piece) for piece in pieces)
            told.append(("- " if sign < 0 else "+ ") + cut)
        self._told.setText(self.tr("As this model has them: {0}").format("  ".join(told)))
        self._ask(tuple(plus), tuple(minus))

    def _on_neighbours(self, finding: Neighbours) -> None:
        self._near.set_rows(tuple((one.text, one.cosine) for one in finding.found))
        names = {one.id: shown(one.text) for one in finding.found}
        self._vectors = AskVectors((*self._names, *names))
        self._names_on_map = {**self._names, **names}
        self.asked.emit(self._vectors)

    def _show_map(self, vectors: npt.NDArray[np.float32]) -> None:
        """Lay the vectors on their two widest directions (PCA), each scaled to length 1 first."""
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.maximum(lengths, 1e-9)
        centred = unit - unit.mean(axis=0)
        left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
        spots = left[:, :2] * sizes[:2]
        spread = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-9)
        points = tuple(
            MapPoint(name, float(spot[0]), float(spot[-1]), n < len(self._names))
            for n, (name, spot) in enumerate(zip(self._names_on_map.values(), spots, strict=True))
        )
        shown_share = formatting.chance(float(spread[:2].sum()))
        words = self.tr(
            "Two directions hold {0} of the spread between these tokens; what is near here may be "
            "far apart in the others."
        ).format(shown_share)
        self._map.set_points(points, words)
        self._frames[1].set_sentence(words)

    def _show_turning(self, stream: npt.NDArray[np.float32]) -> None:
        lengths = np.linalg.norm(stream, axis=1)
        cosines = stream @ stream[0] / np.maximum(lengths * lengths[0], 1e-9)
        rows = [(self.tr("start"), float(cosines[0]))]
        rows += [
            (self.tr("layer {0}").format(n), float(cosine))
            for n, cosine in enumerate(cosines[1:], start=1)
        ]
        self._turn.set_rows(tuple((name, max(0.0, cosine)) for name, cosine in rows))
