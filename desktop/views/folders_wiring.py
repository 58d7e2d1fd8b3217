"""Connects the Folders tab and the one question about other apps with what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.controllers.folders import FoldersController
from desktop.views.folders_page import FoldersPage
from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.controllers.folders import FoldersLike, Places
    from desktop.views.main_window import MainWindow
    from desktop.views.models_page import ModelsPage
    from desktop.widgets.theme import Theme


class FoldersWiring(QObject):
    """Lives as long as the Models page; decides nothing.

    Args:
        library: Has the lists of folders.
        engines: Has the models.
        tasks: For what is done off the GUI thread.
        window: Says what was done, with the way back.
        parent: Qt parent.
    """

    def __init__(
        self,
        library: FoldersLike,
        engines: EngineController,
        tasks: TaskRunner,
        window: MainWindow,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._page: FoldersPage | None = None
        self._question: Notice | None = None
        self._question_box = QWidget()
        self._controller = FoldersController(library, engines, tasks, parent=self)
        self._controller.changed.connect(self._on_changed)
        self._controller.dropped.connect(self._on_dropped)
        self._controller.problem_raised.connect(window.show_problem)

    def attach(self, page: ModelsPage, theme: Theme) -> None:
        """Ask above the tabs of this page, and look at the folders while it is seen."""
        actions = (
            ("yes", self.tr("List their models")),
            ("no", self.tr("Leave them out")),
        )
        self._question = Notice(theme, name="apps_question", severity="info", actions=actions)
        self._question.acted.connect(self._on_answer)
        inside = QHBoxLayout(self._question_box)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.addWidget(self._question)
        page.put_above(self._question_box)
        page.seen.connect(lambda seen: self._controller.watch(watched=seen))

    def make_page(self, theme: Theme) -> QWidget:
        """Make the tab."""
        controller, page = self._controller, FoldersPage(theme)
        page.add_asked.connect(controller.add)
        page.drop_asked.connect(controller.drop)
        page.default_asked.connect(controller.make_default)
        page.look_asked.connect(controller.look_again)
        page.app_asked.connect(lambda app, shown: controller.show_apps({app: shown}))
        page.bringing_asked.connect(controller.set_bringing)
        if controller.places is not None:
            page.set_places(controller.places)
        self._page = page
        return page

    def _on_changed(self, places: Places) -> None:
        if self._page is not None:
            self._page.set_places(places)
        if self._question is None:
            return
        names = [app.name for app in places.unasked]
        if names:
            here = self.tr("{0} is on this computer." if len(names) == 1 else
                           "{0} are on this computer.")  # fmt: skip
            self._question.say(
                here.format(self._joined(names)),
                self.tr(
                    "Models that are there can be listed here and used where they are. Nothing is "
                    "copied or changed. Each app can be switched on and off under Folders."
                ),
            )
        self._question_box.setVisible(bool(names))

    def _joined(self, names: Sequence[str]) -> str:
        if len(names) == 1:
            return names[0]
        return self.tr("{0} and {1}").format(", ".join(names[:-1]), names[-1])

    def _on_answer(self, answer: str) -> None:
        places = self._controller.places
        if places is not None:
            self._controller.show_apps({app.app: answer == "yes" for app in places.unasked})
        self._question_box.hide()

    def _on_dropped(self, path: str) -> None:
        words = self.tr("Took “{0}” off the list. Its files are untouched.").format(path)
        self._window.offer_undo(words, self.tr("Undo"), self._controller.undo_drop)
