"""Networks: golden parameter counts, shapes, what the normalisation inside them promises."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from matplotlib import colormaps
from matplotlib.colors import Normalize

from genrecore_training.export import size_of
from genrecore_training.networks import NETWORKS, build
from genrecore_training.networks.layers import (
    Attention,
    Lstm,
    Mfcc,
    Picture,
    SnippetNorm,
    Standardise,
    WaveformNorm,
)

RAW, MEL, LONG, PICTURED, SQUARE, NUMBERS = (65_999,), (128, 39), (128, 259), (128, 387), (128, 128), (11,)

#: What each hears, its classes and its size: as published, else (widths being ours) as it was when it was trained.
GOLDEN = [
    ("abela-end2end", RAW, 10, 229_287),
    ("abela-end2end-gru", RAW, 10, 180_647),
    ("abela-conv", MEL, 10, 127_562),
    ("abela-blstm", MEL, 10, 280_266),
    ("abela-conv-blstm", MEL, 10, 850_474),
    ("abela-gru", MEL, 10, 215_242),
    ("abela-conv-bgru", MEL, 10, 719_914),
    ("cox-gtzanet", PICTURED, 10, 175_194),
    ("cox-zfnet", PICTURED, 10, 58_301_578),
    ("liang-mfcc-cnn", LONG, 10, 80_330),
    ("liang-mfcc-lstm", LONG, 10, 57_802),
    ("liang-spotify-cnn", NUMBERS, 6, 75_014),
    ("liang-spotify-rnn", NUMBERS, 6, 206_854),
    ("obeirne-cnn", SQUARE, 10, 3_002_074),
    ("otero-crnn", (128, 646), 13, 1_348_621),
    ("end2end-gru-mel", MEL, 10, 254_457),
    ("mel-cnn", (128, 77), 4, 119_988),
]
SMALL = [row for row in GOLDEN if row[0] != "cox-zfnet"]


def batch_of(shape: tuple[int, ...], count: int = 3) -> torch.Tensor:
    """Snippets of the loudness that each kind of input has."""
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(count, *shape, generator=generator)
    return noise * 15 - 40 if len(shape) == 2 else noise * 0.1


def test_every_network_is_in_the_list() -> None:
    assert {row[0] for row in GOLDEN} == set(NETWORKS)


@pytest.mark.parametrize(("name", "shape", "classes", "parameters"), GOLDEN)
def test_a_network_has_the_published_size(
    name: str, shape: tuple[int, ...], classes: int, parameters: int
) -> None:
    assert size_of(build(name, classes, shape, {}).eval(), shape)[0] == parameters


def test_abela_end2end_gru_spends_what_its_layers_spend() -> None:
    network = build("abela-end2end-gru", 10, RAW, {}).eval()
    # Convolutions 2124 x 31 x 6 x 16, 2114 x 16 x 4 x 32, 2106 x 32 x 4 x 64; GRU 2 x 525 x 384 x (64 + 128);
    # attention 525 x 256; dense 256 x 64, 64 x 10.
    assert size_of(network, RAW)[1] == 27_902_848 + 77_414_400 + 134_400 + 17_024
    assert sum(p.numel() for p in network.parameters()) == 180_423


def test_the_products_of_an_lstm_are_counted() -> None:
    # LSTM 259 x 256 x (13 + 64) and 259 x 256 x (64 + 64), DCT 259 x 128 x 13, dense 64 x 64, 64 x 10.
    expected = 259 * 256 * (13 + 64 + 64 + 64) + 259 * 128 * 13 + 64 * 64 + 640
    assert size_of(build("liang-mfcc-lstm", 10, LONG, {}).eval(), LONG)[1] == expected


def test_abela_end2end_gru_has_the_published_time_steps() -> None:
    network = build("abela-end2end-gru", 10, RAW, {}).eval()
    steps = network.norm(torch.zeros(1, 65_999)).unflatten(1, (-1, 31))
    assert steps.shape == (1, 2129, 31)
    assert network.features(steps.transpose(1, 2)).shape == (1, 64, 525)


def test_abela_end2end_hears_no_other_length() -> None:
    with pytest.raises(ValueError, match="65,999"):
        build("abela-end2end", 10, (66_150,), {})


@pytest.mark.parametrize(("name", "shape", "classes", "_"), SMALL)
def test_snippets_in_logits_out(name: str, shape: tuple[int, ...], classes: int, _: int) -> None:
    network = build(name, classes, shape, {}).eval()
    batch = batch_of(shape)
    with torch.no_grad():
        out = network(batch)
        alone = network(batch[1:2])
    assert out.shape == (3, classes)
    torch.testing.assert_close(out[1:2], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "shape", "classes", "_"), SMALL)
def test_every_weight_learns(name: str, shape: tuple[int, ...], classes: int, _: int) -> None:
    torch.manual_seed(0)
    network = build(name, classes, shape, {}).train()
    targets = torch.arange(4) % classes
    torch.nn.functional.cross_entropy(network(batch_of(shape, 4)), targets).backward()
    learning = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    still = [n for n, p in learning if p.grad is None or not p.grad.abs().sum() > 0]
    # A bias added to every logit of a softmax over time moves nothing; so does a bias before BatchNorm.
    assert not [n for n in still if "bias" not in n], name


@pytest.mark.parametrize(
    "name", ["abela-end2end", "abela-conv", "abela-blstm", "liang-mfcc-cnn", "obeirne-cnn"]
)
def test_an_embedding_is_what_the_last_layer_reads(name: str) -> None:
    shape = next(row[1] for row in GOLDEN if row[0] == name)
    network = build(name, 10, shape, {}).eval()
    with torch.no_grad():
        batch = batch_of(shape)
        torch.testing.assert_close(network.output(network.embed(batch)), network(batch))


def test_otero_gives_a_distribution_at_every_point_in_time() -> None:
    network = build("otero-crnn", 13, (128, 646), {}).eval()
    with torch.no_grad():
        course = network.over_time(batch_of((128, 646), 2))
        whole = torch.softmax(network(batch_of((128, 646), 2)), 1)
    assert course.shape == (2, 77, 13)
    torch.testing.assert_close(course.sum(2), torch.ones(2, 77))
    torch.testing.assert_close(course.mean(1), whole, atol=1e-6, rtol=0)


def test_an_lstm_keeps_one_bias_a_gate() -> None:
    layer = Lstm(3, 4)
    assert not layer.bias_hh_l0.requires_grad
    assert not layer.bias_hh_l0.any()


def test_mfcc_are_those_of_librosa() -> None:
    decibels = np.random.default_rng(2).uniform(-80, 0, (128, 20)).astype(np.float32)
    expected = librosa.feature.mfcc(S=decibels, n_mfcc=13)
    said = Mfcc(128, 13)(torch.from_numpy(decibels)[None])[0].T.numpy()
    np.testing.assert_allclose(said, expected, atol=1e-3)


@pytest.mark.parametrize("name", ["liang-mfcc-cnn", "liang-mfcc-lstm"])
def test_liangs_networks_hear_the_level_of_a_recording_if_asked_to(name: str) -> None:
    batch = batch_of(LONG, 20)
    for level in (False, True):
        network = build(name, 10, LONG, {"level": level}).eval()
        if level:
            assert isinstance(network.norm, Standardise)
            network.norm.fit(batch)
            heard = network.norm(batch)  # [batch, frames, coefficients]
            torch.testing.assert_close(heard.mean((0, 1)), torch.zeros(13), atol=1e-4, rtol=0)
            torch.testing.assert_close(heard.std((0, 1)), torch.ones(13), atol=1e-3, rtol=0)
        with torch.no_grad():
            alike = torch.allclose(network(batch), network(batch + 20), atol=1e-4)
        assert alike is not level


def test_a_picture_is_what_matplotlib_draws() -> None:
    decibels = np.random.default_rng(2).uniform(-100, 0, (288, 432)).astype(np.float32)
    decibels[0, 0] = 0
    drawn = colormaps["magma"](Normalize(-80, 0)(decibels))[::-1, :, :3]  # origin: lower
    said = Picture()(torch.from_numpy(decibels)[None])[0].permute(1, 2, 0).numpy()
    assert said.shape == (288, 432, 3)
    # A colour map's steps may round the other way.
    assert np.abs(said - drawn).max() < 0.03


def test_standardise_fits_each_feature() -> None:
    layer = Standardise(3)
    rows = torch.randn(400, 3) * torch.tensor([1.0, 10.0, 100.0]) + torch.tensor([5.0, 0.0, -7.0])
    layer.fit(rows)
    out = layer(rows)
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(out.std(0), torch.ones(3), atol=1e-4, rtol=0)


def test_attention_is_a_weighted_mean_over_time() -> None:
    attention = Attention(steps=5, features=3)
    constant = torch.arange(3.0).expand(2, 5, 3)
    torch.testing.assert_close(attention(constant), constant[:, 0])


def test_snippet_norm_is_blind_to_gain_and_scale_of_decibels() -> None:
    norm = SnippetNorm()
    snippet = torch.rand(2, 128, 39) * 60 - 60
    out = norm(snippet)
    torch.testing.assert_close(out.mean(dim=(1, 2)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(dim=(1, 2), correction=0), torch.ones(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(norm(snippet + 12), out, atol=1e-4, rtol=0)
    torch.testing.assert_close(norm(snippet * 0.9), out, atol=1e-4, rtol=0)


def test_snippet_norm_clips_80_db_below_the_maximum() -> None:
    snippet = torch.full((1, 2, 2), -100.0)
    snippet[0, 0, 0] = 0.0
    deep = snippet.clone()
    deep[0, 1, 1] = -300.0
    torch.testing.assert_close(SnippetNorm()(snippet), SnippetNorm()(deep))


def test_snippet_norm_is_deaf_to_the_bands_that_tell_of_codecs() -> None:
    snippet = torch.rand(2, 128, 39) * 60 - 60
    other = snippet.clone()
    other[:, 120:] = 0.0
    assert torch.equal(SnippetNorm()(snippet), SnippetNorm()(other))
    assert SnippetNorm()(snippet).shape == (2, 120, 39)
    network = build("mel-cnn", 10, (128, 39), {"bands": 112}).eval()
    other[:, 112:] = 0.0
    assert torch.equal(network(snippet), network(other))


def test_snippet_norm_of_constant_input_is_finite() -> None:
    assert torch.isfinite(SnippetNorm()(torch.full((1, 128, 39), -100.0))).all()


def test_waveform_norm_has_one_pair_for_all_samples() -> None:
    norm = WaveformNorm()
    norm.fit(torch.tensor([[-1.5, 2.5], [2.5, -1.5]]))
    assert norm.mean.shape == ()
    torch.testing.assert_close(norm(torch.tensor([[0.5]])), torch.zeros(1, 1))
