"""Random snippets and their augmentation: seeded, of the right shape, and separate in drawing and applying."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import synth
import torch

from genrecore.spectrogram import LogMelSpec, logmel
from genrecore_training.augment import Augmentation, apply_mel, apply_wave, draw_mel, draw_wave, mix_styles
from genrecore_training.crops import Crops, EvenCrops, Material

STRONG = Augmentation(
    stretch=0.2,
    shift=3,
    tilt=4,
    floor=30,
    time_masks=1,
    time_width=8,
    band_masks=2,
    band_width=16,
    noise=1,
    hiss=40,
    cutoff=0.5,
    gain=6,
    mixup=0.3,
)


def mel_material(length: int = 100, crops: int = 3) -> list[Material]:
    rng = np.random.default_rng(length)
    return [
        Material(rng.uniform(-80, 0, (128, length)).astype(np.float16), np.eye(4, dtype=np.float32)[k], crops)
        for k in range(4)
    ]


def wave_material(length: int, crops: int = 2) -> list[Material]:
    rng = np.random.default_rng(length)
    return [
        Material(rng.integers(-9000, 9000, length).astype(np.int16), np.eye(4, dtype=np.float32)[k], crops)
        for k in range(4)
    ]


def test_an_epoch_is_the_same_whenever_it_is_drawn() -> None:
    first, second = Crops(mel_material(), 39, STRONG, seed=5), Crops(mel_material(), 39, STRONG, seed=5)
    first.set_epoch(1)
    first.__getitems__([0, 1])
    second.set_epoch(1)
    for one, other in zip(first.__getitems__([3, 4, 7]), second.__getitems__([3, 4, 7]), strict=True):
        assert np.array_equal(one, other)
    second.set_epoch(2)
    assert not np.array_equal(first.__getitems__([3])[0], second.__getitems__([3])[0])


def test_every_track_gives_its_number_of_snippets() -> None:
    crops = Crops(mel_material(crops=3), 39, Augmentation(), seed=0)
    assert len(crops) == 12
    snippets, targets = crops.__getitems__(list(range(12)))
    assert snippets.shape == (12, 128, 39)
    assert targets.sum(0).tolist() == [3, 3, 3, 3]


def test_without_augmentation_a_snippet_is_a_piece_of_its_track() -> None:
    material = mel_material()
    snippets, _ = Crops(material, 39, Augmentation(), seed=0).__getitems__([0])
    track = material[0].signal.astype(np.float32)
    places = [i for i in range(100 - 39 + 1) if np.allclose(track[:, i : i + 39], snippets[0], atol=1e-3)]
    assert len(places) == 1


@pytest.mark.parametrize("length", [20_000, 66_000, 150_000])
def test_waveforms_of_any_length_give_whole_snippets(length: int) -> None:
    how = Augmentation(stretch=0.06, gain=6, tilt=3, noise=0.02)
    snippets, _ = Crops(wave_material(length), 65_999, how, seed=0).__getitems__(list(range(8)))
    assert snippets.shape == (8, 65_999)
    assert np.isfinite(snippets.numpy()).all()
    even = EvenCrops(wave_material(length), 65_999, count=3)
    assert len(even) == 4 * (3 if length > 65_999 else 1)
    assert even.__getitems__(list(range(len(even))))[0].shape == (len(even), 65_999)


def test_a_fixed_section_is_taken_as_it_is() -> None:
    material = [Material(item.signal[:, :39], item.target, 1) for item in mel_material()]
    crops = Crops(material, 39, Augmentation(), seed=0)
    snippets, _ = crops.__getitems__([0, 1, 2, 3])
    crops.set_epoch(7)
    assert torch.equal(crops.__getitems__([0, 1, 2, 3])[0], snippets)
    np.testing.assert_array_equal(snippets[2], material[2].signal.astype(np.float32))


def test_numbers_of_a_table_are_left_alone() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 11)).astype(np.float32)
    material = [Material(row, np.eye(4, dtype=np.float32)[k], 1) for k, row in enumerate(rows)]
    np.testing.assert_array_equal(
        Crops(material, 11, Augmentation(), seed=0).__getitems__([3, 1])[0], rows[[3, 1]]
    )
    np.testing.assert_array_equal(EvenCrops(material, 11).__getitems__([2])[0], rows[[2]])


def test_a_short_waveform_is_tiled() -> None:
    material = wave_material(20_000)
    snippets, _, _ = EvenCrops(material, 65_999).__getitems__([0])
    assert np.array_equal(snippets[0][:20_000], snippets[0][20_000:40_000])


def test_mixup_keeps_targets_a_distribution() -> None:
    _, targets = Crops(mel_material(), 39, STRONG, seed=0).__getitems__(list(range(12)))
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-5)
    assert ((targets > 0.01) & (targets < 0.99)).any()


def test_an_augmentation_drawn_once_can_be_applied_again() -> None:
    columns = mel_material()[0].signal.astype(np.float32)
    change = draw_mel(np.random.default_rng(3), STRONG, mels=128, frames=39)
    one = apply_mel(columns[:, : change.width], change, frames=39)
    assert one.shape == (128, 39)
    assert np.array_equal(one, apply_mel(columns[:, : change.width], change, frames=39))
    samples = np.random.default_rng(0).standard_normal(1100).astype(np.float32)
    wave = draw_wave(np.random.default_rng(3), STRONG)
    assert np.array_equal(apply_wave(samples, wave, size=1000), apply_wave(samples, wave, size=1000))


def test_augmentation_that_is_off_changes_nothing() -> None:
    columns = mel_material()[0].signal[:, :39].astype(np.float32)
    change = draw_mel(np.random.default_rng(3), Augmentation(), mels=128, frames=39)
    np.testing.assert_allclose(apply_mel(columns, change, frames=39), columns, atol=1e-4)
    samples = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    np.testing.assert_array_equal(
        apply_wave(samples, draw_wave(np.random.default_rng(3), Augmentation()), size=1000), samples
    )


def test_hiss_is_white_noise_of_the_recording_and_of_the_spectrogram_alike() -> None:
    """Noise that is added to the samples, and hiss of the same level that is added to the log-mel: much the same."""
    rng, rate = np.random.default_rng(0), 22050
    music = synth.music(3.2, rate=rate, channels=1)[:, 0]
    spec = LogMelSpec(sample_rate=rate, hop_length=1708)
    clean, noise = logmel(music, spec), 0.1 * rng.standard_normal(len(music)).astype(np.float32)
    noisy, level = logmel(music + noise, spec), logmel(noise, spec).mean()
    change = replace(draw_mel(rng, Augmentation(), mels=128, frames=clean.shape[1]), hiss=level - clean.max())
    hissing = apply_mel(clean, change, frames=clean.shape[1])
    assert np.abs(noisy - clean).mean() > 8, "it is heard"
    assert np.abs(noisy - hissing).mean() < 4
    assert (hissing >= clean - 1e-3).all()


def test_a_cut_off_snippet_has_nothing_above() -> None:
    columns = mel_material()[0].signal[:, :39].astype(np.float32)
    drawn = [
        draw_mel(np.random.default_rng(k), Augmentation(cutoff=0.5), mels=128, frames=39) for k in range(200)
    ]
    cut = [change.cutoff for change in drawn if change.cutoff < 128]
    assert 70 < len(cut) < 130
    assert (min(cut), max(cut)) == (107, 127)
    change = replace(drawn[0], cutoff=110)
    out = apply_mel(columns, change, frames=39)
    np.testing.assert_allclose(out[:110], columns[:110], atol=1e-4)
    np.testing.assert_allclose(out[110:], columns.max() - 80, atol=1e-4)


def test_a_style_is_the_bands_means_and_deviations() -> None:
    rng = np.random.default_rng(0)
    quiet, loud = (rng.normal(mean, spread, (128, 39)) for mean, spread in ((-60, 2), (-20, 8)))
    snippets = np.stack([quiet, loud]).astype(np.float32)
    np.testing.assert_allclose(mix_styles(rng, snippets, Augmentation()), snippets, atol=1e-4)
    mixed = mix_styles(rng, np.concatenate([snippets] * 32), Augmentation(style=1.0))
    means, spreads = mixed.mean(axis=(1, 2)), mixed.std(axis=2).mean(axis=1)
    assert ((means > -61) & (means < -19)).all()
    assert ((means > -55) & (means < -25)).any(), "some lie between the two"
    assert (spreads < 9).all()
    # The same music: each band keeps its course in time.
    course = [
        np.corrcoef(
            mixed[n].ravel() - mixed[n].mean(1).repeat(39),
            (quiet, loud)[n % 2].ravel() - (quiet, loud)[n % 2].mean(1).repeat(39),
        )[0, 1]
        for n in range(64)
    ]
    assert min(course) > 0.9
    half = mix_styles(rng, np.concatenate([snippets] * 200), Augmentation(style=0.5))
    kept = np.isclose(half, np.concatenate([snippets] * 200), atol=1e-3).all(axis=(1, 2)).mean()
    assert 0.5 < kept < 0.9, "half are drawn, and some of these have a partner of their own style"
