"""Many files: the numbers of one file alone, files that go wrong, the cache, interruptions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import mutagen.flac
import pytest
from core.rig import always_exit, analyse_or_fail, make_model
from synth import cut, piece

from genrecore.analyzer import Analyzer
from genrecore.cache import Cache
from genrecore.errors import ModelError
from genrecore.pool import Result, WorkersFailed, analyze_many
from genrecore.settings import Settings

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "cache" / "cache.db") as cache:
        yield cache


def files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.iterdir())


def same(one: Result, other: Result) -> bool:
    assert one.analysis is not None
    assert other.analysis is not None
    return replace(one.analysis, path="", analysed_at="") == replace(other.analysis, path="", analysed_at="")


def by_name(results: Iterator[Result]) -> dict[str, Result]:
    return {Path(result.path).name: result for result in results}


def test_a_pool_says_what_one_analyzer_says(songs: Path, settings: Settings) -> None:
    alone = Analyzer(settings)
    results = list(analyze_many(files(songs), settings, jobs=2))
    assert sorted(result.path for result in results) == files(songs)
    for result in results:
        assert result.error is None
        assert same(result, Result(result.path, alone.analyze(result.path)))
    # The models do have opinions, else the line above would say nothing.
    assert len({result.analysis.genre.counts for result in results if result.analysis}) == len(results)


def test_decoding_workers_and_one_that_runs_the_models_say_the_same(songs: Path, settings: Settings) -> None:
    together = by_name(analyze_many(files(songs), settings, jobs=2))
    apart = by_name(analyze_many(files(songs), settings, jobs=2, _split=True))
    assert len(apart) == 6
    assert all(same(together[name], apart[name]) for name in together)


def test_everything_that_can_go_wrong_costs_only_its_file(
    tmp_path: Path, songs: Path, settings: Settings
) -> None:
    source = songs / "5 wav.wav"
    bad = ("crashes", "exits", "grows", "hangs", "raises", "swallows")
    for name in (*bad, "once", *(f"good{n}" for n in range(6))):
        shutil.copy(source, tmp_path / f"{name}.wav")
    paths = files(tmp_path)
    results = list(analyze_many(paths, settings, jobs=2, timeout=10, _analyse=analyse_or_fail))
    assert sorted(result.path for result in results) == paths
    failed = {Path(result.path).stem: result.error or "" for result in results if result.analysis is None}
    assert sorted(failed) == sorted(bad)
    for name, error in failed.items():
        assert error.startswith(f"{tmp_path / name}.wav: ")
        assert "\n" not in error
    assert "exit code 3" in failed["exits"] or "at once" in failed["exits"]
    assert "SIGSEGV" in failed["crashes"]
    assert "SIGKILL" in failed["grows"] or "at once" in failed["grows"]
    assert "no result within 10 s" in failed["hangs"]
    assert "ZeroDivisionError" in failed["raises"]
    assert "not enough memory" in failed["swallows"]


def test_workers_that_never_work_end_the_run_with_a_reason(
    songs: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the models load, the files are to blame; where they do not, no file is."""
    results = list(analyze_many(files(songs)[:2], settings, jobs=2, _analyse=always_exit))
    assert [result.analysis for result in results] == [None, None]
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(WorkersFailed, match="genrecore doctor"):
        list(analyze_many(files(songs), settings, jobs=2))


def test_bad_files_get_one_clear_line_each(tmp_path: Path, songs: Path, settings: Settings) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "noise.mp3").write_bytes(os.urandom(50_000))
    (tmp_path / "text.mp3").write_text("dear diary\n" * 1000)
    (tmp_path / "folder.mp3").mkdir()
    piece(tmp_path / "blip.wav", seconds=0.4)
    cut(songs / "0 mp3.mp3", tmp_path / "half.mp3", 0.5)
    cut(songs / "1 flac.flac", tmp_path / "half.flac", 0.5)
    shutil.copy(songs / "5 wav.wav", tmp_path / "good.wav")
    os.mkfifo(tmp_path / "pipe.mp3")
    paths = [*files(tmp_path), str(tmp_path / "missing.mp3")]
    results = by_name(analyze_many(paths, settings, jobs=2, timeout=30))
    assert len(results) == 10
    assert {name for name, result in results.items() if result.analysis} == {
        "good.wav",
        "half.mp3",
        "half.flac",
    }
    for result in results.values():
        if result.analysis is None:
            assert (result.error or "").startswith(f"{result.path}: ")
            assert (result.error or "").count("\n") == 0
            assert "unexpected" not in (result.error or "")


def test_what_was_heard_is_not_heard_again(songs: Path, settings: Settings, cache: Cache) -> None:
    first = by_name(analyze_many(files(songs), settings, jobs=2, cache=cache))
    again = by_name(analyze_many(files(songs), settings, jobs=2, cache=cache, _analyse=always_exit))
    assert [result.cached for result in first.values()] == [False] * 6
    assert [result.cached for result in again.values()] == [True] * 6
    assert all(first[name].analysis == again[name].analysis for name in first)


