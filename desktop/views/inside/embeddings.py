"""Embeddings: neighbours of a word and sums of words, a map, and how the context turns a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.embedding_context import ContextSection
from desktop.views.inside.embedding_map import MapSection
from desktop.views.inside.embedding_near import NearSection
from desktop.views.inside.view import InsideView
from desktop.widgets.controls import scrolled

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.charts.frame import FigureFrame
    from desktop.widgets.theme import Theme


class EmbeddingsView(InsideView):
    """Three parts below each other, each with questions of its own."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_embeddings")
        self._near = NearSection(theme)
        self._map = MapSection(theme)
        self._context = ContextSection(theme)
        self._near.words_found.connect(self._map.set_near)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(24)
        for section in (self._near, self._map, self._context):
            section.asked.connect(self.asked)
            section.said.connect(self.said)
            column.addWidget(section)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "embeddings_scroll", self.tr("Embeddings")))

    def show_subject(self, subject: Subject) -> None:
        """Show the chosen token."""
        for section in (self._near, self._map, self._context):
            section.show_subject(subject)

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figures that wait for this answer."""
        sections = (self._near, self._map, self._context)
        return tuple(frame for section in sections for frame in section.frames_of(question))

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        for section in (self._near, self._map, self._context):
            section.take(question, finding)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Take back what was announced; the page says why."""
        del problem
        self._map.refuse(question)
