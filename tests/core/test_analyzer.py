"""One file to one analysis: repeatable, blind to tags, with the models it was told to use."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp3
import numpy as np
import pytest
from core.rig import GENRES, MOODS, make_model, make_waveform_model
from synth import COMMON, music, piece, write

import genrecore
from genrecore import content, model, snippets
from genrecore.analyzer import ANALYSIS_VERSION, Analyzer, Preparer, analyze, method_of
from genrecore.errors import ModelError, SilentAudio, TooShort
from genrecore.settings import Settings

LIGHT = (
    "numpy",
    "scipy",
    "onnxruntime",
    "sqlalchemy",
    "av",
    "soxr",
    "rich",
    "click",
    "pebble",
    "torch",
    "beets",
)


@pytest.fixture(scope="module")
def analyzer(settings: Settings) -> Analyzer:
    return Analyzer(settings)


def test_an_analysis_is_complete(analyzer: Analyzer, songs: Path) -> None:
    path = str(songs / "1 flac.flac")
    analysis = analyzer.analyze(path)
    assert analysis.path == path
    assert analysis.content_hash == content.content_hash(path)
    assert analysis.duration == pytest.approx(8, abs=0.1)
    assert (analysis.genre.labels, analysis.mood.labels) == (GENRES, MOODS)
    assert (analysis.genre.model, analysis.mood.model) == ("rig-genre 0", "rig-mood 1")
    assert analysis.genre.snippets == analysis.mood.snippets == analysis.sampling.snippets == 20
    assert analysis.sampling.seconds == 3.0
    assert analysis.sampling.seed == snippets.seed_of(analysis.content_hash)
    assert sum(analysis.genre.probabilities) == pytest.approx(1, abs=1e-6)
    assert analysis.analysed_at.endswith("+00:00")
    assert analysis.warnings == ()
    assert list(analyzer.stage_seconds) == ["hash", "decode", "logmel", "genre", "mood"]


@pytest.mark.parametrize("kind", COMMON)
def test_the_same_file_gives_the_same_on_every_run(analyzer: Analyzer, songs: Path, kind: str) -> None:
    (path,) = songs.glob(f"*.{kind}")
    first, second = analyzer.analyze(path), analyzer.analyze(path)
    assert replace(first, analysed_at="") == replace(second, analysed_at="")


def test_tags_covers_and_names_change_nothing(analyzer: Analyzer, songs: Path, tmp_path: Path) -> None:
    path = tmp_path / "other name.bin"
    shutil.copy(songs / "0 mp3.mp3", path)
    before = analyzer.analyze(path)
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text="Title"))
    tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=bytes(100_000)))
    tags.save(path, v1=2)
    assert replace(analyzer.analyze(path), analysed_at="") == replace(before, analysed_at="")


def test_the_models_hear_the_snippets_that_were_drawn(
    analyzer: Analyzer, songs: Path, settings: Settings
) -> None:
    """The histogram is that of the models run, by hand, on the track's columns."""
    path = str(songs / "5 wav.wav")
    genre = model.load(settings.genre_model)
    track = snippets.open_track(path, count=20, seconds=3.0)
    rows = genre.run(snippets.inputs_for(genre.card, track))
    analysis = analyzer.analyze(path)
    assert analysis.genre.counts == tuple(np.bincount(rows.argmax(axis=1), minlength=10))
    assert analysis.genre.probabilities == pytest.approx(rows.mean(axis=0), abs=1e-6)


def test_more_snippets(settings: Settings, songs: Path) -> None:
    analysis = Analyzer(replace(settings, snippets=33)).analyze(songs / "5 wav.wav")
    assert (analysis.genre.snippets, analysis.mood.snippets, analysis.sampling.snippets) == (33, 33, 33)


