"""What the Inside page needs of each of its views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from desktop.widgets.focus_ring import focus_by_keyboard

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.charts.frame import FigureFrame
    from desktop.widgets.theme import Theme


class InsideView(QFrame):
    """A figure or several about one text; it asks, and is told.

    Signals:
        asked: A ``Question`` to the model.
        place_chosen: Index of the token to look at next.
        said: A sentence for the person.
        continue_asked: Text of a token: continue the answer with it from the chosen place on.
        stop_asked: Give up what the model is asked.
    """

    asked = Signal(object)
    place_chosen = Signal(int)
    said = Signal(str)
    continue_asked = Signal(str)
    stop_asked = Signal()

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self.setObjectName(name)
        self.setProperty("ground", "page")

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self.theme = theme

    def focus_first(self) -> None:
        """Put the keyboard on the first thing in the view that takes it."""
        for widget in self.findChildren(QWidget):
            takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes and widget.isEnabled() and widget.isVisibleTo(self):
                focus_by_keyboard(widget, Qt.FocusReason.TabFocusReason)
                return

    def controls(self) -> QWidget | None:
        """Return what stands beside the figure, or nothing."""
        return None

    def show_subject(self, subject: Subject) -> None:
        """Show another text; ask what is needed for it."""
        raise NotImplementedError

    def show_place(self, subject: Subject) -> None:
        """Show another place of the same text."""
        self.show_subject(subject)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found; questions of other views come here too."""
        raise NotImplementedError

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figures that wait for the answer to this question, none for an older one."""
        del question
        return ()

    def mark_answered(self, question: Inquiry, *, is_answered: bool) -> None:
        """Let figures that have no answer to what was asked last say that they are from before."""
        for frame in self.frames_of(question):
            frame.set_answered(is_answered=is_answered)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Say what cannot be shown; the page says it in words."""
        del question, problem
