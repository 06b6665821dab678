"""Log-mel against librosa, on noise and on real music."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrecore import audio
from genrecore.spectrogram import LogMelSpec, frames_of, logmel, mel_filters

librosa = pytest.importorskip("librosa")

TOLERANCE = 0.01  # dB


def reference(samples: np.ndarray, spec: LogMelSpec) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        win_length=spec.win_length,
        window=spec.window,
        center=spec.centre,
        pad_mode=spec.pad_mode,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        htk=spec.scale == "htk",
        norm=spec.norm if spec.norm != "none" else None,
    )
    return librosa.power_to_db(power, ref=1.0, amin=spec.amin, top_db=None)


SPECS = [
    LogMelSpec(),
    LogMelSpec(hop_length=854),
    LogMelSpec(hop_length=512, n_mels=40, fmin=50, fmax=8000),
    LogMelSpec(scale="htk", norm="none"),
    LogMelSpec(n_fft=1024, win_length=800, hop_length=427),
    LogMelSpec(centre=False),
]


@pytest.mark.parametrize("spec", SPECS)
def test_noise_is_as_librosa_says(spec: LogMelSpec) -> None:
    samples = np.random.default_rng(1).standard_normal(100_003).astype(np.float32) * 0.1
    ours = logmel(samples, spec)
    assert ours.dtype == np.float32
    assert ours.shape == (spec.n_mels, frames_of(len(samples), spec))
    np.testing.assert_allclose(ours, reference(samples, spec), atol=TOLERANCE)


def test_music_is_as_librosa_says(shared_data: Path) -> None:
    songs = sorted((shared_data / "songs").glob("*.ogg"))[:2]
    assert songs
    for song in songs:
        samples = audio.load(song, duration=20).samples
        ours, theirs = logmel(samples, LogMelSpec()), reference(samples, LogMelSpec())
        # 100 dB below the loudest, single precision rounds by more; the networks clip at 80.
        heard = theirs > theirs.max() - 100
        assert heard.mean() > 0.95
        np.testing.assert_allclose(ours[heard], theirs[heard], atol=TOLERANCE)


@pytest.mark.parametrize("spec", SPECS[:4])
def test_filters_are_librosas(spec: LogMelSpec) -> None:
    expected = librosa.filters.mel(
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        htk=spec.scale == "htk",
        norm=spec.norm if spec.norm != "none" else None,
    )
    np.testing.assert_allclose(mel_filters(spec), expected, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(length=st.integers(2048, 60_000), coarse=st.sampled_from([854, 1708]))
def test_a_finer_hop_holds_the_columns_of_the_coarser(length: int, coarse: int) -> None:
    """Models on hops that divide one another share one spectrogram."""
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    fine = logmel(samples, LogMelSpec(hop_length=427))
    expected = logmel(samples, LogMelSpec(hop_length=coarse))
    np.testing.assert_allclose(fine[:, :: coarse // 427], expected, atol=1e-4)


@pytest.mark.parametrize("length", [1, 1000, 1707, 1708, 2048, 436_000, 440_321])
def test_every_length_gives_its_frames(length: int) -> None:
    """Also where a track ends inside of a block, and where it is shorter than a frame."""
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    np.testing.assert_allclose(
        logmel(samples, LogMelSpec()), reference(samples, LogMelSpec()), atol=TOLERANCE
    )


def test_the_number_of_threads_changes_no_bit() -> None:
    program = (
        "import numpy as np, sys; from genrecore.spectrogram import *;"
        "x = np.random.default_rng(0).standard_normal(300_000).astype(np.float32);"
        "sys.stdout.write(logmel(x, LogMelSpec()).tobytes().hex())"
    )
    one, two = (
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    )
    assert one == two != ""


def test_silence_lies_on_the_floor() -> None:
    np.testing.assert_allclose(logmel(np.zeros(22050, np.float32), LogMelSpec(amin=1e-10)), -100, atol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": "bark"},
        {"norm": "peak"},
        {"fmax": 12000.0},
        {"hop_length": 0},
        {"win_length": 4096},
        {"pad_mode": "x"},
        {"window": "box"},
    ],
)
def test_a_spectrogram_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        LogMelSpec(**wrong)  # type: ignore[arg-type]
