"""The command ``genrecore`` as users start it, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from core.program import Genrecore, bad_files

from genrecore import model
from genrecore.analysis import Analysis
from genrecore.cli.files import collect
from genrecore.cli.render import as_json, printable
from genrecore.report.style import clock
from genrecore.settings import Settings


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_off_the_terminal(genrecore: Genrecore, songs: Path) -> None:
    done = genrecore.analyze(songs)
    assert (done.returncode, done.stderr) == (0, "")
    lines = sorted(done.stdout.splitlines())
    assert len(lines) == 6
    for line, path in zip(lines, sorted(songs.iterdir()), strict=True):
        assert re.fullmatch(
            re.escape(str(path))
            + r": [a-z]+ \d+% \([a-z]+ \d+(, [a-z]+ \d+)*\), [a-z]+ \d+% \([a-z]+ \d+.*\)",
            line,
        )


def test_json_is_the_contract(genrecore: Genrecore, songs: Path) -> None:
    (genrecore.folder / "text.mp3").write_text("dear diary")
    done = genrecore.analyze("--json", songs, "text.mp3")
    assert (done.returncode, done.stderr) == (1, "")
    objects = {Path(data["path"]).name: data for data in json_lines(done.stdout)}
    assert len(objects) == 7
    failed = objects.pop("text.mp3")
    assert set(failed) == {"path", "error"}
    assert failed["error"].startswith("text.mp3: ")
    for data in objects.values():
        assert list(data)[:6] == ["path", "content_hash", "duration", "genre", "mood", "sampling"]
        for part in (data["genre"], data["mood"]):
            assert list(part)[:5] == ["model", "top", "confidence", "counts", "probabilities"]
            assert sum(part["counts"].values()) == 20
            assert part["counts"][part["top"]] == max(part["counts"].values())
        assert data["sampling"]["snippets"] == 20
        assert Analysis.from_dict(data).genre.top == data["genre"]["top"]


def test_the_second_run_hears_nothing_and_says_the_same(genrecore: Genrecore, songs: Path) -> None:
    first = json_lines(genrecore.analyze("--json", songs).stdout)
    second = json_lines(genrecore.analyze("--json", songs).stdout)
    assert sorted(first, key=str) == sorted(second, key=str)  # the time of the analysis is part of it
    without = json_lines(genrecore.analyze("--json", "--no-cache", songs).stdout)
    assert not {line["analysed_at"] for line in first} & {line["analysed_at"] for line in without}
    assert genrecore.rows() == 6


def test_another_cache(genrecore: Genrecore, songs: Path, tmp_path: Path) -> None:
    assert genrecore.analyze(songs / "5 wav.wav", "--cache", tmp_path / "other.db").returncode == 0
    assert (tmp_path / "other.db").exists()
    assert not genrecore.database.exists()


@pytest.mark.slow
def test_the_same_numbers_with_any_number_of_jobs(genrecore: Genrecore, songs: Path) -> None:
    results = []
    for jobs in ("1", "3"):
        lines = json_lines(genrecore.analyze("--json", "--no-cache", "--jobs", jobs, songs).stdout)
        for data in lines:
            del data["analysed_at"]
        results.append(sorted(lines, key=str))
    assert results[0] == results[1]


def test_a_folder_of_bad_files(genrecore: Genrecore, songs: Path) -> None:
    folder = genrecore.folder / "Music"
    bad_files(folder, songs)
    shutil.copy(songs / "4 m4a.m4a", folder / "good.m4a")
    done = genrecore.analyze("Music")
    assert done.returncode == 1
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == [
        "Music/good.m4a", "Music/half.flac", "Music/half.mp3",
    ]  # fmt: skip
    complaints = sorted(done.stderr.splitlines())
    bad = ["Music/blip.wav", "Music/empty.mp3", "Music/hush.wav", "Music/noise.mp3", "Music/text.mp3"]
    assert [line.split(":")[0] for line in complaints if "half" not in line] == bad
    assert all("Traceback" not in line and len(line) < 200 for line in complaints)


def test_no_permission(genrecore: Genrecore, songs: Path, unprivileged: list[str]) -> None:
    genrecore.prefix = unprivileged
    path = genrecore.folder / "secret.wav"
    shutil.copy(songs / "5 wav.wav", path)
    path.chmod(0)
    done = genrecore.analyze(path, songs / "4 m4a.m4a")
    assert done.returncode == 1
    assert done.stdout.startswith(str(songs / "4 m4a.m4a"))
    assert "permission" in done.stderr


def test_names_of_all_kinds(genrecore: Genrecore, songs: Path) -> None:
    names = [
        b"Bj\xc3\xb6rk \xe2\x80\x93 J\xc3\xb3ga.wav",
        b"na\xefve.wav",
        b"two\nlines.wav",
        b"-n [bold]x.wav",
    ]
    folder = os.fsencode(genrecore.folder / "Music")
    os.mkdir(folder)
    for name in names:
        shutil.copy(songs / "5 wav.wav", os.path.join(folder, name))
    done = genrecore.analyze("--json", "Music")
    assert done.returncode == 0
    assert {os.fsencode(os.path.basename(data["path"])) for data in json_lines(done.stdout)} == set(names)
    plain = genrecore.analyze("Music")
    assert (plain.returncode, plain.stdout.count("\n")) == (0, 4)
    assert "Björk – Jóga" in plain.stdout
    assert "[bold]" in plain.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--snippets", "0", "x.mp3"],
        ["--jobs", "-1", "x.mp3"],
        ["--timeout", "0", "x.mp3"],
        ["--device", "abacus", "x.mp3"],
        ["--genre-model", "nonsense", "x.mp3"],
        ["--nonsense", "x.mp3"],
    ],
)
def test_wrong_usage(genrecore: Genrecore, wrong: list[str]) -> None:
    done = genrecore("analyze", *wrong)
    assert done.returncode == 2
    assert "Usage:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_of_the_other_task(genrecore: Genrecore, songs: Path) -> None:
    done = genrecore("analyze", "--genre-model", "mel-cnn-mood", songs)
    assert done.returncode == 1
    assert (
        done.stderr == "Error: mel-cnn-mood: this model decides the mood, not the genre: name another one\n"
    )


def test_help_has_examples(genrecore: Genrecore) -> None:
    for command in ([], ["analyze"], ["models"], ["cache"]):
        done = genrecore(*command, "--help")
        assert done.returncode == 0
        assert "  genrecore " in done.stdout
    assert genrecore("--version").stdout.startswith("genrecore ")


def test_files_are_collected_in_order(tmp_path: Path) -> None:
    for name in ("b/2.mp3", "b/1.FLAC", "a.ogg", "cover.jpg", ".hidden.mp3", ".git/x.mp3", "song.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "none").mkdir()
    extensions = frozenset({".mp3", ".flac", ".ogg"})
    files, problems = collect([str(tmp_path)], extensions)
    assert [os.path.relpath(file, tmp_path) for file in files] == ["a.ogg", "b/1.FLAC", "b/2.mp3"]
    assert problems == []
    # What is named is always tried, and nothing is done twice.
    named = [
        str(tmp_path / "song.txt"),
        str(tmp_path / "b" / "2.mp3"),
        str(tmp_path / "b"),
        str(tmp_path / "gone"),
    ]
    files, problems = collect(named, extensions)
    assert [os.path.relpath(file, tmp_path) for file in files] == ["song.txt", "b/2.mp3", "b/1.FLAC", "gone"]
    assert problems == []
    assert collect([str(tmp_path / "none")], extensions) == (
        [],
        [f"{tmp_path / 'none'}: there is no audio file in this folder"],
    )


def test_small_helpers() -> None:
    assert [clock(seconds) for seconds in (4, 59.6, 245, 3661)] == ["0:04", "1:00", "4:05", "1:01:01"]
    assert printable("a\tb\x1b[31mcé\udcff") == "a?b?[31mcé?"
    assert printable("é…", "ascii") == "??"
    assert as_json({"a": "é"}, "utf-8") == '{"a": "é"}'
    assert as_json({"a": "é"}, "ascii") == '{"a": "\\u00e9"}'
    assert json.loads(as_json({"a": "\udcff"}, "utf-8")) == {"a": "\udcff"}


def on_a_terminal(genrecore: Genrecore, columns: int, *args: str | Path) -> list[str]:
    """What stands on a terminal at the end; without the progress bar, which has wiped itself away."""
    master, slave = pytest.importorskip("pty").openpty()
    environment = {"COLUMNS": str(columns), "LINES": "100", "TERM": "xterm-256color"}
    genrecore.environment |= environment
    with genrecore.start(*args, stdout=slave, stderr=slave) as process:
        os.close(slave)
        data = b"".join(_read(master))
        assert process.wait() == 0
    os.close(master)
    # Of every line what was written last; colours and movements removed.
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", data).decode()
    return [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]


def _read(master: int) -> Iterator[bytes]:
    while select.select([master], [], [], 120)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return
        if not data:
            return
        yield data


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_with_bars_on_a_terminal(genrecore: Genrecore, songs: Path, columns: int) -> None:
    lines = on_a_terminal(genrecore, columns, "analyze", *genrecore.few, songs)
    text = "\n".join(lines)
    assert all(len(line) <= columns for line in lines)
    assert re.search(r"^File +Genre +Mood", text, re.MULTILINE)
    for path in songs.iterdir():
        assert path.name in text
    assert "█" in text
    assert re.search(r"\d+% sure", text)
    assert re.search(r"6 analysed in \d:\d\d", text)


def test_an_old_terminal_gets_plain_characters(genrecore: Genrecore, songs: Path) -> None:
    genrecore.environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    lines = on_a_terminal(genrecore, 80, "analyze", *genrecore.few, songs / "5 wav.wav")
    table = [line for line in lines if "listening" not in line]
    assert any("###" in line for line in table)
    assert all(line.isascii() for line in table)


def test_models(genrecore: Genrecore) -> None:
    done = genrecore("models")
    assert (done.returncode, done.stderr) == (0, "")
    for path in model.bundled():
        assert path.stem in done.stdout
    for word in ("task", "labels", "trained on", "figures", "size", "speed", "happy, angry, sad, relaxed"):
        assert word in done.stdout


def test_models_as_json_and_by_file(genrecore: Genrecore, settings: Settings) -> None:
    done = genrecore("models", "--json", "--speed", settings.genre_model, "mel-cnn-mood")
    assert done.returncode == 0
    mine, mood = json_lines(done.stdout)
    assert (mine["name"], mine["task"], mine["trained_on"]) == ("rig-genre", "genre", "nothing at all")
    (figure,) = mine["figures"]
    assert figure == {
        "protocol": "artist_grouped", "metric": "accuracy", "value": 0.5, "low": 0.4, "high": 0.6, "n": 100,
        "fold": None,
    }  # fmt: skip
    assert mine["bytes"] == Path(settings.genre_model).stat().st_size
    assert mine["ms_per_100_snippets"] > 0
    assert mood["labels"] == ["happy", "angry", "sad", "relaxed"]
    shown = genrecore("models", settings.genre_model).stdout
    assert "accuracy 0.500 [0.400, 0.600], n = 100, protocol artist_grouped, of the recipe" in shown


def test_a_faulty_model_is_named_and_the_others_are_shown(genrecore: Genrecore, settings: Settings) -> None:
    faulty = genrecore.folder / "faulty.onnx"
    faulty.write_bytes(b"nothing")
    done = genrecore("models", faulty, settings.genre_model)
    assert done.returncode == 1
    assert done.stderr.startswith(str(faulty))
    assert done.stderr.count("\n") == 1
    assert "rig-genre" in done.stdout


def test_cache_commands(genrecore: Genrecore, songs: Path) -> None:
    song = genrecore.folder / "song.wav"
    shutil.copy(songs / "5 wav.wav", song)
    genrecore.analyze(song, songs / "4 m4a.m4a")
    shown = genrecore("cache", "info").stdout
    assert str(genrecore.database) in shown
    assert re.search(r"^files +2$", shown, re.MULTILINE)
    assert "2 by rig-genre 0 and rig-mood 1, 20 snippets" in shown

    song.unlink()
    assert genrecore("cache", "prune", "--dry-run").stdout == "1 files and 1 analyses would be forgotten\n"
    assert genrecore("cache", "prune").stdout == "1 files and 1 analyses forgotten\n"
    assert genrecore.rows() == 1

    refused = genrecore("cache", "clear")
    assert refused.returncode == 1
    assert genrecore.rows() == 1
    assert genrecore("cache", "clear", "--yes").returncode == 0
    assert genrecore.rows() == 0


LOOKING_AFTER = (["info"], ["prune", "--dry-run"], ["prune"], ["clear", "--yes"])


def test_looking_after_a_cache_that_is_not_there_makes_none(genrecore: Genrecore) -> None:
    for command in LOOKING_AFTER:
        done = genrecore("cache", *command)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{genrecore.database}: there is no cache yet\n"
    assert not genrecore.database.parent.exists()


def test_looking_after_the_wrong_file_leaves_it_alone(genrecore: Genrecore) -> None:
    library = genrecore.folder / "library.db"
    with closing(sqlite3.connect(library)) as connection, connection:
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT)")
    notes = genrecore.folder / "notes.txt"
    notes.write_text("dear diary\n" * 100)
    before = {path.name: path.read_bytes() for path in genrecore.folder.iterdir()}
    theirs, nobodys = "is somebody else's SQLite database", "is damaged or not a database"
    for file, fault, commands in ((library, theirs, LOOKING_AFTER), (notes, nobodys, LOOKING_AFTER[:1])):
        for command in commands:
            done = genrecore("cache", *command, "--cache", file)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == f"Error: {file}: the cache {fault}; it was left as it is\n"
    assert {path.name: path.read_bytes() for path in genrecore.folder.iterdir()} == before


def test_a_damaged_cache_is_told_once_and_kept(genrecore: Genrecore, songs: Path) -> None:
    genrecore.database.parent.mkdir()
    genrecore.database.write_text("no database")
    done = genrecore.analyze(songs / "5 wav.wav")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "was moved to analyses.db.damaged-" in done.stderr
    assert genrecore.rows() == 1
    (aside,) = genrecore.database.parent.glob("*.damaged-*")
    assert aside.read_text() == "no database"


def test_without_a_place_for_the_cache(genrecore: Genrecore, songs: Path) -> None:
    genrecore.database.parent.touch()  # a file where the folder should be
    done = genrecore.analyze(songs / "5 wav.wav")
    assert (done.returncode, done.stdout.count("\n"), done.stderr.count("\n")) == (0, 1, 1)
    assert done.stderr.endswith("going on without a cache\n")
