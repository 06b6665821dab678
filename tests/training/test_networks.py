"""Networks: golden parameter counts, shapes, what the normalisation inside them promises."""

from __future__ import annotations

import pytest
import torch

from genrecore.card import InputSpec
from genrecore_training.export import size_of
from genrecore_training.networks import build
from genrecore_training.networks.layers import Attention, SnippetNorm, WaveformNorm


def test_abela_end2end_gru_has_the_published_size() -> None:
    network = build("abela-end2end-gru", 10, {}).eval()
    parameters, multiply_adds = size_of(network, InputSpec("waveform", 22_050, 65_999))
    assert parameters == 180_647  # as Keras counts them, with the running statistics
    # Convolutions 2124 x 31 x 6 x 16, 2114 x 16 x 4 x 32, 2106 x 32 x 4 x 64; GRU 2 x 525 x 384 x (64 + 128);
    # attention 525 x 256; dense 256 x 64, 64 x 10.
    assert multiply_adds == 27_902_848 + 77_414_400 + 134_400 + 17_024
    assert sum(p.numel() for p in network.parameters()) == 180_423


def test_abela_end2end_gru_has_the_published_time_steps() -> None:
    network = build("abela-end2end-gru", 10, {}).eval()
    steps = network.norm(torch.zeros(1, 65_999)).unflatten(1, (-1, 31))
    assert steps.shape == (1, 2129, 31)
    assert network.features(steps.transpose(1, 2)).shape == (1, 64, 525)


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("abela-end2end-gru", (65_999,), 10), ("end2end-gru-mel", (128, 39), 10), ("mel-cnn", (128, 77), 4)],
)
def test_snippets_in_logits_out(name: str, shape: tuple[int, ...], classes: int) -> None:
    network = build(name, classes, {}).eval()
    batch = torch.randn(3, *shape)
    with torch.no_grad():
        out = network(batch)
        alone = network(batch[1:2])
    assert out.shape == (3, classes)
    torch.testing.assert_close(out[1:2], alone, atol=1e-5, rtol=1e-4)


def test_every_weight_learns() -> None:
    for name, shape in (
        ("abela-end2end-gru", (65_999,)),
        ("end2end-gru-mel", (128, 39)),
        ("mel-cnn", (128, 77)),
    ):
        network = build(name, 4, {}).train()
        network(torch.randn(2, *shape)).logsumexp(1).sum().backward()
        still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        # A bias added to every logit of a softmax over time moves nothing; so does a bias before BatchNorm.
        assert not [n for n in still if "bias" not in n], name


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


def test_snippet_norm_of_constant_input_is_finite() -> None:
    assert torch.isfinite(SnippetNorm()(torch.full((1, 128, 39), -100.0))).all()


def test_waveform_norm_standardises_with_what_it_was_fitted_to() -> None:
    norm = WaveformNorm()
    norm.fit(0.5, 2.0)
    torch.testing.assert_close(norm(torch.tensor([[2.5]])), torch.tensor([[1.0]]))
