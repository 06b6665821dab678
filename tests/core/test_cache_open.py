"""Opening a cache: by name or URL, by several processes at once, where it may only be read, for a look only."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from core.shelf import METHOD, fill, make_analysis, make_file, names
from filelock import FileLock

from genrecore import cache_file
from genrecore.cache import Cache, default_path, open_cache
from genrecore.errors import CacheError, NoCache
from genrecore.keys import CacheKey, FileStat


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


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that another user reaches, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(script: str, database: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a process that may write only what all may."""
    # Everything is imported before the change of user, who may not reach this Python.
    begin = (
        "import os, sys, tempfile; sys.path[:0] = sys.argv[2:]\n"
        "from core.shelf import METHOD, fill, make_analysis\n"
        "from genrecore.cache import Cache, CacheError, open_cache\n"
        "from pathlib import Path\n"
        "with tempfile.TemporaryDirectory() as folder: fill(Path(folder) / 'cache.db', 1)\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
    )
    repository = Path(__file__).parents[2]
    folders = [str(repository), str(repository / "tests")]
    command = [sys.executable, "-c", begin + script, str(database), *folders]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name == "nt", reason="other permissions")
def test_a_folder_without_write_permission_is_one_warning(folder: Path) -> None:
    folder.chmod(0o555)
    script = "print(open_cache(sys.argv[1], notify=lambda m: print(m, file=sys.stderr)))"
    done = as_nobody(script, folder / "cache.db")
    assert (done.returncode, done.stdout) == (0, "None\n")
    assert done.stderr.count("\n") == 1
    assert "going on without a cache" in done.stderr


READ_AND_WRITE = """
with Cache(sys.argv[1]) as cache:
    print(cache.info().analyses, cache.get(METHOD.key(f"1:{0:064}")) is not None)
    try:
        cache.put(make_analysis(), METHOD.key("1:abc"))
    except CacheError as error:
        print(error)
with Cache(sys.argv[1], make=False) as cache:
    print(cache.info().analyses)
"""


@pytest.mark.skipif(os.name == "nt", reason="other permissions")
@pytest.mark.parametrize("writer", [False, True])
def test_a_cache_that_may_only_be_read_is_read(folder: Path, writer: bool) -> None:
    """One with a write-ahead log, at rest or in use by somebody who may write it."""
    database = folder / "cache.db"
    fill(database, 3)
    assert database.read_bytes()[18:20] == b"\2\2"  # has a write-ahead log
    with Cache(database) if writer else nullcontext() as cache:
        if cache is not None:
            cache.put(make_analysis("1:new"), METHOD.key("1:new"))
        count = 4 if writer else 3
        database.chmod(0o444)
        folder.chmod(0o555)
        done = as_nobody(READ_AND_WRITE, database)
    reason = "the cache cannot be used (attempt to write a readonly database)"
    assert done.stdout.splitlines() == [f"{count} True", f"{database}: {reason}", str(count)], done.stderr


@pytest.mark.skipif(os.name == "nt", reason="other permissions")
def test_a_log_that_cannot_be_read_in_is_not_passed_over(folder: Path) -> None:
    database = folder / "cache.db"
    with Cache(database) as cache:
        cache.put(make_analysis(), METHOD.key("1:abc"))
        crashed = folder / "crashed.db"
        for suffix in ("", "-wal"):
            shutil.copy(f"{database}{suffix}", f"{crashed}{suffix}")
    folder.chmod(0o555)
    done = as_nobody("print(open_cache(sys.argv[1], notify=print))", crashed)
    assert "unable to open database file); going on without a cache" in done.stdout


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


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_the_default_place_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRECORE_CACHE", f"{prefix}{tmp_path}/here.db")
    with Cache() as cache:
        assert cache.location == str(tmp_path / "here.db")
    assert names(tmp_path) == {"here.db"}
    monkeypatch.delenv("GENRECORE_CACHE")
    assert Path(default_path()).name == "analyses.db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+nosuchdriver://me:secret@localhost/x",
        "postgresql://me:secret@localhost:port/x",
        "post gres://me:secret@localhost/x",
    ],
)
def test_a_password_in_the_environment_becomes_no_name_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, messages: list[str], url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENRECORE_CACHE", url)
    assert open_cache(notify=messages.append) is None
    (message,) = messages
    assert "me:***@localhost" in message or "//***@localhost" in message
    assert list(tmp_path.iterdir()) == []


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


def test_who_finds_a_damaged_file_lets_nobody_else_move_it(
    database: Path, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.parent.mkdir()
    database.write_text("dear diary")
    set_aside = cache_file.set_aside

    def slowly(path: Path) -> Path:
        time.sleep(0.5)
        return set_aside(path)

    monkeypatch.setattr(cache_file, "set_aside", slowly)
    with ThreadPoolExecutor(3) as threads:
        caches = list(threads.map(lambda _: open_cache(database, notify=messages.append), range(3)))
    for cache in caches:
        assert cache is not None
        cache.close()
    (message,) = messages
    (aside,) = names(database.parent) - {database.name}
    assert aside in message
    assert (database.parent / aside).read_text() == "dear diary"


def test_a_lock_that_cannot_be_had_is_done_without(
    database: Path, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_file, "LOCK_SECONDS", 0.1)
    fill(database, 1)
    with FileLock(f"{database}-lock"), Cache(database, notify=messages.append) as cache:
        assert cache.info().analyses == 1
    Path(f"{database}-lock").unlink()
    Path(f"{database}-lock").mkdir()
    with Cache(database, notify=messages.append) as cache:
        assert cache.info().analyses == 1
    assert messages == []


@pytest.mark.parametrize("spoil", ["dear diary", None])
def test_looking_neither_makes_nor_moves_anything(
    database: Path, messages: list[str], spoil: str | None
) -> None:
    with pytest.raises(NoCache, match=r"cache\.db: there is no cache yet"):
        Cache(database, make=False)
    assert not database.parent.exists()
    database.parent.mkdir()
    if spoil is None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY)")
    else:
        database.write_text(spoil)
    before = database.read_bytes()
    with pytest.raises(CacheError, match=r"it was left as it is"):
        Cache(database, notify=messages.append, make=False)
    assert database.read_bytes() == before
    assert os.listdir(database.parent) == [database.name]
    assert messages == []


def test_damage_found_while_looking_is_an_error(database: Path) -> None:
    fill(database)
    with Cache(database, make=False) as cache:
        with database.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (database.stat().st_size - 4096))
        with pytest.raises(CacheError, match="malformed"):
            cache.info()
    assert names(database.parent) == {database.name}


@pytest.mark.parametrize("url", ["sqlite://", "file"])
def test_a_database_without_tables_is_no_cache_yet(database: Path, url: str) -> None:
    database.parent.mkdir()
    database.touch()
    with pytest.raises(NoCache):
        Cache(database if url == "file" else url, make=False)
    assert database.stat().st_size == 0
