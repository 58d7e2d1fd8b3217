"""``Comparison``: models measured on one text, one after the other, each in its own process."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.evaluation import Row
from inference.errors import InferenceError
from inference.evaluation.book import ResultBook
from inference.evaluation.identity import text_hash
from inference.evaluation.measuring import Evaluator, Step, Subject, common_window
from inference.evaluation.measuring import Task as Evaluation
from inference.evaluation.result import Trouble
from inference.host.client import EngineClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop.bridge.task_runner import Progress, TaskHandle, TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.evaluation import Wish
    from inference.cancel import CancelToken
    from inference.evaluation.result import Result
    from inference.types import ModelInfo

_STEPS: Final[tuple[Step, ...]] = ("checking", "loading", "timing", "reading")


class Comparison(QObject):
    """Keeps the rows of the table.

    Args:
        engines: How models are loaded.
        tasks: Where they are measured.
        book: The file of results from before.
        new_client: Makes a client for each model.
        parent: Qt parent.

    Signals:
        changed: The rows are others.
        busy_changed: Whether models are being measured.
    """

    changed = Signal()
    busy_changed = Signal(bool)

    def __init__(
        self,
        engines: EngineController,
        tasks: TaskRunner,
        book: Path,
        new_client: Callable[[], EngineClient] = EngineClient,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._tasks = tasks
        self._book = ResultBook(book)
        self._evaluator = Evaluator(new_client, self._book)
        self._alone = threading.Lock()  # a process that is still ending would slow the next one
        self._rows: tuple[Row, ...] = ()
        self._handle: TaskHandle | None = None
        self._recalling: TaskHandle | None = None
        self._evaluation: Evaluation | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table."""
        return self._rows

    @property
    def busy(self) -> bool:
        """Whether models are being measured."""
        return self._handle is not None

    def recall(self, wish: Wish, models: Sequence[ModelInfo]) -> None:
        """Show what is known of a text from before; not while models are being measured.

        What was measured with a file that has been replaced since is not of the model there now.
        """
        if self.busy:
            return
        if self._recalling is not None:
            self._recalling.cancel()
        window = common_window((), wish.window)
        installed = {info.path: info for info in models}

        def look(_cancel: CancelToken, _progress: Progress) -> tuple[Result, ...]:
            return tuple(
                result
                for result in self._book.of_text(text_hash(wish.text))
                if result.info.path in installed
                and result.key.model == self._book.known_hash(Path(result.info.path))
            )

        def show(found: tuple[Result, ...]) -> None:
            known: dict[str, Row] = {}
            for result in found:
                info = installed[result.info.path]
                if (result.key.method, result.key.window) == (wish.method, window):
                    known.setdefault(info.id, Row(info, "done", result=result))
            self._set_rows(tuple(known.values()))

        self._recalling = self._tasks.run(Task(look).on_success(show))

    def run(self, wish: Wish, models: Sequence[ModelInfo], *, again: bool = False) -> None:
        """Measure these models; rows of others go."""
        if self.busy or not models:
            return
        if self._recalling is not None:
            self._recalling.cancel()
        window = common_window(models, wish.window)
        self._evaluation = Evaluation(wish.text, wish.method, window, again)
        self._set_rows(tuple(Row(info) for info in models))
        self._next()
        self.busy_changed.emit(self.busy)

    def stop(self) -> None:
        """End measuring; the rows that are done stay."""
        if self._handle is None:
            return
        self._handle.cancel()
        self._handle = None
        self._set_rows(
            tuple(
                replace(row, state="stopped") if row.state in {"waiting", "running"} else row
                for row in self._rows
            )
        )
        self.busy_changed.emit(False)

    def _next(self) -> None:
        place = next((n for n, row in enumerate(self._rows) if row.state == "waiting"), -1)
        evaluation = self._evaluation
        if place < 0 or evaluation is None:
            self._handle = None
            return
        info = self._rows[place].info
        subject = Subject(info, self._engines.default_options(info))

        def measure(cancel: CancelToken, progress: Progress) -> Result:
            with self._alone:
                return self._evaluator.evaluate(
                    evaluation,
                    subject,
                    cancel,
                    lambda step, fraction: progress(_STEPS.index(step) + min(fraction, 0.999)),
                )

        self._handle = self._tasks.run(
            Task(measure)
            .on_progress(lambda done: self._on_progress(place, done))
            .on_success(lambda result: self._on_end(place, Row(info, "done", result=result)))
            .on_failure(lambda error: self._on_failure(place, info, error))
        )
        self._replace(place, replace(self._rows[place], state="running"))

    def _on_progress(self, place: int, done: float) -> None:
        row = replace(self._rows[place], step=_STEPS[int(done)], fraction=done % 1)
        self._replace(place, row)

    def _on_failure(self, place: int, info: ModelInfo, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            self._on_end(place, Row(info, "stopped"))
            raise error  # a bug: the dialog says so
        trouble = Trouble(info, error.message, error.hint)
        self._on_end(place, Row(info, "trouble", trouble=trouble))

    def _on_end(self, place: int, row: Row) -> None:
        self._replace(place, row)
        self._next()
        if not self.busy:
            self.busy_changed.emit(False)

    def _replace(self, place: int, row: Row) -> None:
        self._set_rows((*self._rows[:place], row, *self._rows[place + 1 :]))

    def _set_rows(self, rows: tuple[Row, ...]) -> None:
        if rows != self._rows:
            self._rows = rows
            self.changed.emit()
