"""Files from elsewhere: linked, copied or moved, as the person chooses; one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import Progress, TaskHandle, TaskRunner
    from desktop.controllers.engine import EngineController
    from inference.cancel import CancelToken
    from inference.library.folders import ModelFolders
    from inference.types import ModelInfo

Choice = Literal["link", "copy", "move"]


class BringingLike(Protocol):
    """What is needed of the library; any thread may call."""

    @property
    def folders(self) -> ModelFolders:
        """The lists of folders."""
        ...

    def bring(
        self,
        path: Path,
        way: Literal["copy", "move"],
        cancel: CancelToken | None = None,
        on_progress: Callable[[int, int], None] = ...,
    ) -> ModelInfo:
        """Copy or move a model into the default models folder."""
        ...

    def restore(self, model_id: str) -> ModelInfo:
        """Move it back."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A file or folder from elsewhere, about which the person is asked.

    Attributes:
        path: Where it lies.
        name: What it is called.
        size_bytes: What it holds, all parts together.
        target: The models folder it would go to.
        load: Whether it is loaded once it is on the list.
        no_copy: Why it cannot be copied, or empty.
        no_move: Why it cannot be moved, or empty.
    """

    path: str
    name: str
    size_bytes: int
    target: str
    load: bool
    no_copy: str = ""
    no_move: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    offer: Offer | None  # nothing to ask about: it is on the list, or cannot be used
    remembered: str = ""


class ArrivalsController(QObject):
    """Asks what happens to files from elsewhere, and does it.

    Args:
        library: Brings files, and knows the folders.
        engines: Has the list, and loads.
        tasks: Where it is done.
        parent: Qt parent.

    Signals:
        asked: With an ``Offer``; ``choose`` answers it.
        started: A copy or move has begun: name, way.
        progressed: Fraction of it, 0 to 1.
        stopped: It was cancelled; nothing has changed.
        arrived: Name, ``copy``, ``move`` or ``kept`` (moved, but the original cannot be removed),
            and the model's id.
        problem_raised: With a ``Problem``.
    """

    asked = Signal(object)
    started = Signal(str, str)
    progressed = Signal(float)
    stopped = Signal()
    arrived = Signal(str, str, str)
    problem_raised = Signal(object)

    def __init__(
        self,
        library: BringingLike,
        engines: EngineController,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._engines = engines
        self._tasks = tasks
        self._waiting: list[tuple[Offer, Choice]] = []
        self._handle: TaskHandle | None = None
        self._last_moved = ""
        self._answers = 0  # that were to be remembered; looks begun before do not know them
        self._answer: Choice | None = None

    def take(self, path: str, *, load: bool = False) -> None:
        """Take a file or folder: ask, or do what was remembered."""
        self._engines.shelf.when_listed(lambda: self._take(path, load=load))

    def _take(self, path: str, *, load: bool) -> None:
        known = {info.path for info in self._engines.shelf.models}
        answers = self._answers

        def take(look: _Look) -> None:
            choice = look.remembered if answers == self._answers else self._answer
            if look.offer is None or choice == "link":
                self._engines.add_model(path, load=load)
            elif choice == "copy" and not look.offer.no_copy:
                self._enqueue(look.offer, "copy")
            elif choice == "move" and not look.offer.no_move:
                self._enqueue(look.offer, "move")
            else:
                self.asked.emit(look.offer)

        self._tasks.run(
            Task(lambda _cancel, _progress: _look(self._library, Path(path), known, load=load))
            .on_success(take)
            .on_failure(self._explain)
        )

    def choose(self, offer: Offer, choice: Choice, *, remember: bool = False) -> None:
        """Do what the person chose."""
        if remember:
            self._answers, self._answer = self._answers + 1, choice
            self._tasks.run(
                Task(lambda _cancel, _progress: self._library.folders.set_bringing(choice))
                .on_failure(self._explain)
            )  # fmt: skip
        if choice == "link":
            self._engines.add_model(offer.path, load=offer.load)
        else:
            self._enqueue(offer, choice)

    def cancel(self) -> None:
        """Give up the copy or move under way."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            self.stopped.emit()
            self._next()

    def undo_move(self) -> None:
        """Move the model back that was moved last."""
        model_id, self._last_moved = self._last_moved, ""
        if model_id:
            self._tasks.run(
                Task(lambda _cancel, _progress: self._library.restore(model_id))
                .on_success(lambda _info: self._engines.refresh())
                .on_failure(self._explain)
            )

    def _enqueue(self, offer: Offer, way: Choice) -> None:
        self._waiting.append((offer, way))
        if self._handle is None:
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            return
        offer, way = self._waiting.pop(0)

        def bring(cancel: CancelToken, progress: Progress) -> tuple[ModelInfo, str]:
            told = -1

            def tell(done: int, total: int) -> None:
                nonlocal told
                per_mille = 1000 * done // max(1, total)
                if per_mille != told:
                    told = per_mille
                    progress(per_mille / 1000)

            path = Path(offer.path)
            info = self._library.bring(path, "copy" if way == "copy" else "move", cancel, tell)
            return info, "kept" if way == "move" and path.exists() else way

        def done(outcome: tuple[ModelInfo, str]) -> None:
            info, done_way = outcome
            self._handle = None
            self._last_moved = info.id if done_way == "move" else self._last_moved
            self._engines.refresh()
            if offer.load:
                self._engines.add_model(info.path, load=True)
            self.arrived.emit(offer.name, done_way, info.id)
            self._next()

        def fail(error: Exception) -> None:
            self._handle = None
            self.stopped.emit()
            self._explain(error)
            self._next()

        self.started.emit(offer.name, way)
        self._handle = self._tasks.run(
            Task(bring).on_success(done).on_failure(fail).on_progress(self.progressed.emit)
        )

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.problem_raised.emit(shelf_problem(error))


def _look(library: BringingLike, path: Path, known: set[str], *, load: bool) -> _Look:
    """Find out off the GUI thread what can be offered for a file or folder."""
    from inference.library.arrivals import hindrances  # noqa: PLC0415  off the GUI thread
    from inference.library.describe import describe  # noqa: PLC0415

    info = describe(path)
    folders = library.folders
    if info.problem or info.path in known or folders.holding(Path(info.path)) is not None:
        return _Look(None)
    target = folders.default()
    no_copy, no_move = hindrances(Path(info.path), folders)
    offer = Offer(info.path, info.name, info.size_bytes, str(target), load, no_copy, no_move)
    return _Look(offer, folders.choices().bringing)
