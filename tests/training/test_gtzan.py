"""GTZAN in every layout people have it in: what is read, what is left out, and what is said of a damaged copy."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import synth

from genrecore import audio
from genrecore_training.datasets import DatasetError, Gtzan
from genrecore_training.datasets.gtzan import GENRES

ALL = [f"{genre}.{number:05}" for genre in GENRES for number in range(100)]
ARTISTS = """\
## Bob L. Sturm, 2012
## ## ## ##
blues.00000.wav ::: John Lee Hooker ::: One Bourbon, One Scotch And One Beer
blues.00001.wav ::: John Lee Hooker :::\x20
metal.00058.wav ::: Dark Tranquillity ::: Monochromatic Stains
rock.00016.wav ::: Queen ::: Tie Your Mother Down
rock.00017.wav :::  :::\x20
"""


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Thirty seconds as the tarball, Kaggle's archive and the small folder have them, by extension."""
    folder = tmp_path_factory.mktemp("clips")
    kinds = {"au": "au", "wav": "wav", "opus": "opus"}
    return {k: synth.piece(folder / f"clip.{k}", 30, rate=22050, channels=1, kind=kinds[k]) for k in kinds}


def fill(folder: Path, clip: Path, names: Iterable[str]) -> Path:
    """Genre folders with a clip under these names: links, for a thousand files at the price of one."""
    for name in names:
        file = folder / name.split(".")[0] / f"{name}{clip.suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(clip, file)
    return folder


def replace(file: Path, data: bytes) -> None:
    file.unlink()
    file.write_bytes(data)


def archive(root: Path, names: list[str], shape: tuple[int, ...] = (128, 387)) -> None:
    values = np.arange(len(names), dtype=np.uint8)[(..., *(None,) * len(shape))] * np.ones(shape, np.uint8)
    np.savez(root / "logmel128x387_u8.npz", X=values, names=[f"{name}.wav" for name in names])


