"""The cache as a run uses it, where it fails for a while or for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from core.shelf import METHOD, make_analysis

from genrecore import cache_file
from genrecore.cache import Cache
from genrecore.pool_store import Job, Store


@pytest.fixture
def cache(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    monkeypatch.setattr(cache_file, "LOCK_SECONDS", 0.05)
    with Cache(database) as cache:
        yield cache


@pytest.fixture
def other(database: Path, cache: Cache) -> Iterator[sqlite3.Connection]:
    """Another process, which keeps the database locked."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def keep(store: Store, *numbers: int) -> None:
    for n in numbers:
        store.keep(Job(f"{n}.mp3", None), make_analysis(f"1:{n}"))


def test_after_a_passing_trouble_analyses_are_kept_again(
    cache: Cache, other: sqlite3.Connection, messages: list[str]
) -> None:
    store = Store(cache, METHOD, messages.append)
    keep(store, 0, 1)
    other.execute("COMMIT")
    keep(store, 2, 3)
    assert cache.info().analyses == 2
    other.execute("BEGIN IMMEDIATE")
    keep(store, 4)
    other.execute("COMMIT")
    keep(store, 5)
    assert cache.info().analyses == 3
    (message,) = messages
    assert message.endswith("(database is locked); new analyses may not be kept")


def test_after_a_passing_trouble_analyses_are_found_again(
    cache: Cache, database: Path, messages: list[str]
) -> None:
    keep(Store(cache, METHOD, messages.append), 0)
    store = Store(cache, METHOD, messages.append)
    job = Job("0.mp3", None, "1:0")
    cache._engine.dispose()
    hidden = database.parent.rename(database.parent.with_name("unplugged"))
    assert store.find(job) is None
    hidden.rename(database.parent)
    assert store.in_use
    assert store.find(job) is not None
    assert len(messages) == 1


def test_a_trouble_that_stays_is_told_once_and_not_waited_for_again_and_again(
    cache: Cache, other: sqlite3.Connection, messages: list[str]
) -> None:
    store = Store(cache, METHOD, messages.append)
    keep(store, *range(5))
    other.execute("COMMIT")
    keep(store, 5)
    assert cache.info().analyses == 0
    assert len(messages) == 1
