"""Opening, locking, migrating and failing, each with the real file system and SQLite."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from desktop.store.database import Database
from desktop.store.migrations import MIGRATIONS, Migration
from inference.errors import (
    DatabaseLockedError,
    DatabaseTooNewError,
    DiskFullError,
    ReadOnlyFolderError,
    StoreError,
)

_ADD = "INSERT INTO chats(id, title, created_at, updated_at) VALUES (?, ?, 1, 1)"


def _titles(db: Database) -> list[str]:
    return [row[0] for row in db.rows("SELECT title FROM chats ORDER BY seq")]


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "chats.sqlite3"
    with closing(Database.open(path)) as db, db.transaction() as connection:
        connection.execute(_ADD, ("a", "Bread"))
    with closing(Database.open(path)) as db:
        assert _titles(db) == ["Bread"]
        assert db.kept


def test_a_transaction_that_raises_writes_nothing(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "db")) as db:
        with pytest.raises(sqlite3.IntegrityError), db.transaction() as connection:
            connection.executemany(_ADD, [("a", "Bread"), ("a", "the same id")])
        assert _titles(db) == []
        with db.transaction() as outer:
            outer.execute(_ADD, ("a", "Bread"))
            with db.transaction() as inner:
                inner.execute(_ADD, ("b", "Salt"))
        assert _titles(db) == ["Bread", "Salt"]


def test_eight_threads_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "db")) as db:

        def write(name: int) -> None:
            for count in range(20):
                with db.transaction() as connection:
                    connection.execute(_ADD, (f"{name}-{count}", "x"))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(_titles(db)) == 160


def test_a_second_window_gets_a_sentence_and_the_first_keeps_working(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(Database.open(path)) as first:
        with pytest.raises(DatabaseLockedError) as caught:
            Database.open(path)
        assert "Another Glasshouse window" in caught.value.message
        assert "Close the other window" in caught.value.hint
        second, problem = Database.open_or_memory(path)
        with closing(second):
            assert isinstance(problem, DatabaseLockedError)
            assert not second.kept
            with second.transaction() as connection:
                connection.execute(_ADD, ("b", "not kept"))
        with first.transaction() as connection:
            connection.execute(_ADD, ("a", "Bread"))
        assert _titles(first) == ["Bread"]
    with closing(Database.open(path)) as again:
        assert _titles(again) == ["Bread"]


_HOLD = """
import sys, pathlib
from desktop.store.database import Database
db = Database.open(pathlib.Path(sys.argv[1]))
with db.transaction() as connection:
    connection.execute(
        "INSERT INTO chats(id, title, created_at, updated_at) VALUES ('a', 'Bread', 1, 1)")
