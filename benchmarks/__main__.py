"""Run every measurement and write the results: `make bench`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import material

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
#: Each format is measured this many times at least, on files that differ.
COPIES = 8
STAGE_COPIES = 3
#: What `genrecore.pool` gives its workers; here for what is measured without it.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure(name: str, **arguments: Any) -> dict[str, Any]:
    """One measurement of `benchmarks.measure`, in a process of its own."""
    print(f"{name} {arguments.get('model', '')} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.measure", name, json.dumps(arguments)]
    environment = os.environ | (ONE_THREAD if name in ("stages", "decoding") else {})
    done = subprocess.run(
        command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"The measurement {name} failed; the lines above say why.")
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return outcome


def machine(jobs: int) -> dict[str, Any]:
    """What it was measured on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    versions: dict[str, str | None] = {}
    for name in ("beets-genreclf", "beets", "numpy", "scipy", "soxr", "av", "onnxruntime"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "jobs": jobs,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
    }


def main() -> None:
    """Parse the arguments, measure, write, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--copies", type=int, default=COPIES, help="files of each format (default %(default)s)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="worker processes (default: all cores)"
    )
    parser.add_argument("--tracks", type=int, default=2000, help="library of the run with nothing new")
    parser.add_argument("--name", default="speed", help="results go to benchmarks/results/NAME.json")
    arguments = parser.parse_args()

    from genrecore.model import bundled

    build = HERE.parent / "build" / "bench"
    paths = [str(path) for path in material.make(build, arguments.copies, arguments.jobs)]
    few = paths[: STAGE_COPIES * len(material.FORMATS)]
    with tempfile.TemporaryDirectory(prefix="genreclf-bench-") as scratch:
        folder = Path(scratch)
        decoding = measure("decoding", paths=paths, jobs=arguments.jobs)
        models = {}
        for name in (path.stem for path in bundled("genre")):
            outcome = measure(
                "throughput",
                paths=paths,
                model=name,
                jobs=arguments.jobs,
                database=str(folder / f"{name}.db"),
            )
            outcome["ratio_to_decoding"] = decoding["tracks_per_minute"] / outcome["tracks_per_minute"]
            outcome["stage_seconds"] = measure(
                "stages", paths=few, model=name, database=str(folder / f"{name}-stages.db")
            )
            models[name] = outcome
        one_song = measure("one_song", paths=few, folder=str(folder))
        startup = measure("startup", folder=str(folder), repeats=21)
        piece = material.short_piece(folder / "piece.mp3")
        nothing_new = measure("nothing_new", folder=str(folder), piece=str(piece), tracks=arguments.tracks)
        shutil.rmtree(folder / "cached")

    results = {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(arguments.jobs),
        "piece": {"seconds": material.SECONDS, "formats": list(material.FORMATS), "files": len(paths)},
        "decoding": decoding,
        "models": models,
        "startup": startup,
        "nothing_new": nothing_new,
        "one_song": one_song,
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{arguments.name}.json"
    target.write_text(json.dumps(_rounded(results), indent=2) + "\n", "utf-8")

    from benchmarks.tables import bench_block

    print(bench_block([_rounded(results)]))
    print(f"\nwritten to {os.path.relpath(target)}")


def _rounded(value: Any) -> Any:
    """Floats to four digits: more would pretend."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


if __name__ == "__main__":
    main()
