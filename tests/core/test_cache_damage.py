"""Cache files that are damaged, somebody else's or not there: set aside or begun, never overwritten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from core.shelf import METHOD, fill, make_analysis, names

from genrecore.cache import Cache
from genrecore.cache_file import set_aside


def random_bytes(path: Path) -> None:
    path.write_bytes(bytes(range(255, 0, -1)) * 64)


def text(path: Path) -> None:
    path.write_text("dear diary\n" * 100)


def ours_cut_short(path: Path) -> None:
    fill(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def ours_cut_in_the_header(path: Path) -> None:
    fill(path, 1)
    path.write_bytes(path.read_bytes()[:60])


def ours_overwritten_in_the_middle(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def somebody_elses(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT)")
        connection.execute("INSERT INTO items (title) VALUES ('Yesterday')")


def from_a_newer_version(path: Path) -> None:
    fill(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    "spoil",
    [
        random_bytes,
        text,
        ours_cut_short,
        ours_cut_in_the_header,
        ours_overwritten_in_the_middle,
        somebody_elses,
        from_a_newer_version,
    ],
)
def test_an_unsound_file_is_moved_aside_and_kept(database: Path, messages: list[str], spoil) -> None:
    database.parent.mkdir()
    spoil(database)
    before = database.read_bytes()
    with Cache(database, notify=messages.append) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        found = [cache.get(METHOD.key(f"1:{n:064}")) for n in range(300)]
        assert cache.get(METHOD.key("1:abc")) is not None
        assert found == [None] * 300
    (aside,) = names(database.parent) - {database.name}
    assert aside.startswith("cache.db.damaged-")
    assert (database.parent / aside).read_bytes() == before
    (message,) = messages
    assert str(database) in message
    assert aside in message
    with Cache(database, notify=messages.append) as cache:
        assert cache.info().analyses == 1
    assert len(messages) == 1


def test_somebody_elses_database_still_works_where_it_was_moved(database: Path, messages: list[str]) -> None:
    database.parent.mkdir()
    somebody_elses(database)
    Cache(database, notify=messages.append).close()
    (aside,) = names(database.parent) - {database.name}
    with closing(sqlite3.connect(database.parent / aside)) as connection:
        assert connection.execute("SELECT title FROM items").fetchall() == [("Yesterday",)]
    assert "somebody else's" in messages[0]


def test_two_unsound_files_within_a_second_are_both_kept(database: Path, messages: list[str]) -> None:
    database.parent.mkdir()
    for _ in range(2):
        text(database)
        Cache(database, notify=messages.append).close()
    assert len(names(database.parent)) == 3


def test_what_was_moved_aside_before_is_never_overwritten(database: Path) -> None:
    """Not even a log whose database is gone."""
    database.parent.mkdir()
    text(database)
    database.with_name("cache.db-wal").write_text("mine")
    now = datetime.now()
    for seconds in range(30):
        stamp = f"{now + timedelta(seconds=seconds):%Y%m%d-%H%M%S}"
        database.with_name(f"cache.db.damaged-{stamp}-wal").write_text("from before")
    aside = set_aside(database)
    assert aside.with_name(f"{aside.name}-wal").read_text() == "mine"
    logs = [path.read_text() for path in database.parent.glob("*-wal")]
    assert sorted(logs) == ["from before"] * 30 + ["mine"]


@pytest.mark.parametrize("empty", [False, True])
def test_a_missing_or_empty_file_is_begun_without_a_message(
    database: Path, messages: list[str], empty: bool
) -> None:
    if empty:
        database.parent.mkdir()
        database.touch()
    with Cache(database, notify=messages.append) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
    assert names(database.parent) == {"cache.db"}
    assert messages == []
