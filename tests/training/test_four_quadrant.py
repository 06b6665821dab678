"""The 4-Quadrant data set as its authors distribute it, and as the folder with one table has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import synth

from genrecore_training.datasets import DatasetError, FourQuadrant

SONGS = {"MT0000004637": "Q3", "MT0000011357": "Q2", "MT0000040632": "Q1", "MT0000092267": "Q4"}
MOODS = {"Q1": "happy", "Q2": "angry", "Q3": "sad", "Q4": "relaxed"}

BARE = '"Song","Quadrant"\n' + "".join(f'"{song}","{quadrant}"\n' for song, quadrant in SONGS.items())
METADATA = """\
"Song","Artist","Title","Quadrant","PQuad","MoodsTotal","Moods","MoodsFoundStr","MoodsStr","MoodsStrSplit","Genres",\
"GenresStr","Sample","SampleURL"
"MT0000004637","Charlie Poole","Bulldog Down in Sunny Tennessee","Q3",0.5,2,2,"","Circular; Greasy","",2,"Country",1,""
"MT0000011357","Dismember","Reborn in Blasphemy","Q2",1,2,2,"","","",3,"Electronic",1,""
"MT0000040632","Gipsy Kings","Flamencos en el Aire, vivo","Q1",1,4,4,"","","",2,"Jazz",1,""
"MT0000092267","","Café","Q4",1,4,4,"","","",1,"Rap",1,""
"""


@pytest.fixture(scope="session")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synth.piece(tmp_path_factory.mktemp("moods") / "preview.mp3", 2, rate=22050, channels=1)


def distribute(root: Path, sound: Path, preview: Path, *, metadata: bool = True) -> Path:
    """The authors' archive, its sound in `sound`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "panda_dataset_taffc_annotations.csv").write_text(BARE)
    if metadata:
        (root / "panda_dataset_taffc_metadata.csv").write_text(METADATA, encoding="utf-8")
    for song, quadrant in SONGS.items():
        (sound / quadrant).mkdir(parents=True, exist_ok=True)
        os.link(preview, sound / quadrant / f"{song}.mp3")
    return root


PLACES = [
    (".", "."),
    (".", "audio"),
    ("audio", "audio"),
    ("MER_audio_taffc_dataset", "MER_audio_taffc_dataset"),
]


@pytest.mark.parametrize(("tables", "sound"), PLACES)
def test_the_authors_layout(tmp_path: Path, preview: Path, tables: str, sound: str) -> None:
    distribute(tmp_path / tables, tmp_path / sound, preview)
    moods = FourQuadrant(tmp_path)
    assert [(track.id, track.label, track.path) for track in moods.tracks] == [
        (song, MOODS[quadrant], tmp_path / sound / quadrant / f"{song}.mp3")
        for song, quadrant in SONGS.items()
    ]
    assert moods.tracks[2].title == "Flamencos en el Aire, vivo"
    assert moods.groups == {
        "MT0000004637": "charlie poole",
        "MT0000011357": "dismember",
        "MT0000040632": "gipsy kings",
        "MT0000092267": "unknown MT0000092267",
    }
    assert moods.lists == {}
    assert moods.validate() == []


def test_the_folder_with_one_table(tmp_path: Path, preview: Path) -> None:
    (tmp_path / "annotations.csv").write_text(
        "song,artist,title,quadrant,moods,genres\nMT1,The Beach Boys,Little Saint Nick,Q1,Fun; Happy,Holiday\n"
    )
    (tmp_path / "audio").mkdir()
    due = tmp_path / "audio" / "MT1.opus"
    assert FourQuadrant(tmp_path).validate() == [f"{due} is missing"]
    os.link(preview, due)
    (track,) = FourQuadrant(tmp_path).tracks
    assert (track.id, track.label, track.artist, track.path) == ("MT1", "happy", "beach boys", due)


def test_groups_never_pretend(tmp_path: Path, preview: Path) -> None:
    moods = FourQuadrant(distribute(tmp_path, tmp_path, preview, metadata=False))
    assert len(moods.tracks) == 4
    said = r"panda_dataset_taffc_metadata\.csv is missing.*http://mir\.dei\.uc\.pt"
    with pytest.raises(DatasetError, match=said):
        _ = moods.groups
    assert ["metadata.csv is missing" in fault for fault in moods.validate()] == [True]


def test_columns_in_any_case_and_a_table_from_windows(tmp_path: Path, preview: Path) -> None:
    distribute(tmp_path, tmp_path, preview)
    head, _, rest = METADATA.partition("\n")
    text = f"{head.upper()}\r\n{rest}".replace('"Q2"', '"q2"')
    (tmp_path / "panda_dataset_taffc_metadata.csv").write_bytes(text.encode("cp1252"))
    moods = FourQuadrant(tmp_path)
    assert [track.label for track in moods.tracks] == ["sad", "angry", "happy", "relaxed"]
    assert moods.tracks[3].title == "Café"


