"""`beet genreclf` where something is wrong: files, names, options, models, the journal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import synth
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
    assert beet.ls("title+", "genreclf_failed::.") == ["empty", "gone", "noise"]
    assert "noise.mp3" in beet.ls("noise", form="$genreclf_failed")[0]


def test_what_failed_is_tried_again(beet: Beets, song: Song) -> None:
    for title in ("good", "noise", "empty", "later"):
        song(title=title)
    imported(beet)
    whole = (beet.music / "noise.mp3").read_bytes()
    for title in ("noise", "empty"):
        (beet.music / f"{title}.mp3").write_bytes(b"")
    beet("genreclf", "^later", status=1)
    (beet.music / "noise.mp3").write_bytes(whole)
    out = beet("genreclf", "--failed", status=1)
    assert "1 track in" in out
    assert "1 track failed (--failed tries again)" in out
    assert beet.ls("genreclf_failed::.") == ["empty"]
    assert beet.ls("title+", "genre:jazz") == ["good", "noise"], "the later one was not asked for"
    assert "no track matches" in beet("genreclf", "--failed", "noise")
    assert "no track matches" in beet("genreclf", "--failed", "title:later", ",", "title:good")


def test_what_is_put_back_is_not_tried_again(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    path = beet.music / "a.mp3"
    path.rename(beet.home / "elsewhere.mp3")
    beet("genreclf", "-f", status=1)
    (beet.home / "elsewhere.mp3").rename(path)
    beet("genreclf", "--restore")
    assert beet.ls("genreclf_failed::.") == []


def test_what_failed_during_an_import_is_tried_again(beet: Beets, song: Song) -> None:
    song("flac", title="good")
    path = song("flac", title="bad")
    whole = path.read_bytes()
    rawtags.put(synth.write(path, np.zeros(4 * 22050, np.float32)), title="bad")
    beet.config["genreclf"]["auto"] = True
    imported(beet)
    assert beet.ls("genreclf_failed::.") == ["bad"]
    (beet.music / "bad.flac").write_bytes(whole)
    assert "1 track in" in beet("genreclf", "--failed")
    assert beet.ls("genreclf_failed::.") == []
    assert beet.ls("title+", "genre:jazz") == ["bad", "good"]


def test_a_file_that_cannot_be_written(beet: Beets, song: Song, unprivileged: list[str]) -> None:
    song(title="a")
    beet.prefix = unprivileged
    imported(beet)
    (beet.music / "a.mp3").chmod(0o444)
    out = beet("genreclf", status=1)
    assert len([line for line in out.splitlines() if "a.mp3" in line]) == 1
    assert "a.mp3: its tags cannot be written" in out
    assert "1 without tags" in out
    assert beet.ls("genre:jazz", form="$genres $mood_sad") == ["Jazz 1.000"]
    assert "its tags cannot be written" in beet.ls(form="$genreclf_failed")[0]
    assert "1 without tags" in beet("genreclf", status=1)
    (beet.music / "a.mp3").chmod(0o644)
    beet("genreclf", "--failed")
    assert beet.ls("genreclf_failed::.") == []
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]


REFUSING = """
from beets.library import WriteError
from beets.plugins import BeetsPlugin

class Refusing(BeetsPlugin):
    def __init__(self):
        super().__init__()
        self.config.add({"path": "", "fault": "", "event": "write"})
        self.register_listener(self.config["event"].as_str(), self.refuse)

    def refuse(self, item, path, tags=None):
        if not path.endswith(self.config["path"].as_str().encode()):
            return
        fault = self.config["fault"].as_str()
        if fault == "write":
            raise WriteError(path, OSError("not this one"))
        if fault == "key":
            {}["title"]
        if fault == "shown":
            tags["title"], tags["genres"].append("Unheard"), tags.update(comments="seen")
"""


@pytest.fixture
def refusing(beet: Beets, song: Song) -> Beets:
    for kind, title in (("mp3", "a"), ("flac", "b"), ("ogg", "c")):
        song(kind, title=title)
    imported(beet)
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "refusing.py").write_text(REFUSING)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": ["refusing", "genreclf"]}
    return beet


@pytest.mark.parametrize("fault", ["write", "key"])
def test_a_file_that_another_plugin_fails_on(refusing: Beets, fault: str) -> None:
    beet = refusing
    beet.config["refusing"] = {"path": "b.flac", "fault": fault}
    for _ in range(2):  # told again, as long as it lasts
        out = beet("genreclf", status=1)
        told = [line for line in out.splitlines() if "b.flac" in line]
        assert len(told) == 1, out
        assert "its tags cannot be written" in told[0]
        assert ("KeyError: 'title'" in told[0]) == (fault == "key")
        assert "1 without tags" in out
        assert beet.ls("title+", form="$genres $mood") == ["Jazz Sad"] * 3
        assert rawtags.genre(beet.music / "a.mp3") == rawtags.genre(beet.music / "c.ogg") == ["Jazz"]
        assert rawtags.genre(beet.music / "b.flac") is None
    assert "1 track in" in out
    beet.config["refusing"] = {}
    assert "1 genre written" in beet("genreclf")
    assert rawtags.genre(beet.music / "b.flac") == ["Jazz"]
    assert "nothing to do" in beet("genreclf")
    beet.config["refusing"] = {"path": "b.flac", "fault": fault}
    out = beet("genreclf", "--restore", status=1)
    assert "b.flac: its tags cannot be put back" in out
    assert "put back 2 tracks, 1 track failed" in out


def test_a_plugin_that_fails_when_all_is_written(refusing: Beets) -> None:
    refusing.config["refusing"] = {"path": "b.flac", "fault": "key", "event": "after_write"}
    out = refusing("genreclf")
    assert "b.flac: another plugin has failed (KeyError: 'title')" in out
    assert rawtags.genre(refusing.music / "b.flac") == ["Jazz"]
    assert "nothing to do" in refusing("genreclf")


def test_other_plugins_see_every_tag_and_may_change_any(refusing: Beets) -> None:
    path = refusing.music / "b.flac"
    refusing("modify", "-y", "-W", "title:b", "artist=Somebody")
    before = rawtags.everything(path)
    refusing.config["refusing"] = {"path": "b.flac", "fault": "shown"}
    refusing("genreclf")
    after = rawtags.everything(path)
    assert rawtags.genre(path) == ["Jazz", "Unheard"]
    assert "seen" in str(after)
    assert "Somebody" not in str(after), "only what is ours, and what they changed"
    assert before.items() <= after.items()


FAILING = """
from beets.plugins import BeetsPlugin
from beetsplug.genreclf import tags

