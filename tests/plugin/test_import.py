"""Listening during `beet import`: the tags land in the library's files and never in the source's."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song

MATCHES = """
from beets.autotag import AlbumInfo, TrackInfo
from beets.metadata_plugins import MetadataSourcePlugin


class Matches(MetadataSourcePlugin):
    data_source = "Matches"

    def track_for_id(self, track_id):
        return None

    def album_for_id(self, album_id):
        return None

    def candidates(self, items, artist, album, va_likely):
        tracks = [
            TrackInfo(title=item.title, track_id=item.title, index=n, artist="The Artist", length=item.length)
            for n, item in enumerate(sorted(items, key=lambda item: item.title), 1)
        ]
        return [AlbumInfo(tracks=tracks, album="The Album", album_id="1", artist="The Artist", artist_id="2")]

    def item_candidates(self, item, artist, title):
        return [TrackInfo(title=item.title, track_id="3", artist="The Artist", length=item.length)]
"""

PYLAST = """
class WSError(Exception): ...
class MalformedResponseError(Exception): ...
class NetworkError(Exception): ...

class _Name:
    def get_name(self):
        return "Blues"

class _Tag:
    item, weight = _Name(), 100

class _Opus:
    def __init__(self, *names):
        self.known = "Unheard" not in " ".join(names)
    def get_top_tags(self, limit=None):
        return [_Tag()] if self.known else []

class Album(_Opus): ...
class Artist(_Opus): ...
class Track(_Opus): ...

class LastFMNetwork:
    def __init__(self, api_key): ...
    get_track, get_album, get_artist = Track, Album, Artist
"""


WORKERS = """
import multiprocessing
from beets import ui
from beets.plugins import BeetsPlugin


class Workers(BeetsPlugin):
    def __init__(self):
        super().__init__()
        self.register_listener("import_task_files", self.show)
        self.register_listener("cli_exit", self.show)

    def show(self, **_):
        ui.print_("workers", *(str(child.pid) for child in multiprocessing.active_children()))
