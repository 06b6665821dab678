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

# As a plugin does that knows one mood a file, and declares no type for it.
OTHER_TAG = """
import mediafile
from beets.plugins import BeetsPlugin

class Other(BeetsPlugin):
    def __init__(self):
        super().__init__()
        styles = mediafile.MP3StorageStyle("TMOO"), mediafile.StorageStyle("MOOD")
        self.add_media_field("mood", mediafile.MediaField(*styles))
"""


def beside(beet: Beets, other: str, order: list[str]) -> None:
    plugins = beet.home / "plugins"
    plugins.mkdir()
    (plugins / "other.py").write_text(other)
    beet.config |= {"pluginpath": [str(plugins)], "plugins": order}


@pytest.mark.parametrize("auto", [False, True])
@pytest.mark.parametrize("order", [["other", "genreclf"], ["genreclf", "other"]])
def test_a_plugin_that_declares_the_same_fields(
    beet: Beets, song: Song, order: list[str], auto: bool
) -> None:
    song("flac", title="bare")
    song("mp3", title="one", mood=["Calm"])
    song("flac", title="rich", mood=["Happy", "Upbeat"])
    beside(beet, OTHER, order)
    beet.config["genreclf"]["auto"] = auto
    beet("import", str(beet.home.parent / "new"))
    steps: list[list[str]] = [["genreclf"], ["write", "-f"], ["modify", "-y", "year=2001"], ["genreclf"]]
    for step in steps:
        beet(*step)
        assert rawtags.mood(beet.music / "bare.flac") == ["Sad"], step
        assert rawtags.mood(beet.music / "one.mp3") == ["Calm"], step
        assert rawtags.mood(beet.music / "rich.flac") == ["Happy", "Upbeat"], step
    assert beet.ls("title+", form="$mood") == ["Sad", "Calm", "Happy; Upbeat"]
    beet("modify", "-y", "title:one", "mood=Gloomy; Slow")
    assert rawtags.mood(beet.music / "one.mp3") == ["Gloomy", "Slow"]
    beet.config["genreclf"]["policy"] = "add"
    beet("genreclf")
    assert rawtags.mood(beet.music / "rich.flac") == ["Happy", "Upbeat", "Sad"]
    assert beet.ls("title:rich", form="$mood") == ["Happy; Upbeat; Sad"]
    beet("genreclf", "--restore")
    assert rawtags.mood(beet.music / "bare.flac") is None
    assert rawtags.mood(beet.music / "rich.flac") == ["Happy", "Upbeat"]
    assert beet.ls("title:rich", form="$mood") == ["Happy; Upbeat"]


def test_a_plugin_whose_mood_tag_takes_one_text(beet: Beets, song: Song) -> None:
    song("flac", title="bare")
    song("mp3", title="one", mood=["Calm"])
    beside(beet, OTHER_TAG, ["other", "genreclf"])
    beet("import", str(beet.home.parent / "new"))
    for step in (["genreclf"], ["write", "-f"], ["modify", "-y", "year=2001"], ["genreclf"]):
        beet(*step)
        assert rawtags.mood(beet.music / "bare.flac") == ["Sad"], step
        assert rawtags.mood(beet.music / "one.mp3") == ["Calm"], step
    assert beet.ls("title+", form="$mood") == ["Sad", "Calm"]
    beet("modify", "-y", "title:one", "mood=Gloomy; Slow")
    assert rawtags.mood(beet.music / "one.mp3") == ["Gloomy; Slow"]
    beet("genreclf", "--restore")
    assert rawtags.mood(beet.music / "bare.flac") is None


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


@pytest.mark.parametrize("command", [["modify", "-y", "comments=x"], ["write", "-f"], ["genreclf"]])
def test_id3v23_keeps_a_mood_that_the_library_never_read(beet: Beets, song: Song, command: list[str]) -> None:
    song(title="a", mood=["Happy"])
    beet.config |= {"plugins": [], "id3v23": True}  # as in a library from before the plugin
    beet("import", str(beet.home.parent / "new"))
    assert "mood" not in beet.item()
    beet.config["plugins"] = ["genreclf"]
    beet(*command)
    assert rawtags.value(beet.music / "a.mp3", "TXXX:mood") == ["Happy"]


def test_id3v23_lets_go_of_a_mood_that_was_not_there_before(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config |= {"plugins": [], "id3v23": True}
    beet("import", str(beet.home.parent / "new"))
    beet.config["plugins"] = ["genreclf"]
    beet("genreclf")
    assert rawtags.value(beet.music / "a.mp3", "TXXX:mood") == ["Sad"]
    beet("genreclf", "--restore", "-W")  # so that only the file is left to be put back
    beet("genreclf", "--restore")
    assert rawtags.value(beet.music / "a.mp3", "TXXX:mood") is None


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
