"""Where each message of a chat stands, also of those that have no widget. Knows no widget."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from desktop.values import MessageView
    from desktop.widgets.transcript.message import MessageWidget

_CHARS: Final = 80  # in a line, for the guess
_FRAME: Final = 62  # name and actions
_OVERLAP: Final = 14.0  # the actions of a person's message stand beside the name below


@dataclass
class Row:
    """One message: its height is a guess until it was shown once."""

    view: MessageView
    height: float
    lead: str = ""
    is_hidden: bool = False
    is_measured: bool = False
    widget: MessageWidget | None = None


class Rows:
    """A column of rows with space between them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.tops: list[float] = []
        self.height = 0.0

    def show(self, views: tuple[MessageView, ...], line: float) -> None:
        """Start anew with these messages; ``line`` is the height of a line of text."""
        self.rows = [Row(view, guess(view, line)) for view in views]
        self.link()

    def link(self) -> None:
        """Join each completion with the text it continues, and place everything."""
        before: Row | None = None
        for row in self.rows:
            row.is_hidden = False
            row.lead = ""
            is_answer = row.view.role == "assistant" and row.view.is_completion
            if is_answer and before is not None and before.view.role == "user":
                row.lead, before.is_hidden = before.view.text, True
            before = row
        self.place(0)

    def place(self, first: int) -> None:
        """Work out the places from a row on."""
        del self.tops[first:]
        top = 0.0
        if first:
            top = self.tops[first - 1] + self._shown_height(first - 1)
        for index in range(first, len(self.rows)):
            self.tops.append(top)
            top += self._shown_height(index)
        self.height = top

    def _shown_height(self, index: int) -> float:
        row = self.rows[index]
        if row.is_hidden:
            return 0.0
        return row.height - (_OVERLAP if row.view.role == "user" else 0.0)

    def between(self, top: float, bottom: float) -> range:
        """Return the rows that lie at least partly between two heights."""
        first = max(0, bisect_right(self.tops, top) - 1)
        last = bisect_right(self.tops, bottom)
        return range(first, last)

    def index_of(self, message_id: str) -> int:
        """Return the row of a message, or -1; the newest are looked at first."""
        for index in range(len(self.rows) - 1, -1, -1):
            if self.rows[index].view.id == message_id:
                return index
        return -1


def guess(view: MessageView, line: float) -> float:
    """Return about how high a message will be, in pixels, without laying it out."""
    lines = sum(1 + len(part) // _CHARS for part in view.text.split("\n"))
    return lines * line + _FRAME
