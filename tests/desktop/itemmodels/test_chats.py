"""The chat list as rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from desktop.itemmodels.chats import ChatListModel, ChatRole, group_name
from desktop.values import ChatSummary

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

TODAY = date(2026, 11, 22)


def at(days_ago: int) -> float:
    day = datetime(2026, 11, 22, 12).astimezone() - timedelta(days=days_ago)
    return day.timestamp()


def chat(chat_id: str, days_ago: int = 0, *, pinned: bool = False) -> ChatSummary:
    return ChatSummary(chat_id, f"Chat {chat_id}", at(days_ago), pinned)


def listed(model: ChatListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


@pytest.fixture
def model(qtbot: QtBot) -> ChatListModel:
    assert qtbot is not None
    return ChatListModel(lambda: TODAY)


def test_it_is_a_sound_item_model(model: ChatListModel, qtmodeltester: ModelTester) -> None:
    model.set_chats([chat("a"), chat("b", 1), chat("c", 40, pinned=True)])
    qtmodeltester.check(model)
    model.set_chats([])
    qtmodeltester.check(model)


def test_chats_stand_under_pinned_and_then_their_age(model: ChatListModel) -> None:
    model.set_chats([chat("old", 400), chat("w", 3), chat("p", 90, pinned=True), chat("t")])
    assert listed(model) == [
        "Pinned", "Chat p", "Today", "Chat t", "Last 7 days", "Chat w", "October 2025", "Chat old",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days_ago", "words"),
    [(0, "Today"), (1, "Yesterday"), (2, "Last 7 days"), (6, "Last 7 days"), (7, "November"),
     (40, "October")],
)  # fmt: skip
def test_the_group_of_a_day(days_ago: int, words: str) -> None:
    assert group_name(at(days_ago), TODAY) == words


def test_found_chats_have_no_groups_and_keep_their_order(model: ChatListModel) -> None:
    model.set_chats([chat("b", 5), chat("a", 1), chat("c", 9)], grouped=False)
    assert listed(model) == ["Chat b", "Chat a", "Chat c"]


def test_a_change_of_content_does_not_reset_the_list(model: ChatListModel, qtbot: QtBot) -> None:
    model.set_chats([chat("a"), chat("b")])
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    busy = ChatSummary("a", "Chat a", at(0), answering=True)
    with qtbot.waitSignal(model.dataChanged):
        model.set_chats([busy, chat("b")])
    assert not resets
    assert model.index(model.row_of("a")).data(ChatRole.SUMMARY) == busy


def test_a_typed_title_is_asked_for_and_not_taken_by_itself(
    model: ChatListModel, qtbot: QtBot
) -> None:
    model.set_chats([chat("a")])
    index = model.index(model.row_of("a"))
    with qtbot.waitSignal(model.title_edited) as asked:
        assert model.setData(index, "  New name ")
    assert asked.args == ["a", "New name"]
    assert index.data() == "Chat a"


def test_an_empty_title_is_refused(model: ChatListModel, qtbot: QtBot) -> None:
    model.set_chats([chat("a")])
    with qtbot.assertNotEmitted(model.title_edited):
        assert not model.setData(model.index(model.row_of("a")), "   ")


def test_groups_cannot_be_chosen(model: ChatListModel) -> None:
    model.set_chats([chat("a")])
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable


def test_a_row_says_its_state_to_a_screen_reader(model: ChatListModel) -> None:
    model.set_chats([ChatSummary("a", "Bread", at(0), answering=True, has_problem=True)])
    spoken = model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Bread, being answered, stopped by a problem"
