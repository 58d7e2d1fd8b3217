"""Which migrations there are. Listed by hand, so that a packed app finds them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.store.migrations import m0001_chats, m0002_token_ids

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; after it ``PRAGMA user_version`` is ``number``.

    ``apply`` runs inside a transaction and must neither commit nor use ``executescript``.
    """

    number: int
    apply: Callable[[sqlite3.Connection], None]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, m0001_chats.apply),
    Migration(2, m0002_token_ids.apply),
)
