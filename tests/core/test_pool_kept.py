"""A pool that stays for several lists of files: its workers stay, and so do its guarantees."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from itertools import islice
from pathlib import Path

import pytest
from core.rig import analyse_or_fail

from genrecore.interrupts import interrupts_postponed
from genrecore.pool import Pool
from genrecore.pool_process import start_pool
from genrecore.settings import Settings


def workers() -> set[int | None]:
    return {child.pid for child in multiprocessing.active_children()}


def analysed(pool: Pool, paths: list[str]) -> list[bool]:
    return [result.analysis is not None for result in pool.analyze(paths)]


def named(folder: Path, songs: Path, *names: str) -> list[str]:
    return [shutil.copy(songs / "5 wav.wav", folder / f"{name}.wav") for name in names]


def test_workers_stay_until_it_is_closed(tmp_path: Path, songs: Path, settings: Settings) -> None:
    paths = named(tmp_path, songs, *"abcd")
    with Pool(settings, jobs=2) as pool:
        assert analysed(pool, paths[:1]) == [True]
        first = workers()
        assert len(first) == 1
        assert analysed(pool, paths[1:2]) == [True]
        assert workers() == first
        assert analysed(pool, paths) == [True] * 4
        both = workers()
        assert len(both) == 2
        assert analysed(pool, paths[:3]) == [True] * 3
        assert workers() == both
    assert not workers()


def test_a_bad_file_costs_the_next_list_nothing(tmp_path: Path, songs: Path, settings: Settings) -> None:
    paths = named(tmp_path, songs, "a", "crashes", "hangs", "b")
    with Pool(settings, jobs=2, timeout=8, _analyse=analyse_or_fail) as pool:
        done = {Path(result.path).stem for result in pool.analyze(paths) if result.analysis}
        assert done == {"a", "b"}
        assert analysed(pool, paths[:1] * 2) == [True, True]
        for pid in workers():  # for want of memory, say, while nobody looks
            os.kill(pid or 0, signal.SIGKILL)
        assert analysed(pool, paths[:1]) == [True]


def test_it_can_be_stopped_and_used_again(tmp_path: Path, songs: Path, settings: Settings) -> None:
    paths = named(tmp_path, songs, "hangs", "a", "b")
    with Pool(settings, jobs=2, _analyse=analyse_or_fail) as pool:
        begin = time.monotonic()
        asked = iter([False] * 4)
        assert len(list(pool.analyze(paths[:1], stopped=lambda: next(asked, True)))) == 0
        assert time.monotonic() - begin < 30
        assert not workers()
        assert analysed(pool, paths[1:]) == [True, True]
        results = pool.analyze(paths[::-1])
        assert len(list(islice(results, 1))) == 1
        results.close()
        assert not workers()


def test_workers_that_are_stopped_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Not while they start, nor while they end, be it by themselves."""
    for _ in range(8):
        pool = start_pool(4, int)
        handlers = [pool.schedule(signal.getsignal, args=(signal.SIGTERM,)) for _ in range(3)]
        assert {handler.result() for handler in handlers} == {signal.SIG_DFL}
        pool.stop()
        pool.join()
    assert capfd.readouterr().err == ""


def test_ctrl_c_inside_takes_effect_at_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []

    def work() -> None:
        with interrupts_postponed():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_of_the_main_thread_nothing_is_postponed() -> None:
    """Only the main thread gets KeyboardInterrupt, and only it may set handlers."""
    seen = []

    def work() -> None:
        with interrupts_postponed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
