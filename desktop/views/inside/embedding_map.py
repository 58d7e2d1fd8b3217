"""A map of words by PCA or t-SNE, with what the map loses said below its heading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.views.inside.word_pieces import both_ways
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.point_map import MapPoint, PointMap
from desktop.widgets.controls import label
from desktop.widgets.inputs import Segments
from inference.inside.questions import AskMap, WordMap
from inference.inside.word_forms import better, words

if TYPE_CHECKING:
    from desktop.inside import Inquiry, ReadWords, Result, Subject, Words
    from desktop.widgets.theme import Theme
    from inference.inside.questions import MapMethod

What = Literal["near", "own", "frequent"]
_FREQUENT: Final = 200
_PLANE: Final = 3  # words that two directions hold in every case
_OWN: Final = (
    "king queen man woman boy girl mother father day night sun moon red blue green one two"
)


class MapSection(QWidget):
    """Which words, which method, and the map.

    Signals:
        asked: An ``Inquiry``.
        said: A sentence for the person.
    """

    asked = Signal(object)
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("embedding_map_section")
        self._what: What = "near"
        self._method: MapMethod = "pca"
        self._near: tuple[tuple[int, ...], ...] = ()
        self._n_asked = 0
        self._words: ReadWords | None = None
        self._asked: AskMap | None = None
        what = (
            ("near", self.tr("Neighbours")),
            ("own", self.tr("Words of your own")),
            ("frequent", self.tr("Frequent words")),
        )
        self._which = Segments(self.tr("Words on the map"), what, theme, name="map_words")
        self._which.chosen.connect(self._on_what)
        self._which.set_value("near")
        methods = (("pca", self.tr("PCA")), ("tsne", self.tr("t-SNE")))
        self._how = Segments(self.tr("Method"), methods, theme, name="map_method")
        self._how.chosen.connect(self._on_method)
        self._how.set_value("pca")
        self._field = QLineEdit(_OWN)
        self._field.setObjectName("map_own_words")
        self._field.setAccessibleName(self.tr("Words of your own, with spaces between them"))
        self._field.returnPressed.connect(self._ask)
        self._field.hide()
        self._told = label("", theme, "small", "text2", wrap=True, name="map_told")
        self._map = PointMap(theme, "embedding_map", self.tr("A map of words"))
        self._frame = FigureFrame(
            self._map, theme, self.tr("A map of words"), origin="derived", method="PCA"
        )
        self._frame.said.connect(self.said)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._which)
        row.addStretch(1)
        row.addWidget(self._how)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self._field)
        column.addWidget(self._frame)
        column.addWidget(self._told)

    def show_subject(self, _subject: Subject) -> None:
        """Ask again where the words do not come from the neighbours: it may be another model."""
        if self._what != "near":
            self._ask()

    def set_near(self, near: tuple[tuple[int, ...], ...], n_asked: int) -> None:
        """Take the words asked with, first, and their neighbours."""
        self._near, self._n_asked = near, n_asked
        if self._what == "near":
            self._ask()

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figure, where it waits for this answer."""
        return (self._frame,) if question == self._asked else ()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if question == self._words and isinstance(finding, tuple):
            found = better(cast("Words", finding))
            self._show(
                AskMap(tuple(tuple(one.id for one in word) for word in found), 0, self._method)
            )
        elif question == self._asked and isinstance(finding, WordMap):
            self._on_map(finding)

    def refuse(self, question: Inquiry) -> None:
        """Say no longer that a map is being made; the page says why there is none."""
        if question == self._asked:
            self._told.setText("")

    def _ask(self) -> None:
        self._told.setText("")
        if self._what == "near":
            if self._near:
                self._show(AskMap(self._near, method=self._method))
        elif self._what == "frequent":
            self._show(AskMap(frequent=_FREQUENT, method=self._method))
        else:
            self._words = both_ways(words(self._field.text() or _OWN))
            self.asked.emit(self._words)

    def _show(self, question: AskMap) -> None:
        self._asked = question
        if question.method == "tsne":
            self._told.setText(self.tr("The map is being made."))
        self.asked.emit(question)

    def _on_what(self, what: str) -> None:
        self._what = cast("What", what)
        self._field.setVisible(what == "own")
        self._ask()

    def _on_method(self, method: str) -> None:
        self._method = cast("MapMethod", method)
        self._ask()

    def _on_map(self, found: WordMap) -> None:
        n_asked = self._n_asked if self._what == "near" else 0
        spots = found.spots.numbers()
        points = tuple(
            MapPoint(name, float(x), float(y), n < n_asked)
            for n, (name, (x, y)) in enumerate(zip(found.names, spots, strict=True))
        )
        self._frame.origin.set_origin("derived", "PCA" if found.spread else "t-SNE")
        words = self._loss(found)
        self._map.set_points(points, words)
        self._frame.set_sentence(words)
        self._told.setText(self._choice(len(points)))

    def _loss(self, found: WordMap) -> str:
        """Say what the map shows and what it does not."""
        if found.spread and len(found.names) == _PLANE:
            method = self.tr("Three words always lie in one plane: the map loses nothing of them.")
        elif found.spread:
            first, second = found.spread
            method = self.tr(
                "The two widest directions hold {0} of the spread ({1} and {2}); what is near here "
                "may be far apart in the others."
            ).format(
                *(formatting.chance(share) for share in (first + second, first, second)),
            )
        else:
            method = self.tr(
                "t-SNE keeps groups together; distances between groups and their sizes mean "
                "nothing."
            )
        kept = self.tr(
            "Of each word's {0} true nearest neighbours {1} are nearest here too (by chance {2}); "
            "trustworthiness {3} of 1."
        )
        if found.n_near == 1:
            kept = self.tr(
                "The true nearest neighbour is nearest here too for {1} of the words (by chance "
                "{2}); trustworthiness {3} of 1."
            )
        kept = kept.format(
            found.n_near,
            formatting.chance(found.kept),
            formatting.chance(found.by_chance),
            formatting.decimal(found.trust, 2),
        )
        return f"{method} {kept}"

    def _choice(self, count: int) -> str:
        """Say how the words were chosen."""
        if self._what == "frequent":
            return self.tr(
                "The first {0} pieces of the vocabulary that begin a word with three letters or "
                "more: vocabularies of this kind are built by frequency."
            ).format(formatting.count(count))
        if self._what == "own":
            return self.tr(
                "A word that this model cuts up stands where the mean of its pieces does."
            )
        return ""
