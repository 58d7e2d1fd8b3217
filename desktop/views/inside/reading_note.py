"""Says where the tokens shown are not, or may not be, those that the model had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Subject
    from desktop.widgets.theme import Theme

_LOAD = "load"


class ReadingNote(Notice):
    """Hidden while the tokens are exactly those of the answer.

    Args:
        theme: The look at the start.
        can_load: Whether a model, by its id, is installed.

    Signals:
        load_asked: Id of the model that wrote the answer.
    """

    load_asked = Signal(str)

    def __init__(self, theme: Theme, can_load: Callable[[str], bool]) -> None:
        words = self.tr("Load the model that wrote it")
        super().__init__(
            theme,
            name="inside_reading",
            severity="info",
            actions=((_LOAD, words),),
            closable=True,
        )
        self._can_load = can_load
        self._writer = ""
        self.acted.connect(lambda _action: self.load_asked.emit(self._writer))
        self.hide()

    def show_subject(self, subject: Subject | None) -> None:
        """Speak of this text, where there is something to say."""
        reading = "own" if subject is None else subject.reading
        written = None if subject is None else subject.source.written
        self._writer = "" if written is None else written.model_id
        other = reading == "other model" and bool(self._writer)
        self.show_action(_LOAD, shown=other and self._can_load(self._writer))
        if subject is not None and written is not None and other:
            title = self.tr("{0} wrote this").format(written.model_name or written.model_id)
            text = self.tr(
                "What you see is how {0} reads the same text: its tokens, its chances."
            ).format(subject.model.name)
        elif reading == "cut anew":
            title = self.tr("Cut into tokens anew")
            text = self.tr(
                "This answer is from a time when its tokens were not kept. Here and there the "
                "model may have chosen others for the same letters."
            )
        elif reading == "other prompt":
            title = self.tr("The text before it has changed")
            text = self.tr(
                "The answer's tokens are the ones that were written, but the chat template, or "
                "the date in it, now makes another prompt than the model had."
            )
        else:
            self.hide()
            return
        self.say(title, text)
        self.show()
