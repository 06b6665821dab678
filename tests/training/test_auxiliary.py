"""What is learnt beside the task: answers, losses, who is left out."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import synth
import torch

from genrecore_training import recipes
from genrecore_training.augment import Augmentation
from genrecore_training.auxiliary import Head, answers, loss_of
from genrecore_training.crops import Crops, Material
from genrecore_training.datasets import (
    Annotation,
    DatasetError,
    Emotify,
    FourQuadrant,
    Gtzan,
    artist_key,
    share_an_artist,
)
from genrecore_training.datasets.emotify import EMOTIONS
from genrecore_training.lessons import artists_held_out, check_sources, lessons, may_be_heard
from genrecore_training.material import Bench
from genrecore_training.protocols import Split
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.words import may_be

SONGS = {"MT1": ("Alice", "Q1"), "MT2": ("The Bobs", "Q2"), "MT3": ("Carol", "Q3"), "MT4": ("Alice", "Q4")}
GENRES = {"blues": ("Alice", "Dan"), "metal": ("Bobs, The", "Eve")}
NAN = math.nan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GTZAN with four tracks, 4-Quadrant with four songs, Emotify with two clips; some artists stand in two of them."""
    root = tmp_path_factory.mktemp("data")
    piece = synth.piece(root / "piece.opus", 5, rate=48000, channels=1)
    lines = []
    for genre, artists in GENRES.items():
        for number, artist in enumerate(artists):
            name = f"{genre}.{number:05}"
            folder = root / "gtzan" / "genres_original" / genre
            folder.mkdir(parents=True, exist_ok=True)
            synth.piece(folder / f"{name}.wav", 5, rate=22050, channels=1)
            lines.append(f"{name}.wav ::: {artist} ::: song")
    (root / "gtzan" / "artists_titles_sturm.txt").write_text("\n".join(lines) + "\n")
    (root / "4qaed" / "audio").mkdir(parents=True)
    rows = [f"{song},{artist},,{quadrant},,Jazz" for song, (artist, quadrant) in SONGS.items()]
    for number in range(20):
        rows.append(f"away{number},,,Q1,,Jazz" if number % 2 else f"away{number},,,Q1,,Rap; Jazz")
    rows += [f"gone{number},,,Q1,,Rap" for number in range(20)]
    (root / "4qaed" / "annotations.csv").write_text(
        "song,artist,title,quadrant,moods,genres\n" + "\n".join(rows)
    )
    features = "".join(f"{song},{10**number},Q1\n" for number, song in enumerate(SONGS))
    (root / "4qaed" / "top100_features_panda.csv").write_text("SongID,F1,Quadrant\n" + features)
    for song in SONGS:
        (root / "4qaed" / "audio" / f"{song}.opus").write_bytes(piece.read_bytes())
    (root / "emotify" / "audio").mkdir(parents=True)
    shares = ",".join(str(number / 10) for number in range(9))
    table = f"track_id,genre,n_raters,{','.join(EMOTIONS)}\n1,pop,40,{shares}\n2,classical,40,{shares}\n"
    (root / "emotify" / "annotations.csv").write_text(table)
    for number in (1, 2):
        (root / "emotify" / "audio" / f"{number}.opus").write_bytes(piece.read_bytes())
    return root


def recipe(name: str, **changes: object) -> Recipe:
    content = recipes.load(name).model_dump(mode="json")
    return Recipe.model_validate(content | changes)


def test_numbers_become_ranks_and_shares_stay() -> None:
    numbers = Annotation("numbers", ("f",), {"a": (5.0,), "b": (-1.0,), "c": (1e9,), "d": (0.0,)})
    assert {k: v.tolist() for k, v in answers(numbers, ["a", "b", "c"]).items()} == {
        "a": [0.5],
        "b": [0],
        "c": [1],
    }
    shares = Annotation("shares", ("x", "y"), {"a": (0.25, 1.0)})
    assert {k: v.tolist() for k, v in answers(shares, ["a", "b"]).items()} == {"a": [0.25, 1]}


