"""``Newcomers``: lets the template doctor look at every model that comes in while the app runs.

Models that were there at the start are looked at on their own page.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import refused
from inference.errors import InferenceError

if TYPE_CHECKING:
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.values import InstalledModel, Models
    from inference.types import ModelInfo

_SPEAKS_NOT = frozenset({"base", "embedding"})  # they need no template


class Newcomers(QObject):
    """Says of a new model when its chat template would not hold a conversation.

    Args:
        engines: What is installed.
        tasks: Where files are read.
        parent: Qt parent.

    Signals:
        problem_raised: A ``Problem`` that names the model and the way out.
    """

    problem_raised = Signal(object)

    def __init__(
        self, engines: EngineController, tasks: TaskRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._seen: set[str] | None = None  # paths; ``None`` before the first list
        engines.models_changed.connect(self._on_models)

    def _on_models(self, models: Models) -> None:
        if self._seen is None:
            self._seen = {row.info.path for row in models.rows}
            return
        for row in models.rows:
            if row.info.path not in self._seen and _is_read(row.info):
                self._seen.add(row.info.path)
                if _wants_a_template(row):
                    self._examine(row.info)

    def _examine(self, info: ModelInfo) -> None:
        def say(sentence: str) -> None:
            if sentence:
                problem = refused(
                    f"{info.name} may not answer as it should.",
                    sentence,
                    "Its page under Models can put another chat template in its place.",
                )
                self.problem_raised.emit(replace(problem, model_id=info.id))

        self._tasks.run(Task(lambda _cancel, _progress: _verdict(info.path)).on_success(say))


def _is_read(info: ModelInfo) -> bool:
    """Whether the list knows more than its name."""
    return bool(info.architecture or info.problem)


def _wants_a_template(row: InstalledModel) -> bool:
    chosen = row.note is not None and bool(row.note.defaults.template.name)
    return not (row.info.problem or row.info.bundled or chosen or row.info.kind in _SPEAKS_NOT)


def _verdict(path: str) -> str:
    """Return the doctor's sentence where a conversation would not work; else nothing."""
    from inference.library.template_doctor import examine_template  # noqa: PLC0415  in a thread
    from inference.library.template_facts import template_facts  # noqa: PLC0415  as above

    try:
        diagnosis = examine_template(template_facts(Path(path)))
    except (InferenceError, OSError):
        return ""  # loading will say it
    return diagnosis.sentence if diagnosis.verdict in {"broken", "missing"} else ""
