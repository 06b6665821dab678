"""Where snippets start, and that what a network hears is cut from the right place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import mediafile
import numpy as np
import pytest
import synth
from hypothesis import given
from hypothesis import strategies as st

from genrecore import audio, errors, snippets
from genrecore.card import InputSpec, ModelCard
from genrecore.content import content_hash
from genrecore.spectrogram import LogMelSpec, logmel

RATE = audio.ANALYSIS_RATE
WINDOW = 3 * RATE
GOLDEN_STARTS = [78568, 503860, 454328, 152012, 293776, 266448, 387716, 469700]


def _card(
    samples: int = WINDOW, *, hop: int | None = None, frames: int | None = None, rate: int = RATE
) -> ModelCard:
    spec = LogMelSpec(hop_length=hop, sample_rate=rate, fmax=rate / 2) if hop else None
    shape = InputSpec("logmel" if spec else "waveform", rate, samples, spec, frames)
    return ModelCard("m", "1", "genre", ("a", "b"), shape, samples / rate, "MIT", "nothing")


RAW, RAW_SHORTER = _card(), _card(65999)
COARSE, FINE = _card(hop=1708, frames=39), _card(hop=854, frames=77)
OTHER = _card(hop=512, frames=120)


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


def test_a_prefix_of_the_drawing_is_the_drawing_of_fewer():
    many = snippets.draw_starts(240 * RATE, WINDOW, 100, seed=5)
    assert np.array_equal(many[:10], snippets.draw_starts(240 * RATE, WINDOW, 10, seed=5))


def test_silent_windows_are_drawn_again_and_the_others_stay():
    n = 100 * RATE
    plain = snippets.draw_starts(n, WINDOW, 100, seed=9)
    loudness = np.where(np.arange((n - WINDOW) // snippets.GRID + 1) < 500, 1e-6, 0.1)
    starts = snippets.draw_starts(n, WINDOW, 100, 9, loudness)
    stays = plain // snippets.GRID >= 500
    assert 0 < stays.sum() < 100
    assert np.array_equal(starts[stays], plain[stays])
    assert (starts // snippets.GRID >= 500).all()


def test_drawing_again_is_bounded():
    loudness = np.zeros(2000)
    loudness[1234] = 1.0
    n = WINDOW + 1999 * snippets.GRID
    assert len(snippets.draw_starts(n, WINDOW, 50, 1, loudness)) == 50
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


def test_loudness_by_function_and_by_table_agree():
    n = 60 * RATE
    loudness = np.abs(np.random.default_rng(0).standard_normal((n - WINDOW) // snippets.GRID + 1)) ** 12
    table = snippets.draw_starts(n, WINDOW, 100, 4, loudness / loudness.max())
    asked = snippets.draw_starts(n, WINDOW, 100, 4, lambda s: loudness[s // snippets.GRID] / loudness.max())
    # The function's loudest is the loudest drawn so far, so a few may differ.
    assert (table == asked).mean() > 0.9


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


def test_another_sample_rate_is_refused(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 4.0), count=2, seconds=3.0)
    with pytest.raises(errors.ModelError, match="16000"):
        snippets.inputs_for(_card(48000, rate=16000), track)


def test_a_little_more_than_the_window_is_given_too(tmp_path):
    track = snippets.open_track(synth.piece(tmp_path / "x.wav", 4.0), count=20, seconds=3.0)
    assert snippets.inputs_for(_card(WINDOW + 500), track).shape == (20, WINDOW + 500)


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


# Long files


@pytest.fixture
def low_limit(monkeypatch):
    """Files of more than 10 s count as long."""
    monkeypatch.setattr(audio, "LONG_SECONDS", 10.0)


def _both(path, monkeypatch, count=30):
    whole = snippets.open_track(path, count=count, seconds=3.0)
    monkeypatch.setattr(audio, "LONG_SECONDS", 10.0)
    return whole, snippets.open_track(path, count=count, seconds=3.0)


@pytest.mark.parametrize("kind", ["flac", "wav", "alac", "aiff", "wv", "tta", "w64", "wav24", "oggflac"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_long_files_are_cut_as_if_decoded_whole(tmp_path, monkeypatch, kind, rate):
    path = synth.piece(tmp_path / f"x.{synth.FORMATS[kind].extension}", 40.0, kind=kind, rate=rate)
    whole, sampled = _both(path, monkeypatch)
    assert sampled.samples is None
    assert np.array_equal(whole.starts, sampled.starts)
    assert sampled.duration == pytest.approx(whole.duration, abs=1e-3)
    for card in (RAW, RAW_SHORTER):
        assert np.abs(snippets.inputs_for(card, whole) - snippets.inputs_for(card, sampled)).max() < 1e-5
    for card in (COARSE, FINE):
        a, b = snippets.inputs_for(card, whole), snippets.inputs_for(card, sampled)
        loud = a > a.max(axis=(1, 2), keepdims=True) - 80  # below, the networks do not look
        assert np.abs(a - b)[loud].max() < 0.1
        assert np.median(np.abs(a - b)) < 0.01


@pytest.mark.parametrize("kind", ["mp3", "opus", "ogg", "m4a", "aac", "wma", "ac3", "mp2"])
def test_long_lossy_files_are_cut_at_the_right_place(tmp_path, kind):
    """Decoders of these carry state along, and containers round their times: the same sound within 10 ms."""
    path = synth.piece(tmp_path / f"x.{synth.FORMATS[kind].extension}", 40.0, kind=kind)
    whole = audio.load(path).samples
    for start in (5 * RATE, 17 * RATE + 1111, 33 * RATE):
        piece = np.zeros(WINDOW, np.float32)
        for position, samples in audio.read_spans(path, [(start, start + WINDOW)]):
            piece[position - start : position - start + len(samples)] = samples
        near = whole[start - 256 : start + WINDOW + 256]
        size = len(near) + len(piece)
        matches = np.fft.irfft(np.fft.rfft(near, size) * np.conj(np.fft.rfft(piece, size)), size)[:513]
        assert matches.max() > 0.98 * np.dot(piece, piece)
        assert abs(int(matches.argmax()) - 256) <= 220


def test_spans_are_read_in_one_pass_and_give_what_is_there(encoded):
    whole = audio.load(encoded("flac")).samples
    spans = [(0, 1000), (20_000, 30_000), (30_500, 31_000), (80_000, 200_000)]
    got = np.full(200_000, np.nan, np.float32)
    for position, samples in audio.read_spans(encoded("flac"), spans):
        got[position : position + len(samples)] = samples
    wanted = np.zeros(200_000, bool)
    for begin, end in spans:
        wanted[begin : min(end, len(whole))] = True
    assert np.array_equal(np.isfinite(got), wanted)
    assert np.abs(got[: len(whole)][wanted[: len(whole)]] - whole[wanted[: len(whole)]]).max() < 1e-5


def test_long_files_are_deterministic(tmp_path, low_limit):
    path = synth.piece(tmp_path / "x.opus", 40.0)
    first, second = (snippets.open_track(path, count=30, seconds=3.0) for _ in range(2))
    assert np.array_equal(first.pieces, second.pieces)
    assert np.array_equal(first.starts, second.starts)


def test_long_silence(tmp_path, low_limit):
    with pytest.raises(errors.SilentAudio):
        snippets.open_track(
            synth.write(tmp_path / "x.flac", np.zeros((44100 * 30, 1), np.float32)), count=10, seconds=3.0
        )


def test_silence_inside_a_long_file_is_not_listened_to(tmp_path, low_limit):
    gap = np.zeros((30 * 44100, 2), np.float32)
    path = synth.write(tmp_path / "x.flac", np.vstack([synth.music(15.0), gap, synth.music(15.0, seed=1)]))
    track = snippets.open_track(path, count=60, seconds=3.0)
    levels = np.sqrt(np.mean(np.square(snippets.inputs_for(RAW, track)), axis=1))
    assert (levels > 1e-4).sum() >= 59


@pytest.mark.parametrize("seconds", [4.0, 60.0])
def test_flac_whose_header_claims_ten_hours(tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(audio, "LONG_SECONDS", 30.0)
    path = synth.piece(tmp_path / "x.flac", seconds)
    honest = snippets.open_track(path, count=20, seconds=3.0)
    data = bytearray(path.read_bytes())
    data[18:26] = (int.from_bytes(data[18:26], "big") >> 36 << 36 | 36_000 * 44100).to_bytes(8, "big")
    path.write_bytes(data)
    track = snippets.open_track(path, count=20, seconds=3.0)
    assert track.duration == pytest.approx(seconds, abs=0.01)
    assert np.array_equal(track.starts, honest.starts)
    assert "cut off" in track.warnings[0]
    assert np.array_equal(snippets.inputs_for(RAW, track), snippets.inputs_for(RAW, honest))


def test_long_file_whose_header_claims_seconds(tmp_path, low_limit):
    base = synth.piece(tmp_path / "a.mp3", 4.0)
    path = tmp_path / "x.mp3"
    path.write_bytes(base.read_bytes() * 10)
    track = snippets.open_track(path, count=20, seconds=3.0)
    assert track.samples is None
    assert track.duration == pytest.approx(40, abs=2)
    assert (track.starts > 20 * RATE).any()


def test_chained_ogg_of_hours_counts_on(tmp_path, low_limit):
    path = tmp_path / "x.ogg"
    path.write_bytes(
        b"".join(synth.piece(tmp_path / f"{k}.ogg", 15.0, seed=k).read_bytes() for k in range(4))
    )
    track = snippets.open_track(path, count=40, seconds=3.0)
    assert track.duration == pytest.approx(60, abs=1)
    assert {int(start // (15 * RATE)) for start in track.starts} == {0, 1, 2, 3}
    assert (np.abs(track.pieces).max(axis=1) > 0.05).all()


def test_truncated_long_file(tmp_path, encoded, low_limit):
    whole = synth.piece(tmp_path / "x.flac", 40.0)
    track = snippets.open_track(synth.cut(whole, tmp_path / "y.flac", 0.5), count=30, seconds=3.0)
    assert "cut off" in track.warnings[0]
    assert (np.abs(track.pieces).max(axis=1) > 0.05).all()


# Not resource.getrusage: its peak includes what the process that started this one had taken.
_PEAK = """
import sys
from genrecore import snippets
track = snippets.open_track(sys.argv[1], count=100, seconds=3.0)
assert (abs(track.pieces).max(axis=1) > 0.05).all()
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak[0]) // 1024, track.duration)
"""

_SLOW = [("mp3", 3), ("opus", 3), ("m4a", 10), ("mp3", 10)]


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell the peak of memory"
)
@pytest.mark.parametrize(
    ("kind", "hours"), [("m4a", 3), *(pytest.param(*each, marks=pytest.mark.slow) for each in _SLOW)]
)
def test_memory_stays_flat_for_hours(tmp_path, kind, hours):
    base = synth.piece(tmp_path / f"base.{kind}", 60.0, rate=16000, channels=1)
    path = synth.repeat(base, tmp_path / f"long.{kind}", hours * 60)
    run = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    path.unlink()  # hundreds of megabytes
    peak, duration = run.stdout.split()
    assert float(duration) == pytest.approx(hours * 3600, rel=0.01)
    assert int(peak) < 300


def test_real_music(shared_data):
    for path in sorted((shared_data / "songs").glob("*.mp3"))[:2]:
        track = snippets.open_track(path, count=100, seconds=3.0)
        cut = snippets.inputs_for(COARSE, track)
        assert cut.shape == (100, 128, 39)
        assert cut.max() > -30
