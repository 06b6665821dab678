"""What other commands of beets do to a library that was listened to: nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path
from sqlite3 import OperationalError
from tempfile import TemporaryDirectory

import pytest
from beets.library import Item, Library
from plugin import rawtags
from plugin.conftest import Beets, Song, imported

MATCHES = """
from beets.autotag import AlbumInfo, TrackInfo
from beets.metadata_plugins import MetadataSourcePlugin


class Matches(MetadataSourcePlugin):
    data_source = "Matches"

    def __init__(self):
        super().__init__()
        self.config.add({"year": 2001})

    def album(self):
        tracks = [
            TrackInfo(title=title, track_id=title, index=n, artist="The Artist", length=4.0)
            for n, title in enumerate("123", 1)
        ]
        return AlbumInfo(tracks=tracks, album="The Album", album_id="1", artist="The Artist", artist_id="2",
                         data_source="Matches", year=self.config["year"].get(int))

    def candidates(self, items, artist, album, va_likely):
        return [self.album()]

    def album_for_id(self, album_id):
        return self.album()

    def track_for_id(self, track_id):
        return None

    def item_candidates(self, item, artist, title):
        return []
"""


@pytest.fixture
def matched(beet: Beets, song: Song) -> Beets:
    """An album that was matched and listened to during its import; the first of three tracks is loud."""
    for kind, loudness, title in (("flac", "loud", "1"), ("mp3", "quiet", "2"), ("ogg", "quiet", "3")):
        song(kind, loudness, title=title)
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "matches.py").write_text(MATCHES)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": ["genreclf", "matches", "mbsync"]}
    beet.config["match"] = {"strong_rec_thresh": 0.9}
    beet.config["import"] |= {"autotag": True, "quiet": True}
    beet.config["paths"] = {"default": "$album/$title"}
    beet.config["genreclf"]["auto"] = True
    beet("import", str(beet.home.parent / "new"))
    assert beet.ls("year+", "title+", form="$album $title $year") == [f"The Album {n} 2001" for n in "123"]
    return beet


FORM = "$title $genres $mood $genre_jazz $mood_sad $genre_model $mood_histogram"


def heard(beet: Beets) -> tuple[list[str], list[str], list[tuple[object, ...]]]:
    files = [
        (path.name, rawtags.genre(path), rawtags.mood(path), rawtags.histogram(path, "genre"))
        for path in sorted(beet.music.rglob("*.*"))
    ]
    albums = beet.ls("-a", form="$genres $album_mood $album_genre_jazz $album_valence $album_mood_histogram")
    return beet.ls("title+", form=FORM), albums, files


def test_what_was_heard_stays(matched: Beets) -> None:
    before = heard(matched)
    assert [line.split()[1] for line in before[0]] == ["Hip-Hop", "Jazz", "Jazz"]
    matched.config["paths"] = {"default": "$genres/$mood $title"}
    for command in (
        ["modify", "-y", "year=1999"],
        ["modify", "-y", "-a", "albumtype=live"],
        ["write", "-f"],
        ["move"],
        ["update", "-F", "title"],
        ["update"],
    ):
        matched(*command)
        assert heard(matched)[:2] == before[:2], command
    names = {path.relative_to(matched.music).as_posix() for path in matched.music.rglob("*.*")}
    assert names == {"Jazz/Angry 1.flac", "Jazz/Sad 2.mp3", "Jazz/Sad 3.ogg"}, "one folder an album"
    assert [file[1:] for file in heard(matched)[2]] == [file[1:] for file in before[2]]
    assert "nothing to do" in matched("genreclf", "-a")


@pytest.mark.parametrize("again", [["import", "-L"], ["import", "-L", "-A"]])
def test_imported_again(matched: Beets, again: list[str]) -> None:
    tracks, albums, files = heard(matched)
    matched(*again)
    assert heard(matched)[:2] == (tracks, albums)
    assert [file[1:] for file in heard(matched)[2]] == [file[1:] for file in files]
    assert "nothing to do" in matched("genreclf")
    matched("genreclf", "--restore")
    assert matched.ls("title+", form="$title $genres") == ["1 ", "2 ", "3 "]
    assert {rawtags.genre(path) for path in matched.music.rglob("*.*")} == {None}


def test_matched_anew(matched: Beets) -> None:
    before = heard(matched)
    matched.config["matches"] = {"year": 2002}
    matched("mbsync")
    assert matched.ls("title+", form="$title $year") == ["1 2002", "2 2002", "3 2002"]
    assert len(set(matched.ls(form="$genres"))) == 1, "beets has copied the genre of one track"
    assert [line.split()[2:] for line in heard(matched)[0]] == [line.split()[2:] for line in before[0]]
    matched("genreclf", "-a", "--reapply")
    assert heard(matched) == before


def test_external_edits_are_still_seen_by_update(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("write", "-f")
    path = beet.music / "a.mp3"
    rawtags.put(path, title="changed outside")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    beet("genreclf")
    beet("update")
    assert beet.item().title == "changed outside"
    assert beet.ls(form="$genres $mood $mood_sad") == ["Jazz Sad 1.000"]


def update_takes_fields_of_plugins() -> bool:
    """Whether `beet update` can store them: that of beets 2.7 and 2.10 ends with a traceback."""
    with TemporaryDirectory() as folder:  # beets leaves backups beside a database, also one in memory
        lib = Library(str(Path(folder) / "library.db"), folder)
        item = Item(path=b"a.mp3")
        lib.add(item)
        item["mood"] = "x"
        try:
            item.store(fields=["mood"])
        except OperationalError:
            return False
        finally:
            lib._close()
    return True


@pytest.mark.skipif(not update_takes_fields_of_plugins(), reason="a fault of this beets")
def test_a_mood_that_another_program_writes_is_read_and_kept(beet: Beets, song: Song) -> None:
    for kind in rawtags.FORMATS:
        song(kind, title=kind)
    imported(beet)
    beet("genreclf")
    for path in beet.music.iterdir():
        rawtags.put(path, mood=["Gloomy", "Slow"])
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    beet("update")
    read = ["Gloomy; Slow 1.000"] * len(rawtags.FORMATS)
    assert beet.ls(form="$mood $mood_sad") == read
    beet("genreclf", "--reapply")
    assert "mood changed since and left alone" in beet("genreclf", "--restore")
    assert beet.ls(form="$mood %ifdef{mood_sad,$mood_sad,1.000}") == read


def test_update_after_a_run_finds_nothing_new(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("write", "-f")
    beet("genreclf")
    assert beet("update").strip() == ""
    assert beet("write", "-p").strip() == ""