class Failing(BeetsPlugin):
    def __init__(self):
        super().__init__()
        tags.TagFile.read = self.fail

    def fail(self, *_):
        raise tags.TagError("the drive is asleep")
"""


@pytest.mark.parametrize("policy", ["fill", "add", "force"])
def test_tags_that_cannot_be_read_are_not_taken_for_none(beet: Beets, song: Song, policy: str) -> None:
    """The file has moods that the library, older than the plugin, does not know."""
    song("flac", title="a", mood=["Happy", "Upbeat"])
    path = beet.music / "a.flac"
    beet.config["plugins"] = []
    imported(beet)
    (beet.home / "plugins").mkdir()
    (beet.home / "plugins" / "failing.py").write_text(FAILING)
    beet.config |= {"pluginpath": [str(beet.home / "plugins")], "plugins": ["failing", "genreclf"]}
    beet.config["genreclf"]["policy"] = policy
    before = path.read_bytes()
    for _ in range(2):
        out = beet("genreclf", status=1)
        assert "a.flac: its tags cannot be read, so nothing is written" in out
        assert "(the drive is asleep)" in out
        assert beet.ls(form="[$genres] [$mood] $genre_jazz") == ["[] [$mood] $genre_jazz"]
        assert path.read_bytes() == before
    beet.config["plugins"] = ["genreclf"]
    beet("genreclf")
    moods = {"fill": ["Happy", "Upbeat"], "add": ["Happy", "Upbeat", "Sad"], "force": ["Sad"]}[policy]
    assert beet.ls(form="$genres, $mood") == [f"Jazz, {'; '.join(moods)}"]
    beet("modify", "-y", "a", "year=2001")
    assert rawtags.mood(path) == moods
    beet("genreclf", "--restore")
    beet("modify", "-y", "a", "year=2002")
    assert rawtags.mood(path) == ["Happy", "Upbeat"]
    assert rawtags.genre(path) is None


def test_a_file_that_cannot_be_read(beet: Beets, song: Song, unprivileged: list[str]) -> None:
    song(title="a")
    song(title="b")
    beet.prefix = unprivileged
    imported(beet)
    (beet.music / "a.mp3").chmod(0)
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
    song("flac", title="good")
    beet("import", "-s", str(tmp_path / "new" / "good.flac"))
    Path(os.fsdecode(name)).write_bytes(b"")
    beet("genreclf", status=1)
    assert beet.ls("genreclf_failed::.") == ["a"]
    assert beet.ls("genres:jazz") == ["good"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"policy": "sometimes"}, "genreclf.policy"),
        ({"jobs": -1}, "genreclf.jobs must be at least 0"),
        ({"snippets": 0}, "genreclf.snippets must be at least 1"),
        ({"min_confidence": 2}, "genreclf.min_confidence must be from 0 to 1"),
        ({"genre_model": "no-such-model"}, "no-such-model: no such model"),
        ({"device": "tpu"}, "genreclf.device"),
        (
            {"min_confidense": 0.4},
            "genreclf.min_confidense: there is no such option; did you mean min_confidence?",
        ),
        ({"genres": "yes"}, "genreclf.genres: there is no such option"),
        ({"policy": {"gnere": "add"}}, "genreclf.policy.gnere: there is no such task; did you mean genre?"),
        ({"policy": {"genre": "sometimes"}}, "genreclf.policy.genre: must be one of"),
        ({"min_confidence": {"mood": -1}}, "genreclf.min_confidence.mood must be from 0 to 1, not -1"),
        ({"count": 0}, "genreclf.count must be at least 1, not 0"),
        ({"min_share": "much"}, "genreclf.min_share: must be numeric"),
        ({"add_to": "top"}, "genreclf.add_to: must be one of"),
        ({"genre_map": "Rap"}, "genreclf.genre_map: must have a line for each label"),
        (
            {"genre_map": {"hip hopp": "Rap"}},
            "genreclf.genre_map.hip hopp: the model has no such label; did you mean",
        ),
        ({"genre_map": {"jazz": 3}}, "genreclf.genre_map.jazz: must be a name, a list of names, or null"),
        ({"mood_map": {"jazz": "Jazz"}}, "no such label; there are happy, angry, sad, relaxed"),
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
