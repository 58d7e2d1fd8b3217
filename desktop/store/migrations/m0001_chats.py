"""Chats, messages as a tree, and the full-text index over titles and texts.

``seq`` is the rowid: it orders siblings by when they were written and links the index, which
keeps no second copy of the text (FTS5 external content, sqlite.org/fts5.html section 4.4.3).
With external content the index has to be told the old words to forget them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_STATEMENTS = (
    """
    CREATE TABLE chats (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        pinned INTEGER NOT NULL DEFAULT 0,
        deleted_at REAL,
        model_id TEXT NOT NULL DEFAULT '',
        system_prompt TEXT NOT NULL DEFAULT '',
        sampling TEXT NOT NULL DEFAULT '{}',
        active_leaf TEXT
    )
    """,
    """
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        chat_id TEXT NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
        parent_id TEXT REFERENCES messages(id) ON DELETE CASCADE,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at REAL NOT NULL,
        model_id TEXT NOT NULL DEFAULT '',
        model_name TEXT NOT NULL DEFAULT '',
        engine TEXT NOT NULL DEFAULT '',
        is_completion INTEGER NOT NULL DEFAULT 0,
        settings TEXT,
        stats TEXT,
        problem TEXT
    )
    """,
    "CREATE INDEX messages_siblings ON messages(chat_id, parent_id, seq)",
    "CREATE INDEX messages_parent ON messages(parent_id)",
    """
    CREATE INDEX messages_unfinished ON messages(state)
    WHERE state IN ('waiting', 'reading', 'streaming')
    """,
    """
    CREATE VIRTUAL TABLE chats_index USING fts5(
        title, content='chats', content_rowid='seq',
        tokenize='unicode61 remove_diacritics 2', prefix='2 3'
    )
    """,
    """
    CREATE VIRTUAL TABLE messages_index USING fts5(
        text, content='messages', content_rowid='seq',
        tokenize='unicode61 remove_diacritics 2', prefix='2 3'
    )
    """,
    """
    CREATE TRIGGER chats_indexed AFTER INSERT ON chats BEGIN
        INSERT INTO chats_index(rowid, title) VALUES (new.seq, new.title);
    END
    """,
    """
    CREATE TRIGGER chats_forgotten AFTER DELETE ON chats BEGIN
        INSERT INTO chats_index(chats_index, rowid, title)
        VALUES ('delete', old.seq, old.title);
    END
    """,
    """
    CREATE TRIGGER chats_reindexed AFTER UPDATE OF title ON chats BEGIN
        INSERT INTO chats_index(chats_index, rowid, title)
        VALUES ('delete', old.seq, old.title);
        INSERT INTO chats_index(rowid, title) VALUES (new.seq, new.title);
    END
    """,
    """
    CREATE TRIGGER messages_indexed AFTER INSERT ON messages BEGIN
        INSERT INTO messages_index(rowid, text) VALUES (new.seq, new.text);
    END
    """,
    """
    CREATE TRIGGER messages_forgotten AFTER DELETE ON messages BEGIN
        INSERT INTO messages_index(messages_index, rowid, text)
        VALUES ('delete', old.seq, old.text);
    END
    """,
    """
    CREATE TRIGGER messages_reindexed AFTER UPDATE OF text ON messages BEGIN
        INSERT INTO messages_index(messages_index, rowid, text)
        VALUES ('delete', old.seq, old.text);
        INSERT INTO messages_index(rowid, text) VALUES (new.seq, new.text);
    END
    """,
)


def apply(connection: sqlite3.Connection) -> None:
    """Make the first tables in an empty file."""
    for statement in _STATEMENTS:
        connection.execute(statement)
