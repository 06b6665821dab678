"""What the cache holds and forgets, in real SQLite files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from core.shelf import METHOD, make_analysis, make_file

from genrecore.cache import Cache, Pruned
from genrecore.errors import CacheError
from genrecore.keys import FileStat, Method


def test_what_comes_back_equals_what_was_put_to_the_last_bit(tmp_path: Path, database: Path) -> None:
    path = make_file(tmp_path)
    analysis = make_analysis(path=path)
    key = METHOD.key(analysis.content_hash)
    with Cache(database) as cache:
        assert cache.get(key) is None
        cache.put(analysis, key, FileStat.of(path))
    with Cache(database) as cache:
        assert cache.get(key, path) == analysis
        assert cache.get_by_file(FileStat.of(path), METHOD) == analysis


def test_of_a_long_file_fewer_snippets_were_heard_than_asked_for(database: Path) -> None:
    analysis, key = make_analysis(path=""), replace(METHOD, snippets=300).key("1:abc")
    with Cache(database) as cache:
        cache.put(analysis, key)
        assert cache.get(key) == analysis
        assert cache.get(METHOD.key("1:abc")) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(METHOD, genre_model="c" * 64),
        replace(METHOD, mood_model="c" * 64),
        replace(METHOD, snippets=101),
        replace(METHOD, version="1.2"),
    ],
)
def test_another_model_sampling_or_version_is_another_analysis(
    tmp_path: Path, database: Path, other: Method
) -> None:
    path = make_file(tmp_path)
    with Cache(database) as cache:
        cache.put(make_analysis(path=path), METHOD.key("1:abc"), FileStat.of(path))
        assert cache.get(other.key("1:abc")) is None
        assert cache.lookup([FileStat.of(path)], other) == {}


def test_a_changed_file_is_not_known_until_the_gate_is_refreshed(tmp_path: Path, database: Path) -> None:
    path = make_file(tmp_path)
    before = FileStat.of(path)
    with Cache(database) as cache:
        cache.put(make_analysis(path=path), METHOD.key("1:abc"), before)
        make_file(tmp_path, text="sound with a new tag")
        assert cache.lookup([FileStat.of(path)], METHOD) == {}
        cache.refresh_gate(before, FileStat.of(path))
        assert list(cache.lookup([FileStat.of(path)], METHOD)) == [path]
        assert cache.hashes([FileStat.of(path)]) == {path: "1:abc"}


def test_nothing_is_vouched_for_that_was_replaced_before_the_tags_were_written(
    tmp_path: Path, database: Path
) -> None:
    path = make_file(tmp_path)
    heard = FileStat.of(path)
    with Cache(database) as cache:
        cache.put(make_analysis(path=path), METHOD.key("1:abc"), heard)
        make_file(tmp_path, text="another recording")
        before = FileStat.of(path)
        make_file(tmp_path, text="another recording with a new tag")
        cache.refresh_gate(before, FileStat.of(path))
        assert cache.hashes([FileStat.of(path)]) == {}
        assert cache.hashes([heard]) == {path: "1:abc"}


def test_refreshing_an_unknown_file_is_harmless(tmp_path: Path, database: Path) -> None:
    stat = FileStat.of(make_file(tmp_path))
    with Cache(database) as cache:
        cache.refresh_gate(stat, stat)
        assert cache.info().files == 0


def test_a_relative_path_is_known_by_the_folder_it_stands_in(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        make_file(tmp_path / folder)
        os.utime(tmp_path / folder / "song.mp3", ns=(5, 5))
    with Cache(database) as cache:
        monkeypatch.chdir(tmp_path / "one")
        cache.put(make_analysis(), METHOD.key("1:abc"), FileStat.of("song.mp3"))
        assert list(cache.lookup([FileStat.of("song.mp3")], METHOD)) == ["song.mp3"]
        assert cache.get_by_file(FileStat.of(str(tmp_path / "one" / "song.mp3")), METHOD) is not None
        monkeypatch.chdir(tmp_path / "two")
        assert cache.lookup([FileStat.of("song.mp3")], METHOD) == {}


def test_a_file_named_in_three_ways_is_known_by_all(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    spellings = ["song.mp3", "./song.mp3", path]
    stats = [FileStat.of(name) for name in spellings]
    with Cache(database) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"), FileStat.of(path))
        found = cache.lookup(stats, METHOD)
        assert list(found) == spellings
        assert [analysis.path for analysis in found.values()] == spellings
        assert cache.hashes(stats) == dict.fromkeys(spellings, "1:abc")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode on this system")
def test_a_name_that_is_no_unicode(tmp_path: Path, database: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/na\xefve.mp3")
    Path(path).write_bytes(b"x")
    with Cache(database) as cache:
        cache.put(make_analysis(path=path), METHOD.key("1:abc"), FileStat.of(path))
        assert list(cache.lookup([FileStat.of(path)], METHOD)) == [path]
        assert cache.prune(METHOD.version) == Pruned(0, 0)


def test_putting_again_replaces(database: Path) -> None:
    key = METHOD.key("1:abc")
    with Cache(database) as cache:
        cache.put(make_analysis(), key)
        cache.put(replace(make_analysis(), duration=7.0), key)
        found = cache.get(key)
        assert found is not None
        assert found.duration == 7.0
        assert cache.info().analyses == 1


def test_many_files_are_looked_up_at_once(tmp_path: Path, database: Path) -> None:
    stats = [FileStat(str(tmp_path / f"{n}.mp3"), n, n) for n in range(1201)]
    with Cache(database) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        for stat in stats[::2]:
            cache.put_file(stat, "1:abc")
        assert sorted(cache.lookup(stats, METHOD)) == sorted(stat.path for stat in stats[::2])


def test_info_prune_and_clear(tmp_path: Path, database: Path) -> None:
    kept, gone = make_file(tmp_path, "kept.mp3"), make_file(tmp_path, "gone.mp3")
    with Cache(database) as cache:
        cache.put(make_analysis("1:kept"), METHOD.key("1:kept"), FileStat.of(kept))
        cache.put(make_analysis("1:kept"), replace(METHOD, version="0").key("1:kept"), FileStat.of(kept))
        cache.put(make_analysis("1:gone"), METHOD.key("1:gone"), FileStat.of(gone))
        cache.put(make_analysis("1:orphan"), METHOD.key("1:orphan"))
        os.remove(gone)

        info = cache.info()
        assert (info.files, info.analyses, info.location) == (2, 4, str(database))
        assert info.size is not None
        assert info.size > 0
        assert [(h.genre_model, h.mood_model, h.version, h.analyses) for h in info.holdings] == [
            ("ears 1", "heart 2", "1.1", 3),
            ("ears 1", "heart 2", "0", 1),
        ]

        assert cache.prune("1.1", dry_run=True) == Pruned(files=1, analyses=3)
        assert cache.info() == info
        assert cache.prune("1.1") == Pruned(files=1, analyses=3)
        assert cache.get(METHOD.key("1:kept")) is not None
        assert (cache.info().files, cache.info().analyses) == (1, 1)

        assert cache.clear() == Pruned(files=1, analyses=1)
        assert (cache.info().files, cache.info().analyses) == (0, 0)


def test_a_killed_writer_leaves_a_sound_cache(database: Path, messages: list[str]) -> None:
    """What was put stays, though only SQLite's write-ahead log holds it."""
    script = (
        "import os, sys; sys.path[:0] = sys.argv[2:]\n"
        "from core.shelf import METHOD, make_analysis\n"
        "from genrecore.cache import Cache\n"
        "cache = Cache(sys.argv[1]); cache.put(make_analysis(), METHOD.key('1:abc')); os._exit(9)"
    )
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(database), str(repository), str(repository / "tests")]
    assert subprocess.run(command, cwd=repository, check=False).returncode == 9
    assert Path(f"{database}-wal").stat().st_size > 0
    with Cache(database, notify=messages.append) as cache:
        assert cache.get(METHOD.key("1:abc")) == make_analysis(path="")
    assert messages == []


def test_a_full_disk_is_one_clear_error_and_what_was_stored_stays(database: Path) -> None:
    with Cache(database) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        with closing(sqlite3.connect(database)) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        # SQLite's own limit gives the very error of a full disk.
        sa.event.listen(
            cache._engine, "connect", lambda raw, record: raw.execute(f"PRAGMA max_page_count = {pages}")
        )
        cache._engine.dispose()
        huge = replace(make_analysis(), warnings=("x" * 100_000,))
        with pytest.raises(
            CacheError, match=r"cache\.db: the cache cannot be used \(database or disk is full\)"
        ):
            cache.put(huge, METHOD.key("1:huge"))
        assert cache.get(METHOD.key("1:abc")) is not None
