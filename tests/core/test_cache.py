"""The cache: real SQLite files, sound and unsound, and several processes at once."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from core.shelf import METHOD, fill, make_analysis, make_file

from genrecore.cache import Cache, Pruned, default_path, open_cache
from genrecore.errors import CacheError
from genrecore.keys import CacheKey, FileStat, Method


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
    with Cache(database) as cache:
        cache.put(make_analysis(path=path), METHOD.key("1:abc"), FileStat.of(path))
        make_file(tmp_path, text="sound with a new tag")
        assert cache.lookup([FileStat.of(path)], METHOD) == {}
        cache.refresh_gate(path)
        assert list(cache.lookup([FileStat.of(path)], METHOD)) == [path]
        os.utime(path, ns=(1, 1))
        assert cache.lookup([FileStat.of(path)], METHOD) == {}
        cache.refresh_gate(path, "1:other")
        assert cache.lookup([FileStat.of(path)], METHOD) == {}
        cache.refresh_gate(path, "1:abc")
        assert list(cache.lookup([FileStat.of(path)], METHOD)) == [path]


def test_refreshing_an_unknown_or_vanished_file_is_harmless(tmp_path: Path, database: Path) -> None:
    path = make_file(tmp_path)
    with Cache(database) as cache:
        cache.refresh_gate(path)
        assert cache.info().files == 0
        cache.put_file(FileStat.of(path), "1:abc")
        os.remove(path)
        cache.refresh_gate(path)
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


def test_a_read_only_database_can_be_read_but_not_written(database: Path) -> None:
    fill(database, 1)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    cache = open_cache(f"sqlite:///file:{database}?mode=ro&uri=true")
    assert cache is not None
    assert cache.get(METHOD.key(f"1:{0:064}")) is not None
    with pytest.raises(CacheError, match="readonly"):
        cache.put(make_analysis(), METHOD.key("1:abc"))


def test_a_place_that_cannot_be_is_one_warning(tmp_path: Path, messages: list[str]) -> None:
    make_file(tmp_path, "file")
    assert open_cache(tmp_path / "file" / "cache.db", notify=messages.append) is None
    (message,) = messages
    assert message.startswith(str(tmp_path / "file" / "cache.db"))
    assert message.endswith("going on without a cache")


@pytest.mark.skipif(
    getattr(os, "geteuid", int)() != 0 or os.name == "nt", reason="only root can be another user"
)
def test_a_folder_without_write_permission_is_one_warning() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555)
        # Everything is imported before the change of user, who may not reach this Python.
        script = (
            "import os, sys; from genrecore.cache import open_cache; open_cache('sqlite://').close()\n"
            "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
            "print(open_cache(sys.argv[1], notify=lambda m: print(m, file=sys.stderr)))"
        )
        command = [sys.executable, "-c", script, str(folder / "cache.db")]
        done = subprocess.run(
            command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "None\n")
        assert done.stderr.count("\n") == 1
        assert "going on without a cache" in done.stderr
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("url", ["nonsense://", "postgresql+nosuchdriver://localhost/x", "://"])
def test_a_url_that_is_none_is_a_clear_error(url: str) -> None:
    with pytest.raises(CacheError, match=r"://"):
        Cache(url)


def test_a_url_names_a_file_as_well(database: Path) -> None:
    database.parent.mkdir()
    with Cache(f"sqlite:///{database}") as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        assert cache.info().location == str(database)
    with Cache(str(database)) as cache:
        assert cache.get(METHOD.key("1:abc")) is not None


def test_in_memory() -> None:
    with Cache("sqlite://") as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        assert cache.get(METHOD.key("1:abc")) is not None
        assert cache.info().size is None
        cache.clear()


def test_the_default_place_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENRECORE_CACHE", str(tmp_path / "here.db"))
    assert default_path() == tmp_path / "here.db"
    with Cache() as cache:
        assert cache.location == str(tmp_path / "here.db")
    monkeypatch.delenv("GENRECORE_CACHE")
    assert default_path().name == "analyses.db"


def write_the_same(database: str, start, results) -> None:
    start.wait()
    messages: list[str] = []
    with Cache(database, notify=messages.append) as cache:
        for n in range(200):
            key = CacheKey(f"1:{n}", METHOD)
            cache.put(make_analysis(key.content_hash), key, FileStat(f"/music/{n}.mp3", 1, 1))
    results.put(messages)


@pytest.mark.parametrize("spoilt", [False, True])
def test_four_processes_write_the_same_at_once(database: Path, spoilt: bool) -> None:
    """From the first moment on: all of them find no database, or a damaged one."""
    database.parent.mkdir()
    if spoilt:
        database.write_text("dear diary\n" * 100)
    context = multiprocessing.get_context("spawn")
    start, results = context.Event(), context.Queue()
    writers = [context.Process(target=write_the_same, args=(str(database), start, results)) for _ in range(4)]
    for writer in writers:
        writer.start()
    start.set()
    messages = [message for _ in writers for message in results.get(timeout=120)]
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(messages) == int(spoilt)
    with Cache(database) as cache:
        assert (cache.info().files, cache.info().analyses) == (200, 200)
