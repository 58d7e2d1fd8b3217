"""Rail, chat list, side panel, status line and sampling words: what they show and what they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListView, QTextEdit, QWidget

from desktop.itemmodels.chats import ChatListModel
from desktop.values import AnswerStats, ChatDetail, ChatSummary, EngineState
from desktop.views import sampling
from desktop.views.chat_list import ChatList
from desktop.views.side_panel import SidePanel
from desktop.views.status_line import StatusLine
from desktop.widgets.chat_delegate import ChatDelegate, dots_rect
from desktop.widgets.inputs import Switch
from desktop.widgets.value_row import ValueRow
from inference.types import LoadedModel, ModelInfo, SamplingParams

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

CHATS = (ChatSummary("a", "Bread", 2e9, pinned=True), ChatSummary("b", "Salt", 1e9))


def child(root: QWidget, kind: type[QWidget], name: str) -> QWidget:
    found = root.findChild(kind, name)
    assert found is not None, name
    return found


def shown(qtbot: QtBot, widget: QWidget, width: int = 300, height: int = 700) -> None:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)


@pytest.fixture
def rows(qtbot: QtBot, theme: Theme) -> ChatList:
    rows = ChatList(theme)
    shown(qtbot, rows)
    rows.set_chats(CHATS)
    return rows


def row_view(rows: ChatList) -> QListView:
    view = child(rows, QListView, "chat_rows")
    assert isinstance(view, QListView)
    return view


def place_of(rows: ChatList, title: str) -> tuple[QListView, QPoint]:
    view = row_view(rows)
    model = view.model()
    index = next(
        model.index(n, 0) for n in range(model.rowCount()) if model.index(n, 0).data() == title
    )
    return view, view.visualRect(index).center()


def test_a_click_on_a_chat_asks_for_it(rows: ChatList, qtbot: QtBot) -> None:
    view, place = place_of(rows, "Salt")
    with qtbot.waitSignal(rows.chat_chosen) as asked:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == ["b"]


def test_a_click_on_a_group_asks_for_nothing(rows: ChatList, qtbot: QtBot) -> None:
    view, place = place_of(rows, "Pinned")
    with qtbot.assertNotEmitted(rows.chat_chosen):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_renaming_happens_in_the_row(rows: ChatList, qtbot: QtBot) -> None:
    rows.set_current("b")
    view = row_view(rows)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_F2)
    field = child(view, QLineEdit, "chat_rename")
    assert isinstance(field, QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "Sea salt")
    with qtbot.waitSignal(rows.rename_asked) as asked:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args == ["b", "Sea salt"]


def test_enter_in_a_new_name_does_not_open_the_chat(rows: ChatList, qtbot: QtBot) -> None:
    rows.set_current("b")
    view = row_view(rows)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_F2)
    chosen: list[str] = []
    rows.chat_chosen.connect(chosen.append)
    field = child(view, QLineEdit, "chat_rename")
    qtbot.keyClicks(field, " and pepper")
    with qtbot.waitSignal(rows.rename_asked):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert chosen == []


def test_delete_and_enter_act_on_the_chosen_row(rows: ChatList, qtbot: QtBot) -> None:
    rows.set_current("b")
    view = row_view(rows)
    with qtbot.waitSignal(rows.chat_chosen):
        qtbot.keyClick(view, Qt.Key.Key_Return)
    with qtbot.waitSignal(rows.delete_asked) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert asked.args == ["b"]


def test_words_are_searched_for_after_a_pause_and_found_chats_show_their_place(
    rows: ChatList, qtbot: QtBot
) -> None:
    field = child(rows, QLineEdit, "chat_search")
    with qtbot.waitSignal(rows.words_changed) as asked:
        qtbot.keyClicks(field, "grain")
    assert asked.args == ["grain"]
    rows.set_found((ChatSummary("b", "Salt", 1e9, snippet="a grain of salt"),))
    view = row_view(rows)
    assert view.model().rowCount() == 1
    assert view.sizeHintForRow(0) > 34
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert view.model().rowCount() == 4
    assert view.sizeHintForRow(0) == 34


def test_nothing_found_says_so_and_offers_a_way_back(rows: ChatList, qtbot: QtBot) -> None:
    field = child(rows, QLineEdit, "chat_search")
    with qtbot.waitSignal(rows.words_changed):
        qtbot.keyClicks(field, "rhubarb")
    rows.set_found(())
    assert child(rows, QWidget, "chat_list_nothing").isVisible()
    qtbot.mouseClick(child(rows, QWidget, "chat_list_nothing_action"), Qt.MouseButton.LeftButton)
    assert row_view(rows).isVisible()


def test_no_chats_say_so(qtbot: QtBot, theme: Theme) -> None:
    rows = ChatList(theme)
    shown(qtbot, rows)
    assert child(rows, QWidget, "chat_list_empty").isVisible()


def test_the_dots_of_a_row_open_its_menu(rows: ChatList, qtbot: QtBot) -> None:
    view, place = place_of(rows, "Salt")
    delegate = view.itemDelegate()
    assert isinstance(delegate, ChatDelegate)
    delegate.menu_asked.disconnect()
    dots = dots_rect(view.visualRect(view.indexAt(place)), mirrored=False)
    with qtbot.waitSignal(delegate.menu_asked) as asked:
        qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=dots.center())
    model = view.model()
    assert isinstance(model, ChatListModel)
    chat = model.chat_at(asked.args[0])
    assert chat is not None
    assert chat.id == "b"


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> SidePanel:
    panel = SidePanel(theme)
    shown(qtbot, panel)
    panel.set_chat(ChatDetail("a", "Bread", (), "m", "Be brief.", SamplingParams()))
    return panel


def test_the_panel_shows_a_chat_without_asking_for_changes(panel: SidePanel, qtbot: QtBot) -> None:
    other = SamplingParams(temperature=0.0, top_k=7, seed=3, max_tokens=9, stop=("a\n", "b"))
    with qtbot.assertNotEmitted(panel.sampling_changed):
        panel.set_chat(ChatDetail("b", "Salt", (), "m", "", other))
    assert child(panel, ValueRow, "sampling_top_k").value() == 7  # type: ignore[attr-defined]
    stops = child(panel, QTextEdit, "sampling_stop")
    assert stops.toPlainText() == "a\\n\nb"  # type: ignore[attr-defined]


def test_a_changed_number_is_asked_for_with_all_the_rest(panel: SidePanel, qtbot: QtBot) -> None:
    row = child(panel, ValueRow, "sampling_top_p")
    with qtbot.waitSignal(panel.sampling_changed) as asked:
        row.value_changed.emit(0.5)  # type: ignore[attr-defined]
    assert asked.args == [msgspec.structs.replace(SamplingParams(), top_p=0.5)]


def test_guessing_ahead_is_switched_on_and_off_by_mouse_and_key(
    panel: SidePanel, qtbot: QtBot
) -> None:
    switch = child(panel, Switch, "sampling_speculate")
    words = child(panel, QLabel, "sampling_speculate_help")
    assert words.text().startswith("Off")  # type: ignore[attr-defined]
    with qtbot.waitSignal(panel.sampling_changed) as asked:
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert asked.args[0].speculate == "prompt"
    assert words.text().startswith("Words that came before")  # type: ignore[attr-defined]
    with qtbot.waitSignal(panel.sampling_changed) as again:
        qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert again.args[0].speculate == "off"
    with qtbot.assertNotEmitted(panel.sampling_changed):
        panel.set_chat(ChatDetail("b", "Salt", (), "m", "", SamplingParams(speculate="prompt")))
    assert switch.isChecked()  # type: ignore[attr-defined]


def test_a_typed_seed_is_kept_and_the_dice_forgets_it(panel: SidePanel, qtbot: QtBot) -> None:
    field = child(panel, QLineEdit, "sampling_seed")
    qtbot.keyClicks(field, "12x3")
    with qtbot.waitSignal(panel.sampling_changed) as asked:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args[0].seed == 123
    with qtbot.waitSignal(panel.sampling_changed) as again:
        qtbot.mouseClick(child(panel, QWidget, "sampling_seed_random"), Qt.MouseButton.LeftButton)
    assert again.args[0].seed is None


def test_a_seed_beyond_64_bits_becomes_the_largest(panel: SidePanel, qtbot: QtBot) -> None:
    field = child(panel, QLineEdit, "sampling_seed")
    qtbot.keyClicks(field, "9" * 20)
    with qtbot.waitSignal(panel.sampling_changed) as asked:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args[0].seed == 2**64 - 1


def test_a_typed_prompt_is_handed_on_before_something_else_happens(
    panel: SidePanel, qtbot: QtBot
) -> None:
    field = child(panel, QTextEdit, "system_prompt")
    qtbot.keyClicks(field, "!")
    with qtbot.waitSignal(panel.system_prompt_changed) as asked:
        panel.flush()
    assert "!" in asked.args[0]
    with qtbot.assertNotEmitted(panel.system_prompt_changed):
        panel.flush()


def test_a_prompt_is_handed_on_by_itself_when_typing_rests(panel: SidePanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.system_prompt_changed, timeout=5000):
        qtbot.keyClicks(child(panel, QTextEdit, "system_prompt"), "More.")


def test_a_base_model_is_said_not_to_read_the_prompt(panel: SidePanel) -> None:
    panel.set_base_model(is_base=True)
    words = child(panel, QLabel, "system_prompt_help")
    assert "does not read this" in words.text()  # type: ignore[attr-defined]


def test_stop_texts_survive_being_shown() -> None:
    stops = ("\n\n", "User:", "tab\t", "two words")
    assert sampling.stops_from_lines(sampling.lines_from_stops(stops)) == stops


def test_every_sentence_of_help_names_the_value_where_it_can(dressed_app: QApplication) -> None:
    assert dressed_app is not None
    specs = {spec.name: spec for spec in sampling.value_specs()}
    assert "40" in specs["sampling_top_k"].help(40)
    assert "95" in specs["sampling_top_p"].help(0.95)
    assert "5" in specs["sampling_min_p"].help(0.05)
    for name, off in (("top_k", 0), ("top_p", 1), ("min_p", 0), ("repeat_penalty", 1)):
        assert specs[f"sampling_{name}"].help(off).startswith("Off")


LOADED = LoadedModel(
    "gguf", "Q", "llama", 8192, 8192, 9, 36, 9, True, "CPU", 0, "There is no GPU.", "Q8_0", 2, 0.1,
    1, 1, False, (2,),
)  # fmt: skip


def texts(line: StatusLine) -> dict[str, str]:
    cells = line.findChildren(QLabel)
    return {
        one.objectName().removeprefix("status_"): one.text().replace("\u00a0", " ")
        for one in cells
        if one.isVisible()
    }


@pytest.fixture
def line(qtbot: QtBot, theme: Theme) -> StatusLine:
    line = StatusLine(theme)
    shown(qtbot, line, 1000, 28)
    return line


def test_the_status_line_has_nothing_that_was_not_measured(line: StatusLine) -> None:
    line.set_engine(EngineState())
    line.set_stats(AnswerStats())
    assert texts(line) == {"state": "No model in memory", "requests": "0 network requests"}


def test_the_status_line_shows_what_was_measured(line: StatusLine) -> None:
    info = ModelInfo("q", "Q", "/q", "gguf")
    line.set_engine(EngineState("answering", info, LOADED, memory_bytes=3_400_000_000))
    line.set_stats(AnswerStats(318, 41.24, 0.212, 100, 1912, 8192))
    assert texts(line) == {
        "state": "Writing",
        "speed": "41.2 tokens/s",
        "first": "First word after 0.21 s",
        "context": "Context 1,912 / 8,192",
        "engine": "GGUF engine",
        "device": "Processor",
        "memory": "Memory 3.40 GB",
        "requests": "0 network requests",
    }
    assert child(line, QLabel, "status_device").toolTip() == "There is no GPU."


def test_the_status_line_tells_guesses_where_there_were_some(line: StatusLine) -> None:
    line.set_stats(AnswerStats(318, 41.24, 0.212, drafted_tokens=1470, accepted_tokens=1220))
    assert texts(line)["guesses"] == "83 % of guesses taken"
    tip = child(line, QLabel, "status_guesses").toolTip()
    assert tip == "1,220 of 1,470 tokens that were guessed ahead"
    line.set_stats(AnswerStats(318, 41.24, 0.212))
    assert "guesses" not in texts(line)


def test_loading_is_shown_with_its_share(line: StatusLine) -> None:
    line.set_engine(EngineState("loading", ModelInfo("q", "Q", "/q", "gguf"), progress=0.38))
    assert texts(line)["state"] == "Loading Q, 38 %"
    info = ModelInfo("q", "Q", "/q", "native")
    line.set_engine(EngineState("loading", info, progress=0.33, step="compiling"))
    assert texts(line)["state"] == "Preparing Q to write faster, 33 %"


def test_a_narrow_status_line_drops_whole_cells_and_gets_them_back(line: StatusLine) -> None:
    info = ModelInfo("q", "Q", "/q", "gguf")
    line.set_engine(EngineState("answering", info, LOADED, memory_bytes=3_400_000_000))
    line.set_stats(AnswerStats(318, 41.24, 0.212, 100, 1912, 8192))
    line.resize(430, 28)
    narrow = texts(line)
    assert {"state", "speed", "memory"} <= set(narrow)
    assert "engine" not in narrow
    for cell in line.findChildren(QLabel):
        assert not cell.isVisible() or cell.width() >= cell.sizeHint().width()
    line.resize(1000, 28)
    assert len(texts(line)) == 8


def test_every_line_of_a_prompt_is_20_pixels_high(panel: SidePanel) -> None:
    field = child(panel, QTextEdit, "system_prompt")
    field.setPlainText("one\ntwo")
    field.moveCursor(QTextCursor.MoveOperation.End)
    field.textCursor().insertText("\nthree")
    document = field.document()
    tops = [
        document.documentLayout().blockBoundingRect(document.findBlockByNumber(n)).top()
        for n in range(3)
    ]
    assert [tops[1] - tops[0], tops[2] - tops[1]] == [20, 20]
