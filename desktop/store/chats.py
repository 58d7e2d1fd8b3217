"""Chats and their messages in the database: a tree per chat, with one leaf shown.

Every method is one transaction and may be called from any thread. Searching is in ``search``.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from desktop.store.records import AnswerSettings, ChatRecord, MessageRecord
from desktop.values import AnswerStats, ChatSummary, Problem
from inference.errors import StoreError
from inference.types import SamplingParams

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from desktop.store.database import Database, Row

_BRANCH = """
WITH RECURSIVE up(id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM messages WHERE id = ?
    UNION ALL
    SELECT p.id, p.parent_id, up.depth + 1 FROM messages p JOIN up ON p.id = up.parent_id
)
SELECT m.id, m.chat_id, m.parent_id, m.role, m.text, m.state, m.created_at, m.model_id,
    m.model_name, m.engine, m.is_completion, m.settings, m.stats, m.problem, m.tokens,
    (SELECT count(*) FROM messages s WHERE s.chat_id = m.chat_id
        AND s.parent_id IS m.parent_id AND s.seq <= m.seq),
    (SELECT count(*) FROM messages s WHERE s.chat_id = m.chat_id
        AND s.parent_id IS m.parent_id)
FROM up JOIN messages m ON m.id = up.id ORDER BY up.depth DESC
"""


def new_id() -> str:
    """Make an id for a chat or a message."""
    return uuid.uuid4().hex


class Chats:
    """The chats of one database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[object]:
        """Make everything that is written inside count, or nothing of it."""
        return self._db.transaction()

    def list(self) -> tuple[ChatSummary, ...]:
        """All chats that are not deleted: pinned ones first, then by last use."""
        rows = self._db.rows(
            "SELECT c.id, c.title, c.updated_at, c.pinned, m.state IS 'failed' FROM chats c "
            "LEFT JOIN messages m ON m.id = c.active_leaf WHERE c.deleted_at IS NULL "
            "ORDER BY c.pinned DESC, c.updated_at DESC, c.seq DESC"
        )
        return tuple(
            ChatSummary(row[0], row[1], row[2], bool(row[3]), has_problem=bool(row[4]))
            for row in rows
        )

    def get(self, chat_id: str) -> ChatRecord | None:
        """Read one chat, or ``None`` where it is absent or deleted."""
        row = self._db.row(
            "SELECT id, title, created_at, updated_at, pinned, model_id, system_prompt, "
            "sampling, active_leaf FROM chats WHERE id = ? AND deleted_at IS NULL",
            (chat_id,),
        )
        return None if row is None else _chat(row)

    def add(self, chat: ChatRecord) -> None:
        """Keep a new chat."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO chats(id, title, created_at, updated_at, pinned, model_id, "
                "system_prompt, sampling, active_leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    chat.id,
                    chat.title,
                    chat.created_at,
                    chat.updated_at,
                    chat.pinned,
                    chat.model_id,
                    chat.system_prompt,
                    _json(chat.sampling),
                    chat.active_leaf,
                ),
            )

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat another title."""
        self._update("UPDATE chats SET title = ? WHERE id = ?", title, chat_id)

    def pin(self, chat_id: str, *, pinned: bool) -> None:
        """Keep a chat at the top of the list, or no longer."""
        self._update("UPDATE chats SET pinned = ? WHERE id = ?", pinned, chat_id)

    def set_model(self, chat_id: str, model_id: str) -> None:
        """Remember which model the chat was last answered by."""
        self._update("UPDATE chats SET model_id = ? WHERE id = ?", model_id, chat_id)

    def set_system_prompt(self, chat_id: str, text: str) -> None:
        """Change what the chat's next answers are told first."""
        self._update("UPDATE chats SET system_prompt = ? WHERE id = ?", text, chat_id)

    def set_sampling(self, chat_id: str, sampling: SamplingParams) -> None:
        """Change how the chat's next answers are drawn."""
        self._update("UPDATE chats SET sampling = ? WHERE id = ?", _json(sampling), chat_id)

    def delete(self, chat_id: str) -> None:
        """Hide a chat; ``restore`` brings it back until ``purge_deleted``."""
        self._update("UPDATE chats SET deleted_at = ? WHERE id = ?", time.time(), chat_id)

    def restore(self, chat_id: str) -> None:
        """Take a deletion back."""
        self._update("UPDATE chats SET deleted_at = NULL WHERE id = ?", chat_id)

    def purge_deleted(self, until: float) -> tuple[str, ...]:
        """Remove for good what was deleted up to a time; return the chats' ids.

        Takes about 0.6 s for a file of 50 MB where there is something to remove: not for the GUI
        thread.

        Args:
            until: Seconds since the epoch.
        """
        with self._db.transaction() as connection:
            rows = connection.execute("SELECT id FROM chats WHERE deleted_at <= ?", (until,))
            gone = tuple(str(row[0]) for row in rows)
            connection.execute("DELETE FROM chats WHERE deleted_at <= ?", (until,))
            if gone:
                # The index keeps words of deleted texts until its parts are merged.
                connection.execute("INSERT INTO chats_index(chats_index) VALUES ('optimize')")
                connection.execute("INSERT INTO messages_index(messages_index) VALUES ('optimize')")
        return gone

    def add_message(self, message: MessageRecord) -> None:
        """Hang a message under its parent and make it the shown leaf."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO messages(id, chat_id, parent_id, role, text, state, created_at, "
                "model_id, model_name, engine, is_completion, settings, stats, problem, tokens) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    message.id,
                    message.chat_id,
                    message.parent_id,
                    message.role,
                    message.text,
                    message.state,
                    message.created_at,
                    *_answer_columns(message),
                ),
            )
            _show(connection, message.chat_id, message.id, message.created_at)

    def save_partial(self, message_id: str, text: str, tokens: bytes = b"") -> bool:
        """Keep what has been written so far; return ``False`` when more of it is kept already.

        A late call can therefore never overwrite the end of an answer, nor, when that is
        continued, the text it goes on from.
        """
        with self._db.transaction() as connection:
            changed = connection.execute(
                "UPDATE messages SET text = ?, tokens = ?, state = 'streaming' WHERE id = ? "
                "AND state IN ('waiting', 'reading', 'streaming') AND length(text) <= ?",
                (text, tokens, message_id, len(text)),
            )
            return changed.rowcount == 1

    def save_answer(self, message: MessageRecord) -> None:
        """Keep an answer's text, state and everything it was made with."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE messages SET text = ?, state = ?, model_id = ?, model_name = ?, "
                "engine = ?, is_completion = ?, settings = ?, stats = ?, problem = ?, "
                "tokens = ? "
                "WHERE id = ?",
                (message.text, message.state, *_answer_columns(message), message.id),
            )
            connection.execute(
                "UPDATE chats SET updated_at = ? WHERE id = ?", (time.time(), message.chat_id)
            )

    def recover_interrupted(self, problem: Problem) -> int:
        """Mark answers that the last run left unfinished as stopped; their text is kept.

        Only the window that holds the file may call this, before it answers anything.

        Args:
            problem: Why they stopped, for the person.

        Returns:
            How many there were.
        """
        with self._db.transaction() as connection:
            return connection.execute(
                "UPDATE messages SET state = 'stopped', problem = ? "
                "WHERE state IN ('waiting', 'reading', 'streaming')",
                (_json(problem),),
            ).rowcount

    def message(self, message_id: str) -> MessageRecord:
        """Read one message.

        Raises:
            StoreError: There is none with that id.
        """
        branch = self.branch(message_id)
        if not branch:
            raise StoreError(
                "That message is no longer there.", "Open the chat again from the list."
            )
        return branch[-1]

    def branch(self, leaf_id: str | None) -> tuple[MessageRecord, ...]:
        """Read the messages from the first one down to ``leaf_id``."""
        return tuple(_message(row) for row in self._db.rows(_BRANCH, (leaf_id,)))

    def tree(self, chat_id: str) -> tuple[MessageRecord, ...]:
        """Read every message of a chat, all versions, in the order they were written."""
        rows = self._db.rows(
            "SELECT id, chat_id, parent_id, role, text, state, created_at, model_id, model_name, "
            "engine, is_completion, settings, stats, problem, tokens, 1, 1 FROM messages "
            "WHERE chat_id = ? ORDER BY seq",
            (chat_id,),
        )
        return tuple(_message(row) for row in rows)

    def knows(self, chat_id: str, message_ids: Sequence[str]) -> bool:
        """Whether one of these ids is taken, be it by what was deleted."""
        found = self._db.rows("SELECT 1 FROM chats WHERE id = ?", (chat_id,))
        ids = _json(list(message_ids))
        sql = "SELECT 1 FROM messages WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1"
        return bool(found or self._db.rows(sql, (ids,)))

    def bring(self, chat: ChatRecord, messages: Sequence[MessageRecord]) -> None:
        """Keep a whole chat from elsewhere, parents before children, or nothing of it."""
        with self._db.transaction() as connection:
            self.add(replace(chat, active_leaf=None))
            for message in messages:
                self.add_message(message)
            connection.execute(
                "UPDATE chats SET active_leaf = ?, updated_at = ? WHERE id = ?",
                (chat.active_leaf, chat.updated_at, chat.id),
            )

    def show_version(self, message_id: str, offset: int) -> str | None:
        """Choose another sibling of a message, and the newest messages below it.

        Args:
            message_id: A message of the shown branch.
            offset: -1 is the version before, 1 the one after.

        Returns:
            The new leaf, or ``None`` where there is no such version.
        """
        with self._db.transaction() as connection:
            siblings = connection.execute(
                "SELECT s.id, s.chat_id FROM messages m JOIN messages s ON s.chat_id = m.chat_id "
                "AND s.parent_id IS m.parent_id WHERE m.id = ? ORDER BY s.seq",
                (message_id,),
            ).fetchall()
            ids = [row[0] for row in siblings]
            wanted = ids.index(message_id) + offset if message_id in ids else -1
            if not 0 <= wanted < len(ids):
                return None
            leaf = str(ids[wanted])
            newest = "SELECT id FROM messages WHERE parent_id = ? ORDER BY seq DESC LIMIT 1"
            while child := connection.execute(newest, (leaf,)).fetchone():
                leaf = str(child[0])
            _show(connection, siblings[0][1], leaf, None)
            return leaf

    def _update(self, sql: str, *parameters: object) -> None:
        with self._db.transaction() as connection:
            connection.execute(sql, parameters)


