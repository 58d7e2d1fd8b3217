"""Which words of a message are chosen, by mouse or keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTextBoundaryFinder

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from desktop.widgets.transcript.flow import Flow, Place

_STEPS: Final = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class Chosen:
    """From where to where words are chosen; both places are in the flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._anchor: Place = (0, 0)
        self._cursor: Place = (0, 0)

    def span(self) -> tuple[Place, Place]:
        """Return first and last place."""
        return min(self._anchor, self._cursor), max(self._anchor, self._cursor)

    def is_some(self) -> bool:
        """Whether anything is chosen."""
        return self._anchor != self._cursor

    def text(self) -> str:
        """Return the chosen words."""
        return self._flow.cut(*self.span()) if self.is_some() else ""

    def clear(self) -> None:
        """Choose nothing."""
        self._anchor = self._cursor

    def press(self, place: Place, *, extend: bool) -> None:
        """Begin at a place, or go on to it."""
        self._cursor = place
        if not extend:
            self._anchor = place

    def drag(self, place: Place) -> None:
        """Go on to a place."""
        self._cursor = place

    def choose_all(self) -> None:
        """Choose everything."""
        self._anchor, self._cursor = (0, 0), self._flow.end()

    def choose_word(self, place: Place) -> None:
        """Choose the word around a place."""
        index, at = place
        if index >= len(self._flow.pieces):
            return
        starts = QTextBoundaryFinder.BoundaryReason.StartOfItem
        is_start = self._finder(index, at, words=True).boundaryReasons() & starts
        self._anchor = (index, at if is_start else self._edge(index, at, -1, words=True))
        self._cursor = (index, self._edge(index, at, 1, words=True))

    def word_at(self, place: Place) -> tuple[str, int]:
        """Return the word around a place, and how many equal ones stand before it."""
        around = Chosen(self._flow)
        around.choose_word(place)
        start, _ = around.span()
        word = around.text().strip()
        before = self._flow.cut((0, 0), start) if word else ""
        return word, len(re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", before)) if word else 0

    def key(self, event: QKeyEvent) -> bool:
        """Extend by a key with Shift: a character, with Ctrl a word, up and down a block."""
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier or not self._flow.pieces:
            return False
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Home:
            self._cursor = (self._cursor[0], 0)
        elif key == Qt.Key.Key_End:
            self._cursor = (self._cursor[0], self._flow.pieces[self._cursor[0]].length)
        elif key in _STEPS:
            by_word = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            by_block = key in {Qt.Key.Key_Up, Qt.Key.Key_Down}
            self._move(_STEPS[key], by_word=by_word, by_block=by_block)
        else:
            return False
        return True

    def _move(self, step: int, *, by_word: bool, by_block: bool) -> None:
        index, at = self._cursor
        length = self._flow.pieces[index].length
        at_edge = at >= length if step > 0 else at <= 0
        if at_edge:
            other = index + step
            if 0 <= other < len(self._flow.pieces):
                self._cursor = (other, 0 if step > 0 else self._flow.pieces[other].length)
        elif by_block:
            self._cursor = (index, length if step > 0 else 0)
        elif by_word:
            self._cursor = (index, self._edge(index, at, step, words=True))
        else:
            self._cursor = (index, self._edge(index, at, step, words=False))

    def _edge(self, index: int, at: int, step: int, *, words: bool) -> int:
        finder = self._finder(index, at, words=words)
        place = finder.toNextBoundary() if step > 0 else finder.toPreviousBoundary()
        return int(place) if place >= 0 else at

    def _finder(self, index: int, at: int, *, words: bool) -> QTextBoundaryFinder:
        kinds = QTextBoundaryFinder.BoundaryType
        text = self._flow.pieces[index].raw()
        finder = QTextBoundaryFinder(kinds.Word if words else kinds.Grapheme, text)
        finder.setPosition(at)
        return finder
