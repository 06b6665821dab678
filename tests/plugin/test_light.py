"""What the plugin costs and does where it has nothing to do: other commands, other plugins."""

from __future__ import annotations

import subprocess
import sys

import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song

HEAVY = (
    "alembic",
    "av",
    "librosa",
    "numpy",
    "onnxruntime",
    "pebble",
    "rich",
    "scipy",
    "soundfile",
    "soxr",
    "sqlalchemy",
    "torch",
)


def modules_of(beet: Beets, *args: str) -> set[str]:
    """Top-level modules that a command leaves behind in `sys.modules`."""
    beet.command()
    code = (
        "import sys; from beets.ui import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env=beet.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "args", [["ls"], ["ls", "genres:jazz", "mood_sad:0.5..", "mood_sad-"], ["update"], ["--help"]]
)
def test_other_commands_import_nothing_heavy(beet: Beets, song: Song, args: list[str]) -> None:
    song(title="a")
    beet("import", str(beet.home.parent / "new"))
    loaded = modules_of(beet, *args)
    assert "beetsplug" in loaded
    assert "genrecore" not in loaded
    beet.config["plugins"] = []
    without = modules_of(beet, *args)  # beets has its own use for numpy
    assert "torch" not in without
    assert not (loaded - without) & set(HEAVY)


def test_a_run_with_nothing_to_do_starts_no_worker_and_no_decoder(beet: Beets, song: Song) -> None:
    song(title="a")
    beet("import", str(beet.home.parent / "new"))
    beet("genreclf")
    assert not modules_of(beet, "genreclf") & {"av", "librosa", "pebble", "rich", "soundfile", "torch"}


def test_no_file_of_ours_hides_beets_own_plugins() -> None:
    code = "import beetsplug.genreclf, beetsplug.smartplaylist; print(beetsplug.__spec__.origin)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


OTHER = """
from beets.dbcore import types
from beets.plugins import BeetsPlugin

class Other(BeetsPlugin):
    item_types = {"mood_sad": types.Float(6), "genre_jazz": types.INTEGER, "mood": types.STRING}
"""


@pytest.mark.parametrize("order", [["other", "genreclf"], ["genreclf", "other"]])
def test_a_plugin_that_declares_the_same_fields(beet: Beets, song: Song, order: list[str]) -> None:
    song(title="a")
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "other.py").write_text(OTHER)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": order}
    beet("import", str(beet.home.parent / "new"))
    assert beet.ls(form="$title") == ["a"]


@pytest.mark.parametrize("order", [["acousticbrainz", "genreclf"], ["genreclf", "acousticbrainz"]])
def test_beside_acousticbrainz(beet: Beets, song: Song, order: list[str]) -> None:
    song(title="a")
    beet.config["plugins"] = [*order, "types"]
    beet.config["types"] = {"valence": "float"}
    beet("import", str(beet.home.parent / "new"))
    beet("genreclf")
    assert beet.ls("mood_sad:0.5..", form="$mood_sad") == ["1.000000"]


def test_mood_of_an_untouched_item_survives_every_write(beet: Beets, song: Song) -> None:
    """The library read a file without a mood; another program has given it one since."""
    song("mp3", title="a")
    song("m4a", title="b")
    beet("import", str(beet.home.parent / "new"))
    for name in ("a.mp3", "b.m4a"):
        rawtags.put(beet.music / name, mood=["Happy", "Upbeat"])
    for id3v23 in (False, True):
        beet.config["id3v23"] = id3v23
        beet("modify", "-y", f"comments={id3v23}")
        beet("write", "-f")
        assert rawtags.mood(beet.music / "b.m4a") == ["Happy", "Upbeat"]
    assert rawtags.value(beet.music / "a.mp3", "TXXX:mood") == ["Happy/Upbeat"]
    beet("genreclf")
    assert beet.ls("title+", form="$mood") == ["Happy; Upbeat", "Happy; Upbeat"]


def test_a_mood_that_the_user_empties_is_emptied(beet: Beets, song: Song) -> None:
    song("flac", title="a", mood=["Happy", "Upbeat"])
    beet("import", str(beet.home.parent / "new"))
    assert beet.ls(form="$mood") == ["Happy; Upbeat"]
    beet("modify", "-y", "mood=")
    assert rawtags.mood(beet.music / "a.flac") is None


def test_several_moods_can_be_modified(beet: Beets, song: Song) -> None:
    song("flac", title="a")
    beet("import", str(beet.home.parent / "new"))
    beet("modify", "-y", "mood=Happy; Upbeat")
    assert rawtags.mood(beet.music / "a.flac") == ["Happy", "Upbeat"]
    beet("genreclf")
    assert rawtags.mood(beet.music / "a.flac") == ["Happy", "Upbeat"]


def test_nothing_is_left_in_files_that_have_no_mood(beet: Beets, song: Song) -> None:
    for kind in ("mp3", "m4a", "ogg"):
        song(kind, title=kind)
    beet("import", str(beet.home.parent / "new"))
    beet("write", "-f")
    for path in beet.music.iterdir():
        assert not [
            key for key in rawtags.everything(path) if "mood" in key.lower() or "histogram" in key.lower()
        ]
        assert rawtags.mood(path) is None
