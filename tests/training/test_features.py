"""The feature store, on real files and a real disk: what is decoded, what is trusted, and what survives a crash."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import mediafile
import numpy as np
import pytest
from synth import music, piece, repeat, write

from genrecore import audio, snippets, spectrogram
from genrecore.spectrogram import LogMelSpec
from genrecore_training.datasets import Track
from genrecore_training.features import FeatureError, Store, as_float

SPEC = LogMelSpec()
RATE = audio.ANALYSIS_RATE


def track(path: Path | None, name: str = "") -> Track:
    return Track(name or (path.stem if path else "none"), "", "", path=path)


def arrays(store: Store) -> list[Path]:
    return sorted(store.folder.rglob("*.npy"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory, encoded: Callable[[str], Path]) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    assert Store(folder).prepare([track(encoded(kind), kind) for kind in ("flac", "mp3")]) == {}
    return folder


@pytest.fixture
def prepared(_prepared: Path, tmp_path: Path) -> Store:
    """With four seconds of flac and mp3, its own."""
    return Store(Path(shutil.copytree(_prepared, tmp_path / "prepared")))


@pytest.fixture
def flac(encoded: Callable[[str], Path]) -> Track:
    return track(encoded("flac"), "flac")


@pytest.fixture
def mp3(encoded: Callable[[str], Path]) -> Track:
    return track(encoded("mp3"), "mp3")


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour, which takes some seconds to decode."""
    folder = tmp_path_factory.mktemp("long")
    return repeat(piece(folder / "short.mp3", 10.0), folder / "long.mp3", 360)


def test_a_waveform_is_what_was_decoded(prepared: Store, flac: Track, mp3: Track) -> None:
    for each in (flac, mp3):
        samples = prepared.waveform(each)
        assert isinstance(samples, np.memmap)
        assert samples.dtype == np.int16
        np.testing.assert_allclose(as_float(samples), audio.load(each.path).samples, atol=1 / 30_000)


def test_what_is_there_is_not_made_again(
    prepared: Store, tmp_path: Path, flac: Track, mp3: Track, capsys: pytest.CaptureFixture[str]
) -> None:
    there, made = arrays(prepared), [array.stat().st_mtime_ns for array in arrays(prepared)]
    assert prepared.prepare([flac, mp3]) == {}
    assert "decoding" not in capsys.readouterr().out
    moved = Path(shutil.copy(flac.path, tmp_path / "other name.flac"))
    tags = mediafile.MediaFile(moved)
    tags.title = "a title that makes it longer" * 999
    tags.save()
    assert prepared.prepare([track(moved)]) == {}
    assert "decoding" in capsys.readouterr().out
    assert arrays(prepared) == there
    assert [array.stat().st_mtime_ns for array in there] == made
    assert len(Store(prepared.folder).waveform(track(moved))) == 4 * RATE


def test_another_sound_at_the_same_place_is_noticed(store: Store, tmp_path: Path) -> None:
    path = piece(tmp_path / "a.wav", 1.5, seed=1)
    store.prepare([track(path)])
    before = store.waveform(track(path)).copy()
    size = path.stat().st_size
    piece(path, 1.5, seed=2)
    assert path.stat().st_size == size
    os.utime(path, (1, 1))
    store.prepare([track(path)])
    assert len(arrays(store)) == 2
    assert not np.array_equal(store.waveform(track(path)), before)
    # Size and time are taken as proof: nothing is read of a file that looks unchanged.
    path.write_bytes(bytes(size))
    os.utime(path, (1, 1))
    assert store.prepare([track(path)]) == {}


def test_files_that_fail_are_named_and_the_others_made(prepared: Store, tmp_path: Path, flac: Track) -> None:
    (tmp_path / "text.mp3").write_text("no music " * 99, "utf-8")
    nothing = np.full((66150, 1), np.nan, np.float32)
    bad = {
        "nan": write(tmp_path / "nan.wav", nothing, kind="wavfloat"),
        "brief": piece(tmp_path / "brief.wav", 0.9),
        "text": tmp_path / "text.mp3",
        "missing": tmp_path / "missing.mp3",
    }
    good = track(piece(tmp_path / "good.wav", 1.5))
    failed = prepared.prepare([*(track(path, name) for name, path in bad.items()), good, flac, track(None)])
    assert failed.keys() == {*bad, "none"}
    for name, path in bad.items():
        assert failed[name].startswith(f"{path}: ")
        assert "\n" not in failed[name]
        with pytest.raises(FeatureError, match="is not decoded"):
            prepared.waveform(track(path, name))
    assert "it is silent" in failed["nan"]
    assert "0.90 s" in failed["brief"]
    assert len(prepared.waveform(good)) == 1.5 * RATE
    piece(bad["text"], 1.5)
    good.path.write_bytes(b"gone")
    assert list(prepared.prepare([track(bad["text"]), good])) == ["good"]
    assert len(prepared.waveform(track(bad["text"]))) > 0
    with pytest.raises(FeatureError, match=r"good\.wav is not decoded"):
        prepared.waveform(good)


