"""The opened model of the Discover tab: its versions, its header, its card.

A family of the catalogue is there at once. What the hub has to be asked for is read in worker
threads, after a row of the hub was opened or a button pressed.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.installed_index import InstalledIndex
from desktop.controllers.problems import hub_problem
from desktop.discover_values import CardView, FoundPage
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import TaskHandle, TaskRunner
    from desktop.controllers.catalog_book import CatalogBook
    from desktop.controllers.hub_book import Opened
    from desktop.controllers.hub_reader import HubReader
    from desktop.discover_values import FoundKind
    from desktop.values import Problem
    from inference.library.hub_search import HubModel
    from inference.library.machine import Machine
    from inference.library.memory_shape import MemoryShape
    from inference.library.model_card import ModelCard

_SETTLE_MS = 250  # arrow keys walk over rows that nobody wants to see
_KEPT = 40


class Readings:
    """Holds the reader, which a worker thread makes, as it imports the hub's client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader: HubReader | None = None

    def reader(self) -> HubReader:
        """Return it; called in worker threads."""
        from desktop.controllers.hub_reader import HubReader  # noqa: PLC0415  half a second

        with self._lock:
            if self._reader is None:
                self._reader = HubReader()
            return self._reader

    def forget_token(self) -> None:
        """Look for the access token anew next time."""
        with self._lock:
            self._reader = None


class FoundPages(QObject):
    """One model at a time; lives in the GUI thread.

    Args:
        tasks: Where the hub is asked.
        endpoint: Address of the hub as set now.
        parent: Qt parent.

    Signals:
        changed: With a ``FoundPage``.
        card_changed: With a ``CardView``.
    """

    changed = Signal(object)
    card_changed = Signal(object)

    def __init__(
        self, tasks: TaskRunner, endpoint: Callable[[], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.readings = Readings()
        self._tasks = tasks
        self._endpoint = endpoint
        self._book: CatalogBook | None = None
        self._machine: Machine | None = None
        self._index = InstalledIndex()
        self._key = ""
        self._kind: FoundKind = "unknown"
        self._n_ctx = 0
        self._model: HubModel | None = None
        self._opened: dict[str, Opened] = {}
        self._shapes: dict[str, MemoryShape] = {}
        self._sizes: dict[str, int] = {}
        self._reading: TaskHandle | None = None
        self._card: TaskHandle | None = None
        self._problem: Problem | None = None
        self._page: FoundPage | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SETTLE_MS)
        self._soon.timeout.connect(self._read_repository)

    def page(self) -> FoundPage | None:
        """Return what is open."""
        return self._page

    def set_book(self, book: CatalogBook) -> None:
        """Know the catalogue."""
        self._book = book
        self._show()

    def set_machine(self, machine: Machine) -> None:
        """Judge against what is free now."""
        self._machine = machine
        self._show()

    def set_index(self, index: InstalledIndex) -> None:
        """Know what is installed."""
        self._index = index
        self._show()

    def open(self, key: str, model: HubModel | None = None, kind: str = "") -> None:
        """Open a row; ``model`` is what a search said about one of the hub's."""
        if key == self._key and not kind:
            return
        self._stop_reading()
        self._key, self._model, self._problem = key, model, None
        self._kind, self._n_ctx = kind or "unknown", 0  # type: ignore[assignment]  # a FoundKind
        if model is not None and key not in self._opened and not model.problem:
            self._soon.start()
        self._show()

    def set_kind(self, kind: FoundKind) -> None:
        """Show the other model of a pair."""
        self._kind = kind
        self._show()

    def set_context(self, n_ctx: int) -> None:
        """Reckon with another context."""
        self._n_ctx = n_ctx
        self._show()

    def try_again(self) -> None:
        """Ask the hub once more for the open row."""
        if self._model is not None and self._key not in self._opened:
            self._read_repository()

    def read_header(self, version_id: str) -> None:
        """Read a few kilobytes of a file, so that the sum becomes exact."""
        if self._reading is not None:
            return
        key, endpoint, opened = self._key, self._endpoint(), self._opened.get(self._key)
        if opened is not None:
            self._read(
                Task(
                    lambda cancel, _p: self.readings.reader().with_header(endpoint, opened, cancel)
                ).on_success(lambda better: self._take_opened(key, better))
            )
            return
        entry = self._book.entry(key, version_id) if self._book is not None else None
        if entry is None:
            return

        def take(answer: tuple[MemoryShape | None, int]) -> None:
            shape, size = answer
            if shape is not None and shape.known:
                self._shapes[entry.weights] = shape
            if size:
                self._sizes[entry.id] = size
            self._reading = None
            self._show()

        self._read(
            Task(
                lambda cancel, _p: self.readings.reader().entry_shape(endpoint, entry, cancel)
            ).on_success(take)
        )

    def read_card(self) -> None:
        """Fetch the open model's card."""
        if self._page is None or not self._page.repo:
            return
        repo, endpoint = self._page.repo, self._endpoint()
        self.close_card()

        def take(answer: tuple[ModelCard | None, str]) -> None:
            card, page = answer
            view = CardView(repo, page=page)
            if card is not None:
                view = CardView(repo, card.markdown, page, len(card.images), card.shortened)
            self.card_changed.emit(view)

        def explain(error: Exception) -> None:
            if not isinstance(error, InferenceError):
                raise error
            self.card_changed.emit(CardView(repo, problem=hub_problem(error)))

        self.card_changed.emit(CardView(repo, busy=True))
        task = Task(lambda cancel, _p: self.readings.reader().card(endpoint, repo, cancel))
        self._card = self._tasks.run(task.on_success(take).on_failure(explain))

    def close_card(self) -> None:
        """Give up reading a card."""
        if self._card is not None:
            self._card.cancel()
            self._card = None

    def _read_repository(self) -> None:
        model, key, endpoint = self._model, self._key, self._endpoint()
        if model is None:
            return
        self._read(
            Task(
                lambda cancel, _p: self.readings.reader().open(endpoint, model, cancel)
            ).on_success(lambda opened: self._take_opened(key, opened))
        )

    def _read(self, task: Task) -> None:  # type: ignore[type-arg]  # whatever it brings
        self._stop_reading()
        self._problem = None
        self._reading = self._tasks.run(task.on_failure(self._give_up))
        self._show()

    def _stop_reading(self) -> None:
        self._soon.stop()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _take_opened(self, key: str, opened: Opened) -> None:
        self._reading = None
        self._opened[key] = opened
        while len(self._opened) > _KEPT:
            self._opened.pop(next(iter(self._opened)))
        self._show()

    def _give_up(self, error: Exception) -> None:
        self._reading = None
        if not isinstance(error, InferenceError):
            self._show()
            raise error
        self._problem = hub_problem(error)
        self._show()

    def _show(self) -> None:
        page = self._made()
        if page is None:
            return
        busy = self._reading is not None or self._soon.isActive()
        page = replace(page, busy=busy, problem=self._problem)
        if page != self._page:
            self._page = page
            self.changed.emit(page)

    def _made(self) -> FoundPage | None:
        if self._book is None or not self._key:
            return None
        from desktop.controllers import hub_book  # noqa: PLC0415  there with the book
        from desktop.controllers.catalog_book import Ground  # noqa: PLC0415

        if self._model is None:
            ground = Ground(self._machine, self._index, self._n_ctx, self._shapes, self._sizes)
            return self._book.page(self._key, self._kind, ground)
        opened = self._opened.get(self._key)
        if opened is None:
            return hub_book.unread_page(self._model)
        return hub_book.page(opened, self._n_ctx, self._machine, self._index)
