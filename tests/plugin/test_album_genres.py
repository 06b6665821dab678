"""Albums: the sum over their tracks, with a genre and a mood of their own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from plugin import ears, rawtags
from plugin.conftest import Beets, Song, imported, state

PAGE = Path(__file__).parents[2] / "docs" / "plugin.md"
ALBUM = "$genres|$album_mood|$album_genre_top|$album_genre_jazz|$album_valence"


@pytest.fixture
def album(beet: Beets, song: Song) -> Beets:
    """An album in the library: two quiet tracks, that is jazz, and a loud one."""
    for kind, loudness, title in (("flac", "loud", "1"), ("mp3", "quiet", "2"), ("ogg", "quiet", "3")):
        song(kind, loudness, title=title)
    imported(beet)
    return beet


def albums(beet: Beets, form: str = ALBUM) -> list[str]:
    return beet.ls("-a", form=form)


def genres(beet: Beets) -> list[str]:
    return beet.ls("title+", form="$genres")


def test_an_album_has_the_sum_of_its_tracks_and_they_keep_theirs(album: Beets) -> None:
    out = album("genreclf", "-a")
    assert "1 album (1 genre and 1 mood written)" in out
    assert albums(album) == ["Jazz|Sad|jazz|0.667|0.003"]
    assert genres(album) == ["Hip-Hop", "Jazz", "Jazz"]
    assert rawtags.genre(album.music / "1.flac") == ["Hip-Hop"]
    (histogram,) = albums(album, "$album_genre_histogram")
    data = json.loads(histogram)
    assert data["tracks"] == 3
    assert (data["counts"]["jazz"], data["counts"]["hiphop"]) == (20, 10)
    assert albums(album, "$album_genre_bars") == ["Jazz ██████▋ 67% Hip-Hop ███▍ 33%"]


def test_only_tracks_unless_asked(album: Beets) -> None:
    album("genreclf")
    album("genreclf", "-A", "--force")
    assert albums(album, "$genres|%ifdef{album_genre_top}") == ["|"]


def test_albums_and_their_tracks_are_found(album: Beets) -> None:
    album("genreclf", "-a")
    assert len(album.ls("-a", "album_genre_jazz:0.6..")) == 1
    assert album.ls("-a", "album_genre_jazz:0.7..") == []
    assert len(album.ls("-a", "album_mood:sad", "album_genre_top:jazz")) == 1
    assert album.ls("album_genre_jazz:0.6..", "genre_jazz:..0.4") == ["1"]


def test_nothing_is_left_to_do(album: Beets) -> None:
    album("genreclf", "-a")
    before = state(album)
    assert "nothing to do: 3 tracks up to date" in album("genreclf", "-a")
    assert state(album) == before


def test_albums_follow_when_their_tracks_were_heard_before(album: Beets) -> None:
    album("genreclf")
    assert "1 album (1 genre and 1 mood written), 3 tracks up to date" in album("genreclf", "-a")


def test_pretend_shows_it(album: Beets) -> None:
    before = state(album)
    out = album("genreclf", "-a", "--pretend")
    assert state(album) == before
    album("genreclf")
    before = state(album)
    out = album("genreclf", "-a", "--pretend")
    assert "Jazz 63% (filled), Sad 64% (filled)" in out
    assert "album_mood: Sad" in out
    assert "Jazz ██████▋ 67%" in out
    assert state(album) == before


def test_only_the_albums_of_the_query(album: Beets, song: Song) -> None:
    assert "no track matches" in album("genreclf", "-a", "album_genre_top:jazz")
    assert album.ls("genre_model::.") == []


@pytest.mark.parametrize(
    ("policy", "expected"), [("fill", "Blues"), ("add", "Blues; Jazz"), ("force", "Jazz")]
)
def test_policies(album: Beets, policy: str, expected: str) -> None:
    album("modify", "-y", "-a", "-I", "genres=Blues")
    album.config["genreclf"]["policy"] = policy
    album("genreclf", "-a")
    assert albums(album, "$genres") == [expected]
    assert genres(album) == ["Hip-Hop", "Jazz", "Jazz"]
    album("genreclf", "-a", "--restore")
    assert albums(album) == ["Blues|$album_mood|$album_genre_top|$album_genre_jazz|$album_valence"]
    assert genres(album) == ["", "", ""]


def test_below_the_least_confidence_an_album_has_no_genre(album: Beets) -> None:
    album.config["genreclf"]["min_confidence"] = 1.0
    album("genreclf", "-a")
    assert albums(album, "$genres|$album_genre_top") == ["|jazz"]


def test_a_newer_model_renews_what_is_ours(album: Beets, tmp_path: Path) -> None:
    album("genreclf", "-a")
    other = ears.make_model(tmp_path / "other.onnx", "genre", "metal", "rock", version="2")
    album.config["genreclf"]["genre_model"] = str(other)
    album("genreclf", "-a")
    assert albums(album, "$genres|$album_genre_model|$album_genre_jazz") == ["Metal|test-genre 2|0.000"]
    album("modify", "-y", "-a", "-I", "genres=Blues")
    album.config["genreclf"]["genre_model"] = str(
        ears.make_model(tmp_path / "3.onnx", "genre", "pop", "rock")
    )
    album("genreclf", "-a")
    assert albums(album, "$genres|$album_genre_top") == ["Blues|pop"]
    album("genreclf", "--restore")
    assert albums(album, "$genres") == ["Blues"]


class TestRestore:
    """An album goes back with the last of its tracks."""

    def test_with_its_last_track(self, album: Beets) -> None:
        album("genreclf", "-a")
        assert "put back 2 tracks\n" in album("genreclf", "--restore", "title::[12]")
        assert albums(album, "$genres") == ["Jazz"]
        assert "put back 1 track and 1 album" in album("genreclf", "--restore")
        assert albums(album, "$genres|%ifdef{album_mood}") == ["|"]
        assert "nothing to put back" in album("genreclf", "--restore")

    def test_pretend(self, album: Beets) -> None:
        album("genreclf", "-a")
        before = state(album)
        assert "would put back 3 tracks and 1 album" in album("genreclf", "--restore", "--pretend")
        assert state(album) == before

    def test_fields_of_before_come_back(self, album: Beets) -> None:
        album("modify", "-y", "-a", "-I", "album_mood=Odd", "album_genre_jazz=0.5")
        album.config["genreclf"]["policy"] = "force"
        album("genreclf", "-a")
        assert albums(album, "$album_mood|$album_genre_jazz") == ["Sad|0.667"]
        album("genreclf", "-a", "--restore")
        assert albums(album, "$album_mood|$album_genre_jazz") == ["Odd|0.500"]

    def test_what_the_user_has_changed_since_is_left_alone(self, album: Beets) -> None:
        album("genreclf", "-a")
        album("modify", "-y", "-a", "-I", "genres=Blues")
        assert "genres changed since and left alone" in album("genreclf", "--restore")
        assert albums(album, "$genres|%ifdef{album_mood}") == ["Blues|"]


class TestCopies:
    """beets gives an album, and then its tracks, what one of them says."""

    @staticmethod
    def update(beet: Beets) -> None:
        # In beets' order the first track is then the one without an artist.
        path = rawtags.put_artist(beet.music / "2.mp3", "Y")
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
        beet("update")
        assert set(genres(beet)) == {"Hip-Hop"}, "what this is about"

    def test_reapply_gives_album_and_tracks_their_own(self, album: Beets) -> None:
        album("genreclf", "-a")
        self.update(album)
        assert albums(album, "$genres") == ["Hip-Hop"]
        album("genreclf", "-a", "--reapply")
        assert albums(album, "$genres") == ["Jazz"]
        assert genres(album) == ["Hip-Hop", "Jazz", "Jazz"]

    def test_a_copy_on_an_album_that_was_never_asked_for_is_ours(self, album: Beets) -> None:
        album("genreclf")
        self.update(album)
        album("genreclf", "-a")
        assert albums(album, "$genres") == ["Jazz"]
        album("genreclf", "--reapply")
        assert genres(album) == ["Hip-Hop", "Jazz", "Jazz"]

    def test_restore_takes_a_copy_away(self, album: Beets) -> None:
        album("genreclf")
        self.update(album)
        album("genreclf", "--restore")
        assert albums(album, "$genres") == [""]
        assert genres(album) == ["", "", ""]

    def test_a_genre_that_a_track_has_of_its_own_is_no_copy(self, beet: Beets, song: Song) -> None:
        song("mp3", "loud", title="1", genre=["Jazz"])
        song("flac", "loud", title="2")
        song("ogg", "quiet", title="3")
        imported(beet)
        assert albums(beet, "$genres") == ["Jazz"]
        beet("genreclf", "-a")
        assert genres(beet) == ["Jazz", "Hip-Hop", "Jazz"]
        assert albums(beet, "$genres|$album_genre_top") == ["Jazz|hiphop"]
        beet("genreclf", "--restore")
        assert albums(beet, "$genres") == ["Jazz"]


class TestImport:
    """During `beet import`."""

    @pytest.fixture
    def listening(self, beet: Beets, song: Song) -> Beets:
        for kind, loudness, title in (("flac", "loud", "1"), ("mp3", "quiet", "2"), ("ogg", "quiet", "3")):
            song(kind, loudness, title=title)
        beet.config["genreclf"]["auto"] = True
        return beet

    def test_albums_are_summed_up_and_name_folders(self, listening: Beets) -> None:
        listening.config["paths"]["default"] = "$genres/$album_genre_top/$title"
        imported(listening)
        assert albums(listening) == ["Jazz|Sad|jazz|0.667|0.003"]
        assert genres(listening) == ["Hip-Hop", "Jazz", "Jazz"]
        names = {path.relative_to(listening.music).as_posix() for path in listening.music.rglob("*.*")}
        assert names == {"Jazz/jazz/1.flac", "Jazz/jazz/2.mp3", "Jazz/jazz/3.ogg"}

    def test_documented_path_formats(self, listening: Beets) -> None:
        block = re.search(r"```yaml\n(paths:\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        assert block
        listening.config |= yaml.safe_load(block[1])
        listening.config["genreclf"] |= {"count": 2, "min_share": 0.1}
        imported(listening)
        assert albums(listening, "$genres") == ["Jazz; Hip-Hop"]
        assert {path.relative_to(listening.music).parts[0] for path in listening.music.rglob("*.*")} == {
            "Jazz"
        }

    def test_singletons_have_no_album(self, listening: Beets) -> None:
        imported(listening, "-s")
        assert albums(listening) == []
        assert genres(listening) == ["Hip-Hop", "Jazz", "Jazz"]

    def test_imported_anew_an_album_s_fields_stay_the_album_s(self, listening: Beets, tmp_path: Path) -> None:
        imported(listening)
        listening("import", "-L")
        assert albums(listening) == ["Jazz|Sad|jazz|0.667|0.003"]
        other = ears.make_model(tmp_path / "other.onnx", "genre", "metal", "rock", version="2")
        listening.config["genreclf"]["genre_model"] = str(other)
        listening("genreclf", "-a")
        assert albums(listening, "$genres|$album_genre_top") == ["Metal|metal"]
        assert listening.ls(form="$album_genre_top") == ["metal"] * 3
        listening("genreclf", "--restore")
        assert albums(listening, "$genres|%ifdef{album_mood}|%ifdef{album_genre_top}") == ["||"]
        assert listening.ls(form="$genres|%ifdef{album_genre_top}") == ["|"] * 3