def test_a_sample_that_is_no_number_is_silence_as_in_serving(store: Store, tmp_path: Path) -> None:
    samples = music(1.5)
    samples[1000], samples[2000] = np.nan, np.inf
    one = track(write(tmp_path / "a.wav", samples, kind="wavfloat"))
    assert store.prepare_logmel([one], SPEC) == {}
    assert np.isfinite(store.logmel(one, SPEC)).all()


def test_a_logmel_is_that_of_the_waveform(prepared: Store, flac: Track) -> None:
    samples = as_float(prepared.waveform(flac))
    other = LogMelSpec(fmax=8000.0)
    for spec, least in ((SPEC, 0), (other, 0), (SPEC, 6 * RATE), (SPEC, RATE)):
        found = prepared.logmel(flac, spec, least=least)
        assert isinstance(found, np.memmap)
        whole = samples if least <= len(samples) else snippets.fit(samples, least)
        assert np.array_equal(found, spectrogram.logmel(whole, spec).astype(np.float16))
        assert np.array_equal(found, Store(prepared.folder).logmel(flac, spec, least=least))


def test_logmels_alone_are_the_same_and_leave_no_waveforms(
    store: Store, prepared: Store, flac: Track, mp3: Track
) -> None:
    least = 5 * RATE
    assert store.prepare_logmel([flac, mp3], SPEC, least=least) == {}
    assert len(arrays(store)) == 2
    for each in (flac, mp3):
        expected = prepared.logmel(each, SPEC, least=least)
        assert np.array_equal(store.logmel(each, SPEC, least=least), expected)
        with pytest.raises(FeatureError, match="is not decoded"):
            store.logmel(each, SPEC)  # another kind
    made = [array.stat().st_mtime_ns for array in arrays(store)]
    store.prepare_logmel([flac, mp3], SPEC, least=least)
    assert [array.stat().st_mtime_ns for array in arrays(store)] == made


def test_of_a_long_track_the_middle_is_taken(store: Store, tmp_path: Path) -> None:
    samples = music(9.0, rate=RATE, channels=1)
    one = track(write(tmp_path / "a.wav", samples, rate=RATE, kind="wavfloat"))
    assert store.prepare_logmel([one], SPEC, longest=3.0) == {}
    middle = spectrogram.logmel(samples[3 * RATE : 6 * RATE, 0], SPEC)
    np.testing.assert_allclose(store.logmel(one, SPEC), middle, atol=0.2)
    store.prepare_logmel([one], SPEC)
    assert store.logmel(one, SPEC).shape[1] == spectrogram.frames_of(9 * RATE, SPEC)


def test_two_stores_take_nothing_from_each_other(
    prepared: Store, tmp_path: Path, flac: Track, mp3: Track
) -> None:
    other = Store(prepared.folder)
    assert not _is_lost(other, flac)  # so that it has read the index
    wav = track(piece(tmp_path / "a.wav", 1.5))
    prepared.prepare([wav])
    assert _is_lost(other, wav)
    other.prepare([track(piece(tmp_path / "b.wav", 1.5, seed=1))])
    for store in (other, Store(prepared.folder)):
        assert not any(
            _is_lost(store, track(path)) for path in (flac.path, mp3.path, *tmp_path.glob("*.wav"))
        )


def test_an_index_that_was_cut_off_costs_no_more_than_its_last_line(
    prepared: Store, flac: Track, mp3: Track
) -> None:
    index = prepared.folder / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-9])
    assert sum(_is_lost(prepared, each) for each in (flac, mp3)) == 1
    made = [array.stat().st_mtime_ns for array in arrays(prepared)]
    assert prepared.prepare([flac, mp3]) == {}
    assert [array.stat().st_mtime_ns for array in arrays(prepared)] == made
    assert not any(_is_lost(Store(prepared.folder), each) for each in (flac, mp3))


def _is_lost(store: Store, each: Track) -> bool:
    try:
        store.waveform(each)
    except FeatureError:
        return True
    return False


def test_a_damaged_array_is_one_sentence(prepared: Store, flac: Track) -> None:
    array = Path(prepared.waveform(flac).filename)
    for left in (array.read_bytes()[:999], b""):
        array.write_bytes(left)
        with pytest.raises(FeatureError, match=rf"{array.name} is damaged: delete it"):
            prepared.waveform(flac)
    array.unlink()
    with pytest.raises(FeatureError, match="is not decoded"):
        prepared.waveform(flac)
    assert prepared.prepare([flac]) == {}
    assert len(prepared.waveform(flac)) == 4 * RATE


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path, flac: Track) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FeatureError, match=r"file.*the features cannot be saved there \(Not a directory\)"):
        Store(tmp_path / "file" / "store").prepare([flac])


