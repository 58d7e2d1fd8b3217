"""Makes the Evaluation view and connects it with what reads and measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.bridge.task_runner import Task
from desktop.controllers.comparison import Comparison
from desktop.controllers.text_reader import TextReader
from desktop.values import Problem
from desktop.views.inside.evaluation import EvaluationView
from inference.errors import InferenceError
from inference.evaluation.book import FILE
from inference.text.files import read_text

if TYPE_CHECKING:
    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.chat import ChatController
    from desktop.controllers.engine import EngineController
    from desktop.evaluation import Wish
    from desktop.widgets.theme import Theme


class EvaluationWiring(QObject):
    """Lives as long as the view; knows both sides and decides nothing.

    Args:
        theme: The look at the start.
        engines: The model in memory, and how others are loaded.
        bridge: Where the engine's worker posts.
        chats: For the answer of the open chat.
        tasks: Where files are read and models measured.
        data: The folder of the app's data.
        parent: Qt parent.
    """

    def __init__(
        self,
        theme: Theme,
        *,
        engines: EngineController,
        bridge: EventBridge,
        chats: ChatController,
        tasks: TaskRunner,
        data: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._chats = chats
        self._tasks = tasks
        self.view = EvaluationView(theme)
        self.reader = TextReader(engines, bridge, tasks, self)
        self.comparison = Comparison(engines, tasks, data / FILE, parent=self)
        self._connect()
        self.view.set_engine(engines.state())
        self.view.set_models(engines.models())
        if not engines.shelf.models:
            engines.refresh()
        self._take_answer(told=False)

    def _connect(self) -> None:
        view, reader, comparison = self.view, self.reader, self.comparison
        self._engines.state_changed.connect(view.set_engine)
        self._engines.models_changed.connect(view.set_models)
        view.read_asked.connect(reader.begin)
        view.read_stop_asked.connect(reader.stop)
        reader.progressed.connect(view.reading.show_progress)
        reader.busy_changed.connect(self._on_reading)
        reader.read.connect(view.show_read)
        reader.refused.connect(view.explain)
        view.compare_asked.connect(
            lambda wish, models, again: comparison.run(wish, models, again=again)
        )
        view.compare_stop_asked.connect(comparison.stop)
        comparison.changed.connect(lambda: view.show_rows(comparison.rows))
        comparison.busy_changed.connect(lambda busy: view.comparing.show_busy(busy=busy))
        view.text_changed.connect(self._recall)
        view.file_chosen.connect(self._open)
        view.answer_wanted.connect(lambda: self._take_answer(told=True))

    def _on_reading(self, busy: bool) -> None:
        self.view.reading.show_busy(busy=busy)
        self.view.set_engine(self._engines.state())

    def _recall(self, wish: Wish) -> None:
        self.comparison.recall(wish, self._engines.shelf.models)

    def _open(self, path: str) -> None:
        name = Path(path).name

        def refuse(error: Exception) -> None:
            if not isinstance(error, InferenceError):
                raise error
            title = self.tr("This text was not opened.")
            self.view.explain(Problem(title, error.message, error.hint))

        self._tasks.run(
            Task(lambda _cancel, _progress: read_text(Path(path)))
            .on_success(lambda text: self.view.set_text(text, name))
            .on_failure(refuse)
        )

    def _take_answer(self, *, told: bool) -> None:
        """Take the latest answer of the open chat; where there is none, say so if that is told."""
        chat = self._chats.current()
        answers = [one for one in chat.messages if one.role == "assistant" and one.text.strip()]
        if answers:
            title = self.tr("The latest answer in “{0}”").format(chat.title)
            self.view.set_text(answers[-1].text.strip(), title)
        elif told:
            self.view.explain(
                Problem(
                    self.tr("The open chat has no answer yet."),
                    self.tr("Ask something there first, or type a text here."),
                )
            )
