"""Where snippets start, and that what a network hears is cut from the right place."""

from __future__ import annotations

import pickle
import shutil

import mediafile
import numpy as np
import pytest
import synth
from core.cards import COARSE, FINE, OTHER, RATE, RAW, RAW_SHORTER, WINDOW, make_card
from hypothesis import given
from hypothesis import strategies as st

from genrecore import audio, errors, snippets
from genrecore.content import content_hash
from genrecore.spectrogram import logmel

GOLDEN_STARTS = [8540, 136640, 204960, 242536, 334768, 404796, 495320, 579012]


# The decisions


def test_seed_is_the_beginning_of_the_hash():
    assert snippets.seed_of("1:fffffffffffff0000") == 2**52 - 1
    assert snippets.seed_of("1:0000000000001ffff") == 1


def test_starts_are_the_same_everywhere():
    """Golden: the starts are part of what the cache promises, on every machine and with every numpy."""
    starts = snippets.draw_starts(30 * RATE, WINDOW, 8, seed=1)
    assert starts.tolist() == GOLDEN_STARTS


@given(
    n=st.integers(WINDOW, 400 * RATE),
    count=st.integers(1, 200),
    seed=st.integers(0, 2**52 - 1),
    window=st.just(WINDOW),
)
def test_every_window_fits(n, count, seed, window):
    starts = snippets.draw_starts(n, window, count, seed)
    assert starts.shape == (count,)
    assert starts.min() >= 0
    assert starts.max() + window <= n
    assert not (starts % snippets.GRID).any()
    assert np.array_equal(starts, snippets.draw_starts(n, window, count, seed))


def test_other_seeds_draw_other_starts():
    drawn = {tuple(snippets.draw_starts(240 * RATE, WINDOW, 20, seed)) for seed in range(50)}
    assert len(drawn) == 50


def test_starts_are_spread_evenly():
    n = 100 * RATE
    starts = np.concatenate([snippets.draw_starts(n, WINDOW, 100, seed) for seed in range(100)])
    counts, _ = np.histogram(starts, bins=10, range=(0, n - WINDOW))
    assert counts.min() > 900
    assert counts.max() < 1100


def test_the_first_and_the_last_place_are_drawn():
    n = WINDOW + 2 * snippets.GRID
    assert set(snippets.draw_starts(n, WINDOW, 200, seed=3)) == {0, snippets.GRID, 2 * snippets.GRID}


