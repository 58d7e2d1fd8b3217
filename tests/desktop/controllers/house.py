"""A whole house behind the window: real store, threads and engine process, a scripted model."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.chat import ChatController
from desktop.controllers.downloads import DownloadController
from desktop.controllers.engine import EngineController
from desktop.controllers.past import PastController
from desktop.controllers.settings import SettingsController
from desktop.store.database import Database
from desktop.store.settings import SettingsFile
from inference.errors import ModelNotFoundError
from inference.host.client import EngineClient
from inference.library.notes import ModelNotes
from inference.paths import app_paths
from inference.types import ModelInfo
from tests.helpers.patience import HURRIED

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop.controllers.engine_worker import Proposer
    from desktop.values import MessageView

FACTORY = "tests.helpers.fake_engine:open_engine"


@dataclass
class ScriptedLibrary:
    """Installed models whose path is the fake engine's script."""

    models: list[ModelInfo] = field(default_factory=list)
    notes: ModelNotes = field(default_factory=lambda: ModelNotes(Path(os.devnull) / "none"))

    def list(self, within_s: float | None = None) -> tuple[ModelInfo, ...]:
        return tuple(self.models)

    unread = 0

    def estimate(self, info: ModelInfo) -> int:
        return 0

    def add(self, path: Path) -> ModelInfo:
        info = ModelInfo(path.name, path.name, "fake:", "native", origin="added")
        self.models.append(info)
        return info

    def remove(self, model_id: str) -> Any:
        raise ModelNotFoundError(f"There is no model {model_id}.")

    def restore(self, model_id: str) -> ModelInfo:
        raise ModelNotFoundError(f"There is no model {model_id}.")

    def empty_trash(self) -> int:
        return 0


@dataclass
class House:
    """Everything a window would be given."""

    qtbot: QtBot
    folder: Path
    library: ScriptedLibrary
    propose: Proposer | None = None
    factory: str | None = FACTORY

    def __post_init__(self) -> None:
        self.clients: list[EngineClient] = []
        self.database, self.trouble = Database.open_or_memory(self.folder / "chats.sqlite3")
        self.bridge = EventBridge()
        self.tasks = TaskRunner()
        self.settings = SettingsController(SettingsFile(self.folder / "settings.json"))
        self.engine = EngineController(
            self._client,
            self.library,
            self.bridge,
            self.tasks,
            self.settings.settings,
            propose=self.propose,
        )
        self.chat = ChatController(
            self.database, self.engine, self.bridge, self.tasks, self.settings.settings
        )
        self.past = PastController(
            app_paths().past, self.engine, self.tasks, self.settings.settings()
        )
        self.settings.changed.connect(self.past.take_settings)
        self.chat.chats_purged.connect(self.past.forget)
        self.downloads = DownloadController(
            lambda: self.folder / "models",
            self.folder,
            self.bridge,
            self.settings.settings,
            patience=HURRIED,
        )
        self.problems: list[Any] = []
        self.chat.problem_raised.connect(self.problems.append)
        self.engine.problem_raised.connect(self.problems.append)
        self.closed = False

    def _client(self) -> EngineClient:
        client = EngineClient(self.factory)
        self.clients.append(client)
        return client

    @property
    def client(self) -> EngineClient:
        return self.clients[0]

    @property
    def messages(self) -> tuple[MessageView, ...]:
        return self.chat.current().messages

    @property
    def answer(self) -> MessageView:
        return self.messages[-1]

    def until(self, true: Callable[[], bool], timeout: int = 20_000) -> None:
        self.qtbot.waitUntil(true, timeout=timeout)

    def load(self, model_id: str = "starter-instruct") -> None:
        self.engine.load(model_id)
        self.until(lambda: self.engine.state().status == "ready")

    def ask(self, text: str = "Hello there") -> MessageView:
        """Send, wait for the end, return the answer."""
        assert self.chat.send(text)
        return self.end()

    def end(self) -> MessageView:
        self.until(lambda: not self.chat.answering)
        return self.answer

    def wait_for_text(self, length: int = 1) -> None:
        self.until(lambda: len(self.answer.text) >= length)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.chat.shutdown()
            self.downloads.shutdown()
            self.engine.shutdown()
            self.tasks.close()
            self.bridge.close()
            self.database.close()


def model(name: str, script: str = "", **facts: Any) -> ModelInfo:
    """One installed model that does what the script says."""
    values = {"kind": "instruct", "engine": "native", "has_chat_template": True} | facts
    return ModelInfo(id=name, name=name.title(), path=f"fake:{script}", **values)
