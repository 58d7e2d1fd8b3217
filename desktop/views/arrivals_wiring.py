"""Connects files that are dropped or opened with the question about them; imported late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from desktop.controllers.arrivals import ArrivalsController
from desktop.views.arrival_dialog import ArrivalDialog, CopyDialog

if TYPE_CHECKING:
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.arrivals import BringingLike, Choice, Offer
    from desktop.controllers.engine import EngineController
    from desktop.views.main_window import MainWindow

_SHOWN_AFTER_MS: Final = 300


class ArrivalsWiring(QObject):
    """Asks one question after the other, and tells how a copy goes.

    Args:
        library: Brings files, and knows the folders.
        engines: Has the list, and loads.
        tasks: Where it is done.
        window: Where it is asked and told.
    """

    def __init__(
        self,
        library: BringingLike,
        engines: EngineController,
        tasks: TaskRunner,
        window: MainWindow,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._engines = engines
        self._offers: list[Offer] = []
        self._dialog: ArrivalDialog | None = None
        self._copy: CopyDialog | None = None
        self._begun = ("", "")
        self._fraction = 0.0
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_SHOWN_AFTER_MS)
        self._patience.timeout.connect(self._show_copy)
        self._arrivals = ArrivalsController(library, engines, tasks, self)
        self._arrivals.asked.connect(self._on_asked)
        self._arrivals.started.connect(self._on_started)
        self._arrivals.progressed.connect(self._on_progressed)
        self._arrivals.stopped.connect(self._close_copy)
        self._arrivals.arrived.connect(self._on_arrived)
        self._arrivals.problem_raised.connect(window.show_problem)
        window.dialogs.closed.connect(self._on_closed)

    def take(self, path: str, *, load: bool) -> None:
        """Take a file or folder from elsewhere."""
        self._arrivals.take(path, load=load)

    def _on_asked(self, offer: Offer) -> None:
        self._offers.append(offer)
        if self._dialog is None:
            self._ask_next()

    def _ask_next(self) -> None:
        if not self._offers or self._dialog is not None:
            return
        dialog = ArrivalDialog(self._offers[0], self._window.theme)
        dialog.chosen.connect(self._on_chosen)
        dialog.cancelled.connect(self._window.dialogs.close_content)
        self._window.show_dialog(dialog)  # closes what stood there before, which is not this one
        self._dialog = dialog

    def _on_chosen(self, choice: Choice, remember: bool) -> None:
        chosen = self._offers[:] if remember else self._offers[:1]
        self._offers = self._offers[len(chosen) :]
        self._window.dialogs.close_content()
        for offer in chosen:
            self._arrivals.choose(offer, choice, remember=remember)

    def _on_closed(self) -> None:
        """Go on after the dialog went, however it went."""
        if self._dialog is not None and self._window.dialogs.content is not self._dialog:
            unanswered = bool(self._offers) and self._dialog.offer is self._offers[0]
            self._dialog = None
            if unanswered:
                self._decline(self._offers.pop(0))
            QTimer.singleShot(0, self, self._ask_next)
        if self._copy is not None and self._window.dialogs.content is not self._copy:
            self._copy = None  # it goes on in the background

    def _decline(self, offer: Offer) -> None:
        if offer.load and self._engines.state().status == "none":
            self._engines.load_default()

    def _on_started(self, name: str, way: str) -> None:
        self._begun, self._fraction = (name, way), 0.0
        self._patience.start()

    def _show_copy(self) -> None:
        if self._dialog is not None:
            return  # the next question is in front
        dialog = CopyDialog(*self._begun, self._window.theme)
        dialog.set_fraction(self._fraction)
        dialog.cancelled.connect(self._arrivals.cancel)
        dialog.hidden_asked.connect(self._window.dialogs.close_content)
        self._window.show_dialog(dialog)
        self._copy = dialog

    def _on_progressed(self, fraction: float) -> None:
        self._fraction = fraction
        if self._copy is not None:
            self._copy.set_fraction(fraction)

    def _close_copy(self) -> None:
        self._patience.stop()
        if self._copy is not None:
            self._window.dialogs.close_content()

    def _on_arrived(self, name: str, way: str, _model_id: str) -> None:
        self._close_copy()
        if way == "move":
            words = self.tr("Moved “{0}” into the models folder.").format(name)
            self._window.offer_undo(words, self.tr("Undo"), self._arrivals.undo_move)
        else:
            words = self.tr("Copied “{0}” into the models folder.").format(name)
            if way == "kept":
                words = self.tr("Copied “{0}”. The original cannot be removed.").format(name)
            self._window.offer_undo(words, "", None)