def test_there_is_one_in_each_part_of_the_track():
    places = 2000
    n = WINDOW + (places - 1) * snippets.GRID
    for seed in range(20):
        starts = snippets.draw_starts(n, WINDOW, 100, seed)
        assert (starts // snippets.GRID // (places // 100)).tolist() == list(range(100))


def test_few_places_are_each_drawn_as_often():
    n = WINDOW + 9 * snippets.GRID
    drawn = snippets.draw_starts(n, WINDOW, 100, seed=5) // snippets.GRID
    assert np.bincount(drawn).tolist() == [10] * 10


def test_silent_windows_are_left_out_and_the_others_spread_evenly():
    n = 100 * RATE
    loudness = np.where(np.arange((n - WINDOW) // snippets.GRID + 1) % 700 < 350, 1e-6, 0.1)
    starts = snippets.draw_starts(n, WINDOW, 100, 9, loudness) // snippets.GRID
    audible = np.flatnonzero(loudness > 0.01)
    ranks = np.searchsorted(audible, starts)
    assert np.array_equal(audible[ranks], starts)
    borders = np.arange(101) * len(audible) // 100
    assert (borders[:-1] <= ranks).all()
    assert (ranks <= borders[1:]).all()


def test_silent_windows_are_drawn_again_and_the_others_stay():
    n = 100 * RATE
    plain = snippets.draw_starts(n, WINDOW, 100, seed=9)
    starts = snippets.draw_starts(
        n, WINDOW, 100, 9, lambda drawn: np.where(drawn < 500 * snippets.GRID, 1e-6, 0.1)
    )
    stays = plain // snippets.GRID >= 500
    assert 0 < stays.sum() < 100
    assert np.array_equal(starts[stays], plain[stays])
    assert (starts // snippets.GRID >= 500).all()


def test_drawing_again_is_bounded():
    loudness = np.zeros(2000)
    loudness[1234] = 1.0
    n = WINDOW + 1999 * snippets.GRID
    assert set(snippets.draw_starts(n, WINDOW, 50, 1, loudness)) == {1234 * snippets.GRID}
    asked = []

    def measure(starts):
        asked.append(len(starts))
        return loudness[starts // snippets.GRID]

    snippets.draw_starts(n, WINDOW, 50, 1, measure)
    assert len(asked) <= 9


def test_quiet_is_not_silent():
    n = 100 * RATE
    places = (n - WINDOW) // snippets.GRID + 1
    loudness = np.where(np.arange(places) % 2, 0.5, 0.5 * 10 ** (-50 / 20))
    plain = snippets.draw_starts(n, WINDOW, 100, 4)
    assert np.array_equal(snippets.draw_starts(n, WINDOW, 100, 4, loudness), plain)


def test_windows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="cannot be drawn"):
        snippets.draw_starts(WINDOW - 1, WINDOW, 1, 0)
    with pytest.raises(ValueError, match="cannot be drawn"):
        snippets.draw_starts(WINDOW, WINDOW, 0, 0)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_fit_has_the_length(n, window):
    samples = np.arange(1, n + 1, dtype=np.float32)
    for mode in ("tile", "pad"):
        fitted = snippets.fit(samples, window, mode)
        assert fitted.shape == (window,)
        assert fitted.dtype == np.float32
        if window <= n:
            assert np.array_equal(fitted, samples[:window])


def test_fit_tiles_or_pads():
    samples = np.array([1, 2, 3], np.float32)
    assert snippets.fit(samples, 8, "tile").tolist() == [1, 2, 3, 1, 2, 3, 1, 2]
    assert snippets.fit(samples, 8, "pad").tolist() == [0, 0, 1, 2, 3, 0, 0, 0]
    with pytest.raises(ValueError, match="nothing"):
        snippets.fit(samples[:0], 8)


@pytest.mark.parametrize("n", [WINDOW, WINDOW + 1, WINDOW + snippets.GRID, 20 * RATE, 20 * RATE + 777])
def test_window_loudness_is_the_root_mean_square(n):
    samples = np.random.default_rng(1).standard_normal(n).astype(np.float32) * np.linspace(
        0, 1, n, dtype=np.float32
    )
    loudness = snippets.window_loudness(samples, WINDOW)
    starts = np.arange(0, n - WINDOW + 1, snippets.GRID)
    assert len(loudness) == len(starts)
    exact = [np.sqrt(np.mean(np.square(samples[s : s + WINDOW]))) for s in starts]
    assert loudness == pytest.approx(exact, rel=0.05, abs=1e-4)


# Real files


def test_the_same_file_gives_the_same_snippets_before_and_after_retagging(tmp_path, encoded):
    path = shutil.copy(encoded("mp3"), tmp_path / "x.mp3")
    first = snippets.open_track(path, count=50, seconds=3.0)
    file = mediafile.MediaFile(path)
    file.title, file.genres = "another" * 100, ["Jazz"]
    file.save()
    second = snippets.open_track(path, count=50, seconds=3.0)
    assert first.content_hash == second.content_hash == content_hash(path)
    assert np.array_equal(first.starts, second.starts)
    for card in (RAW, COARSE, FINE):
        assert np.array_equal(snippets.inputs_for(card, first), snippets.inputs_for(card, second))


def test_a_track_says_what_it_is(encoded):
    track = snippets.open_track(encoded("flac"), count=10, seconds=3.0, content_hash="1:00000000000050")
    assert track.path == str(encoded("flac"))
    assert track.seed == 5
    assert track.duration == pytest.approx(4.0, abs=0.01)
    assert (track.window, track.seconds, len(track.starts)) == (WINDOW, 3.0, 10)
    assert track.warnings == ()
    with pytest.raises(ValueError, match="read-only"):
        track.samples[0] = 1
    with pytest.raises(AttributeError):
        track.seed = 3


def test_warnings_of_decoding_are_kept(tmp_path, encoded):
    track = snippets.open_track(synth.cut(encoded("flac"), tmp_path / "x.flac"), count=5, seconds=3.0)
    assert "cut off" in track.warnings[0]


def test_waveforms_are_cut_at_the_starts(tmp_path):
    path = synth.piece(tmp_path / "x.wav", 12.0)
    track = snippets.open_track(path, count=40, seconds=3.0)
    samples = audio.load(path).samples
    for card, length in ((RAW, WINDOW), (RAW_SHORTER, 65999)):
        cut = snippets.inputs_for(card, track)
        assert cut.shape == (40, length)
        assert cut.dtype == np.float32
        for start, snippet in zip(track.starts, cut, strict=True):
            assert np.array_equal(snippet, samples[start : start + length])


@pytest.mark.parametrize("card", [COARSE, FINE], ids=["1708", "854"])
def test_columns_are_those_of_the_whole_track(tmp_path, card):
    path = synth.piece(tmp_path / "x.wav", 12.3)
    track = snippets.open_track(path, count=40, seconds=3.0)
    whole = logmel(audio.load(path).samples, card.input.logmel)
    cut = snippets.inputs_for(card, track)
    assert cut.shape == (40, *card.input.shape)
    assert cut.dtype == np.float32
    assert cut.flags.c_contiguous
    for start, snippet in zip(track.starts, cut, strict=True):
        first = start // card.input.logmel.hop_length
        assert np.array_equal(snippet, whole[:, first : first + card.input.frames])


def test_models_share_a_spectrogram_and_hear_the_same(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 12.0), count=20, seconds=3.0)
    shared = snippets.LogMels(track, [RAW, COARSE, FINE, OTHER])
    for card in (COARSE, FINE, OTHER, RAW):
        together, alone = snippets.inputs_for(card, track, shared), snippets.inputs_for(card, track)
        assert together.shape == (20, *card.input.shape)
        assert np.abs(together - alone).max() < 1e-3


def test_a_hop_beside_the_grid_is_met_within_half_a_column(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 12.0), count=20, seconds=3.0)
    whole = logmel(track.samples, OTHER.input.logmel)
    for start, snippet in zip(track.starts, snippets.inputs_for(OTHER, track), strict=True):
        first = min(round(start / 512), whole.shape[1] - 120)
        assert np.array_equal(snippet, whole[:, first : first + 120])


@pytest.mark.parametrize("limit", [1200.0, 10.0], ids=["whole", "long"])
@pytest.mark.parametrize("card", [RAW, RAW_SHORTER, COARSE, FINE, OTHER])
def test_cut_in_parts_or_all_at_once_is_the_same(tmp_path, monkeypatch, limit, card):
    monkeypatch.setattr(audio, "LONG_SECONDS", limit)
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 12.0), count=50, seconds=3.0)
    cuts = snippets.cuts_for(card, track)
    assert cuts.shape == (len(cuts), *card.input.shape) == (50, *card.input.shape)
    whole = snippets.inputs_for(card, track)
    for other in (cuts, cuts.packed(), pickle.loads(pickle.dumps(cuts))):
        parts = [other[begin : begin + 20] for begin in (0, 20, 40)]
        assert [len(part) for part in parts] == [20, 20, 10]
        assert np.array_equal(np.concatenate(parts), whole)