def lists(folder: Path, extension: str = "wav", **parts: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for part in ("train", "valid", "test"):
        lines = [f"{name.split('.')[0]}/{name}.{extension}\n" for name in parts.get(part, [])]
        (folder / f"{part}_filtered.txt").write_text("".join(lines))


LAYOUTS = [
    ("genres", "au"),
    (".", "au"),
    ("gtzan/genres", "au"),
    ("genres_original", "wav"),
    ("Data/genres_original", "wav"),
    ("gtzan/Data/genres_original", "wav"),
]


@pytest.mark.parametrize(("folder", "extension"), LAYOUTS)
def test_the_layouts_people_have(tmp_path: Path, clips: dict[str, Path], folder: str, extension: str) -> None:
    here = fill(
        tmp_path / folder, clips[extension], ["rock.00003", "blues.00000", "jazz.00053", "jazz.00054"]
    )
    (here / "rock" / f"._rock.00004.{extension}").write_bytes(b"what a Mac leaves behind")
    (here / "rock" / "rock.00005.png").write_bytes(b"a picture")
    (here / "rock" / f"rock.00100.{extension}").write_bytes(b"one too many")
    gtzan = Gtzan(tmp_path)
    assert [(track.id, track.label) for track in gtzan.tracks] == [
        ("blues.00000", "blues"),
        ("jazz.00053", "jazz"),
        ("rock.00003", "rock"),
    ]
    for track in gtzan.waveforms:
        assert track.whole
        assert track.artist == ""
        assert track.path == here / track.label / f"{track.id}.{extension}"
        assert audio.probe(track.path).duration == pytest.approx(30, abs=0.01)
    assert len(gtzan.waveforms) == 3
    assert not gtzan.has_archive
    assert not gtzan.whole
    with pytest.raises(DatasetError, match=r"logmel128x387_u8\.npz is missing"):
        gtzan.logmel("blues.00000")


def test_kaggles_archive_is_whole_though_one_file_is_damaged(tmp_path: Path) -> None:
    clip = synth.piece(tmp_path / "clip.wav", 30, rate=2000, channels=1)  # small, for a thousand to be opened
    folder = fill(tmp_path / "Data" / "genres_original", clip, ALL)
    replace(folder / "jazz" / "jazz.00054.wav", b"\0" * 5000)
    gtzan = Gtzan(tmp_path)
    assert gtzan.whole
    assert Counter(track.label for track in gtzan.tracks) == dict.fromkeys(GENRES, 100) | {"jazz": 99}
    # Of the archive nothing is wrong; what is no part of it is named, and where it comes from.
    faults = gtzan.validate()
    assert [re.search(r"[a-z_]+\.txt", fault)[0] for fault in faults] == [  # type: ignore[index]
        "artists_titles_sturm.txt",
        "train_filtered.txt",
        "valid_filtered.txt",
        "test_filtered.txt",
    ]
    assert all("github.com/coreyker/dnn-mgr" in fault for fault in faults[1:])
    assert "B. L. Sturm" in faults[0]


def test_nothing_is_found_twice_and_the_best_sound_is_taken(tmp_path: Path, clips: dict[str, Path]) -> None:
    archive(tmp_path, ["blues.00000", "blues.00001", "blues.00002", "blues.00003"])
    fill(tmp_path / "genres", clips["au"], ["blues.00000", "pop.00009"])
    fill(tmp_path / "genres_original", clips["wav"], ["blues.00000", "blues.00001"])
    for folder, names in (("audio", (0, 1, 2)), ("slices", (0, 1, 2, 3))):
        (tmp_path / folder).mkdir()
        for number in names:
            os.link(clips["opus"], tmp_path / folder / f"blues.0000{number}.opus")
    gtzan = Gtzan(tmp_path)
    assert [(track.id, track.path, track.whole) for track in gtzan.tracks] == [
        ("blues.00000", tmp_path / "genres" / "blues" / "blues.00000.au", True),
        ("blues.00001", tmp_path / "genres_original" / "blues" / "blues.00001.wav", True),
        ("blues.00002", tmp_path / "audio" / "blues.00002.opus", True),
        ("blues.00003", tmp_path / "slices" / "blues.00003.opus", False),
        ("pop.00009", tmp_path / "genres" / "pop" / "pop.00009.au", True),
    ]
    assert gtzan.has_archive
    sound = Gtzan(tmp_path, archive=False)
    assert not sound.has_archive
    assert sound.tracks == gtzan.tracks
    whole = Gtzan(tmp_path, whole_waveforms=True)
    assert whole.has_archive
    assert whole.tracks == tuple(track for track in gtzan.tracks if track.id != "blues.00003")
    assert gtzan.logmel("blues.00003").shape == (128, 387)
    assert np.all(gtzan.logmel("blues.00003") == np.float32((3 - 255) * np.float32(80 / 255)))


@pytest.mark.parametrize("name", ["artists_titles_sturm.txt", "GTZANindex.txt"])
def test_groups_are_artists(tmp_path: Path, clips: dict[str, Path], name: str) -> None:
    names = ["blues.00000", "blues.00001", "metal.00058", "rock.00016", "rock.00017", "rock.00018"]
    fill(tmp_path / "genres", clips["au"], names)
    (tmp_path / name).write_text(ARTISTS)
    gtzan = Gtzan(tmp_path)
    assert gtzan.tracks[0].title == "One Bourbon, One Scotch And One Beer"
    assert gtzan.groups == {
        "blues.00000": "john lee hooker",
        "blues.00001": "john lee hooker",
        "metal.00058": "dark tranquillity",
        "rock.00016": "dark tranquillity",  # the same recording
        "rock.00017": "unknown rock",
        "rock.00018": "unknown rock",
    }


def test_groups_never_pretend(tmp_path: Path, clips: dict[str, Path]) -> None:
    fill(tmp_path, clips["au"], ["blues.00000"])
    with pytest.raises(DatasetError, match=r"artists_titles_sturm\.txt is missing.*B\. L\. Sturm"):
        _ = Gtzan(tmp_path).groups
    (tmp_path / "GTZANindex.txt").write_text("<html>404</html>")
    for ask in (lambda: Gtzan(tmp_path).groups, lambda: Gtzan(tmp_path).tracks):
        with pytest.raises(DatasetError, match=r"GTZANindex\.txt holds no line like"):
            ask()
    assert len(Gtzan(tmp_path).validate()) == 1


@pytest.mark.parametrize(("folder", "extension"), [("splits", "wav"), (".", "au"), ("gtzan", "wav")])
def test_the_fault_filtered_lists(
    tmp_path: Path, clips: dict[str, Path], folder: str, extension: str
) -> None:
    fill(tmp_path / "genres", clips["au"], ["blues.00000", "blues.00001", "jazz.00000"])
    lists(
        tmp_path / folder,
        extension,
        train=["blues.00001", "jazz.00054"],
        valid=["jazz.00000", "pop.00001"],
        test=["blues.00000"],
    )
    # pop.00001 is not here, and jazz.00054 is nowhere.
    expected = {"train": ("blues.00001",), "validation": ("jazz.00000",), "test": ("blues.00000",)}
    assert Gtzan(tmp_path).lists == {"fault_filtered": expected}
    assert Gtzan(tmp_path).fault_filtered() == expected


def test_lists_that_are_missing_or_none_are_named(tmp_path: Path, clips: dict[str, Path]) -> None:
    fill(tmp_path / "genres", clips["au"], ["blues.00000"])
    lists(tmp_path / "splits", train=["blues.00000"])
    (tmp_path / "splits" / "valid_filtered.txt").unlink()
    with pytest.raises(
        DatasetError, match=r"valid_filtered\.txt is missing: take it from https://github\.com"
    ):
        _ = Gtzan(tmp_path).lists
    # The first edition of the lists has numbers for names: no empty list may come of it.
    (tmp_path / "splits" / "valid_filtered.txt").write_text("     1\n     2\n")
    with pytest.raises(DatasetError, match=r"valid_filtered\.txt: line 1 is '1' and not like"):
        _ = Gtzan(tmp_path).lists
    assert any("valid_filtered.txt: line 1" in fault for fault in Gtzan(tmp_path).validate())


def faults_of(gtzan: Gtzan) -> list[str]:
    """What is wrong, but for the lists."""
    return [fault for fault in gtzan.validate() if ".txt" not in fault]


def test_missing_files_are_named_or_counted(tmp_path: Path, clips: dict[str, Path]) -> None:
    lost = ["blues.00007", "disco.00099"]
    few = [
        name
        for name in ALL
        if name not in lost and not name.startswith("pop") and not "jazz.00009" < name < "jazz.00047"
    ]
    folder = fill(tmp_path / "genres", clips["au"], few)
    assert not Gtzan(tmp_path).whole
    assert faults_of(Gtzan(tmp_path)) == [
        f"{folder / 'blues' / 'blues.00007.au'} is missing",
        f"{folder / 'disco' / 'disco.00099.au'} is missing",
        f"jazz: 37 of 99 files are missing, the first is {folder / 'jazz' / 'jazz.00010.au'}",
        f"pop: 100 of 100 files are missing, the first is {folder / 'pop' / 'pop.00000.au'}",
    ]


def test_damaged_files_are_named_or_counted(tmp_path: Path, clips: dict[str, Path]) -> None:
    folder = fill(tmp_path / "genres", clips["au"], ALL)
    short = clips["au"].read_bytes()[: 22050 * 2 * 12]  # the header says thirty seconds still
    replace(folder / "blues" / "blues.00001.au", b"")
    replace(folder / "blues" / "blues.00002.au", b"<html>404</html>")
    replace(folder / "blues" / "blues.00003.au", short)
    for number in range(11):
        replace(folder / "rock" / f"rock.000{number:02}.au", b"")
    faults = faults_of(Gtzan(tmp_path))
    assert [fault.split("blues.0000")[-1][:9] for fault in faults[:3]] == [
        "1.au: the",
        "2.au: the",
        "3.au: it ",
    ]
    assert "empty" in faults[0]
    assert "no audio" in faults[1]
    assert "it ends after 12.0 s of about 30 s" in faults[2]
    assert faults[3].startswith("rock: 11 of 100 files are damaged, the first is ")
    assert len(faults) == 4


def test_a_cut_off_wav_and_opus_are_found(tmp_path: Path, clips: dict[str, Path]) -> None:
    folder = fill(tmp_path / "genres_original", clips["wav"], ["pop.00000", "pop.00001", "pop.00002"])
    wav, opus = folder / "pop" / "pop.00001.wav", tmp_path / "audio" / "rock.00001.opus"
    replace(wav, clips["wav"].read_bytes()[: 22050 * 2 * 12])
    opus.parent.mkdir()
    synth.cut(clips["opus"], opus)
    cut = [fault for fault in Gtzan(tmp_path).validate() if "it ends after" in fault]
    assert [fault.split(": ")[0] for fault in cut] == [str(wav), str(opus)]


def test_slices_are_checked_by_their_table(tmp_path: Path, clips: dict[str, Path]) -> None:
    (tmp_path / "slices").mkdir()
    os.link(clips["opus"], tmp_path / "slices" / "blues.00001.opus")
    assert faults_of(Gtzan(tmp_path)) == [
        f"{tmp_path / 'slices.csv'} is missing: it names what belongs into {tmp_path / 'slices'}"
    ]
    (tmp_path / "slices.csv").write_text("gtzan_id,seconds\nblues.00001,2.1\npop.00002,2.3\n")
    assert faults_of(Gtzan(tmp_path)) == [f"{tmp_path / 'slices' / 'pop.00002.opus'} is missing"]
    (tmp_path / "slices.csv").write_text("id,seconds\nblues.00001,2.1\n")
    assert faults_of(Gtzan(tmp_path)) == [f"{tmp_path / 'slices.csv'} has no column gtzan_id: get it again"]


def test_an_archive_of_another_kind_is_refused(tmp_path: Path) -> None:
    archive(tmp_path, ["blues.00000", "blues.00001"])
    assert [
        "it holds the log-mels of 2 tracks, not of 999" in fault for fault in faults_of(Gtzan(tmp_path))
    ] == [True]
    archive(tmp_path, ["blues.00000"], shape=(128, 300))
    with pytest.raises(DatasetError, match=r"npz: the log-mels of 1 tracks should be uint8 \(1, 128, 387\)"):
        _ = Gtzan(tmp_path).tracks
    file = tmp_path / "logmel128x387_u8.npz"
    for data in (b"", b"PK\x03\x04 cut off", b"<html>404</html>"):
        file.write_bytes(data)
        with pytest.raises(DatasetError, match=r"npz is no archive of log-mels"):
            _ = Gtzan(tmp_path).tracks
        assert len(Gtzan(tmp_path).validate()) == 1
    np.savez(file, data=np.zeros(3))
    with pytest.raises(DatasetError, match=r"npz is no archive of log-mels"):
        _ = Gtzan(tmp_path).tracks


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "genres" / "blues").mkdir(parents=True)
    with pytest.raises(
        DatasetError, match=r"genres/ or genres_original/.*\.npz is missing.*--data"
    ) as caught:
        _ = Gtzan(tmp_path).tracks
    assert Gtzan(tmp_path).validate() == [str(caught.value)]


def test_the_real_archive(shared_data: Path) -> None:
    gtzan = Gtzan(shared_data / "gtzan")
    assert gtzan.validate() == []
    assert gtzan.has_archive
    assert not gtzan.whole
    assert len(gtzan.tracks) == 999
    assert {part: len(ids) for part, ids in gtzan.lists["fault_filtered"].items()} == {
        "train": 442,
        "validation": 197,
        "test": 290,
    }