def test_the_loss_is_of_what_is_known() -> None:
    heads = (Head("t.label", True, 2, 1.0), Head("o.tags", False, 1, 0.5))
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    targets = torch.tensor([[1.0, 0.0, NAN], [NAN, NAN, 1.0]])
    one_of = math.log(1 + math.exp(-2))
    share = math.log(1 + math.exp(1))
    assert loss_of(logits, targets, heads, 0.0).item() == pytest.approx(one_of + 0.5 * share)
    logits.requires_grad_()
    nothing = loss_of(logits, torch.full_like(targets, NAN), heads, 0.0)
    assert nothing.item() == 0
    nothing.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert not logits.grad.any()
    loss_of(logits, targets, heads, 0.1).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all(), "what is not known pulls at nothing"


def test_mixup_mixes_tracks_of_which_the_same_is_known() -> None:
    signal = np.zeros((128, 39), np.float16)
    known = [
        Material(signal, np.array(row, np.float32), 8) for row in ([1, 0, NAN], [0, 1, NAN], [NAN, NAN, 1])
    ]
    _, targets = Crops(known, 39, Augmentation(mixup=0.5), seed=0).__getitems__(list(range(24)))
    task, beside = targets[:16], targets[16:]
    assert torch.allclose(task[:, :2].sum(1), torch.ones(16))
    assert ((task[:, 0] > 0.01) & (task[:, 0] < 0.99)).any()
    assert torch.isnan(task[:, 2]).all()
    assert torch.isnan(beside[:, :2]).all()
    assert (beside[:, 2] == 1).all()


def test_no_artist_of_a_test_is_heard_in_another_data_set(tmp_path: Path, data: Path) -> None:
    beside = [
        {"dataset": "4qaed", "targets": ["genres", "label"], "weight": 0.5, "crops_per_track": 3},
        {"dataset": "emotify", "targets": ["emotions"]},
    ]
    bench = Bench(recipe("end2end-gru-mel", auxiliary=beside), Gtzan(data / "gtzan"), tmp_path)
    split = Split(("blues.00001",), ("metal.00000",), ("blues.00000",))
    assert artists_held_out(bench, split) == {"alice", "bobs"}
    learnt = lessons(bench, split, data, tmp_path)
    assert learnt.tracks == {"gtzan": ("blues.00001",), "4qaed": ("MT3",), "emotify": ("1", "2")}
    assert [(head.name, head.one_of, head.size, head.weight) for head in learnt.heads] == [
        ("gtzan.label", True, 10, 1.0),
        ("4qaed.genres", False, 2, 0.5),
        ("4qaed.label", True, 4, 0.5),
        ("emotify.emotions", False, 9, 1.0),
    ]
    own, other, clip, _ = learnt.material
    assert (own.crops, other.crops, clip.crops) == (10, 3, 10)
    assert own.target[:10].tolist() == [1.0] + [0.0] * 9
    assert np.isnan(own.target[10:]).all()
    assert np.isnan(other.target[:10]).all()
    assert other.target[10:16].tolist() == [1, 0, 0, 0, 1, 0], "jazz, not rap; sad"
    assert clip.target[16:].tolist() == pytest.approx([n / 10 for n in range(9)])


def test_other_words_for_genres_are_labels_of_the_same_head(tmp_path: Path, data: Path) -> None:
    weak = [{"dataset": "4qaed", "crops_per_track": 3}, {"dataset": "emotify"}]
    bench = Bench(recipe("end2end-gru-mel", weak=weak), Gtzan(data / "gtzan"), tmp_path)
    split = Split(("blues.00001",), ("metal.00000",), ("blues.00000",))
    learnt = lessons(bench, split, data, tmp_path)
    assert learnt.tracks == {"gtzan": ("blues.00001",), "4qaed": ("MT3",), "emotify": ("1", "2")}
    _, jazz, pop, classical = (dict(zip(bench.labels, m.target, strict=True)) for m in learnt.material)
    assert (jazz["jazz"], pop["pop"], classical["classical"]) == (1, 1, 1)
    assert [material.crops for material in learnt.material] == [10, 3, 10, 10]
    with pytest.raises(DatasetError, match=r"annotations.csv is missing"):
        check_sources(recipe("end2end-gru-mel", weak=[{"dataset": "emotify"}]), tmp_path)
    with pytest.raises(RecipeError, match="weak: it is for GTZAN's genres"):
        recipes.check(recipe("mel-cnn-mood", weak=[{"dataset": "emotify"}]), "trial")