print("open", flush=True)
sys.stdin.read()
"""


def test_killing_a_window_frees_its_lock_and_keeps_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"open"
        with pytest.raises(DatabaseLockedError):
            Database.open(path)
        with closing(Database.open_for_reading(path)) as beside:
            assert _titles(beside) == ["Bread"]
        other.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        other.wait()
        with closing(Database.open(path)) as db:
            assert _titles(db) == ["Bread"]


def test_reading_beside_a_window_cannot_write_and_a_missing_file_reads_as_empty(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db"
    with closing(Database.open_for_reading(path)) as nothing:
        assert _titles(nothing) == []
    assert not path.exists()
    Database.open(path).close()
    with (
        closing(Database.open_for_reading(path)) as db,
        pytest.raises(StoreError),
        db.transaction() as connection,
    ):
        connection.execute(_ADD, ("a", "Bread"))


def test_a_newer_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "db"
    Database.open(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNewError) as caught:
        Database.open(path)
    assert "newer version" in caught.value.message
    with pytest.raises(DatabaseTooNewError):
        Database.open_for_reading(path)
    assert path.read_bytes() == before


def test_the_file_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(Database.open(path)) as db, db.transaction() as connection:
        connection.execute(_ADD, ("a", "Bread"))

    def shout(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE chats SET title = upper(title)")

    last = MIGRATIONS[-1].number
    with closing(Database.open(path, (*MIGRATIONS, Migration(last + 1, shout)))) as db:
        assert _titles(db) == ["BREAD"]
    with closing(sqlite3.connect(tmp_path / f"db.version-{last}")) as copy:
        assert copy.execute("SELECT title FROM chats").fetchall() == [("Bread",)]
        assert copy.execute("PRAGMA user_version").fetchone() == (last,)


def test_a_migration_that_breaks_leaves_the_file_at_its_old_version(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(Database.open(path)) as db, db.transaction() as connection:
        connection.execute(_ADD, ("a", "Bread"))

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE chats SET title = 'half'")
        connection.execute("SELECT no_such_column FROM chats")

    with pytest.raises(StoreError):
        Database.open(path, (*MIGRATIONS, Migration(MIGRATIONS[-1].number + 1, half)))
    with closing(Database.open(path)) as db:
        assert _titles(db) == ["Bread"]


def test_a_full_disk_while_writing_says_so_and_keeps_what_was_there(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "db")) as db:
        with db.transaction() as connection:
            connection.execute(_ADD, ("a", "Bread"))
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        with db.transaction() as connection:
            # SQLite itself answers SQLITE_FULL beyond this, as on a full disk.
            connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFullError) as caught, db.transaction() as connection:
            connection.execute(_ADD, ("b", "x" * 100_000))
        assert "The disk is full" in caught.value.message
        assert "Free some space" in caught.value.hint
        assert _titles(db) == ["Bread"]


def test_a_full_disk_at_start_opens_in_memory(tmp_path: Path) -> None:
    def tight(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 2")
        MIGRATIONS[0].apply(connection)

    db, problem = Database.open_or_memory(tmp_path / "db", (Migration(1, tight),))
    with closing(db):
        assert isinstance(problem, DiskFullError)
        assert not db.kept
        with db.transaction() as connection:
            connection.execute(_ADD, ("a", "Bread"))
        assert _titles(db) == ["Bread"]


def test_a_data_folder_that_cannot_be_written_opens_in_memory(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file where the folder should be", encoding="utf-8")
    db, problem = Database.open_or_memory(in_the_way / "chats.sqlite3")
    with closing(db):
        assert isinstance(problem, ReadOnlyFolderError)
        assert "cannot be written" in problem.message
        assert "GLASSHOUSE_HOME" in problem.hint
        with db.transaction() as connection:
            connection.execute(_ADD, ("a", "Bread"))
        assert _titles(db) == ["Bread"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
def test_a_folder_of_a_read_only_file_system_opens_in_memory() -> None:
    db, problem = Database.open_or_memory(Path("/proc/self/data/chats.sqlite3"))
    with closing(db):
        assert isinstance(problem, ReadOnlyFolderError)


def test_garbage_instead_of_a_database_is_a_sentence_and_stays_untouched(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"not a database, " * 1000)
    with pytest.raises(StoreError) as caught:
        Database.open(path)
    assert "damaged" in caught.value.message
    assert path.read_bytes() == b"not a database, " * 1000
    path.unlink()
    Database.open(path).close()  # the lock was let go


_LONG = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000000) "
    "SELECT count(*) FROM n"
)


def test_a_long_read_holds_up_neither_another_nor_a_write(tmp_path: Path) -> None:
    with closing(Database.open(tmp_path / "db")) as db:
        begun = threading.Event()
        ends: list[float] = []

        def read() -> None:
            begun.set()
            db.rows(_LONG)
            ends.append(time.monotonic())

        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(10)
        with db.transaction() as connection:
            connection.execute(_ADD, ("a", "Bread"))
        assert _titles(db) == ["Bread"]
        ended = time.monotonic()
        reader.join()
        assert ended < ends[0]


def test_closing_during_a_read_lets_it_end(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "db")
    with db._reading() as connection:
        db.close()
        assert connection.execute("SELECT count(*) FROM chats").fetchone() == (0,)
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
    with pytest.raises(sqlite3.ProgrammingError):
        db.rows("SELECT 1")
    Database.open(tmp_path / "db").close()  # nothing holds it any more
