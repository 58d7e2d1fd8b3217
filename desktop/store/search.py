"""Finding chats by words of their titles and messages.

Any typed text is safe: only its words reach FTS5, each quoted and as a prefix. Where the words
have no entry (text without spaces between words, such as Chinese, or signs), a plain search for
the typed text itself follows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from desktop.values import ChatSummary

if TYPE_CHECKING:
    from desktop.store.database import Database, Row

_WORD = re.compile(r"\w+")
_MAX_WORDS = 16
_AROUND = 30  # characters shown on each side of a plain find

_BY_WORDS = """
SELECT c.id, c.title, c.updated_at, c.pinned, '', 0 AS place, bm25(chats_index) AS rank
FROM chats_index JOIN chats c ON c.seq = chats_index.rowid
WHERE chats_index MATCH ?1 AND c.deleted_at IS NULL
UNION ALL
SELECT c.id, c.title, c.updated_at, c.pinned,
    snippet(messages_index, 0, '', '', '…', 12), 1, bm25(messages_index)
FROM messages_index JOIN messages m ON m.seq = messages_index.rowid
JOIN chats c ON c.id = m.chat_id
WHERE messages_index MATCH ?1 AND c.deleted_at IS NULL
ORDER BY place, rank
"""
_BY_TEXT = """
SELECT c.id, c.title, c.updated_at, c.pinned, '', 0 AS place, c.updated_at AS used FROM chats c
WHERE c.title LIKE ?1 ESCAPE '\\' AND c.deleted_at IS NULL
UNION ALL
SELECT c.id, c.title, c.updated_at, c.pinned, m.text, 1, c.updated_at
FROM messages m JOIN chats c ON c.id = m.chat_id
WHERE m.text LIKE ?1 ESCAPE '\\' AND c.deleted_at IS NULL
ORDER BY place, used DESC
"""


def match_query(text: str) -> str:
    """Turn typed text into an FTS5 query: all words, in any order, each as a prefix."""
    return " ".join(f'"{word}"*' for word in _WORD.findall(text)[:_MAX_WORDS])


def search_chats(database: Database, text: str, limit: int = 50) -> tuple[ChatSummary, ...]:
    """Find chats; titles come first, then messages by relevance, each chat once.

    Args:
        database: Where to look.
        text: As typed; without words or signs nothing is found.
        limit: How many chats at most.

    Raises:
        StoreError: The file cannot be read.
    """
    typed = text.strip().replace("\0", "")
    if not typed:
        return ()
    query = match_query(typed)
    rows = database.rows(_BY_WORDS, (query,)) if query else []
    if not rows:
        pattern = re.sub(r"([%_\\])", r"\\\1", typed)
        rows = [
            (*row[:4], _around(row[4], typed), *row[5:])
            for row in database.rows(_BY_TEXT, (f"%{pattern}%",))
        ]
    return _each_chat_once(rows, limit)


def _each_chat_once(rows: list[Row], limit: int) -> tuple[ChatSummary, ...]:
    found: dict[str, ChatSummary] = {}
    for chat_id, title, updated_at, pinned, snippet, *_ in rows:
        known = found.get(chat_id)
        if known is None and len(found) == limit:
            continue
        if known is None or (not known.snippet and snippet):
            one_line = " ".join(snippet.split())
            found[chat_id] = ChatSummary(chat_id, title, updated_at, bool(pinned), snippet=one_line)
    return tuple(found.values())


def _around(text: str, typed: str) -> str:
    at = text.lower().find(typed.lower())
    if at < 0:
        return text[: 2 * _AROUND]
    start, end = max(0, at - _AROUND), at + len(typed) + _AROUND
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
