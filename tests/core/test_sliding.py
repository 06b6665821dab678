"""A window slides over real files: the same whole and in parts, and in step with the analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synth import cut, music, piece, write

import genrecore
from genrecore import audio, errors, sliding
from genrecore.analyzer import Analyzer
from genrecore.settings import Settings
from genrecore.sliding import follow
from genrecore.spectrogram import logmel

RATE = 22050


@pytest.fixture(scope="module")
def analyzer(settings: Settings) -> Analyzer:
    return Analyzer(settings)


def test_each_window_is_what_the_model_says_of_it(tmp_path: Path, analyzer: Analyzer) -> None:
    path = piece(tmp_path / "x.wav", 9.0, rate=RATE, channels=1)
    line = follow(analyzer, path, hop=1.0)
    assert line.times.tolist() == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    assert line.window == 3.0
    spec = analyzer.genre.card.input.logmel
    assert spec is not None
    columns = logmel(audio.load(path).samples, spec)
    first = round(2.0 * RATE / spec.hop_length)  # the window in the middle of which are 3.5 s
    expected = analyzer.genre.run(columns[None, :, first : first + 39])
    assert np.allclose(line.genre.raw[2], expected[0], atol=1e-6)


def test_the_analysis_beside_it_is_that_of_analyze(tmp_path: Path, analyzer: Analyzer) -> None:
    path = piece(tmp_path / "x.mp3", 12.0)
    ours, theirs = follow(analyzer, path).analysis.to_dict(), analyzer.analyze(path).to_dict()
    del ours["analysed_at"], theirs["analysed_at"]
    assert ours == theirs


@pytest.mark.parametrize("kind", ["flac", "wav"])
@pytest.mark.parametrize("hop", [0.05, 0.5, 7.0])
def test_a_long_file_is_heard_in_parts_as_if_it_were_whole(
    tmp_path: Path, analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch, kind: str, hop: float
) -> None:
    path = piece(tmp_path / f"x.{kind}", 65.0)
    whole = follow(analyzer, path, hop=hop)
    monkeypatch.setattr(audio, "LONG_SECONDS", 10.0)
    monkeypatch.setattr(sliding, "_STRETCH_SECONDS", 20)
    heard: list[float] = []
    parts = follow(analyzer, path, hop=hop, progress=heard.append)
    assert np.array_equal(whole.times, parts.times)
    assert np.allclose(whole.loudness, parts.loudness, atol=1e-3)
    assert np.allclose(whole.genre.raw, parts.genre.raw, atol=1e-3)
    assert np.allclose(whole.mood.raw, parts.mood.raw, atol=1e-3)
    assert len(heard) > 2
    assert heard == sorted(heard)
    assert heard[-1] <= parts.duration


def test_a_very_long_file_is_heard_at_a_coarser_hop_and_that_is_said(
    tmp_path: Path, analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = piece(tmp_path / "x.wav", 30.0)
    monkeypatch.setattr(sliding.hop_for, "__defaults__", (20,))
    line = follow(analyzer, path)
    assert line.hop == 2.0
    assert len(line.times) == 14
    assert line.warnings == ("it is heard every 2 s, not every 0.5 s: more windows than that are too many",)


def test_silence_inside_of_a_song_is_a_gap(tmp_path: Path, analyzer: Analyzer) -> None:
    samples = np.concatenate([music(10), 0 * music(10), music(10, seed=1)])
    line = follow(analyzer, write(tmp_path / "x.wav", samples))
    gap = (line.times > 11.6) & (line.times < 18.4)
    assert np.isnan(line.genre.raw[gap]).all()
    assert not np.isnan(line.genre.raw[(line.times < 11) | (line.times > 19)]).any()
    assert (line.loudness[gap] == -100).all()
    silent = [section for section in line.mood.sections if not section.label]
    assert len(silent) == 1
    assert 11 < silent[0].start < 12
    assert 18 < silent[0].end < 19
    assert line.genre.histogram.snippets == int((~np.isnan(line.genre.raw[:, 0])).sum())


@pytest.mark.parametrize("seconds", [1.2, 2.9, 3.0, 3.4])
def test_short_files_have_a_window_or_a_few(tmp_path: Path, analyzer: Analyzer, seconds: float) -> None:
    line = follow(analyzer, piece(tmp_path / "x.flac", seconds))
    assert len(line.times) == 1
    assert 0 < line.times[0] < seconds
    assert (line.genre.sections[0].start, line.genre.sections[-1].end) == (0, line.duration)


def test_loudness_rises_with_the_music(tmp_path: Path, analyzer: Analyzer) -> None:
    samples = music(20) * np.linspace(0.01, 1, 20 * 44100, dtype=np.float32)[:, None]
    line = follow(analyzer, write(tmp_path / "x.wav", samples))
    assert np.corrcoef(line.times, line.loudness)[0, 1] > 0.8
    assert -20 < line.loudness[-1] < -5


def test_bad_files_are_told_as_by_analyze(tmp_path: Path, analyzer: Analyzer) -> None:
    (tmp_path / "text.mp3").write_text("dear diary")
    bad = {
        "none.mp3": errors.MissingAudio,
        "text.mp3": errors.NotAudio,
        "blip.wav": errors.TooShort,
        "hush.wav": errors.SilentAudio,
    }
    piece(tmp_path / "blip.wav", 0.5)
    write(tmp_path / "hush.wav", 0 * music(5))
    for name, kind in bad.items():
        with pytest.raises(kind, match=name):
            follow(analyzer, tmp_path / name)


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path: Path, analyzer: Analyzer) -> None:
    line = follow(analyzer, cut(piece(tmp_path / "x.mp3", 30.0), tmp_path / "half.mp3"))
    assert 14 < line.duration < 16
    assert "cut off" in line.warnings[0]


def test_the_public_function(tmp_path: Path, settings: Settings) -> None:
    path = piece(tmp_path / "x.ogg", 6.0)
    line = genrecore.timeline(
        path, hop=1.0, genre_model=settings.genre_model, mood_model=settings.mood_model, snippets=7
    )
    assert isinstance(line, genrecore.Timeline)
    assert line.analysis.genre.snippets == 7
    with pytest.raises(errors.ModelError, match="nothing"):
        genrecore.timeline(path, genre_model="nothing")


def test_the_mean_agrees_with_the_analysis_on_real_music(shared_data: Path) -> None:
    """The top class is the same on at least 95 % of 50 tracks."""
    analyzer = Analyzer()
    songs = sorted((shared_data / "songs").glob("*.[mo][pg][3g]"))
    clips = sorted((shared_data / "4qaed" / "audio").glob("*.opus"))[:: 800 // (50 - len(songs))]
    lines = [follow(analyzer, path) for path in (*songs, *clips)[:50]]
    assert len(lines) == 50
    for task in ("genre", "mood"):
        pairs = [(getattr(line, task).histogram, getattr(line.analysis, task)) for line in lines]
        assert sum(ours.top == theirs.top for ours, theirs in pairs) >= 0.95 * len(lines)
        by_mean = [[h.labels[np.argmax(h.probabilities)] for h in pair] for pair in pairs]
        assert sum(ours == theirs for ours, theirs in by_mean) >= 0.95 * len(lines)