PREPARE = """
import sys
from pathlib import Path
from genrecore_training.datasets import Track
from genrecore_training.features import FeatureError, Store
folder, jobs, *paths = sys.argv[1:]
store = Store(Path(folder))
tracks = [Track(str(number), "", "", path=Path(path)) for number, path in enumerate(paths)]
try:
    print(store.prepare(tracks, jobs=int(jobs)))
except FeatureError as error:
    print(f"said: {error}")
"""


def program(folder: Path, jobs: int, *paths: Path, text: str = PREPARE) -> list[str]:
    return [sys.executable, "-c", text, str(folder), str(jobs), *map(str, paths)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def consistent(store: Store) -> int:
    """How many arrays there are; each is whole, and each line of the index has its own."""
    found = arrays(store)
    for array in found:
        assert len(np.load(array)) > 0
    index = store.folder / "index.jsonl"
    lines = index.read_text("ascii").splitlines() if index.exists() else []
    named = {json.loads(line)["content"].replace(":", "-") for line in lines if line}
    assert named <= {array.stem for array in found}
    return len(found)


def children(pid: int) -> list[int]:
    """Its child processes, with theirs."""
    own = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*own, *(grandchild for child in own for grandchild in children(child))]


def wait_for(happened: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_a_run_that_is_ended_in_the_middle_leaves_nothing_half_done(
    store: Store, encoded: Callable[[str], Path], long: Path, name: str
) -> None:
    how = signal.Signals[name]
    paths = [encoded("flac"), long, encoded("mp3")]
    running = subprocess.Popen(
        program(store.folder, 1, *paths),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for(lambda: arrays(store) and (store.folder / "index.jsonl").exists())
        workers = children(running.pid)
        assert workers
        if name == "SIGINT":
            os.killpg(running.pid, how)  # as a terminal does
        else:
            running.kill()
        ended = time.monotonic()
        _, said = running.communicate(timeout=30)
        assert time.monotonic() - ended < 5
        assert running.returncode == -how
        assert said.count("Traceback") == (name == "SIGINT"), said  # of the program, not of its workers
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 5)
    finally:
        running.kill()
    assert consistent(store) == 1
    if name == "SIGKILL":
        tracks = [track(path) for path in (paths[0], paths[2])]
        assert store.prepare(tracks) == {}
        assert consistent(store) == 2


def test_halves_that_nobody_finishes_are_removed(prepared: Store, flac: Track) -> None:
    folder = arrays(prepared)[0].parent
    old, young = folder / "a.npy.1.partial", folder / "b.npy.2.partial"
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    prepared.prepare([flac])
    assert not old.exists()
    assert young.exists()


def test_a_worker_that_dies_costs_one_file(store: Store, flac: Track, mp3: Track, long: Path) -> None:
    def kill() -> None:
        wait_for(lambda: arrays(store))
        time.sleep(0.3)
        for child in multiprocessing.active_children():
            child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    failed = store.prepare([flac, track(long), mp3], jobs=1)
    killer.join()
    assert list(failed) == ["long"]
    assert "died" in failed["long"]
    assert consistent(store) == 2


def test_a_full_disk_is_one_sentence(store: Store, tmp_path: Path) -> None:
    store.folder.mkdir()
    # A disk of 300 KB, which ends with the process.
    mount = f"mount -t tmpfs -o size=300k none {store.folder} && "
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*unshare, f"{mount} true"], capture_output=True).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    paths = [piece(tmp_path / f"{seed}.wav", 2.0, seed=seed) for seed in range(6)]
    after = f'"$@" && cp -r {store.folder}/. {tmp_path}/kept'
    (tmp_path / "kept").mkdir()
    done = subprocess.run(
        [*unshare, f"{mount}{after}", "sh", *program(store.folder, 2, *paths)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("said: "))
    assert "the features cannot be saved there (No space left on device): free some space" in said
    assert str(store.folder) in said
    assert "Traceback" not in done.stderr
    kept = Store(tmp_path / "kept")
    assert 1 <= consistent(kept) < 6
    assert not list(kept.folder.rglob("*.partial"))
    assert kept.prepare([track(path) for path in paths]) == {}
    assert consistent(kept) == 6


MANY = """
import resource, sys
from pathlib import Path
from genrecore_training.datasets import Track
from genrecore_training.features import Store
folder, _, path = sys.argv[1:]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
tracks = [Track(str(number), "", "", path=Path(path)) for number in range(300)]
store = Store(Path(folder))
resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
assert store.prepare(tracks) == {}
print(len([store.waveform(track) for track in tracks]))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
def test_more_tracks_than_files_may_be_open_can_be_mapped(
    store: Store, encoded: Callable[[str], Path]
) -> None:
    path = encoded("wav")
    store.prepare([track(path)])
    done = subprocess.run(
        program(store.folder, 1, path, text=MANY), env=environment(), capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("300"), done.stderr
