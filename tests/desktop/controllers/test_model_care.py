"""What is read and checked about one model: real files, real threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.engine import EngineController
from desktop.controllers.model_care import Check, ModelCare, ModelFacts, Preview
from desktop.store.settings import Settings
from desktop.values import Problem
from inference.host.client import EngineClient
from inference.library.estimate import estimate
from inference.library.installed import Library
from inference.library.model_defaults import OWN, ModelDefaults, TemplateChoice
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

BROKEN = "{% for m in messages %}{{ m.content }"


class Desk:
    """A library of three models behind a controller, and what was told."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        places = (folder / name for name in ("data", "config", "cache", "models", "log"))
        paths = AppPaths(*places)
        paths.models.mkdir()
        tiny_gguf(paths.models / "chatty.gguf")
        tiny_gguf(paths.models / "plain.gguf", chat_template=None)
        tiny_llama(paths.models / "folder")
        self.qtbot = qtbot
        self.models = paths.models
        self.bridge, self.tasks = EventBridge(), TaskRunner()
        library = Library(paths, starters=folder / "none")
        self.engines = EngineController(EngineClient, library, self.bridge, self.tasks, Settings)
        self.care = ModelCare(self.engines, self.tasks, paths)
        self.facts: list[ModelFacts] = []
        self.previews: list[Preview] = []
        self.checks: list[Check] = []
        self.problems: list[Any] = []
        self.care.facts_read.connect(self.facts.append)
        self.care.previewed.connect(self.previews.append)
        self.care.check_changed.connect(self.checks.append)
        self.care.problem_raised.connect(self.problems.append)
        self.engines.refresh()
        qtbot.waitUntil(lambda: len(self.engines.models().rows) == 3, timeout=10_000)

    def look(self, model_id: str) -> ModelFacts:
        self.facts.clear()
        self.care.look(model_id)
        self.qtbot.waitUntil(lambda: bool(self.facts), timeout=10_000)
        return self.facts[0]

    def preview(self, model_id: str, choice: TemplateChoice) -> Preview:
        self.previews.clear()
        self.care.preview(model_id, choice)
        self.qtbot.waitUntil(lambda: bool(self.previews), timeout=10_000)
        return self.previews[0]

    def verify(self, model_id: str) -> Check:
        self.checks.clear()
        self.care.verify(model_id)
        self.qtbot.waitUntil(lambda: self.checks[-1].progress is None, timeout=10_000)
        return self.checks[-1]


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(qtbot, tmp_path)
    yield desk
    desk.engines.shutdown()
    desk.tasks.close()
    desk.bridge.close()


def test_facts_come_from_the_files_with_a_verdict_on_the_template(desk: Desk) -> None:
    facts = desk.look("chatty")
    assert [share.type_name for share in facts.details.types] == ["F32"]
    assert facts.template is not None
    assert facts.template.verdict == "fine"
    assert "What is a token?" in facts.template.sample
    assert facts.forecast == estimate(desk.models / "chatty.gguf")
    folder = desk.look("folder")
    assert folder.template is not None
    assert folder.details.types[0].type_name == "float32"


def test_a_model_without_a_template_is_told_which_one_suits_it(desk: Desk) -> None:
    facts = desk.look("plain")
    assert facts.template is not None
    assert facts.template.verdict == "missing"
    assert facts.mend is not None
    assert facts.mend.name == "chatml"
    preview = desk.preview("plain", TemplateChoice("chatml"))
    assert preview.diagnosis.verdict == "fine"
    assert preview.diagnosis.sample.startswith("<|im_start|>system")


def test_ones_own_template_is_judged_with_the_models_tokens(desk: Desk) -> None:
    own = desk.preview("plain", TemplateChoice(OWN, BROKEN))
    assert own.diagnosis.verdict == "broken"
    assert desk.preview("chatty", TemplateChoice()).diagnosis.verdict == "fine"
    empty = desk.preview("chatty", TemplateChoice(OWN, ""))  # the engines take its own then
    assert empty.diagnosis.verdict == "fine"


def test_the_forecast_follows_what_was_set_for_the_model(desk: Desk) -> None:
    desk.engines.shelf.change_note("chatty", defaults=ModelDefaults(n_ctx=128))
    assert desk.look("chatty").forecast == estimate(desk.models / "chatty.gguf", 128)
    wide = desk.look("folder").forecast
    desk.engines.shelf.change_note("folder", defaults=ModelDefaults(dtype="bfloat16"))
    half = desk.look("folder").forecast
    assert wide is not None
    assert half is not None
    assert 2 * half.weights_bytes == wide.weights_bytes
    assert 2 * half.kv_cache_bytes == wide.kv_cache_bytes


def test_hashing_tells_its_progress_and_finds_a_change(desk: Desk) -> None:
    first = desk.verify("chatty")
    assert first.result is not None
    assert [file.verdict for file in first.result.files] == ["first seen"]
    shares = [check.progress for check in desk.checks if check.progress is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    file = desk.models / "chatty.gguf"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    again = desk.verify("chatty")
    assert again.result is not None
    assert [check.verdict for check in again.result.files] == ["changed"]
    assert desk.look("chatty").details.sha256


def test_hashing_can_be_stopped_and_is_one_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (desk.models / "chatty.gguf").open("ab") as file:
        file.truncate(400_000_000)
    desk.care.verify("chatty")
    desk.care.verify("plain")
    assert desk.care.check().model_id == "chatty"
    desk.care.cancel_verify()
    assert desk.care.check() == Check("chatty")
    desk.qtbot.wait(100)
    assert desk.checks[-1] == Check("chatty")
    assert desk.problems == []
    assert desk.verify("plain").result is not None


def test_a_hash_that_cannot_be_remembered_is_said(desk: Desk) -> None:
    hashes = desk.models.parent / "data" / "hashes.json"
    hashes.mkdir(parents=True)
    assert desk.verify("plain").result is None
    assert len(desk.problems) == 1


def test_a_newer_version_of_a_model_from_nowhere_is_explained(desk: Desk) -> None:
    told: list[Any] = []
    desk.care.update_checked.connect(lambda name, found: told.append((name, found)))
    desk.care.check_update("plain")
    desk.qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    name, problem = told[0]
    assert name == "plain"
    assert isinstance(problem, Problem)
    assert problem.message
