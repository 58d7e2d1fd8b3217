from __future__ import annotations

import sqlite3
from contextlib import closing

from desktop.store.migrations import m0001_chats, m0002_token_ids


def test_migration_0002_leaves_old_answers_without_ids_and_takes_new_ones() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        m0001_chats.apply(db)
        db.execute("INSERT INTO chats(id, title, created_at, updated_at) VALUES ('c', 'a', 1, 1)")
        add = "INSERT INTO messages(id, chat_id, role, text, state, created_at{}) VALUES ({})"
        old = "'old', 'c', 'assistant', 'Bread', 'complete', 1"
        db.execute(add.format("", old))
        m0002_token_ids.apply(db)
        db.execute(add.format(", tokens", old.replace("old", "new") + ", x'0102'"))
        rows = db.execute("SELECT id, text, tokens FROM messages ORDER BY seq").fetchall()
        assert rows == [("old", "Bread", b""), ("new", "Bread", b"\x01\x02")]