"""


@pytest.fixture(autouse=True)
def listening(beet: Beets) -> None:
    beet.config["genreclf"]["auto"] = True


def source(beet: Beets) -> Path:
    return beet.home.parent / "new"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check(path: Path, genre: str = "Jazz", mood: str = "Sad") -> None:
    assert rawtags.genre(path) == [genre]
    assert rawtags.mood(path) == [mood]
    assert rawtags.histogram(path, "genre")
    assert rawtags.histogram(path, "mood")


@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize("how", ["copy", "move", "nothing"])
def test_as_is(beet: Beets, song: Song, how: str, threaded: bool) -> None:
    song("mp3", "quiet", title="soft")
    song("flac", "loud", title="hard")
    before = contents(source(beet))
    beet.config["threaded"] = threaded
    beet.config["import"] |= {"copy": how == "copy", "move": how == "move"}
    beet("import", str(source(beet)))
    assert beet.ls("title+", form="$title $genres $mood $genre_top $mood_model") == [
        "hard Hip-Hop Angry hiphop test-mood 1",
        "soft Jazz Sad jazz test-mood 1",
    ]
    folder = source(beet) if how == "nothing" else beet.music
    check(folder / "soft.mp3")
    check(folder / "hard.flac", "Hip-Hop", "Angry")
    if how == "copy":
        assert contents(source(beet)) == before
    assert "nothing to do" in beet("genreclf")
    assert beet("write", "-p").strip() == ""


@pytest.mark.parametrize("how", ["link", "hardlink"])
def test_links_lead_to_the_source_which_is_not_touched(beet: Beets, song: Song, how: str) -> None:
    song(title="soft")
    before = contents(source(beet))
    beet.config["import"] |= {"copy": False, how: True}
    beet("import", str(source(beet)))
    assert contents(source(beet)) == before
    assert beet.ls(form="$genres $mood") == ["Jazz Sad"]


@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize("singletons", [False, True])
def test_matched(beet: Beets, song: Song, singletons: bool, threaded: bool) -> None:
    song("mp3", title="soft")
    song("m4a", title="softer")
    before = contents(source(beet))
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "matches.py").write_text(MATCHES)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": ["genreclf", "matches"], "threaded": threaded}
    beet.config["match"] = {"strong_rec_thresh": 0.9}
    beet.config["import"] |= {"autotag": True, "quiet": True}
    beet("import", *(["-s"] if singletons else []), str(source(beet)))
    assert beet.ls("title+", form="$title by $artist: $genres $mood") == [
        "soft by The Artist: Jazz Sad",
        "softer by The Artist: Jazz Sad",
    ]
    check(beet.music / "soft.mp3")
    check(beet.music / "softer.m4a")
    assert contents(source(beet)) == before
    assert "nothing to do" in beet("genreclf")
    assert beet("update").strip() == ""
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "soft.mp3") is None
    assert rawtags.mood(beet.music / "softer.m4a") is None
    assert beet.ls("genre:jazz") == []


def test_tags_of_the_user_stay(beet: Beets, song: Song) -> None:
    song("ogg", title="a", genre=["Blues"], mood=["Happy", "Upbeat"])
    beet("import", str(source(beet)))
    path = beet.music / "a.ogg"
    assert rawtags.genre(path) == ["Blues"]
    assert rawtags.mood(path) == ["Happy", "Upbeat"]
    assert rawtags.histogram(path, "mood")
    assert beet.ls(form="$genres / $mood / $mood_sad") == ["Blues / Happy; Upbeat / 1.000"]
    for command in (["modify", "-y", "title=b"], ["write", "-f"], ["update"]):
        beet(*command)
        path = beet.item().filepath
        assert rawtags.mood(path) == ["Happy", "Upbeat"]


def test_import_write_no(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["import"]["write"] = False
    beet("import", str(source(beet)))
    assert rawtags.genre(beet.music / "a.mp3") is None
    assert rawtags.histogram(beet.music / "a.mp3", "genre") is None
    assert beet.ls(form="$genres $mood") == ["Jazz Sad"]


def test_auto_no(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["genreclf"]["auto"] = False
    beet("import", str(source(beet)))
    assert rawtags.everything(beet.music / "a.mp3") == rawtags.everything(source(beet) / "a.mp3")
    assert beet.ls("mood_sad:0..") == []


def test_genre_and_mood_are_there_for_path_formats(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["paths"] = {"singleton": "$genres/$mood/$title"}
    beet("import", "-s", str(source(beet)))
    check(beet.music / "Jazz" / "Sad" / "a.mp3")


def test_a_bad_file_is_imported_all_the_same(beet: Beets, song: Song) -> None:
    song("mp3", title="a")
    song("flac", title="b")
    short = source(beet) / "b.flac"
    data = short.read_bytes()
    short.write_bytes(data[: len(data) // 8])  # half a second of it
    out = beet("import", str(source(beet)))
    assert len([line for line in out.splitlines() if "genreclf" in line and "b.flac" in line]) == 1, out
    assert beet.ls("title+") == ["a", "b"]
    assert beet.ls("genre:jazz") == ["a"], out


def test_the_import_goes_on_without_a_model(beet: Beets, song: Song) -> None:
    song(title="a")
    song(title="b")
    beet.config["genreclf"]["mood_model"] = "none-of-this-name"
    out = beet("import", "-s", str(source(beet)))
    assert out.count("none-of-this-name") == 1
    assert beet.ls("title+") == ["a", "b"]


def test_imported_again(beet: Beets, song: Song) -> None:
    song(title="a", genre=["Blues"])
    beet("import", str(source(beet)))
    beet("modify", "-y", "mood=Calm")
    beet("import", "-L", "-A")
    assert beet.ls(form="$genres $mood $mood_sad") == ["Blues Calm 1.000"]
    check(beet.music / "a.mp3", "Blues", "Calm")
    assert "nothing to do" in beet("genreclf")
    beet("genreclf", "--restore")
    assert beet.ls(form="$genres $mood") == ["Blues Calm"]
    assert rawtags.histogram(beet.music / "a.mp3", "mood") is None


@pytest.mark.parametrize("order", [["lastgenre", "genreclf"], ["genreclf", "lastgenre"]])
@pytest.mark.parametrize("singletons", [False, True])
def test_beside_lastgenre(beet: Beets, song: Song, order: list[str], singletons: bool) -> None:
    for title, artist in (("a", "Heard"), ("b", "Unheard")):
        rawtags.put_artist(song(title=title), artist)
        folder = source(beet) / artist
        folder.mkdir()
        os.rename(source(beet) / f"{title}.mp3", folder / f"{title}.mp3")
    (beet.home / "pylast.py").write_text(PYLAST)
    beet.path = [str(beet.home)]
    beet.config["plugins"] = order
    out = beet("import", *(["-s"] if singletons else []), str(source(beet)))
    assert "error loading plugin" not in out
    # Whoever comes first: each leaves alone what is there.
    wins = "Jazz" if order[0] == "genreclf" else "Blues"
    assert beet.ls("title+", form="$title $genres $mood") == [f"a {wins} Sad", "b Jazz Sad"]
    check(beet.music / "b.mp3")
    beet("genreclf")
    assert beet.ls("title+", form="$title $genres $mood") == [f"a {wins} Sad", "b Jazz Sad"]
    beet("lastgenre", "-f", "-A")
    beet("genreclf")
    assert beet.ls("title+", form="$title $genres $mood") == ["a Blues Sad", "b Jazz Sad"]
    assert rawtags.genre(beet.music / "a.mp3") == ["Blues"]


@pytest.mark.parametrize("order", [["scrub", "genreclf"], ["genreclf", "scrub"]])
def test_beside_scrub(beet: Beets, song: Song, order: list[str]) -> None:
    song("mp3", title="a", mood=["Happy", "Upbeat"])
    song("flac", title="b")
    beet.config["plugins"] = order
    beet("import", str(source(beet)))
    assert rawtags.mood(beet.music / "a.mp3") == ["Happy", "Upbeat"]
    check(beet.music / "b.flac")


def test_beside_zero(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["plugins"] = ["genreclf", "zero"]
    beet.config["zero"] = {"fields": ["mood", "genre_histogram"]}
    beet("import", str(source(beet)))
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]
    assert rawtags.mood(beet.music / "a.mp3") is None
    assert rawtags.histogram(beet.music / "a.mp3", "genre") is None
    assert beet.ls(form="$genres $mood") == ["Jazz Sad"]


@pytest.mark.parametrize("threaded", [True, False])
def test_workers_stay_for_the_whole_import(beet: Beets, song: Song, threaded: bool) -> None:
    for title in "abc":
        song(title=title)
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "workers.py").write_text(WORKERS)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": ["genreclf", "workers"], "threaded": threaded}
    out = beet("import", "-s", str(source(beet)))
    *seen, at_the_end = [line.split()[1:] for line in out.splitlines() if line.startswith("workers")]
    assert len(seen) == 3
    assert len(seen[0]) == 1
    assert seen[0] == seen[1] == seen[2]
    assert at_the_end == []


def heard_so_far(beet: Beets) -> int:
    try:
        with closing(sqlite3.connect(beet.home / "genreclf.db")) as database:
            return int(database.execute("SELECT count(*) FROM genrecore_analyses").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.skipif(os.name == "nt", reason="Windows sends this signal differently")
@pytest.mark.parametrize("how", ["Ctrl-C", "aBort"])
def test_an_album_can_be_left_in_the_middle(beet: Beets, song: Song, how: str) -> None:
    """Those that were heard are not heard again, and get their tags."""
    for n in range(20):
        song("wav", title=f"{n:02}")
    asked = how == "aBort"
    if asked:
        later = source(beet) / "later"
        later.mkdir()
        song(title="z").rename(later / "z.mp3")
        beet.config["import"] |= {"autotag": True, "quiet": False}
    beet.config["genreclf"]["snippets"] = 6000
    before = {path: path.read_bytes() for path in source(beet).glob("*.wav")}
    process = subprocess.Popen(
        beet.command("import", str(source(beet))),
        env=beet.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    if asked:
        process.stdin.write("u\n")  # the album as it is
        process.stdin.flush()
    give_up = time.monotonic() + 60
    while heard_so_far(beet) < 2 and time.monotonic() < give_up:
        time.sleep(0.05)
    stopped = time.monotonic()
    if asked:
        process.stdin.write("b\n")
        process.stdin.flush()
    else:
        os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=300)[1]
    assert time.monotonic() - stopped < 8, said
    assert "Traceback" not in said
    assert 2 <= heard_so_far(beet) < 18
    heard = [item.filepath for item in beet.items() if "genre_top" in item]
    assert heard
    # beets has not come to copying them.
    assert f"{20 - len(heard)} files of an unfinished import left without tags" in beet("genreclf")
    assert "nothing to do" in beet("genreclf")
    assert {path: path.read_bytes() for path in before} == before
    beet("move")
    assert "(20 from the cache)" in beet("genreclf")
    for path in (item.filepath for item in beet.items("genre_top::.")):
        assert path.parent == beet.music
        check(path)
