"""``DiscoverController``: the curated models, and what a hub has once a person asks it.

The catalogue is read and the hub is asked in worker threads, which also import what they need. The
hub is asked after ``search_hub`` only; ``more`` goes on with what that found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task, TaskRunner
from desktop.controllers.found_pages import FoundPages
from desktop.controllers.installed_index import InstalledIndex
from desktop.controllers.problems import hub_problem
from desktop.discover_values import Filters, FoundModel, HubState
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import TaskHandle
    from desktop.controllers.catalog_book import CatalogBook
    from desktop.controllers.found_pages import Readings
    from desktop.values import Computer, Models
    from inference.cancel import CancelToken
    from inference.library.fit import Fit
    from inference.library.hub_search import HubModel, Search
    from inference.library.machine import Machine
    from inference.types import ModelInfo

_THREADS = 3  # one for a page of results, one for an opened model, one for its card
_STEP_BYTES = 50_000_000  # free memory always moves a little; what it means for a model does not


class DiscoverController(QObject):
    """What can be downloaded; lives in the GUI thread.

    Args:
        endpoint: Address of the hub as set now; empty = ``HF_ENDPOINT`` or the public one.
        parent: Qt parent.

    Signals:
        rows_changed: ``curated``, ``hub_rows`` and ``hub_state`` say what is new.
        judged_again: The rows are the same; what fits or what is installed has changed.
        starred_changed: With the keys that have a star now.
    """

    rows_changed = Signal()
    judged_again = Signal()
    starred_changed = Signal(tuple)

    def __init__(
        self, endpoint: Callable[[], str] = lambda: "", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.tasks = TaskRunner(self, _THREADS)
        """Its own workers: a hub that does not answer must not keep the library waiting."""
        self.pages = FoundPages(self.tasks, endpoint, self)
        self._endpoint = endpoint
        self._filters = Filters()
        self._book: CatalogBook | None = None
        self._machine: Machine | None = None
        self._most_bytes = 0
        self._models: tuple[ModelInfo, ...] = ()
        self._index = InstalledIndex()
        self._fits: dict[str, Fit] = {}
        self._starred: tuple[str, ...] = ()
        self._curated: tuple[FoundModel, ...] = ()
        self._search: Search | None = None
        self._asking: TaskHandle | None = None
        self._results: dict[str, HubModel] = {}
        self._all: list[FoundModel] = []
        self._hub_rows: tuple[FoundModel, ...] = ()
        self._state = HubState()

    # --- what views ask --------------------------------------------------------------------

    def curated(self) -> tuple[FoundModel, ...]:
        """Return the families that pass the filters."""
        return self._curated

    def hub_rows(self) -> tuple[FoundModel, ...]:
        """Return the hub's models so far that pass the filters."""
        return self._hub_rows

    def hub_state(self) -> HubState:
        """Return how the search on the hub stands."""
        return self._state

    def filters(self) -> Filters:
        """Return what is looked for."""
        return self._filters

    def licenses(self) -> tuple[str, ...]:
        """Return the licences to choose from: those of the catalogue, the most usual first."""
        return self._book.licenses if self._book is not None else ()

    def fit(self, model: FoundModel) -> Fit | None:
        """Return how a row fits; ``None`` while nobody looked at this computer."""
        if self._machine is None or self._book is None:
            return None
        known = self._fits.get(model.key)
        if known is None:
            from desktop.controllers import hub_book  # noqa: PLC0415  there with the book

            if model.is_curated:
                known = self._book.fit(model.key, self._machine)
            else:
                known = hub_book.fit(model, self._machine)
            self._fits[model.key] = known
        return known

    def installed(self, model: FoundModel) -> bool:
        """Whether a form of it is on this computer."""
        if model.is_curated:
            return self._book is not None and self._book.installed(model.key, self._index)
        return self._index.has(model.key.partition(":")[2])

    def is_starred(self, key: str) -> bool:
        """Whether a curated model has a star: those come first."""
        return key in self._starred

    def page_of(self, repo: str) -> str:
        """Return the address of a model's page, for a browser."""
        from inference.library.hub import default_endpoint, model_page  # noqa: PLC0415  rare

        return model_page((self._endpoint() or default_endpoint()).rstrip("/"), repo)

    # --- what the person does --------------------------------------------------------------

    def begin(self) -> None:
        """Read the catalogue; call it when somebody will look."""

        def read() -> CatalogBook:
            from desktop.controllers import hub_book  # noqa: PLC0415, F401  the GUI needs it soon
            from desktop.controllers.catalog_book import CatalogBook  # noqa: PLC0415  not at start
            from inference.library.machine import Machine  # noqa: PLC0415

            book = CatalogBook()
            for model in book.found(Filters(), None):  # what is slow the first time is slow here
                book.fit(model.key, Machine(0, 0))
            return book

        self.tasks.run(Task(lambda _cancel, _progress: read()).on_success(self._take_book))

    def set_starred(self, keys: tuple[str, ...]) -> None:
        """Know which curated models have a star."""
        if keys != self._starred:
            self._starred = keys
            self._filter()

    def star(self, key: str, *, on: bool) -> None:
        """Give a curated model a star, or take it away."""
        keys = (*(one for one in self._starred if one != key), *([key] if on else []))
        self.set_starred(keys)
        self.starred_changed.emit(keys)

    def set_filters(self, filters: Filters) -> None:
        """Look for something else among what is here; asks no hub."""
        if filters != self._filters:
            self._filters = filters
            self._filter()

    def set_computer(self, computer: Computer) -> None:
        """Judge against what is free now."""
        machine = _steadied(computer.machine)
        if machine is None or machine == self._machine:
            return
        self._machine = machine
        self._fits.clear()
        self.pages.set_machine(machine)
        if self._book is not None:
            self._judge_all()

    def set_models(self, models: Models) -> None:
        """Know what is installed."""
        infos = tuple(row.info for row in models.rows)
        if infos == self._models:
            return
        self._models = infos
        self.tasks.run(
            Task(lambda _cancel, _progress: InstalledIndex(infos)).on_success(
                lambda index: self._take_index(infos, index)
            )
        )

    def search_hub(self) -> None:
        """Ask the hub for what the filters say; what was found before goes."""
        self._stop_asking()
        self._search = None
        self._results.clear()
        self._all.clear()
        self._state = HubState("asking", self._filters.text.strip())
        self._filter()
        self._ask()

    def more(self) -> None:
        """Ask for the next page, or once more for the one that did not come."""
        if self._state.status in ("more", "failed"):
            self._set_state("asking")
            self._ask()

    def close_search(self) -> None:
        """Show the curated models alone again."""
        self._stop_asking()
        self._search = None
        self._results.clear()
        self._all.clear()
        self._state = HubState()
        self._filter()

    def open(self, key: str, kind: str = "") -> None:
        """Open a row; one of the hub's is read there."""
        self.pages.open(key, self._results.get(key), kind)

    def shutdown(self) -> None:
        """End the threads; nothing is told any more."""
        self._stop_asking()
        self.tasks.close(0.5)

    # --- the hub ---------------------------------------------------------------------------

    def _ask(self) -> None:
        search, readings = self._search, self.pages.readings
        asked = _Asked(self._endpoint(), self._filters, self._most_bytes)
        task = Task(lambda cancel, _progress: _next_page(readings, asked, search, cancel))
        self._asking = self.tasks.run(task.on_success(self._take_page).on_failure(self._give_up))

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _take_page(
        self, answer: tuple[Search, tuple[tuple[HubModel, FoundModel], ...], bool]
    ) -> None:
        self._asking = None
        self._search, page, more = answer
        came = [(model, row) for model, row in page if row.key not in self._results]
        self._results.update((row.key, model) for model, row in came)
        self._all += [row for _, row in came]
        self._hub_rows += self._passing([row for _, row in came])
        self._state = HubState("more" if more else "end", self._state.text, len(self._all))
        self.rows_changed.emit()

    def _give_up(self, error: Exception) -> None:
        self._asking = None
        if not isinstance(error, InferenceError):
            self._set_state("end")
            raise error
        text, found = self._state.text, len(self._all)
        self._state = HubState("failed", text, found, hub_problem(error))
        self.rows_changed.emit()

    def _set_state(self, status: str) -> None:
        self._state = HubState(status, self._state.text, len(self._all))  # type: ignore[arg-type]
        self.rows_changed.emit()

    # --- filtering and judging ---------------------------------------------------------------

    def _filter(self) -> None:
        if self._book is None:
            return
        found = self._book.found(self._filters, self._machine)
        self._curated = tuple(sorted(found, key=lambda row: row.key not in self._starred))
        self._hub_rows = self._passing(self._all)
        self.rows_changed.emit()

    def _passing(self, rows: list[FoundModel]) -> tuple[FoundModel, ...]:
        """Return those of the hub's rows that are looked for now."""
        from desktop.controllers import hub_book  # noqa: PLC0415  there with the rows

        filters = self._filters
        same_text = filters.text.strip() == self._state.text
        # What was asked for is found by the hub's own rules, so only other words are looked for.
        words = [] if same_text else filters.text.casefold().split()
        return hub_book.passing(rows, filters, self._most_bytes or (1 << 62), words)

    def _judge_all(self) -> None:
        from desktop.controllers import hub_book  # noqa: PLC0415  there with the book

        if self._machine is not None:
            self._most_bytes = hub_book.largest_that_fits(self._machine)
        if self._filters.fits:
            self._filter()
        self.judged_again.emit()

    def _take_book(self, book: CatalogBook) -> None:
        self._book = book
        self.pages.set_book(book)
        self._filter()
        self._judge_all()

    def _take_index(self, infos: tuple[ModelInfo, ...], index: InstalledIndex) -> None:
        if infos is not self._models:
            return
        self._index = index
        self.pages.set_index(index)
        self.judged_again.emit()