def _show(connection: sqlite3.Connection, chat_id: str, leaf: str, now: float | None) -> None:
    connection.execute(
        "UPDATE chats SET active_leaf = ?, updated_at = coalesce(?, updated_at) WHERE id = ?",
        (leaf, now, chat_id),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _answer_columns(message: MessageRecord) -> tuple[object, ...]:
    return (
        message.model_id,
        message.model_name,
        message.engine,
        message.is_completion,
        None if message.settings is None else _json(message.settings),
        None if message.stats is None else _json(message.stats),
        None if message.problem is None else _json(message.problem),
        message.tokens,
    )


def _chat(row: Row) -> ChatRecord:
    return ChatRecord(
        id=row[0],
        title=row[1],
        created_at=row[2],
        updated_at=row[3],
        pinned=bool(row[4]),
        model_id=row[5],
        system_prompt=row[6],
        sampling=msgspec.json.decode(row[7], type=SamplingParams),
        active_leaf=row[8],
    )


def _message(row: Row) -> MessageRecord:
    settings, stats, problem = row[11:14]
    return MessageRecord(
        id=row[0],
        chat_id=row[1],
        parent_id=row[2],
        role=row[3],
        text=row[4],
        state=row[5],
        created_at=row[6],
        model_id=row[7],
        model_name=row[8],
        engine=row[9],
        is_completion=bool(row[10]),
        settings=settings and msgspec.json.decode(settings, type=AnswerSettings),
        stats=stats and msgspec.json.decode(stats, type=AnswerStats),
        problem=problem and msgspec.json.decode(problem, type=Problem),
        tokens=row[14],
        version=row[15],
        versions=row[16],
    )
