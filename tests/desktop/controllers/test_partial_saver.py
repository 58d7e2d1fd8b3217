"""Keeping the answer under way; closing never waits for the window's inbox."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from desktop.bridge.event_bridge import EventBridge
from desktop.controllers.partial_saver import PartialSaver
from desktop.store.chats import Chats
from desktop.store.database import Database
from desktop.store.records import ChatRecord, MessageRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from inference.cancel import CancelToken


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "chats.sqlite3")
    chats = Chats(database)
    chats.add(ChatRecord("chat", "A chat", 0.0, 0.0))
    chats.add_message(MessageRecord("answer", "chat", None, "assistant", "", "streaming"))
    yield database
    database.close()


def test_the_newest_text_is_kept(qtbot: QtBot, database: Database) -> None:
    chats = Chats(database)
    saver = PartialSaver(chats, EventBridge().post)
    for length in range(1, 50):
        saver.put("answer", "x" * length)
    qtbot.waitUntil(lambda: chats.message("answer").text == "x" * 49, timeout=10_000)
    saver.close()


def test_closing_with_a_full_disk_and_a_full_inbox_ends(qtbot: QtBot, database: Database) -> None:
    assert qtbot is not None  # the bridge needs the application
    bridge = EventBridge(capacity=1)
    bridge.post("no more room")
    with database.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    trying = threading.Event()

    def post(event: object, cancel: CancelToken | None = None) -> bool:
        trying.set()
        return bridge.post(event, cancel)

    saver = PartialSaver(Chats(database), post)
    saver.put("answer", "x" * 500_000)
    assert trying.wait(20)
    closing = threading.Thread(target=saver.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    bridge.close()
