"""What somebody without a chat is offered: models that fit this computer, models that are here.

Works without a network: the catalogue is in the package, and a fit is arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from desktop.download_values import Wanted
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from desktop.bridge.task_runner import TaskRunner
    from inference.library.catalog_search import Proposal
    from inference.library.folders import ModelFolders
    from inference.library.machine import Machine
    from inference.library.other_apps import Place
    from inference.paths import AppPaths


class FoldersLike(Protocol):
    """What is needed of the library."""

    @property
    def folders(self) -> ModelFolders:
        """Which other apps' models are shown."""
        ...


Purpose = Literal["quick", "best", "study"]


class Offer(msgspec.Struct, frozen=True):
    """One model to begin with.

    Attributes:
        purpose: What it is for.
        name: Of the model.
        about: One sentence.
        place: Where it would run: ``gpu``, ``partly`` or ``processor``.
        fit: That in words, derived.
        wanted: What a click downloads.
        is_recommended: Whether it is the one to take.
    """

    purpose: Purpose
    name: str
    about: str
    place: str
    fit: str
    wanted: Wanted
    is_recommended: bool = False


class FirstRunView(msgspec.Struct, frozen=True):
    """What is offered.

    Attributes:
        offers: Models that fit, from quick to large.
        machine: What the fit was derived from, in words.
        apps: Names of other apps that keep models here and nobody asked about.
    """

    offers: tuple[Offer, ...] = ()
    machine: str = ""
    apps: tuple[str, ...] = ()


class FirstRunController(QObject):
    """Finds out once what to offer.

    Args:
        library: Has the answers about other apps.
        paths: Where the memory's speed is remembered.
        tasks: Where it is worked out.
        machine: Returns what this computer has; called off the GUI thread.
        places: Returns other apps' folders; called off the GUI thread.
        parent: Qt parent.

    Signals:
        changed: With a ``FirstRunView``.
        apps_taken: Models of other apps are in the list from now on.
        problem_raised: With a ``Problem``.
    """

    changed = Signal(object)
    apps_taken = Signal()
    problem_raised = Signal(object)

    def __init__(
        self,
        library: FoldersLike,
        paths: AppPaths,
        tasks: TaskRunner,
        *,
        machine: Callable[[AppPaths], Machine] | None = None,
        places: Callable[[], tuple[Place, ...]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._paths = paths
        self._tasks = tasks
        self._machine = machine or _this_machine
        self._places = places or _find_places
        self._view = FirstRunView()
        self._unasked: tuple[Place, ...] = ()

    def view(self) -> FirstRunView:
        """Return what is offered; nothing before it is known."""
        return self._view

    def look(self) -> None:
        """Find out what to offer; ``changed`` tells."""
        machine, paths = self._machine, self._paths

        def read() -> tuple[FirstRunView, tuple[Place, ...]]:
            asked = self._library.folders.choices().apps
            unasked = tuple(place for place in self._places() if place.app not in asked)
            names = tuple(dict.fromkeys(place.name for place in unasked))
            found = machine(paths)
            return FirstRunView(_offers(found), _machine_words(found), names), unasked

        self._tasks.run(Task(lambda _cancel, _progress: read()).on_success(self._take))

    def answer_apps(self, *, use: bool) -> None:
        """Show the models of the other apps from now on, or never ask again."""
        answers: Mapping[str, bool] = {place.app: use for place in self._unasked}

        def done(_none: None) -> None:
            if use:
                self._emit_apps_taken()

        self._set_view(msgspec.structs.replace(self._view, apps=()))
        task = Task(lambda _cancel, _progress: self._library.folders.answer_apps(answers))
        self._tasks.run(task.on_success(done).on_failure(self._explain))

    def _take(self, found: tuple[FirstRunView, tuple[Place, ...]]) -> None:
        view, self._unasked = found
        self._set_view(view)

    def _set_view(self, view: FirstRunView) -> None:
        self._view = view
        self.changed.emit(view)

    def _emit_apps_taken(self) -> None:
        self.apps_taken.emit()

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.problem_raised.emit(shelf_problem(error))


def _this_machine(paths: AppPaths) -> Machine:
    from inference.host.ask import ask_engine  # noqa: PLC0415  not at the start
    from inference.library.machine import this_machine  # noqa: PLC0415

    return this_machine(paths.cache, ask_engine("gguf").devices)


def _find_places() -> tuple[Place, ...]:
    from inference.library.other_apps import find_places  # noqa: PLC0415  not at the start

    return find_places()


def _offers(machine: Machine) -> tuple[Offer, ...]:
    from inference.library.catalog import load_catalog  # noqa: PLC0415  not at the start
    from inference.library.catalog_search import propose  # noqa: PLC0415

    found = propose(load_catalog(), machine)
    chat = [one for one in found if one.entry.kind != "base"]
    base = [one for one in found if one.entry.kind == "base"]
    chat.sort(key=lambda one: one.family.parameters or 0)
    best = chat[-1] if chat else None
    quick = [_offer(one, "quick") for one in chat if one is not best]
    largest = [_offer(best, "best")] if best is not None else []
    return (*quick, *largest, *(_offer(one, "study") for one in base))


def _offer(proposal: Proposal, purpose: Purpose) -> Offer:
    family, entry, fit = proposal.family, proposal.entry, proposal.fit
    wanted = Wanted(
        repo=entry.repo,
        wanted=entry.wanted,
        revision=entry.revision or "",
        name=family.name,
        size_bytes=family.roughly_bytes(entry) or 0,
        load=True,
    )
    return Offer(
        purpose, family.name, family.about, fit.verdict, fit.words, wanted, purpose == "best"
    )


def _machine_words(machine: Machine) -> str:
    memory = f"{machine.total_bytes / 1e9:.0f} GB memory"
    for gpu in machine.gpus:
        name = gpu.name.partition(": ")[2] or gpu.name
        return f"{name} {gpu.total_bytes / 1e9:.0f} GB, {memory}"
    return f"{memory}, no GPU in use"
