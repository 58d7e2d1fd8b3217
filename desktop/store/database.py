"""The SQLite file: opening, migrating, transactions. It does not know what a chat is.

WAL mode; one writing connection behind a lock, and as many reading ones as there are readers at
the same time: a long search must not hold up the window. Any thread may call. Foreign errors leave
this module only as children of ``StoreError``.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from desktop.store.failures import store_error
from desktop.store.lock import FileLock
from desktop.store.migrations import MIGRATIONS, Migration
from inference.errors import DatabaseTooNewError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)

Row: TypeAlias = tuple[Any, ...]  # SQLite's columns are dynamically typed
_BUSY_TIMEOUT_S = 2.0
_PLACE = "the chats file"


class Database:
    """An open chats file, or a database in memory that lasts as long as the app.

    Made by ``open``, ``open_or_memory``, ``in_memory`` or ``open_for_reading``.
    """

    def __init__(
        self,
        writer: sqlite3.Connection,
        connect_reader: Callable[[], sqlite3.Connection] | None = None,
        lock: FileLock | None = None,
    ) -> None:
        self._writer = writer
        self._connect_reader = connect_reader
        self._readers: list[sqlite3.Connection] = []
        self._lock = lock
        self._write_lock = threading.RLock()
        self._readers_lock = threading.Lock()
        self._closed = False
        self.kept = connect_reader is not None
        """Whether what is written here outlives the app."""

    @classmethod
    def open(cls, path: Path, migrations: tuple[Migration, ...] = MIGRATIONS) -> Database:
        """Open or create the file for this window alone.

        Args:
            path: The database; its folder is made where missing.
            migrations: The steps to today's form.

        Raises:
            DatabaseLockedError: Another window has it open.
            DatabaseTooNewError: A newer version of the app wrote it.
            DiskFullError: No space for the file or the copy made before migrating.
            ReadOnlyFolderError: The folder cannot be written.
            StoreError: The file is damaged.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise store_error(exc, _PLACE) from exc
        lock = FileLock(path.with_name(path.name + ".lock"), _PLACE)
        writer: sqlite3.Connection | None = None
        try:
            with _translated():
                writer = _connect(path)
                _migrate(writer, migrations, path)
        except BaseException:
            if writer is not None:
                writer.close()
            lock.release()
            raise
        return cls(writer, lambda: _connect_reader(path), lock)

    @classmethod
    def in_memory(cls, migrations: tuple[Migration, ...] = MIGRATIONS) -> Database:
        """Make an empty database that is gone when the app closes."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection, migrations, None)
        return cls(connection)

    @classmethod
    def open_or_memory(
        cls, path: Path, migrations: tuple[Migration, ...] = MIGRATIONS
    ) -> tuple[Database, StoreError | None]:
        """Open the file; where that is not possible, a database in memory and the reason."""
        try:
            return cls.open(path, migrations), None
        except StoreError as error:
            _log.info("chats will not be kept: %s", error.detail or error.message)
            return cls.in_memory(), error

    @classmethod
    def open_for_reading(cls, path: Path) -> Database:
        """Open the file beside a running window, to read only; a missing file reads as empty.

        Raises:
            DatabaseTooNewError: A newer version of the app wrote it.
            StoreError: It is damaged, or cannot be read.
        """
        if not path.exists():
            return cls.in_memory()
        with _translated():
            connection = _connect_read_only(path)
            version = _version(connection)
        if version == MIGRATIONS[-1].number:
            return cls(connection)
        connection.close()
        _refuse_newer(version, MIGRATIONS)
        # An older form is brought up to date first, which needs the file for oneself.
        cls.open(path).close()
        with _translated():
            connection = _connect_read_only(path)
        return cls(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside or, if anything is raised, nothing; may be nested.

        Raises:
            StoreError: One of its children, when SQLite refuses.
        """
        with self._write_lock, _translated():
            if _in_transaction(self._writer):
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back after some errors, a full disk among them.
                if _in_transaction(self._writer):
                    self._writer.execute("ROLLBACK")
                raise

    def rows(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Read rows of the last committed state.

        Raises:
            StoreError: The file cannot be read.
        """
        with _translated(), self._reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Row = ()) -> Row | None:
        """Read the first row, or ``None``."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def close(self) -> None:
        """Close the file and let other windows have it; harmless when closed."""
        with self._write_lock, self._readers_lock:
            if self._closed:
                return
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._writer.close()
            if self._lock is not None:
                self._lock.release()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that nobody else reads from."""
        if self._connect_reader is None:
            with self._write_lock:
                yield self._writer
            return
        with self._readers_lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the database is closed")
            connection = self._readers.pop() if self._readers else self._connect_reader()
        try:
            yield connection
        finally:
            self._take_back(connection)

    def _take_back(self, connection: sqlite3.Connection) -> None:
        with self._readers_lock:
            if self._closed:
                connection.close()
            else:
                self._readers.append(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as exc:
        if isinstance(exc, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise  # a bug of ours, shown as one
        raise store_error(exc, _PLACE) from exc


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL survives the death of the app; only power loss costs the last commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # deleted chats leave no text behind
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        return _checked(uri)
    except sqlite3.OperationalError:
        if path.with_name(path.name + "-wal").exists():
            raise
    # A read-only folder has no place for WAL's index; without a writer none is needed.
    return _checked(f"{uri}&immutable=1")


def _checked(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, timeout=_BUSY_TIMEOUT_S, uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        _version(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _in_transaction(connection: sqlite3.Connection) -> bool:
    # A function, because mypy takes the attribute for constant between two statements.
    return connection.in_transaction


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(version: int, migrations: tuple[Migration, ...]) -> None:
    known = migrations[-1].number
    if version > known:
        raise DatabaseTooNewError(
            "Your chats were saved by a newer version of Glasshouse.",
            "Start that version, or install the newest one; this one leaves the file as it is.",
            f"file has version {version}, this app knows {known}",
        )


def _migrate(
    connection: sqlite3.Connection, migrations: tuple[Migration, ...], path: Path | None
) -> None:
    version = _version(connection)
    _refuse_newer(version, migrations)
    waiting = [step for step in migrations if step.number > version]
    if waiting and version > 0 and path is not None:
        _copy_before(connection, path, version)
    for step in waiting:
        connection.execute("BEGIN IMMEDIATE")
        try:
            step.apply(connection)
            connection.execute(f"PRAGMA user_version = {step.number:d}")
            connection.execute("COMMIT")
        except BaseException:
            if _in_transaction(connection):
                connection.execute("ROLLBACK")
            raise


def _copy_before(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy the whole file, with what is still in its WAL, to ``NAME.version-N``."""
    target = path.with_name(f"{path.name}.version-{version}")
    part = Path(f"{target}.part")
    part.unlink(missing_ok=True)
    copy = sqlite3.connect(part)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    part.replace(target)
