"""The ids of the tokens that a model wrote, beside the answer's text (``store.token_ids``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def apply(connection: sqlite3.Connection) -> None:
    """Add the column; answers from before have none."""
    connection.execute("ALTER TABLE messages ADD COLUMN tokens BLOB NOT NULL DEFAULT x''")
