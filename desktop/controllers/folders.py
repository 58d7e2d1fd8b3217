"""The models folders and other apps' models: looked at and changed off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from inference.library.folders import Bringing, ModelFolders
    from inference.library.overview import AppView, Overview


class FoldersLike(Protocol):
    """What is needed of the library."""

    @property
    def folders(self) -> ModelFolders:
        """The lists."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where models are, and what happens to files from elsewhere (empty = the person is asked)."""

    overview: Overview
    bringing: Bringing

    @property
    def unasked(self) -> tuple[AppView, ...]:
        """Other apps that are here and that nobody was asked about."""
        return tuple(app for app in self.overview.apps if app.shown is None)


class FoldersController(QObject):
    """Looks at the places where models are, and changes the lists of them.

    Args:
        library: Has the lists.
        engines: Has the models, and reads them again after a change.
        tasks: Where it is done.
        parent: Qt parent.

    Signals:
        changed: With ``Places``.
        dropped: With the path of a folder that was taken off the list; ``undo_drop`` undoes it.
        problem_raised: With a ``Problem``.
    """

    changed = Signal(object)
    dropped = Signal(str)
    problem_raised = Signal(object)

    def __init__(
        self,
        library: FoldersLike,
        engines: EngineController,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._engines = engines
        self._tasks = tasks
        self._places: Places | None = None
        self._reading = False
        self._again = False
        self._watched = False
        self._last: tuple[Path, bool] | None = None
        engines.models_changed.connect(self._on_models)

    @property
    def places(self) -> Places | None:
        """What was found when last looked; ``None`` before the first time."""
        return self._places

    def watch(self, *, watched: bool) -> None:
        """Look at everything now, and whenever the models change, while somebody sees it."""
        self._watched = watched
        if watched:
            self.look_again()

    def look_again(self) -> None:
        """Look at every folder anew: a drive may have come or gone."""
        self._engines.refresh()
        self._look()

    def add(self, path: str) -> None:
        """Make a folder one of the models folders."""
        self._change(lambda folders: folders.add(Path(path)))

    def drop(self, path: str) -> None:
        """Take a folder off the list; its files are not touched."""

        def drop(folders: ModelFolders) -> bool:
            was_default = folders.default() == Path(path)
            folders.drop(Path(path))
            return was_default

        def tell(was_default: bool) -> None:
            self._last = (Path(path), was_default)
            self.dropped.emit(path)

        self._change(drop, tell)

    def undo_drop(self) -> None:
        """Put the folder back that was taken off last."""
        if self._last is not None:
            (folder, was_default), self._last = self._last, None
            self._change(lambda folders: folders.put_back(folder, make_default=was_default))

    def make_default(self, path: str) -> None:
        """Let downloads go to a folder from now on."""
        self._change(lambda folders: folders.make_default(Path(path)))

    def show_apps(self, answers: dict[str, bool]) -> None:
        """Keep whether other apps' models are listed."""
        self._change(lambda folders: folders.answer_apps(answers))

    def set_bringing(self, choice: Bringing) -> None:
        """Remember what happens to files from elsewhere."""
        self._change(lambda folders: folders.set_bringing(choice))

    def _change(
        self,
        change: Callable[[ModelFolders], object],
        then: Callable[..., None] | None = None,
    ) -> None:
        def done(result: object) -> None:
            if then is not None:
                then(result)
            self.look_again()

        def refuse(error: Exception) -> None:
            self._look()  # a switch that was turned goes back
            self._explain(error)

        self._tasks.run(
            Task(lambda _cancel, _progress: change(self._library.folders))
            .on_success(done)
            .on_failure(refuse)
        )

    def _look(self) -> None:
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        models = self._engines.shelf.models

        def look() -> Places:
            from inference.library.overview import look_over  # noqa: PLC0415  off the GUI thread

            folders = self._library.folders
            return Places(look_over(folders, models), folders.choices().bringing)

        self._tasks.run(
            Task(lambda _cancel, _progress: look()).on_success(self._take).on_failure(self._fail)
        )

    def _take(self, places: Places) -> None:
        self._reading = False
        self._places = places
        self.changed.emit(places)
        if self._again:
            self._look()

    def _fail(self, error: Exception) -> None:
        self._reading = False
        self._explain(error)

    def _on_models(self, _models: object) -> None:
        if self._watched:
            self._look()

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.problem_raised.emit(shelf_problem(error))
