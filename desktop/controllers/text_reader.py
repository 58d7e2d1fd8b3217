"""``TextReader``: a text of any length, read window by window by the model in memory.

A chat comes first: while the model answers, the reading waits, and goes on afterwards.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.engine_worker import Asked
from desktop.controllers.problems import looking_problem
from desktop.evaluation import read_text
from inference.cancel import CancelToken
from inference.errors import InferenceError, UnsupportedRequestError
from inference.inside.perplexity import Reading, window_for
from inference.inside.questions import Surprise

if TYPE_CHECKING:
    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskHandle, TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.controllers.engine_worker import EngineClientLike, Operation
    from desktop.evaluation import ReadText, Wish
    from desktop.values import EngineState
    from inference.types import LoadedModel, ModelInfo, TokenPiece

_FIRST_JOB = -1
"""Counted down: the Inside page counts its own jobs up, and the worker tells both."""


class TextReader(QObject):
    """Reads one text at a time.

    Args:
        engines: The model in memory.
        bridge: Where the worker posts.
        tasks: Where words are put together.
        parent: Qt parent.

    Signals:
        progressed: Windows read, windows in all (0 while the text is cut into tokens), tokens, and
            the fraction of all that is read.
        read: A ``ReadText``, whole or as far as it came.
        refused: A ``Problem``.
        busy_changed: Whether a text is being read.
    """

    progressed = Signal(int, int, int, float)
    read = Signal(object)
    refused = Signal(object)
    busy_changed = Signal(bool)

    def __init__(
        self,
        engines: EngineController,
        bridge: EventBridge,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._tasks = tasks
        self._jobs = itertools.count(_FIRST_JOB, -1)
        self._job = 0
        self._cancel = CancelToken()
        self._wish: Wish | None = None
        self._model: tuple[ModelInfo, LoadedModel] | None = None
        self._window = 0
        self._pieces: tuple[TokenPiece, ...] = ()
        self._reading: Reading | None = None
        self._stopping = False
        self._telling: TaskHandle | None = None
        bridge.batch_received.connect(self._on_batch)
        engines.state_changed.connect(self._on_state)

    @property
    def busy(self) -> bool:
        """Whether a text is being read."""
        return self._wish is not None

    def begin(self, wish: Wish) -> None:
        """Read a text with the model in memory; one under way has to end first."""
        state = self._engines.state()
        if self.busy:
            return
        if state.model is None or state.loaded is None:
            error = InferenceError("No model is in memory.", "Choose one with Ctrl+M.")
            self.refused.emit(looking_problem(error))
            return
        self._wish, self._model = wish, (state.model, state.loaded)
        self._pieces, self._reading, self._stopping = (), None, False
        self.busy_changed.emit(True)
        self.progressed.emit(0, 0, 0, 0.0)
        self._step()

    def stop(self) -> None:
        """End the reading; what was read is told."""
        if not self.busy:
            return
        self._stopping = True
        self._cancel.cancel()
        if not self._job and self._telling is None:  # else it ends by itself
            self._finish()

    # --- the engine ------------------------------------------------------------------------

    def _step(self) -> None:
        """Ask for what comes next, unless the engine is busy with a chat."""
        wish, model, reading = self._wish, self._model, self._reading
        if self._job or wish is None or model is None:
            return
        if reading is None:
            self._ask(lambda client, _cancel: _cut(client, wish, model[1]))
        elif (question := reading.question) is not None:
            self._ask(lambda client, cancel: client.inspect(question, cancel))
        else:
            self._finish()

    def _ask(self, operation: Operation) -> None:
        job, cancel = next(self._jobs), CancelToken()
        if self._engines.ask(job, operation, cancel):
            self._job, self._cancel = job, cancel

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        for event in batch:
            if isinstance(event, Asked) and event.job == self._job != 0:
                self._on_answer(event)

    def _on_answer(self, event: Asked) -> None:
        self._job = 0
        if isinstance(event.result, Surprise) and self._reading is not None:
            self._reading.take(event.result)
            self._tell()
        elif event.error is None:
            self._window, self._pieces, self._reading = cast(
                "tuple[int, tuple[TokenPiece, ...], Reading]", event.result
            )
            self._tell()
        elif not self._cancel.cancelled:
            self._refuse(event.error)
            return
        if self._stopping:
            self._finish()
        else:
            self._step()

    def _tell(self) -> None:
        reading = self._reading
        if reading is not None:
            counts = reading.n_done, reading.n_windows, len(self._pieces)
            self.progressed.emit(*counts, reading.fraction)

    def _on_state(self, state: EngineState) -> None:
        if not self.busy or self._model is None:
            return
        if state.status == "answering":
            self._cancel.cancel()  # asked again afterwards
        elif state.status == "ready" and (state.model, state.loaded) == self._model:
            self._step()
        elif (state.model, state.loaded) != self._model and not self._job:
            self._refuse(
                InferenceError(
                    "The model that read this text is not in memory any more.",
                    "Measure the text again with the model that is.",
                )
            )

    # --- the end ---------------------------------------------------------------------------

    def _finish(self) -> None:
        if self._telling is not None:  # a stop came in the middle of an answer
            return
        wish, model, reading = self._wish, self._model, self._reading
        score = None if reading is None or not reading.n_done else reading.score()
        if wish is None or model is None or reading is None or score is None or not score.scored:
            self._end()  # stopped before anything was scored
            return
        cut, pieces = (self._window, reading.n_windows), self._pieces
        self._reading = None
        self._model = None  # nothing more is asked

        def tell(found: ReadText) -> None:
            self._end()
            self.read.emit(found)

        def explain(error: Exception) -> None:
            self._end()
            raise error  # a bug: the dialog says so

        self._telling = self._tasks.run(
            Task(lambda _cancel, _progress: read_text(wish, model, cut, pieces, score))
            .on_success(tell)
            .on_failure(explain)
        )

    def _refuse(self, error: InferenceError) -> None:
        self._end()
        self.refused.emit(looking_problem(error))

    def _end(self) -> None:
        self._wish = self._model = self._reading = self._telling = None
        self._job = 0
        self.busy_changed.emit(False)


def _cut(
    client: EngineClientLike, wish: Wish, loaded: LoadedModel
) -> tuple[int, tuple[TokenPiece, ...], Reading]:
    """Cut the text into tokens, and those into windows."""
    if not wish.text.strip():
        raise UnsupportedRequestError("There is no text to read.", "Write one, or open a file.")
    asked = None if wish.window is None else min(wish.window, loaded.n_ctx)
    window = window_for(loaded.n_ctx, wish.method, asked)
    pieces = client.tokenize(wish.text, add_bos=loaded.adds_bos)
    has_bos = loaded.adds_bos and bool(pieces) and pieces[0].special
    ids = tuple(piece.id for piece in pieces)
    return window, pieces, Reading(ids, window, has_bos=has_bos, method=wish.method)