def _steadied(machine: Machine | None) -> Machine | None:
    """Return a machine with its free memory in steps, so that rows do not flicker."""
    if machine is None:
        return None
    from msgspec.structs import replace  # noqa: PLC0415  there with the machine

    gpus = tuple(
        replace(gpu, free_bytes=gpu.free_bytes // _STEP_BYTES * _STEP_BYTES) for gpu in machine.gpus
    )
    return replace(machine, free_bytes=machine.free_bytes // _STEP_BYTES * _STEP_BYTES, gpus=gpus)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the hub is asked for."""

    endpoint: str
    filters: Filters
    most_bytes: int


def _next_page(
    readings: Readings, asked: _Asked, search: Search | None, cancel: CancelToken
) -> tuple[Search, tuple[tuple[HubModel, FoundModel], ...], bool]:
    """Ask in a worker thread; the client takes half a second to import the first time."""
    from desktop.controllers import hub_book  # noqa: PLC0415
    from inference.library.hub_search import HubQuery, Search  # noqa: PLC0415

    if search is None:
        filters = asked.filters
        query = HubQuery(
            text=filters.text.strip(),
            form=filters.form,
            kinds=filters.kinds,
            licenses=filters.licenses,
            most_bytes=asked.most_bytes if filters.fits else 0,
            without_sign_in=filters.without_sign_in,
            sort=filters.hub_sort,
        )
        search = Search(readings.reader().hub(asked.endpoint), query)
    if cancel.cancelled:
        return search, (), False
    page = search.next_page()
    return search, tuple((model, hub_book.found(model)) for model in page.models), page.more
