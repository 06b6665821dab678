"""Smart playlists of beets' own plugin, as the documents have them, and up to date by themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from plugin import ears
from plugin.conftest import Beets, Song, imported

PAGE = Path(__file__).parents[2] / "docs" / "plugin.md"


@pytest.fixture
def playlists(beet: Beets, song: Song) -> Beets:
    """A quiet, a loud and a mixed song, not yet heard, and the playlists of the documents."""
    block = re.search(
        r"```yaml\n(plugins: musicbrainz genreclf smartplaylist\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert block
    documented = yaml.safe_load(block[1])
    beet.config["plugins"] = documented["plugins"].split()
    beet.config["smartplaylist"] = documented["smartplaylist"] | {
        "playlist_dir": str(beet.home / "lists"),
        "relative_to": str(beet.music),
    }
    song("mp3", "quiet", title="quiet")
    song("flac", "loud", title="loud")
    song("ogg", "mixed", title="mixed")
    imported(beet)
    return beet


def models(beet: Beets, genre: tuple[str, str], mood: tuple[str, str], version: str = "1") -> None:
    for task, (quiet, loud) in (("genre", genre), ("mood", mood)):
        path = ears.make_model(beet.home / f"{task}-{version}.onnx", task, quiet, loud, version=version)
        beet.config["genreclf"][f"{task}_model"] = str(path)


def listed(beet: Beets) -> dict[str, list[str]]:
    return {
        path.stem: sorted(path.read_text().split()) for path in sorted((beet.home / "lists").glob("*.m3u"))
    }


def test_the_documented_playlists(playlists: Beets) -> None:
    models(playlists, ("jazz", "metal"), ("relaxed", "angry"))
    playlists("genreclf")
    assert listed(playlists) == {
        "calm jazz for the evening": ["quiet.mp3"],
        "metal with energy, without hip-hop": ["loud.flac"],
        "one of two moods": ["quiet.mp3"],
    }
    models(playlists, ("hiphop", "metal"), ("sad", "angry"), "2")
    playlists("genreclf", "-f")
    assert listed(playlists) == {
        "calm jazz for the evening": ["quiet.mp3"],  # smartplaylist leaves a playlist that is empty now
        "metal with energy, without hip-hop": ["loud.flac"],
        "one of two moods": ["quiet.mp3"],
        "only sad songs": ["quiet.mp3"],
    }


def test_a_track_leaves_a_playlist(playlists: Beets) -> None:
    models(playlists, ("jazz", "metal"), ("sad", "sad"))
    playlists("genreclf")
    assert listed(playlists)["only sad songs"] == ["loud.flac", "mixed.ogg", "quiet.mp3"]
    models(playlists, ("jazz", "metal"), ("sad", "angry"), "2")
    playlists("genreclf")
    assert "loud.flac" not in listed(playlists)["only sad songs"]


def test_a_relative_folder_is_that_of_the_configuration(
    playlists: Beets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlists.config["smartplaylist"]["playlist_dir"] = "lists"
    monkeypatch.chdir(tmp_path)
    assert playlists("genreclf", "-q") == ""
    assert listed(playlists)
    assert not (tmp_path / "lists").exists()


def test_after_an_import(playlists: Beets, song: Song) -> None:
    models(playlists, ("jazz", "metal"), ("sad", "angry"))
    playlists.config["genreclf"]["auto"] = True
    for path in (playlists.home.parent / "new").iterdir():
        path.unlink()
    song("opus", "quiet", title="new")
    playlists("import", "-s", str(playlists.home.parent / "new"))
    assert listed(playlists)["only sad songs"] == ["new.opus"]


@pytest.mark.parametrize("off", ["genreclf.update_playlists", "smartplaylist.auto"])
def test_only_where_it_is_wanted(playlists: Beets, off: str) -> None:
    section, option = off.split(".")
    playlists.config[section][option] = False
    playlists("genreclf")
    assert listed(playlists) == {}


def test_not_without_a_change(playlists: Beets) -> None:
    playlists("genreclf", "-p")
    assert listed(playlists) == {}
    playlists("genreclf")
    assert listed(playlists)
    for path in (playlists.home / "lists").iterdir():
        path.unlink()
    playlists("genreclf")
    assert listed(playlists) == {}


def test_playlists_that_cannot_be_written_harm_nothing(playlists: Beets) -> None:
    (playlists.home / "lists").write_text("not a folder")
    assert "the smart playlists were not updated" in playlists("genreclf")
    assert playlists.ls("quiet", form="$genres") == ["Jazz"]