def test_another_sample_rate_is_refused(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 4.0), count=2, seconds=3.0)
    with pytest.raises(errors.ModelError, match="16000"):
        snippets.inputs_for(make_card(48000, rate=16000), track)


def test_a_little_more_than_the_window_is_given_too(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 4.0), count=20, seconds=3.0)
    assert snippets.inputs_for(make_card(WINDOW + 500), track).shape == (20, WINDOW + 500)


@pytest.mark.parametrize("seconds", [1.0, 1.7, 2.99, 3.0, 3.01, 3.1])
@pytest.mark.parametrize(
    "card", [RAW, RAW_SHORTER, COARSE, FINE, OTHER], ids=["raw", "shorter", "1708", "854", "512"]
)
def test_short_files(tmp_path, seconds, card):
    path = synth.piece(tmp_path / "x.wav", seconds, rate=22050, channels=1)
    track = snippets.open_track(path, count=10, seconds=3.0)
    assert track.duration == pytest.approx(seconds, abs=0.01)
    cut = snippets.inputs_for(card, track)
    assert cut.shape == (10, *card.input.shape)
    assert np.isfinite(cut).all()
    if seconds < 3 and card is RAW:
        assert np.array_equal(cut[0], snippets.fit(audio.load(path).samples, WINDOW, snippets.SHORT_FILES))


def test_too_short(tmp_path):
    path = synth.piece(tmp_path / "x.mp3", 0.4)
    with pytest.raises(errors.TooShort, match=r"x\.mp3: it holds 0\.\d\d s of sound"):
        snippets.open_track(path, count=10, seconds=3.0)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "opus", "m4a"])
def test_digital_silence(tmp_path, kind):
    path = synth.write(tmp_path / f"x.{kind}", np.zeros((5 * 44100, 2), np.float32))
    with pytest.raises(errors.SilentAudio, match="silent"):
        snippets.open_track(path, count=10, seconds=3.0)


def test_dither_is_silence_and_quiet_music_is_not(tmp_path):
    noise = np.random.default_rng(0).uniform(-1, 1, (5 * 44100, 1)).astype(np.float32) / 32768
    with pytest.raises(errors.SilentAudio):
        snippets.open_track(synth.write(tmp_path / "a.wav", noise), count=10, seconds=3.0)
    quiet = synth.write(tmp_path / "b.wav", synth.music(5.0) * 10 ** (-45 / 20))
    assert len(snippets.open_track(quiet, count=10, seconds=3.0).starts) == 10


def test_silence_inside_a_track_is_not_listened_to(tmp_path):
    """A hidden track: a song, ten seconds of nothing, a song."""
    gap = np.zeros((20 * 44100, 2), np.float32)
    path = synth.write(tmp_path / "x.flac", np.vstack([synth.music(10.0), gap, synth.music(10.0, seed=1)]))
    track = snippets.open_track(path, count=100, seconds=3.0)
    levels = np.sqrt(np.mean(np.square(snippets.inputs_for(RAW, track)), axis=1))
    assert (levels > 1e-4).all()
    assert (track.starts < 10 * RATE).any()
    assert (track.starts > 25 * RATE).any()


def test_real_music(shared_data):
    for path in sorted((shared_data / "songs").glob("*.mp3"))[:2]:
        track = snippets.open_track(path, count=100, seconds=3.0)
        cut = snippets.inputs_for(COARSE, track)
        assert cut.shape == (100, 128, 39)
        assert cut.max() > -30
