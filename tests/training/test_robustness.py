"""Altered recordings and sounds that are no music, through real encoders and real networks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import synth
from click.testing import CliRunner
from core.rig import make_model

from genrecore_training import nothing
from genrecore_training.altering import ALTERATIONS, vinyl
from genrecore_training.auxiliary import LABEL
from genrecore_training.cli import group
from genrecore_training.lessons import lessons
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.robustness import measure
from genrecore_training.runs import Places, Run


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda alteration: alteration.name)
def test_an_alteration_is_what_it_is_called(tmp_path: Path, alteration: object) -> None:
    source = synth.piece(tmp_path / "source.wav", 3, rate=22050, channels=1)
    before, _ = soundfile.read(source)
    altered = next(a for a in ALTERATIONS if a is alteration)
    (tmp_path / "out").mkdir()
    path = altered.apply(source, tmp_path / "out")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.rate == (altered.rate or 22050)
        assert stream.codec_context.channels == altered.channels
    after, _ = soundfile.read(path, always_2d=True)
    loudness = np.sqrt(np.mean(after[:, 0] ** 2)) / np.sqrt(np.mean(before**2))
    expected = {"12 dB quieter": 0.25, "12 dB louder": 4.0, "12 dB louder, clipped": 3.4}.get(
        altered.name, 1.0
    )
    assert loudness == pytest.approx(expected, rel=0.35)
    assert (np.abs(after).max() > 1.5) == (altered.name == "12 dB louder")
    seconds = 4 if "silence" in altered.name else 3
    assert len(after) / (altered.rate or 22050) == pytest.approx(seconds, abs=0.12)
    if altered.bit_rate:
        assert path.stat().st_size * 8 / 3 == pytest.approx(altered.bit_rate, rel=0.4)


def test_a_worn_record_is_noisy_and_the_same_each_time() -> None:
    music = synth.music(3, rate=22050, channels=1)[:, 0]
    worn = vinyl(music, 22050)
    assert np.array_equal(worn, vinyl(music, 22050))
    assert 0.9 < np.corrcoef(worn, music)[0, 1] < 0.9999


def test_agreement_is_counted_on_test_tracks(
    tmp_path: Path,
    small_gtzan: Path,
    small_recipe: Callable[..., Recipe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = Places(small_gtzan, tmp_path / "store", tmp_path / "runs")
    recipe = small_recipe("plain")
    with pytest.raises(RecipeError, match="plain was not run under track_random"):
        measure(recipe, "track_random", places)
    Run(recipe, "track_random", 0, places).execute()
    chosen = [a for a in ALTERATIONS if a.name in ("clean", "stereo", "12 dB quieter")]
    found = measure(recipe, "track_random", places, clips=3, alterations=chosen)
    assert (found["n"], found["recipe_hash"]) == (3, recipe.digest)
    assert [entry["with"] for entry in found["agreement"]] == ["stereo", "12 dB quieter"]
    assert all(entry["value"] == 1 for entry in found["agreement"]), "the network is blind to level"
    assert found["other snippets"]["value"] == 1
    run = Run(recipe, "track_random", 0, places)
    assert set(found["tracks"]) <= set(run.split.test)
    odd = tmp_path / "odd"
    shutil.copytree(small_gtzan, odd)
    gone = found["tracks"][0]
    # FFmpeg reads it whatever its name; libsndfile does not know AAC.
    other = synth.piece(tmp_path / "other.m4a", 8, rate=22050, channels=1).read_bytes()
    (odd / "gtzan" / "genres_original" / gone.partition(".")[0] / f"{gone}.wav").write_bytes(other)
    again = measure(
        recipe, "track_random", Places(odd, places.store, places.runs), clips=3, alterations=chosen
    )
    assert gone not in again["tracks"]
    assert again["n"] == 2
    assert f"left out: {odd}" in capsys.readouterr().err
    assert len({track.split(".")[0] for track in found["tracks"]}) == 2, "of both genres"
    Run(recipe, "all", 0, places).fit()
    with pytest.raises(RecipeError, match="all tests no track of which there is the whole sound"):
        measure(recipe, "all", places)


def test_negative_controls_are_told(tmp_path: Path) -> None:
    models = [str(make_model(tmp_path / f"{task}.onnx", task)) for task in ("genre", "mood")]
    options = ["--genre-model", models[0], "--mood-model", models[1], "--count", "2", "--threshold", "1"]
    done = CliRunner().invoke(group, ["controls", *options, "--results", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "silence: refused 2 of 2" in done.output
    assert "white noise, genre:" in done.output
    found = {
        entry["sound"]: entry for entry in json.loads((tmp_path / "controls.json").read_text())["sounds"]
    }
    assert ("speech" in found) == (shutil.which("espeak-ng") is not None)
    assert found["sine"]["mood"]["abstains"] == 1
    assert sum(found["sine"]["genre"]["classes"].values()) == 2


def test_sounds_that_are_no_music_have_no_class(
    tmp_path: Path, small_gtzan: Path, small_recipe: Callable[..., Recipe]
) -> None:
    beside = [{"dataset": "emotify", "targets": [LABEL]}]
    recipe = small_recipe("beside", nothing=3, auxiliary=beside)
    run = Run(recipe, "track_random", 0, Places(small_gtzan, tmp_path / "store", tmp_path / "runs"))
    learnt = lessons(run.bench, run.split, small_gtzan, tmp_path / "store")
    *_, last = learnt.material
    assert len(learnt.material) == len(run.split.train) + 2 + 3
    assert last.target[:10].tolist() == pytest.approx([0.1] * 10)
    assert np.isnan(last.target[10:]).all()
    one, other = (list(nothing.made_up(4, 1.0, seed=seed)) for seed in (1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, nothing.made_up(4, 1.0, seed=1), strict=True))
    assert not np.array_equal(one[0], other[0])
    assert all(np.abs(sound).max() == pytest.approx(0.5) for sound in one)


def test_the_colour_of_noise() -> None:
    def fall(slope: float) -> float:
        power = np.abs(np.fft.rfft(nothing.noise(np.random.default_rng(0), 20.0, slope=slope))) ** 2
        octaves = [power[2**k : 2 ** (k + 1)].mean() for k in range(8, 17)]
        return float(np.mean(np.diff(10 * np.log10(octaves))))

    assert fall(0.0) == pytest.approx(0, abs=0.3)
    assert fall(1.0) == pytest.approx(-3, abs=0.3)
    assert fall(2.0) == pytest.approx(-6, abs=0.3)
