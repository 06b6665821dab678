"""Long files are sampled by seeking: the same places, the same sound, flat memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import synth
from core.cards import COARSE, FINE, RATE, RAW, RAW_SHORTER, WINDOW

from genrecore import _track, audio, errors, snippets


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


def test_of_a_long_file_so_many_snippets_are_heard_and_no_more(tmp_path, low_limit, monkeypatch):
    path = synth.piece(tmp_path / "x.wav", 12.0)
    monkeypatch.setattr(_track, "LONG_FILE_SNIPPETS", 30)
    most, more = (snippets.open_track(path, count=count, seconds=3.0) for count in (30, 31))
    assert (most.warnings, more.warnings) == ((), ("it is so long that only 30 snippets are heard",))
    assert np.array_equal(most.pieces, more.pieces)


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