# Not resource.getrusage: its peak includes what the process that started this one had taken.
_PEAK = """
import pickle, sys
from genrecore import Settings
from genrecore.analyzer import Analyzer
analyzer = Analyzer(Settings(sys.argv[1], sys.argv[2], int(sys.argv[3]), "cpu"))
prepared = analyzer.preparer.prepare(sys.argv[4])
assert analyzer.infer(prepared).genre.snippets == int(sys.argv[3])
sent = len(pickle.dumps(prepared.packed()))
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak[0]) // 1024, sent)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell the peak of memory"
)
@pytest.mark.parametrize("genre", ["", "waveform"])
def test_memory_does_not_grow_with_the_snippets(
    settings: Settings, songs: Path, tmp_path: Path, genre: str
) -> None:
    if genre:
        genre = str(make_waveform_model(tmp_path / "waveform.onnx"))
    peaks, sent = [], []
    for count in ("20", "4000"):
        command = [sys.executable, "-c", _PEAK, genre or settings.genre_model, settings.mood_model, count]
        done = subprocess.run(
            [*command, str(songs / "5 wav.wav")], capture_output=True, text=True, check=True
        )
        peak, size = done.stdout.split()
        peaks.append(int(peak))
        sent.append(int(size))
    assert peaks[1] - peaks[0] < 15
    assert sent[1] < 2_000_000  # between processes, with a graphics card


def test_a_short_track_is_used_whole(analyzer: Analyzer, tmp_path: Path) -> None:
    analysis = analyzer.analyze(piece(tmp_path / "short.wav", seconds=1.5))
    assert analysis.duration == pytest.approx(1.5, abs=0.01)
    assert analysis.genre.snippets == 20


def test_too_short_and_silent_are_told_apart(analyzer: Analyzer, tmp_path: Path) -> None:
    with pytest.raises(TooShort, match=r"blip\.wav"):
        analyzer.analyze(piece(tmp_path / "blip.wav", seconds=0.4))
    with pytest.raises(SilentAudio, match=r"hush\.wav"):
        analyzer.analyze(write(tmp_path / "hush.wav", 0 * music(3)))


def test_the_shipped_models_work_together(songs: Path) -> None:
    for genre in (path.stem for path in model.bundled("genre")):
        analysis = analyze(songs / "5 wav.wav", genre_model=genre, snippets=5, device="cpu")
        assert analysis.genre.model.startswith(f"{genre} ")
        assert analysis.valence is not None
        assert analysis.arousal is not None


def test_the_default_models_are_taken_where_none_is_named() -> None:
    assert model.DEFAULT_MODELS.keys() == {"genre", "mood"}
    assert method_of(Settings()) == method_of(
        Settings(model.DEFAULT_MODELS["genre"], model.DEFAULT_MODELS["mood"])
    )


def test_the_method_is_what_decides_the_numbers(settings: Settings, analyzer: Analyzer) -> None:
    method = method_of(settings)
    assert analyzer.key("1:abc") == method.key("1:abc")
    assert method.version == ANALYSIS_VERSION
    assert method == method_of(replace(settings, device="auto"))  # the device does not
    assert method.genre_model == model.digest(settings.genre_model)


def test_a_model_of_another_kind_is_refused(settings: Settings, tmp_path: Path) -> None:
    swapped = replace(settings, genre_model=settings.mood_model, mood_model=settings.genre_model)
    for make in (Analyzer, Preparer.for_settings):
        with pytest.raises(ModelError, match=r"mood\.onnx: this model decides the mood, not the genre"):
            make(swapped)
    fast = make_model(tmp_path / "fast.onnx", "genre", rate=44100)
    with pytest.raises(ModelError, match=r"fast\.onnx: this model wants audio at 44100 Hz"):
        Analyzer(replace(settings, genre_model=str(fast)))


@pytest.mark.parametrize("wrong", [{"snippets": 0}, {"snippets": -1}, {"device": "abacus"}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]


def test_settings_travel(settings: Settings) -> None:
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_the_public_names_are_there() -> None:
    for name in genrecore.__all__:
        assert getattr(genrecore, name) is not None
    assert set(genrecore.__all__) <= set(dir(genrecore))
    assert genrecore.analyze is analyze
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = genrecore.nonsense


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = (
        "import sys, genrecore, genrecore.analysis, genrecore.errors, genrecore.settings, genrecore.pool\n"
        f"print([name for name in {LIGHT!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_importing_what_analyses_loads_no_trainer_and_no_beets() -> None:
    script = (
        "import sys, genrecore.analyzer, genrecore.cache, genrecore.cli, genrecore.pool_run\n"
        "print([name for name in ('torch', 'librosa', 'beets', 'onnx', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_real_music(analyzer: Analyzer, shared_data: Path) -> None:
    songs = sorted(path for path in (shared_data / "songs").iterdir() if path.suffix in (".mp3", ".ogg"))
    for song in songs[:2]:
        analysis = analyzer.analyze(song)
        assert analysis.duration > 30
        assert analysis.warnings == ()