def test_retagging_moving_and_copying_do_not_count(
    tmp_path: Path, songs: Path, settings: Settings, cache: Cache
) -> None:
    path = tmp_path / "song.flac"
    shutil.copy(songs / "1 flac.flac", path)
    (first,) = analyze_many([str(path)], settings, cache=cache)
    tagged = mutagen.flac.FLAC(path)
    tagged["GENRE"] = "Jazz" * 5000
    tagged.save()
    path = path.rename(tmp_path / "renamed.flac")
    (again,) = analyze_many([str(path)], settings, cache=cache, _analyse=always_exit)
    assert again.cached
    assert again.path == str(path)
    assert same(first, again)
    # Known by its state from now on: not even the hash is taken again.
    assert cache.info().files == 2
    (third,) = analyze_many([str(path)], settings, cache=cache, _analyse=always_exit)
    assert third.seconds == 0
    # Alone, without a cache, after retagging: the same numbers.
    assert same(first, Result(str(path), Analyzer(settings).analyze(path)))


def test_another_model_or_sampling_is_a_new_analysis(
    tmp_path: Path, songs: Path, settings: Settings, cache: Cache
) -> None:
    path = str(songs / "5 wav.wav")
    other = replace(settings, genre_model=str(make_model(tmp_path / "other.onnx", "genre", seed=7)))
    more = replace(settings, snippets=21)
    for variant in (settings, other, more):
        (result,) = analyze_many([path], variant, cache=cache)
        assert not result.cached
    for variant in (settings, other, more):
        (result,) = analyze_many([path], variant, cache=cache)
        assert result.cached
    assert (cache.info().analyses, cache.info().files) == (3, 1)


def test_a_failed_file_is_tried_again(tmp_path: Path, songs: Path, settings: Settings, cache: Cache) -> None:
    path = tmp_path / "song.wav"
    path.touch()
    (first,) = analyze_many([str(path)], settings, cache=cache)
    shutil.copy(songs / "5 wav.wav", path)
    (second,) = analyze_many([str(path)], settings, cache=cache)
    assert first.error is not None
    assert second.error is None


def test_a_cache_that_breaks_is_one_message_and_stops_nothing(
    tmp_path: Path, songs: Path, settings: Settings
) -> None:
    database = tmp_path / "cache.db"
    Cache(database).close()
    messages: list[str] = []
    with Cache(f"sqlite:///file:{database}?mode=ro&uri=true") as cache:
        results = list(analyze_many(files(songs), settings, jobs=2, cache=cache, notify=messages.append))
    assert [result.error for result in results] == [None] * 6
    (message,) = messages
    assert "readonly" in message


def test_paths_are_read_as_they_are_needed(songs: Path, settings: Settings) -> None:
    """Memory does not grow with the number of paths."""
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield str(songs / "5 wav.wav")

    results = analyze_many(endless(), settings, jobs=1)
    assert [result.error for result in islice(results, 3)] == [None] * 3
    results.close()
    assert taken <= 600


def test_closing_keeps_what_is_done_and_ends_the_workers(
    songs: Path, settings: Settings, cache: Cache
) -> None:
    import multiprocessing

    results = analyze_many(files(songs), settings, jobs=2, cache=cache)
    next(results)
    workers = multiprocessing.active_children()
    assert workers
    begin = time.monotonic()
    results.close()
    assert time.monotonic() - begin < 10
    assert not any(worker.is_alive() for worker in workers)
    assert cache.info().analyses >= 1


def test_no_files_start_no_workers(settings: Settings) -> None:
    assert list(analyze_many([], settings)) == []


def test_a_model_that_is_missing_or_unfit_ends_the_run(
    tmp_path: Path, songs: Path, settings: Settings
) -> None:
    with pytest.raises(ModelError, match="no such model"):
        analyze_many([], replace(settings, genre_model="nonsense"))
    with pytest.raises(ModelError, match="decides the mood, not the genre"):
        list(analyze_many(files(songs), replace(settings, genre_model=settings.mood_model)))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        list(analyze_many(files(songs), replace(settings, genre_model=str(broken))))


@pytest.mark.parametrize("wrong", [{"jobs": -1}, {"timeout": 0}])
def test_nonsense_is_refused(wrong: dict[str, int], settings: Settings) -> None:
    with pytest.raises(ValueError, match="must"):
        analyze_many([], settings, **wrong)  # type: ignore[arg-type]


def test_a_script_needs_no_guard_and_runs_once(tmp_path: Path, songs: Path, settings: Settings) -> None:
    """Workers do not import the caller's main module."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nprint('begin', flush=True)\n"
        "from genrecore import Settings, analyze_many\n"
        "settings = Settings(sys.argv[2], sys.argv[3], 20, 'cpu')\n"
        "for result in analyze_many([sys.argv[1]], settings):\n    print(result.error)\n"
    )
    command = [
        sys.executable,
        str(script),
        str(songs / "5 wav.wav"),
        settings.genre_model,
        settings.mood_model,
    ]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begin\nNone\n", "")
