"""What the Inside page is told about each of its views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.views.inside.view import InsideView
    from desktop.widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class Entry:
    """One view: its id, group, name, icon, and what makes it when it is first opened.

    ``begins``: It needs no text to be opened with; the first of the others is open at the start.
    ``alone``: It has texts of its own, needs no model in memory, and shows no token of this text.
    """

    id: str
    group: str
    title: str
    icon_name: str
    make: Callable[[Theme], InsideView]
    begins: bool = False
    alone: bool = False
