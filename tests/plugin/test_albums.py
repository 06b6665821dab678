"""Tracks of albums: `beet update` copies the first track's genres to the others, in the library alone."""

from __future__ import annotations

import os

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song, imported, state


@pytest.fixture
def album(beet: Beets, song: Song) -> Beets:
    """An album of a quiet and a loud track, not yet imported."""
    song("mp3", "quiet", title="1")
    song("flac", "loud", title="2")
    return beet


@pytest.fixture
def heard(album: Beets) -> Beets:
    """The album in the library, each track with its genre."""
    imported(album)
    album("genreclf")
    assert album.ls("title+", form="$genres") == ["Jazz", "Hip-Hop"]
    return album


@pytest.fixture
def flattened(heard: Beets) -> Beets:
    """The album, one track of which has got the other's genre from beets."""
    beet = heard
    path = rawtags.put_artist(beet.music / "1.mp3", "Y")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    beet("update")
    assert len(set(beet.ls(form="$genres"))) == 1, "what this is about"
    return beet


def test_each_track_gets_its_own_back(flattened: Beets) -> None:
    assert "nothing to do" in flattened("genreclf")
    before = state(flattened)
    out = flattened("genreclf", "--reapply", "--pretend")
    assert ("+ Jazz" in out) != ("+ Hip-Hop" in out)
    assert state(flattened) == before
    assert "(2 from the cache)" in flattened("genreclf", "--reapply")
    assert flattened.ls("title+", form="$genres") == ["Jazz", "Hip-Hop"]
    assert rawtags.genre(flattened.music / "2.flac") == ["Hip-Hop"]


def test_what_was_there_before_comes_back(flattened: Beets) -> None:
    flattened("genreclf", "--restore")
    assert flattened.ls("title+", form="$genres") == ["", ""]
    assert rawtags.genre(flattened.music / "2.flac") is None


def test_what_was_there_before_comes_back_after_each_got_its_own(flattened: Beets) -> None:
    flattened("genreclf", "--reapply")
    flattened("genreclf", "--restore")
    assert flattened.ls("title+", form="$genres") == ["", ""]
    assert rawtags.genre(flattened.music / "2.flac") is None


def test_what_is_put_back_is_counted(flattened: Beets) -> None:
    assert "1 genre written (1 kept)" in flattened("genreclf", "--reapply")


def test_the_copy_is_known_after_the_first_track_has_been_put_back(flattened: Beets) -> None:
    (copied,) = set(flattened.ls(form="$genres"))
    first = "1" if copied == "Jazz" else "2"
    assert "put back 1 track" in flattened("genreclf", "--restore", f"title:{first}")
    assert "left alone" not in flattened("genreclf", "--restore")
    assert flattened.ls(form="$genres") == ["", ""]


def test_a_genre_of_one_track_in_the_library_alone_is_kept(heard: Beets) -> None:
    beet = heard
    for genre in ("Jazz", "Hip-Hop"):
        beet("modify", "-y", "-W", f"genres={genre}")
        beet("genreclf", "--reapply")
        assert beet.ls(form="$genres") == [genre, genre]


@pytest.fixture
def album_of_the_user_s(heard: Beets) -> Beets:
    """The album, whose owner has then given it a genre, in the library alone."""
    beet = heard
    beet("modify", "-y", "-a", "-W", "genres=Blues")
    assert beet.ls(form="$genres") == ["Blues", "Blues"]
    return beet


def test_a_genre_of_the_album_in_the_library_alone_is_kept(album_of_the_user_s: Beets) -> None:
    beet = album_of_the_user_s
    assert "2 kept" in beet("genreclf", "--reapply")
    assert beet.ls(form="$genres") == ["Blues", "Blues"]
    assert "changed since and left alone" in beet("genreclf", "--restore")
    assert beet.ls(form="$genres") == ["Blues", "Blues"]


@pytest.mark.parametrize("policy", ["add", "force"])
def test_a_genre_of_the_album_in_the_library_alone_can_be_put_back(
    album_of_the_user_s: Beets, policy: str
) -> None:
    beet = album_of_the_user_s
    beet.config["genreclf"]["policy"] = policy
    beet("genreclf")
    jazz = ["Blues; Jazz", "Blues; Hip-Hop"] if policy == "add" else ["Jazz", "Hip-Hop"]
    assert beet.ls("title+", form="$genres") == jazz
    beet("genreclf", "--restore")
    assert beet.ls(form="$genres") == ["Blues", "Blues"]


def test_a_genre_given_at_a_new_import_is_kept(album: Beets) -> None:
    beet = album
    beet.config["genreclf"]["auto"] = True
    imported(beet)
    beet("remove", "-f")
    beet("import", "-C", "--set", "genres=Blues", str(beet.music))
    assert beet.ls(form="$genres") == ["Blues", "Blues"]


def test_a_genre_of_the_user_s_for_the_album_is_kept(flattened: Beets) -> None:
    flattened("modify", "-y", "-a", "genres=Blues")
    assert rawtags.genre(flattened.music / "2.flac") == ["Blues"]
    flattened("genreclf", "--reapply")
    assert flattened.ls("title+", form="$genres") == ["Blues", "Blues"]