def test_validate_names_what_is_missing_or_damaged(tmp_path: Path, preview: Path) -> None:
    moods = FourQuadrant(distribute(tmp_path, tmp_path, preview))
    (tmp_path / "Q1" / "MT0000040632.mp3").unlink()
    empty = tmp_path / "Q2" / "MT0000011357.mp3"
    empty.unlink()
    empty.write_bytes(b"")
    faults = moods.validate()
    assert f"{tmp_path / 'Q1' / 'MT0000040632.mp3'} is missing" in faults
    assert any(fault.startswith(f"{empty}: the file is empty") for fault in faults)
    assert len(faults) == 2


HEAD = "song,artist,title,quadrant\n"
BAD = [
    ("", r"annotations\.csv has no column 'song'"),
    ("song,artist,title\nMT1,A,B\n", r"has no column 'quadrant': it needs song, quadrant, artist, title"),
    (HEAD, r"names no song"),
    (f"{HEAD}MT1,A,B,Q1\nMT2,A,B,Q5\n", r"line 3: quadrant 'Q5' is none of Q1, Q2, Q3, Q4"),
    (f"{HEAD}MT1,A,B,Q1\nMT1,A,B,Q2\n", r"line 3: song 'MT1' is empty or stands there twice"),
    (f"{HEAD}MT1,A,B,Q1\nMT2,A\n", r"line 3 has 2 of 4 columns"),
    (f"{HEAD}MT1,A,B,Q1\n", r"there is no sound of the 1 annotated songs"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_table_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "annotations.csv").write_text(text)
    with pytest.raises(DatasetError, match=said) as caught:
        _ = FourQuadrant(tmp_path).tracks
    assert str(tmp_path) in str(caught.value)
    assert len(FourQuadrant(tmp_path).validate()) == 1


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    said = r"annotations\.csv is missing, and so are panda_.*_metadata\.csv and panda_.*_annotations\.csv: .*--data"
    with pytest.raises(DatasetError, match=said) as caught:
        _ = FourQuadrant(tmp_path).tracks
    assert FourQuadrant(tmp_path).validate() == [str(caught.value)]


def test_the_real_folder(shared_data: Path) -> None:
    moods = FourQuadrant(shared_data / "4qaed")
    assert moods.validate() == []
    assert len(moods.tracks) == 800
    assert len(set(moods.groups.values())) > 500


def test_words_and_features_are_annotations(tmp_path: Path, preview: Path) -> None:
    songs = [f"MT{number}" for number in range(25)]
    lines = [f"{song},,,Q1,{'Fun; Happy' if song != 'MT3' else 'Rare'},Holiday;Jazz" for song in songs]
    (tmp_path / "annotations.csv").write_text("song,artist,title,quadrant,moods,genres\n" + "\n".join(lines))
    table = "".join(f"{song},{n},-1.5,Q1\n" for n, song in enumerate(songs))
    (tmp_path / "top100_features_panda.csv").write_text("SongID,F1,F2,Quadrant\n" + table)
    found = FourQuadrant(tmp_path).annotations
    assert found["genres"].names == ("Holiday", "Jazz")
    assert found["moods"].names == ("Fun", "Happy"), "a word of one song tells nothing"
    assert (found["moods"].values["MT0"], found["moods"].values["MT3"]) == ((1, 1), (0, 0))
    assert found["features"].names == ("f1", "f2"), "the label that stands in the table is no feature"
    assert (found["features"].kind, found["features"].values["MT7"]) == ("numbers", (7, -1.5))
    (tmp_path / "top100_features_panda.csv").write_text("SongID,F1\nMT0,many\n")
    with pytest.raises(DatasetError, match=r"top100_features_panda.csv: .*'many'.*: get it again"):
        _ = FourQuadrant(tmp_path).annotations


def test_the_authors_table_counts_words_beside_them(tmp_path: Path, preview: Path) -> None:
    head, row, *_ = METADATA.splitlines()
    rows = [row.replace("MT0000004637", f"MT{number}") for number in range(20)]
    distribute(tmp_path, tmp_path, preview)
    (tmp_path / "panda_dataset_taffc_metadata.csv").write_text("\n".join([head, *rows]))
    found = FourQuadrant(tmp_path).annotations
    assert (found["moods"].names, found["genres"].names) == (("Circular", "Greasy"), ("Country",))
    assert "features" not in found
