"""The single measurements. Each runs in a process of its own, so that none pays or profits for another.

    python -m benchmarks.measure throughput '{"paths": [...], "model": "...", "jobs": 2, "database": "..."}'

prints one JSON object.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["MEASUREMENTS"]

Outcome = dict[str, Any]


def _steady(started: float, finished: list[float], workers: int) -> Outcome:
    """Tracks a minute once every worker is up, and the whole run, start included.

    The first result of each worker carries the start of a process and the loading of the models: nothing in a
    library of thousands, a tenth in a benchmark of forty.
    """
    first, last, n = finished[workers - 1], finished[-1], len(finished)
    return {
        "tracks": n,
        "tracks_per_minute": 60.0 * (n - workers) / (last - first),
        "tracks_per_minute_with_start": 60.0 * n / (last - started),
        "seconds_to_first_result": finished[0] - started,
    }


def _peak_megabytes() -> float | None:
    """Peak resident memory of the largest child so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def throughput(paths: list[str], model: str, jobs: int, database: str) -> Outcome:
    """Everything, as a user has it: all cores, results into a new cache."""
    from genrecore.cache import Cache
    from genrecore.pool import analyze_many
    from genrecore.settings import Settings

    cache = Cache(database)
    finished, errors = [], []
    started = time.perf_counter()
    for result in analyze_many(paths, Settings(genre_model=model), jobs=jobs, cache=cache):
        finished.append(time.perf_counter())
        if result.error or result.cached:
            errors.append(f"{result.path}: {result.error or 'was in the cache'}")
    cache.close()
    if errors:
        raise SystemExit("\n".join(errors))
    return _steady(started, finished, jobs) | {"peak_worker_megabytes": _peak_megabytes()}


def _decode(path: str) -> float:
    from genrecore.audio import load

    started = time.perf_counter()
    load(path)
    return time.perf_counter() - started


def decoding(paths: list[str], jobs: int) -> Outcome:
    """Decoding and resampling alone, on as many processes."""
    finished, seconds = [], defaultdict(list)
    started = time.perf_counter()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_decode, path): path for path in paths}
        for future in as_completed(futures):
            finished.append(time.perf_counter())
            seconds[Path(futures[future]).suffix.removeprefix(".")].append(future.result())
    per_format = {suffix: statistics.median(values) for suffix, values in seconds.items()}
    return _steady(started, finished, jobs) | {"seconds_per_track": per_format}


def stages(paths: list[str], model: str, database: str) -> Outcome:
    """Seconds a track in each stage, one process, one thread."""
    from genrecore.analyzer import Analyzer
    from genrecore.cache import Cache
    from genrecore.keys import FileStat
    from genrecore.settings import Settings

    analyzer = Analyzer(Settings(genre_model=model))
    analyzer.analyze(paths[0])  # warm: lazy imports, FFT plans
    spent: dict[str, list[float]] = defaultdict(list)
    analyses = []
    for path in paths:
        analyses.append(analyzer.analyze(path))
        for stage, seconds in analyzer.stage_seconds.items():
            spent[stage].append(seconds)
    cache = Cache(database)
    for analysis in analyses:
        started = time.perf_counter()
        cache.put(analysis, analyzer.key(analysis.content_hash), FileStat.of(analysis.path))
        spent["store"].append(time.perf_counter() - started)
    cache.close()
    return {stage: statistics.fmean(values) for stage, values in spent.items()}


def _beet(home: str, *arguments: str) -> float:
    """Wall time of one `beet` command."""
    environment = os.environ | {"BEETSDIR": home}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "beets", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"beet {' '.join(arguments)} failed:\n{done.stderr}")
    return time.perf_counter() - started


def _beets_home(folder: Path, config: str) -> str:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"directory: music\nlibrary: library.db\n{config}", "utf-8")
    _beet(str(folder), "stats")  # makes the library
    return str(folder)


def startup(folder: str, repeats: int) -> Outcome:
    """`beet ls` without and with the plugin, in turns."""
    bare = _beets_home(Path(folder) / "bare", "plugins: []\n")
    ours = _beets_home(Path(folder) / "genreclf", "plugins: genreclf\n")
    times: dict[str, list[float]] = {bare: [], ours: []}
    for _ in range(repeats):
        for home, values in times.items():
            values.append(_beet(home, "ls"))
    without, with_plugin = (1000.0 * statistics.median(times[home]) for home in (bare, ours))
    return {
        "repeats": repeats,
        "without_milliseconds": without,
        "with_milliseconds": with_plugin,
        "difference_milliseconds": with_plugin - without,
    }


def nothing_new(folder: str, piece: str, tracks: int) -> Outcome:
    """`beet genreclf` over a library in which every track has been analysed."""
    home = _beets_home(Path(folder) / "cached", "plugins: genreclf\n")
    music = Path(home) / "music"
    music.mkdir()
    copies = [music / f"{number:05}{Path(piece).suffix}" for number in range(tracks)]
    for copy in copies:
        shutil.copyfile(piece, copy)
    _add_to_library(home, copies)
    first = _beet(home, "genreclf", "-q")
    # The fastest of several, in turns: whatever else the machine does only ever adds to it.
    turns = [(_beet(home, "genreclf", "-q", "id:0"), _beet(home, "genreclf", "-q")) for _ in range(5)]
    start, again = (min(times) for times in zip(*turns, strict=True))
    return {
        "tracks": tracks,
        "first_run_seconds": first,
        "start_of_beets_seconds": start,
        "seconds": again,
        "tracks_per_second": tracks / (again - start) if again > start else None,
    }


def one_song(paths: list[str], folder: str) -> Outcome:
    """`genrecore analyze` and `genrecore timeline` of one file, from the start of Python on, in turns."""
    commands = {
        "analyze": ["analyze", "--no-cache"],
        "timeline": ["timeline", "--json", str(Path(folder) / "timeline.json")],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for path in [paths[0], *paths]:  # the first time warms the disk's cache
        for name, words in commands.items():
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "genrecore", *words, path], capture_output=True, text=True, check=False
            )
            times[name].append(time.perf_counter() - started)
            if done.returncode:
                raise SystemExit(f"genrecore {' '.join(words)} failed:\n{done.stderr}")
    medians = {f"{name}_seconds": statistics.median(values[1:]) for name, values in times.items()}
    return {"files": len(paths), **medians}


def _add_to_library(home: str, paths: Iterable[Path]) -> None:
    from beets.library import Item, Library

    library = Library(str(Path(home) / "library.db"), str(Path(home) / "music"))
    with library.transaction():
        for path in paths:
            library.add(Item.from_path(str(path)))


MEASUREMENTS: dict[str, Callable[..., Outcome]] = {
    f.__name__: f for f in (throughput, decoding, stages, startup, nothing_new, one_song)
}

if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]](**json.loads(sys.argv[2]))))
