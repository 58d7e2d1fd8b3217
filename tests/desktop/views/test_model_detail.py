"""The page of one model: what it shows, and what a person asks for there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QPushButton,
    QTextEdit,
    QWidget,
)

from desktop.controllers.making import Making
from desktop.controllers.model_care import Check, ModelFacts, Preview
from desktop.store.settings import EngineOptions, Settings
from desktop.values import EngineState, InstalledModel, Problem
from desktop.views.model_detail import ModelDetail
from desktop.views.model_template import TITLES
from desktop.widgets.theme import Theme, apply_theme
from inference.library.details import ModelDetails, Origin, TypeShare
from inference.library.download.verify import FileCheck, Verification
from inference.library.estimate import MemoryEstimate
from inference.library.model_defaults import OWN, ModelDefaults, TemplateChoice
from inference.library.notes import ModelNote
from inference.library.template_doctor import BUILT_IN, built_in, examine_template, mend_for
from inference.library.template_facts import TemplateFacts
from inference.library.updates import UpdateCheck
from inference.types import LoadOptions, ModelInfo, SamplingParams

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

FILE = ModelInfo(
    "one", "One", "/m/one.gguf", "gguf", "instruct", "llama", 1_000_000, 2_000_000, "Q8_0",
    n_ctx_train=8192, n_layers=4, n_vocab=320, has_chat_template=True, origin="models folder",
)  # fmt: skip
FOLDER = ModelInfo("two", "Two", "/m/two", "native", "base", n_ctx_train=2048, n_layers=2)
TOKENS = TemplateFacts("", eos="<|im_end|>", specials=frozenset({"<|im_start|>", "<|im_end|>"}))


def facts(info: ModelInfo = FILE, **found: Any) -> ModelFacts:
    types = (TypeShare("Q8_0", 29, 900_000, 1_900_000), TypeShare("F32", 9, 100_000, 100_000))
    details = ModelDetails(types, "gpt2", Origin("org/one", "abc"), "ab" * 32, ("one.gguf",))
    values = {
        "template": examine_template(TOKENS), "mend": mend_for(TOKENS),
        "forecast": MemoryEstimate(2_000_000, 500_000, 100_000),
    }  # fmt: skip
    return ModelFacts(info, details, **(values | found))


def row(info: ModelInfo = FILE, note: ModelNote | None = None, **more: Any) -> InstalledModel:
    return InstalledModel(info, note=note or ModelNote(), **more)


@pytest.fixture
def detail(qtbot: QtBot, theme: Theme) -> ModelDetail:
    detail = ModelDetail(theme, Settings())
    apply_theme(detail, theme)
    qtbot.addWidget(detail)
    detail.resize(760, 700)
    detail.complete()
    detail.show_model(row(), EngineState())
    detail.show_facts(facts())
    detail.show()
    return detail


def find(detail: QWidget, name: str) -> Any:
    found = detail.findChild(QWidget, name)
    assert found is not None, name
    return found


def said(detail: QWidget, name: str) -> str:
    label = find(detail, name)
    assert isinstance(label, QLabel)
    return label.text()


def choose(detail: QWidget, name: str, value: object) -> None:
    combo = find(detail, name)
    assert isinstance(combo, QComboBox)
    data = [combo.itemData(index) for index in range(combo.count())]
    combo.setCurrentIndex(data.index(value))
    combo.activated.emit(combo.currentIndex())


def press(detail: QWidget, qtbot: QtBot, name: str) -> None:
    button = find(detail, name)
    assert isinstance(button, QAbstractButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def asked(qtbot: QtBot, detail: ModelDetail, act: Any) -> dict[str, Any]:
    """Do something and return the changes that are asked for."""
    with qtbot.waitSignal(detail.note_asked, timeout=3_000) as signal:
        act()
    assert signal.args[0] == "one"
    changes: dict[str, Any] = signal.args[1]
    return changes


SECTIONS = (
    "model_memory_table", "model_facts", "model_template", "model_loading", "model_asking",
    "model_files", "model_making",
)  # fmt: skip


def made(detail: QWidget) -> tuple[str, ...]:
    """Return which sections there are, from the top."""
    found = [part for part in detail.findChildren(QWidget) if part.objectName() in SECTIONS]
    found.sort(key=lambda part: part.parentWidget().layout().indexOf(part))
    return tuple(part.objectName() for part in found)


def test_at_most_one_section_is_made_in_a_turn_of_the_event_loop(
    qtbot: QtBot, theme: Theme
) -> None:
    detail = ModelDetail(theme, Settings())
    qtbot.addWidget(detail)
    looked: list[str] = []
    detail.look_asked.connect(looked.append)
    detail.show_model(row(), EngineState())
    detail.resize(760, 700)
    detail.show()
    turns: list[int] = []
    watch = QTimer()
    watch.timeout.connect(lambda: turns.append(len(made(detail))))
    assert made(detail) == ()
    with qtbot.waitSignal(detail.completed, timeout=10_000):
        watch.start(0)
    watch.stop()
    turns.append(len(SECTIONS))
    steps = [later - earlier for earlier, later in pairwise(turns)]
    assert max(steps) <= 2  # the last one is a button under the files
    assert looked == ["one"]  # asked for once all can show it
    assert made(detail) == SECTIONS
    assert said(detail, "model_name") == "One"
    assert said(detail, "fact_architecture") == FILE.architecture


def test_the_keyboard_goes_through_the_sections_before_the_buttons_at_the_foot(
    detail: ModelDetail,
) -> None:
    order, here = [], detail.nextInFocusChain()
    while here is not detail and here is not None:
        order.append(here.objectName())
        here = here.nextInFocusChain()
    names = ("model_favourite", "fact_kind", "template_choice", "model_chat", "model_load",
             "model_remove")  # fmt: skip
    assert sorted(names, key=order.index) == list(names)
    in_files = [part.objectName() for part in find(detail, "model_files").findChildren(QPushButton)]
    assert in_files
    assert all(order.index(name) < order.index("model_chat") for name in in_files if name)


def test_another_model_is_looked_at_once(detail: ModelDetail, qtbot: QtBot) -> None:
    looked: list[str] = []
    detail.look_asked.connect(looked.append)
    detail.show_model(row(FOLDER), EngineState())
    detail.show_model(row(FOLDER), EngineState("loading", FOLDER))
    assert looked == ["two"]
    longer = ModelNote(defaults=ModelDefaults(n_ctx=1024))
    detail.show_model(row(FOLDER, longer), EngineState())  # needs more memory
    assert looked == ["two", "two"]
    detail.show_facts(facts())  # late, and about the one before
    assert "Q8_0" not in said(detail, "fact_types")


def test_facts_fill_in_by_and_by(detail: ModelDetail) -> None:
    assert said(detail, "fact_types") == (
        "Weights by type: Q8_0: 29 tensors, 1.9\u00a0MB; F32: 9 tensors, 100\u00a0kB."
    )
    assert said(detail, "fact_source").replace("\u200b", "") == "org/one"
    assert said(detail, "model_hash") == "SHA-256 " + "ab" * 32
    assert said(detail, "memory_derived_context") == "about 500\u00a0kB"


def test_kind_favourite_and_note_are_kept(detail: ModelDetail, qtbot: QtBot) -> None:
    assert asked(qtbot, detail, lambda: choose(detail, "fact_kind", "base")) == {"kind": "base"}
    press_star = lambda: press(detail, qtbot, "model_favourite")  # noqa: E731
    assert asked(qtbot, detail, press_star) == {"favourite": True}
    field = find(detail, "model_own_note")
    assert isinstance(field, QTextEdit)
    typed = asked(qtbot, detail, lambda: field.insertPlainText("good at rhymes"))
    assert typed == {"text": "good at rhymes"}


def test_a_note_being_typed_goes_to_its_own_model(detail: ModelDetail, qtbot: QtBot) -> None:
    find(detail, "model_own_note").insertPlainText("mine")
    changes = asked(qtbot, detail, lambda: detail.show_model(row(FOLDER), EngineState()))
    assert changes == {"text": "mine"}
    assert find(detail, "model_own_note").toPlainText() == ""


def test_each_engine_shows_its_own_load_options(detail: ModelDetail) -> None:
    assert find(detail, "default_gpu_layers_row").isVisibleTo(detail)
    assert not find(detail, "default_dtype_row").isVisibleTo(detail)
    detail.show_model(row(FOLDER), EngineState())
    assert find(detail, "default_dtype_row").isVisibleTo(detail)
    assert not find(detail, "default_kv_cache_type_row").isVisibleTo(detail)


def test_a_changed_option_says_from_what_and_can_be_reset(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    changes = asked(qtbot, detail, lambda: choose(detail, "default_n_ctx", 8192))
    assert changes == {"defaults": ModelDefaults(n_ctx=8192)}
    detail.show_model(row(note=ModelNote(defaults=ModelDefaults(n_ctx=8192))), EngineState())
    assert said(detail, "default_n_ctx_row_changed") == "Changed from 4,096,"
    detail.set_settings(Settings(engine=EngineOptions(n_ctx=1024)))
    assert said(detail, "default_n_ctx_row_changed") == "Changed from 1,024,"
    reset = asked(qtbot, detail, lambda: press(detail, qtbot, "default_n_ctx_row_reset"))
    assert reset == {"defaults": ModelDefaults()}


@pytest.mark.parametrize(
    ("name", "value"),
    [("kv_cache_type", "q8_0"), ("flash_attention", False), ("gpu_layers", 0), ("threads", 1)],
)
def test_each_option_asks_for_itself(
    detail: ModelDetail, qtbot: QtBot, name: str, value: object
) -> None:
    changes = asked(qtbot, detail, lambda: choose(detail, f"default_{name}", value))
    assert changes == {"defaults": ModelDefaults(**{name: value})}
    detail.show_model(row(note=ModelNote(**changes)), EngineState())
    assert find(detail, f"default_{name}").currentData() == value
    assert type(find(detail, f"default_{name}").currentData()) is type(value)


def test_options_other_than_those_in_memory_offer_to_load_again(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    assert not find(detail, "loading_stale").isVisible()
    detail.show_model(row(status="ready", is_stale=True), EngineState("ready", FILE))
    assert find(detail, "loading_stale").isVisibleTo(detail)
    with qtbot.waitSignal(detail.load_asked) as signal:
        press(detail, qtbot, "loading_stale_load")
    assert signal.args == ["one"]


def test_sampling_and_system_prompt_for_new_chats_are_kept(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    box = find(detail, "model_sampling_temperature_box")
    changes = asked(qtbot, detail, lambda: box.setValue(0.2))
    assert changes == {"defaults": ModelDefaults(sampling=SamplingParams(temperature=0.2))}
    field = find(detail, "default_prompt")
    changes = asked(qtbot, detail, lambda: field.insertPlainText("Be brief."))
    assert changes == {"defaults": ModelDefaults(system_prompt="Be brief.")}
    kept = ModelNote(defaults=ModelDefaults(system_prompt="Be brief."))
    detail.show_model(row(note=kept), EngineState())
    reset = asked(qtbot, detail, lambda: press(detail, qtbot, "default_prompt_reset"))
    assert reset == {"defaults": ModelDefaults()}


def test_a_missing_template_is_mended_by_one_press_and_tried_at_once(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    assert "no chat template" in said(detail, "template_verdict_title")
    mend = find(detail, "template_verdict_mend")
    assert mend.text() == "Use ChatML"
    with qtbot.waitSignal(detail.template.preview_asked) as tried:
        changes = asked(qtbot, detail, lambda: press(detail, qtbot, "template_verdict_mend"))
    chosen = TemplateChoice("chatml")
    assert changes == {"defaults": ModelDefaults(template=chosen)}
    assert tried.args == [chosen]
    detail.show_model(row(note=ModelNote(**changes)), EngineState())
    detail.template.show_preview(Preview("one", chosen, examine_template(TOKENS, chosen.source)))
    assert said(detail, "template_verdict_title") == "The chat template works."
    assert said(detail, "template_sample").startswith("<|im_start|>system")
    assert not mend.isVisibleTo(detail)


def test_ones_own_template_begins_with_one_that_suits_and_is_tried_as_one_types(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    changes = asked(qtbot, detail, lambda: choose(detail, "template_choice", OWN))
    choice = changes["defaults"].template
    assert choice.name == OWN
    assert "<|im_start|>" in choice.own
    field = find(detail, "template_own")
    assert field.isVisibleTo(detail)
    detail.show_model(row(note=ModelNote(**changes)), EngineState())
    with qtbot.waitSignal(detail.template.preview_asked, timeout=3_000) as tried:
        field.setPlainText("{{ broken")
    assert tried.args == [TemplateChoice(OWN, "{{ broken")]
    stale = Preview("one", choice, examine_template(TOKENS, choice.own))
    detail.template.show_preview(stale)  # of what was there before
    assert said(detail, "template_verdict_title") != "The chat template works."


def test_what_failed_for_memory_is_loaded_smaller_from_here(
    detail: ModelDetail, qtbot: QtBot
) -> None:
    problem = Problem(
        "No room.", "It is full.", "A context of 1,024 tokens frees 1 GB.",
        smaller=LoadOptions("/m/one.gguf", "gguf", n_ctx=1024),
        smaller_words="Load with 1,024 tokens",
    )  # fmt: skip
    detail.show_model(row(status="stopped"), EngineState("stopped", FILE, problem=problem))
    assert find(detail, "model_problem_smaller").text() == "Load with 1,024 tokens"
    with qtbot.waitSignal(detail.smaller_asked):
        press(detail, qtbot, "model_problem_smaller")
    with qtbot.waitSignal(detail.load_asked):
        press(detail, qtbot, "model_problem_again")


def check(verdict: Any, expected: str = "") -> Check:
    return Check("one", result=Verification((FileCheck("/m/one.gguf", 5, verdict, "", expected),)))


@pytest.mark.parametrize(
    ("found", "words"),
    [(check("intact", "ab"), "All files are as they were published."),
     (check("first seen"), "The files can be read to their end."),
     (check("intact"), "The files have not changed since they were first checked."),
     (check("damaged", "ab"), "Something is wrong with these files."),
     (check("missing"), "Something is wrong with these files.")],
)  # fmt: skip
def test_what_hashing_found_is_said_plainly(detail: ModelDetail, found: Check, words: str) -> None:
    if words.startswith("The files have"):
        files = (FileCheck("/m/one.gguf", 5, "intact"),)
        found = Check("one", result=Verification(files))
    detail.show_check(found)
    assert said(detail, "model_check_title") == words


def test_hashing_shows_progress_and_can_be_stopped(detail: ModelDetail, qtbot: QtBot) -> None:
    with qtbot.waitSignal(detail.files.verify_asked):
        press(detail, qtbot, "model_verify")
    detail.show_check(Check("one", 0.42))
    assert said(detail, "verify_share") == "42\u00a0%"
    assert find(detail, "verify_progress").value() == 420
    with qtbot.waitSignal(detail.files.cancel_asked):
        press(detail, qtbot, "verify_cancel")
    detail.show_check(Check("one"))
    assert find(detail, "model_verify").isVisibleTo(detail)
    detail.show_check(Check("another", 0.1))
    assert not find(detail, "model_verify").isEnabled()


def test_a_newer_version_is_asked_for_only_by_a_press(detail: ModelDetail, qtbot: QtBot) -> None:
    with qtbot.waitSignal(detail.files.update_asked):
        press(detail, qtbot, "model_update")
    assert not find(detail, "model_update").isEnabled()
    newer = UpdateCheck("org/one", "abc", "def", ("one.gguf",), ())
    detail.files.show_update("one", newer)
    assert find(detail, "model_update").isEnabled()
    assert "newer version" in said(detail, "model_check_title")
    detail.files.show_update("one", Problem("No.", "There is no network.", "Try later."))
    assert said(detail, "model_check_text") == "There is no network. Try later."


def test_a_model_from_nowhere_offers_no_search_for_newer_versions(detail: ModelDetail) -> None:
    detail.show_model(row(FOLDER), EngineState())
    assert not find(detail, "model_update").isVisibleTo(detail)


def test_a_narrow_page_puts_its_facts_in_two_columns(detail: ModelDetail, qtbot: QtBot) -> None:
    wide = find(detail, "fact_architecture").y()
    detail.resize(480, 700)
    qtbot.waitUntil(lambda: find(detail, "fact_architecture").y() > wide)


def test_why_a_version_was_not_made_comes_into_view(detail: ModelDetail, qtbot: QtBot) -> None:
    whole = msgspec.structs.replace(FILE, quantization="F16")
    detail.show_model(row(whole), EngineState())
    bar = find(detail, "model_scroll").verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    problem = Problem("It was not made.", "Too full. " * 20, "Free some.", can_retry=False)
    detail.making.show_making(Making("one", "Q4_K_M", problem=problem))
    result = find(detail, "making_result")
    qtbot.waitUntil(lambda: not result.visibleRegion().isEmpty())
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())
    bar.setValue(0)
    detail.show_model(row(whole), EngineState())  # the list was read again
    qtbot.wait(20)
    assert bar.value() == 0


def test_every_template_of_the_app_can_be_chosen(detail: ModelDetail) -> None:
    assert dict(TITLES) == {name: built_in(name).title for name in BUILT_IN if name != "plain"}
    combo = find(detail, "template_choice")
    offered = {combo.itemData(index) for index in range(combo.count())}
    assert offered == {"", OWN, *BUILT_IN}
