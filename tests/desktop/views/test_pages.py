"""The pages: how they give way to width, what they show, what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QListView, QWidget

from desktop.store.settings import EngineOptions, Settings
from desktop.values import EngineState, InstalledModel, Models, Problem
from desktop.views.chat_list import ChatList
from desktop.views.chat_page import ChatPage, room_for
from desktop.views.installed_page import InstalledPage
from desktop.views.settings_page import SettingsPage
from desktop.views.side_panel import SidePanel
from desktop.widgets.inputs import Combo
from desktop.widgets.theme import Theme, apply_theme
from inference.paths import AppPaths
from inference.types import LoadedModel, ModelInfo

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


STARTER = ModelInfo(
    "starter-instruct", "Starter", "/s.gguf", "gguf", kind="instruct", bundled=True,
    has_chat_template=True, origin="starter", size_bytes=3_100_000,
)  # fmt: skip
BASE = ModelInfo("story", "Story", "/m/story.gguf", "gguf", kind="base", origin="added")
BROKEN = ModelInfo("cut", "Cut", "/m/cut.gguf", "gguf", problem="The file is cut short.")


@pytest.mark.parametrize(
    ("width", "room"),
    [(720, "narrow"), (999, "narrow"), (1000, "medium"), (1179, "medium"), (1180, "normal"),
     (1599, "normal"), (1600, "wide")],
)  # fmt: skip
def test_width_decides_the_room(width: int, room: str) -> None:
    assert room_for(width) == room


class Chat:
    """A chat page with a plain column."""

    def __init__(self, qtbot: QtBot, theme: Theme, widths: tuple[int, ...] = ()) -> None:
        self.list, self.panel = ChatList(theme), SidePanel(theme)
        self.page = ChatPage(self.list, QWidget(), self.panel, theme, widths)
        qtbot.addWidget(self.page)
        self.page.resize(1208, 772)
        self.page.show()
        self.page.activateWindow()
        qtbot.waitUntil(self.page.isActiveWindow)

    def seen(self) -> tuple[bool, bool]:
        return self.list.isVisible(), self.panel.isVisible()


@pytest.fixture
def chat(qtbot: QtBot, theme: Theme) -> Chat:
    return Chat(qtbot, theme)


def test_the_list_gives_way_to_the_panel_in_a_medium_window(chat: Chat) -> None:
    chat.page.set_room("medium")
    assert chat.seen() == (True, False)
    chat.page.toggle_panel()
    assert chat.seen() == (False, True)
    chat.page.toggle_list()
    assert chat.seen() == (True, False)


def test_in_a_narrow_window_they_come_in_front_one_at_a_time(chat: Chat) -> None:
    chat.page.set_room("narrow")
    assert chat.seen() == (False, False)
    chat.page.toggle_list()
    assert chat.seen() == (True, False)
    chat.page.toggle_panel()
    assert chat.seen() == (False, True)
    assert chat.page.close_overlay()
    assert chat.seen() == (False, False)
    assert not chat.page.close_overlay()


def test_they_return_to_their_places_when_there_is_room_again(chat: Chat) -> None:
    chat.page.set_room("narrow")
    chat.page.toggle_list()
    chat.page.set_room("normal")
    assert chat.seen() == (True, False)
    assert chat.list.parentWidget() is chat.page.findChild(QWidget, "chat_splitter")


def test_the_keyboard_leaves_a_panel_that_goes(chat: Chat, qtbot: QtBot) -> None:
    chat.page.set_room("normal")
    chat.page.toggle_panel()
    with qtbot.waitSignal(chat.page.panel_closed):
        chat.page.set_room("narrow")


def test_widths_from_last_time_are_taken(qtbot: QtBot, theme: Theme) -> None:
    chat = Chat(qtbot, theme, (310, 330))
    chat.page.toggle_panel()
    QApplication.processEvents()
    assert chat.page.widths() == (310, 330)
    assert chat.list.width() == pytest.approx(310, abs=2)


@pytest.fixture
def models(qtbot: QtBot, theme: Theme) -> InstalledPage:
    page = InstalledPage(theme, Settings())
    page.detail.complete()
    qtbot.addWidget(page)
    page.resize(1208, 772)
    page.show()
    rows = (InstalledModel(STARTER, estimate_bytes=60_000_000), InstalledModel(BASE),
            InstalledModel(BROKEN))  # fmt: skip
    page.set_models(Models(rows))
    return page


def choose(page: InstalledPage, name: str) -> None:
    view = page.findChild(QListView, "models_list")
    assert isinstance(view, QListView)
    model = view.model()
    view.setCurrentIndex(
        next(model.index(n, 0) for n in range(model.rowCount()) if model.index(n, 0).data() == name)
    )


def find(page: QWidget, name: str) -> QWidget:
    found = page.findChild(QWidget, name)
    assert found is not None, name
    return found


def said(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    assert isinstance(label, QLabel)
    return label.text()


def test_a_starter_model_is_called_tiny_and_stays(models: InstalledPage) -> None:
    choose(models, "Starter")
    assert said(models, "model_note_title") == (
        "A starter model: tiny, for trying out, not for facts."
    )
    remove = find(models, "model_remove")
    assert not remove.isEnabled()
    assert "belongs to the app" in remove.toolTip()


def test_another_app_s_model_stays_and_one_that_is_away_says_so(models: InstalledPage) -> None:
    theirs = ModelInfo("lmstudio/a", "Theirs", "/l/a.gguf", "gguf", origin="LM Studio")
    away = ModelInfo(
        "b", "Away", "/d/b.gguf", "gguf", origin="models folder", problem="Gone.", absent=True
    )
    models.set_models(Models((InstalledModel(theirs), InstalledModel(away))))
    remove = find(models, "model_remove")
    choose(models, "Theirs")
    assert not remove.isEnabled()
    assert "belongs to LM Studio" in remove.toolTip()
    choose(models, "Away")
    assert remove.toolTip() == "Its drive is not connected."


def test_a_base_model_is_explained(models: InstalledPage) -> None:
    choose(models, "Story")
    assert said(models, "model_note_title") == "This is a base model."
    assert "continues your text" in said(models, "model_note_text")


def test_a_broken_model_says_why_and_cannot_be_loaded(models: InstalledPage) -> None:
    choose(models, "Cut")
    assert said(models, "model_problem_text") == "The file is cut short."
    load = find(models, "model_load")
    assert not load.isEnabled()
    assert load.toolTip() == "The file is cut short."


def test_a_model_that_did_not_load_says_why_on_its_page(models: InstalledPage) -> None:
    row = models._models.rows[0]
    problem = Problem("There is not enough memory.", "1 GB is missing.", "Close other programs.")
    models.set_engine(EngineState("stopped", row.info, problem=problem))
    models._choose(row.info.id)
    notice = find(models, "model_problem")
    assert notice.isVisible()
    assert notice.accessibleName() == problem.title
    assert notice.accessibleDescription() == "1 GB is missing. Close other programs."
    models._choose(models._models.rows[1].info.id)
    assert not notice.isVisible()


def test_a_model_that_was_added_is_shown(models: InstalledPage) -> None:
    rows = models._models.rows
    added = InstalledModel(ModelInfo("new", "New", "/m/new.gguf", "gguf", origin="added"))
    models.set_models(Models((*rows, added)))
    name = find(models, "model_name")
    assert isinstance(name, QLabel)
    assert name.text() == "New"


def test_an_estimate_is_called_derived_and_a_measure_measured(models: InstalledPage) -> None:
    choose(models, "Starter")
    assert said(models, "memory_derived_total") == "about 60.0\u00a0MB"
    assert said(models, "memory_measured_total") == "once it is loaded"
    loaded = LoadedModel(
        "gguf", "Starter", "llama", 4096, 4096, 320, 2, 1000, True, "CPU", 0, "It was asked for.",
        "Q8_0", 2, 0.5, 40_000_000, 10_000_000, True, (0,), 5_000_000,
    )  # fmt: skip
    models.set_engine(EngineState("ready", STARTER, loaded, 1.0, 62_000_000))
    models.set_models(Models((InstalledModel(STARTER, "ready", 62_000_000, 60_000_000),)))
    assert said(models, "memory_measured_weights") == "40.0\u00a0MB"
    assert said(models, "memory_measured_total") == "55.0\u00a0MB"
    assert said(models, "memory_measured_process") == "62.0\u00a0MB"


def test_buttons_follow_the_engine(models: InstalledPage, qtbot: QtBot) -> None:
    choose(models, "Story")
    with qtbot.waitSignal(models.load_asked) as asked:
        qtbot.mouseClick(find(models, "model_load"), Qt.MouseButton.LeftButton)
    assert asked.args == ["story"]
    models.set_models(Models((InstalledModel(BASE, "loading"),)))
    models.set_engine(EngineState("loading", BASE, progress=0.5))
    assert find(models, "model_cancel").isVisible()
    assert not find(models, "model_load").isVisible()
    models.set_models(Models((InstalledModel(BASE, "ready", 5),)))
    with qtbot.waitSignal(models.unload_asked):
        qtbot.mouseClick(find(models, "model_unload"), Qt.MouseButton.LeftButton)


def test_a_narrow_page_is_a_stack_with_a_way_back(models: InstalledPage, qtbot: QtBot) -> None:
    assert not find(models, "model_back").isVisible()
    models.resize(700, 560)
    QApplication.processEvents()
    view = find(models, "models_list")
    assert isinstance(view, QListView)
    assert not models.detail.isVisible()
    view.activated.emit(view.currentIndex())
    assert models.detail.isVisible()
    assert not view.isVisible()
    qtbot.mouseClick(find(models, "model_back"), Qt.MouseButton.LeftButton)
    assert view.isVisible()


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, tmp_path: Path) -> SettingsPage:
    names = ("data", "config", "cache", "models", "log")
    page = SettingsPage(theme, Settings(), AppPaths(*(tmp_path / name for name in names)))
    qtbot.addWidget(page)
    page.resize(1208, 772)
    page.show()
    return page


def open_category(page: SettingsPage, number: int) -> None:
    view = find(page, "settings_categories")
    assert isinstance(view, QListView)
    view.setCurrentIndex(view.model().index(number, 0))


def test_a_chosen_theme_is_asked_for(page: SettingsPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.change_asked) as asked:
        qtbot.mouseClick(find(page, "setting_theme_dark"), Qt.MouseButton.LeftButton)
    assert asked.args == [{"theme": "dark"}]


def test_a_category_first_opened_after_a_change_of_theme_has_the_new_one(
    page: SettingsPage,
) -> None:
    dark = Theme.load("dark")
    apply_theme(page, dark)
    open_category(page, 1)
    combo = page.findChildren(Combo)[-1]
    inside = combo.grab().toImage().pixelColor(combo.width() // 2, 4)
    assert inside == dark.raised


def test_a_measure_is_asked_for_as_a_number(page: SettingsPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.change_asked) as asked:
        qtbot.mouseClick(find(page, "setting_measure_560"), Qt.MouseButton.LeftButton)
    assert asked.args == [{"measure": 560}]


def test_load_options_change_one_at_a_time(page: SettingsPage, qtbot: QtBot) -> None:
    page.set_settings(Settings(engine=EngineOptions(threads=1)))
    open_category(page, 1)
    combo = find(page, "setting_n_ctx")
    assert isinstance(combo, QComboBox)
    assert combo.currentText() == "Automatic"
    combo.setCurrentIndex(combo.findData(8192))
    with qtbot.waitSignal(page.change_asked) as asked:
        combo.activated.emit(combo.currentIndex())
    assert asked.args == [{"engine": EngineOptions(n_ctx=8192, threads=1)}]


@pytest.mark.parametrize(
    ("name", "value", "changes"),
    [("at_start", "last", {"at_start": "last"}), ("at_start", "none", {"at_start": "none"}),
     ("unload_after_min", 15, {"engine": EngineOptions(unload_after_min=15)})],
)  # fmt: skip
def test_the_start_and_the_rest_can_be_set(
    page: SettingsPage, qtbot: QtBot, name: str, value: object, changes: dict[str, object]
) -> None:
    open_category(page, 1)
    combo = find(page, f"setting_{name}")
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData(value))
    with qtbot.waitSignal(page.change_asked) as asked:
        combo.activated.emit(combo.currentIndex())
    assert asked.args == [changes]


def test_a_value_from_elsewhere_is_shown_as_it_is(page: SettingsPage) -> None:
    page.set_settings(Settings(engine=EngineOptions(n_ctx=5000)))
    open_category(page, 1)
    combo = find(page, "setting_n_ctx")
    assert isinstance(combo, Combo)
    assert combo.currentText() == "5,000"


def test_the_room_for_what_models_have_read_is_a_load_option(
    page: SettingsPage, qtbot: QtBot
) -> None:
    open_category(page, 2)
    combo = find(page, "setting_past_disk_mb")
    assert isinstance(combo, Combo)
    assert combo.currentText() == "4 GB"
    combo.setCurrentIndex(combo.findData(0))
    assert combo.currentText() == "Off"
    with qtbot.waitSignal(page.change_asked) as asked:
        combo.activated.emit(combo.currentIndex())
    assert asked.args == [{"engine": EngineOptions(past_disk_mb=0)}]


def test_what_models_have_read_is_counted_when_shown_and_can_be_cleared(
    page: SettingsPage, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(page.past_shown):
        open_category(page, 2)
    clear, words = find(page, "clear_past"), find(page, "setting_past_kept_row_help")
    assert isinstance(words, QLabel)
    page.set_past_bytes(312_000_000)
    assert words.text() == "312\u00a0MB on this disk"
    with qtbot.waitSignal(page.past_clear_asked):
        qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    page.set_past_bytes(0)
    assert (words.text(), clear.isEnabled()) == ("Nothing", False)
    page.hide()
    with qtbot.waitSignal(page.past_shown):
        page.show()


def test_models_that_cannot_be_loaded_are_not_offered_for_the_start(page: SettingsPage) -> None:
    page.set_models(Models((InstalledModel(STARTER), InstalledModel(BROKEN))))
    open_category(page, 1)
    combo = find(page, "setting_default_model")
    assert isinstance(combo, Combo)
    assert [combo.itemText(n) for n in range(combo.count())] == ["Starter, GGUF engine"]
    assert combo.currentText() == "Starter, GGUF engine"


def test_about_names_versions_and_licences(page: SettingsPage) -> None:
    open_category(page, 4)
    words = " ".join(label.text() for label in page.findChildren(QLabel))
    assert "PySide6-Essentials 6.11" in words
    licences = page.findChild(QWidget, "about_licences")
    assert licences is not None
    assert "SIL Open Font License" in licences.toPlainText()
    assert "Lucide" in licences.toPlainText()
