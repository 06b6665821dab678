"""What the wheel holds, and that it works without the repository."""

from __future__ import annotations

import json
import zipfile
from email import message_from_string
from pathlib import Path

import numpy as np
import pytest
from mutagen.flac import FLAC

from demo.files import encode
from genrecore import model as model_files

CONFIG = """\
plugins: genreclf smartplaylist info
directory: library
library: library.db
import:
  copy: yes
genreclf:
  auto: no
  min_confidence: 0  # no model is to be sure of a made-up piece
"""


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_holds_three_packages_and_no_more(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert len(info) == 1
    assert tops - info == {"genrecore", "beetsplug", "genrecore_training"}
    assert {name.split("/")[1] for name in names if name.startswith("beetsplug/")} == {"genreclf"}


def test_leaves_the_namespace_of_beets_alone(names: set[str]) -> None:
    assert "beetsplug/__init__.py" not in names
    assert "beetsplug/genreclf/__init__.py" in names


def test_holds_weights_recipes_templates_and_type_markers(names: set[str]) -> None:
    weights = {name for name in names if name.startswith("genrecore/weights/") and name.endswith(".onnx")}
    assert {Path(name).stem for name in weights} >= {path.stem for path in model_files.bundled()}
    assert any(name.startswith("genrecore_training/recipes/") and name.endswith(".yaml") for name in names)
    templates = Path(__file__).parents[2] / "genrecore" / "report" / "templates"
    assert {f"genrecore/report/templates/{path.name}" for path in templates.iterdir()} <= names
    assert {"genrecore/py.typed", "genrecore_training/py.typed"} <= names


def test_metadata(wheel: Path, names: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        read = {Path(name).name: archive.read(name).decode() for name in names if ".dist-info/" in name}
    metadata = message_from_string(read["METADATA"])
    assert metadata["Name"] == "beets-genreclf"
    assert metadata["License-Expression"] == "MIT"
    assert set(metadata.get_all("License-File", [])) == {"LICENSE", "WEIGHTS.md"}
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "cpu",
        "gpu",
        "directml",
        "report",
        "training",
        "dev",
    }
    for extra, runtime in (("cpu", ""), ("gpu", "-gpu"), ("directml", "-directml")):
        wanted = [line for line in metadata.get_all("Requires-Dist", []) if f"'{extra}'" in line]
        assert [line.split(">")[0] for line in wanted] == [f"onnxruntime{runtime}"]
    assert "genrecore = genrecore.cli:main" in read["entry_points.txt"]
    assert "genrecore-train = genrecore_training.cli:main" in read["entry_points.txt"]


def test_works_far_from_the_repository(installed) -> None:
    home = installed.home
    packages = json.loads(installed.run("python", "-m", "pip", "list", "--format", "json").stdout)
    assert not {"torch", "librosa", "onnx"} & {package["name"] for package in packages}
    where = installed.run("python", "-c", "import genrecore; print(genrecore.__file__)").stdout
    assert Path(where.strip()).is_relative_to(installed.scripts.parent)

    assert "onnxruntime" in installed.run("genrecore", "doctor").stdout
    assert "mel-cnn-mood" in installed.run("genrecore", "models").stdout

    rng = np.random.default_rng(5)
    time = np.arange(8 * 44_100) / 44_100
    sound = sum(np.sin(2 * np.pi * f * time) for f in (220, 277.2, 329.6)) * np.exp(-(time % 0.5) * 6) / 4
    (home / "album").mkdir()
    song = home / "album" / "song.flac"
    mono = sound + 0.01 * rng.normal(size=time.size)
    encode(song, np.column_stack([mono, mono]).astype(np.float32))
    tags = FLAC(song)
    tags.update({"title": "Song", "artist": "Somebody", "album": "Album"})
    tags.save()

    line = json.loads(installed.run("genrecore", "analyze", "--json", "album/song.flac").stdout)
    assert sum(line["genre"]["counts"].values()) == line["sampling"]["snippets"] == 100

    installed.run("genrecore", "timeline", "album/song.flac", "--csv", "song.csv")
    assert (home / "song.csv").read_text().startswith("time,loudness,genre_top,")
    told = installed.run("genrecore", "timeline", "album/song.flac", code=1).stderr
    assert 'pip install "beets-genreclf[report]"' in told

    (home / "beets" / "config.yaml").write_text(CONFIG)
    installed.run("beet", "import", "-qA", "album")
    installed.run("beet", "genreclf")
    heard = installed.run("beet", "ls", "-f", "$genre_top|$genres|$mood|$path").stdout.strip().split("|")
    assert heard[0] == line["genre"]["top"]
    written = FLAC(heard[3])
    assert (written["genre"], written["mood"]) == ([heard[1]], [heard[2]])
    assert "genre" not in FLAC(song), "the file outside the library was touched"


def test_bundled_plugins_of_beets_still_load(installed) -> None:
    code = (
        "import beetsplug, beetsplug.genreclf, beetsplug.smartplaylist, beetsplug.duplicates\n"
        "print(getattr(beetsplug, '__file__', None))"
    )
    assert installed.run("python", "-c", code).stdout.strip() == "None"


def test_training_command_names_its_extra(installed) -> None:
    told = installed.run("genrecore-train", "recipes", code=2)
    message = (told.stdout + told.stderr).strip()
    assert 'pip install "beets-genreclf[cpu,training]"' in message
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1