def test_a_word_may_mean_several_genres(tmp_path: Path, data: Path) -> None:
    assert may_be(FourQuadrant(data / "4qaed"))["MT1"] == {"jazz"}
    (tmp_path / "annotations.csv").write_text(
        "song,artist,title,quadrant,moods,genres\nMT1,,,Q1,,Pop/Rock; Rap\nMT2,,,Q2,,Latin; Holiday\n"
    )
    assert may_be(FourQuadrant(tmp_path)) == {"MT1": {"pop", "rock", "metal", "hiphop"}}, (
        "of MT2 no word says anything"
    )
    assert may_be(Emotify(data / "emotify")) == {"1": {"pop"}, "2": {"classical"}}
    with pytest.raises(ValueError, match="nothing is known"):
        may_be(Gtzan(data / "gtzan"))


def test_what_else_is_known_is_asked_of_training_tracks(tmp_path: Path, data: Path) -> None:
    beside = [{"dataset": "4qaed", "targets": ["features"]}]
    bench = Bench(recipe("mel-cnn-mood", auxiliary=beside, nothing=0), FourQuadrant(data / "4qaed"), tmp_path)
    learnt = lessons(bench, Split(("MT1", "MT2", "MT3"), (), ("MT4",)), data, tmp_path)
    assert learnt.tracks == {"4qaed": ("MT1", "MT2", "MT3")}
    # Ranks among three: the tested song's feature, the greatest, moves none of them.
    assert [material.target.tolist() for material in learnt.material] == [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0.5],
        [0, 0, 1, 0, 1],
    ]


def test_a_target_that_is_not_there_is_named(tmp_path: Path, data: Path) -> None:
    wrong = recipe("mel-cnn-mood", auxiliary=[{"dataset": "emotify", "targets": ["genres"]}])
    bench = Bench(wrong, FourQuadrant(data / "4qaed"), tmp_path)
    with pytest.raises(RecipeError, match="emotify has no genres; it has label, emotions"):
        lessons(bench, Split(("MT1",), (), ()), data, tmp_path)
    with pytest.raises(RecipeError, match="emotify has no genres"):
        check_sources(wrong, data)
    with pytest.raises(DatasetError, match=r"annotations.csv is missing"):
        check_sources(recipe("mel-cnn-mood", teacher={"recipes": ["x"], "unlabelled": ["emotify"]}), tmp_path)
    published = recipe("abela-gru-genre", auxiliary=[{"dataset": "4qaed", "targets": ["genres"]}])
    with pytest.raises(RecipeError, match="abela-gru has no embedding"):
        recipes.check(published, "trial")


def test_emotify_says_what_is_missing(tmp_path: Path, data: Path) -> None:
    clips = Emotify(data / "emotify")
    assert [(track.id, track.label) for track in clips.tracks] == [("1", "pop"), ("2", "classical")]
    assert len(set(clips.groups.values())) == 2
    assert (clips.validate(), clips.lists) == ([], {})
    assert Emotify(tmp_path).validate() == [
        f"{tmp_path / 'annotations.csv'} is missing: name the folder of the data with --data"
    ]
    table = (data / "emotify" / "annotations.csv").read_text()
    head, first, second = table.splitlines()
    for text, said in (
        ("track_id,genre\n1,pop\n", "has no column 'amazement'"),
        (f"{head}\n", "names no track"),
        (table.replace("pop", "polka"), "line 2: genre 'polka' is none of"),
        (f"{head}\n{first}\n{first}\n", "line 3: track 1 stands there twice"),
        (f"{head}\n{first}\n{second[:-8]}", "line 3 has"),
        (table.replace("0.8", "nan"), "line 2 holds a number that is none"),
        (table.replace("0.8", "much"), "'much'"),
    ):
        (tmp_path / "annotations.csv").write_text(text)
        (fault,) = Emotify(tmp_path).validate()
        assert said in fault
        assert str(tmp_path / "annotations.csv") in fault
    (tmp_path / "annotations.csv").write_text(table)
    assert f"{tmp_path / 'audio' / '1.opus'} is missing" in Emotify(tmp_path).validate()


