"""`beet genreclf` where something is wrong: files, names, options, models, the journal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song, imported, state


def test_bad_files_cost_only_themselves(beet: Beets, song: Song) -> None:
    for title in ("good", "noise", "gone", "empty"):
        song(title=title)
    imported(beet)
    (beet.music / "noise.mp3").write_bytes(os.urandom(20000))
    (beet.music / "gone.mp3").unlink()
    (beet.music / "empty.mp3").write_bytes(b"")
    out = beet("genreclf", status=1)
    for name in ("noise", "gone", "empty"):
        lines = [line for line in out.splitlines() if name in line]
        assert len(lines) == 1, out
        assert lines[0].startswith(f"genreclf: {beet.music / name}.mp3: ")
    assert "1 track in" in out
    assert "3 tracks failed" in out
    assert beet.ls("genre:jazz") == ["good"]


def test_a_file_that_cannot_be_written(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    (beet.music / "a.mp3").chmod(0o444)
    if os.access(beet.music / "a.mp3", os.W_OK):
        pytest.skip("this user may write everywhere")
    out = beet("genreclf", status=1)
    assert len([line for line in out.splitlines() if "a.mp3" in line]) == 1
    assert "a.mp3: its tags cannot be written" in out
    assert "1 without tags" in out
    assert beet.ls("genre:jazz", form="$genres $mood_sad") == ["Jazz 1.000"]
    (beet.music / "a.mp3").chmod(0o644)
    beet("write", "-f")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]


def test_a_file_that_cannot_be_read(beet: Beets, song: Song) -> None:
    song(title="a")
    song(title="b")
    imported(beet)
    (beet.music / "a.mp3").chmod(0)
    if os.access(beet.music / "a.mp3", os.R_OK):
        pytest.skip("this user may read everything")
    out = beet("genreclf", status=1)
    assert len([line for line in out.splitlines() if "a.mp3" in line]) == 1
    assert beet.ls("genre:jazz") == ["b"]


def test_other_hooks_run_though_a_file_failed(beet: Beets, song: Song) -> None:
    song(title="a")
    song(title="b")
    beet.config["plugins"].append("hook")
    mark = beet.home / "ran"
    beet.config["hook"] = {"hooks": [{"event": "cli_exit", "command": f"touch {mark}"}]}
    imported(beet)
    mark.unlink()
    (beet.music / "b.mp3").write_bytes(b"")
    beet("genreclf", status=1)
    assert mark.exists()


def test_names_that_are_not_text(beet: Beets, song: Song, tmp_path: Path) -> None:
    path = song(title="a")
    name = os.fsencode(tmp_path / "new") + b"/na\xefve \xe2\x82.mp3"
    try:
        os.rename(path, name)
    except OSError:
        pytest.skip("this file system has only text names")
    beet.config["import"]["copy"] = False
    imported(beet)
    beet("genreclf")
    copy = shutil.copy(name, os.fsencode(tmp_path / "copy.mp3"))
    assert rawtags.genre(Path(os.fsdecode(copy))) == ["Jazz"]
    assert "1 from the cache" in beet("genreclf", "-f")
    beet("genreclf", "--restore")
    copy = shutil.copy(name, os.fsencode(tmp_path / "copy.mp3"))
    assert rawtags.genre(Path(os.fsdecode(copy))) is None


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"policy": "sometimes"}, "genreclf.policy"),
        ({"jobs": -1}, "genreclf.jobs must be at least 0"),
        ({"snippets": 0}, "genreclf.snippets must be at least 1"),
        ({"min_confidence": 2}, "genreclf.min_confidence must be from 0 to 1"),
        ({"genre_model": "no-such-model"}, "no-such-model: no such model"),
        ({"device": "tpu"}, "genreclf.device"),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(beet: Beets, song: Song, option: dict, message: str) -> None:
    song(title="a")
    imported(beet)
    beet.config["genreclf"] |= option
    assert message in beet("genreclf", status=1)


def test_a_model_for_another_task(beet: Beets, song: Song, models: dict[str, Path]) -> None:
    song(title="a")
    imported(beet)
    beet.config["genreclf"]["genre_model"] = str(models["mood"])
    assert "it cannot be genreclf.genre_model" in beet("genreclf", status=1)


def test_nothing_is_written_without_a_journal(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    (beet.home / "genreclf-journal.db").write_text("not a database, but somebody's notes " * 50)
    before = state(beet)
    assert "genreclf-journal.db: the journal of previous tags cannot be used" in beet("genreclf", status=1)
    assert state(beet) == before