def test_artists_of_joint_recordings_are_each_held_out() -> None:
    bob, wailers, both = map(
        artist_key, ("Bob Marley", "Bob Marley and The Wailers", "Lauryn Hill & Bob Marley")
    )
    assert share_an_artist(bob, both)
    assert share_an_artist(both, bob)
    assert share_an_artist(wailers, both)
    assert share_an_artist(artist_key("Celine Dion, Aretha Franklin, Carole King"), "aretha franklin")
    assert not share_an_artist("andy williams", "hank williams")
    assert not share_an_artist("", "hank williams")


def test_no_lesson_of_the_real_data_is_by_a_held_out_artist(tmp_path: Path, shared_data: Path) -> None:
    """Under each protocol, both ways; by the function that training uses, and the names once more by hand."""
    gtzan, moods = Gtzan(shared_data / "gtzan"), FourQuadrant(shared_data / "4qaed")
    genre = Bench(recipe("end2end-gru-mel"), gtzan, tmp_path)
    mood = Bench(recipe("mel-cnn-mood"), moods, tmp_path)
    for bench, other, protocols in (
        (genre, moods, ("development", "fault_filtered", "artist_grouped_3")),
        (mood, gtzan, ("development", "artist_grouped")),
    ):
        by_id = {track.id: track for track in other.tracks}
        for split in (split for protocol in protocols for split in bench.splits(protocol)):
            held = artists_held_out(bench, split)
            heard = may_be_heard(other, held)
            assert 0 < len(heard) < len(other.tracks), "there are such artists, so leaving them out matters"
            names = {bench.tracks[track].artist for track in (*split.validation, *split.test)} - {""}
            for track in heard:
                artist = by_id[track].artist
                assert artist not in names
                assert not any(f" {name} and " in f" {artist} and " for name in names), artist
                assert not any(artist and f" and {artist} " in f" and {name} " for name in names), artist


def test_development_leaves_the_fault_filtered_test_alone(tmp_path: Path, shared_data: Path) -> None:
    bench = Bench(recipe("end2end-gru-mel"), Gtzan(shared_data / "gtzan"), tmp_path)
    development, tested = bench.splits("development"), bench.splits("fault_filtered")[0]
    for split in development:
        assert not {*split.train, *split.validation} & set(tested.test)
    validated = [track for split in development for track in split.validation]
    assert sorted(validated) == sorted({*tested.train, *tested.validation})


def test_artists_of_many_tracks_give_fewer_snippets_of_each(tmp_path: Path, data: Path) -> None:
    split = Split(("blues.00000", "blues.00001", "metal.00000", "metal.00001"), (), ())
    lines = ["blues.00000.wav ::: Alice ::: a", "blues.00001.wav ::: Alice ::: b"]
    lines += ["metal.00000.wav ::: Eve ::: c", "metal.00001.wav ::: Bobs ::: d"]
    folder = tmp_path / "gtzan"
    shutil.copytree(data / "gtzan", folder)
    for number in (2, 3):
        shutil.copy(
            folder / "genres_original/blues/blues.00000.wav",
            folder / f"genres_original/blues/blues.0000{number}.wav",
        )
        lines.append(f"blues.0000{number}.wav ::: {'Alice' if number == 2 else 'Dan'} ::: e")
    (folder / "artists_titles_sturm.txt").write_text("\n".join(lines) + "\n")
    split = Split((*split.train, "blues.00002", "blues.00003"), (), ())

    def crops(power: float) -> list[int]:
        bench = Bench(recipe("end2end-gru-mel", even_artists=power), Gtzan(folder), tmp_path / "store")
        return [material.crops for material in lessons(bench, split, data, tmp_path / "store").material]

    assert crops(0) == [10] * 6
    alice, _, *others = crops(1)
    assert (alice, others) == (7, [10, 10, 7, 20])
