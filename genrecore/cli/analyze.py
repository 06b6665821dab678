"""``genrecore analyze``."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import click

from genrecore.cli.options import cache_for, listening_options
from genrecore.settings import Settings

if TYPE_CHECKING:
    from genrecore.pool import Result

__all__ = ["analyze"]


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(readable=False))
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@listening_options
def analyze(
    paths: tuple[str, ...],
    as_json: bool,
    settings: Settings,
    jobs: int,
    timeout: float,
    no_cache: bool,
    cache: str | None,
) -> None:
    """Listen to files and to all audio files in folders.

    Shows the genre, the mood, how sure that is and how the snippets of each track spread: as a table on a
    terminal, with a strip below the bars that says which class sounds when; as lines elsewhere. A file that was
    heard before is not heard again, even if moved or tagged.

    \b
    Examples:
      genrecore analyze song.mp3
      genrecore analyze Music/ --jobs 4
      genrecore analyze Music/ --json > analyses.jsonl
      genrecore analyze song.mp3 --genre-model abela-end2end-gru

    Exit code: 0 all fine, 1 some files failed, 2 wrong usage, 130 interrupted.
    """
    from genrecore.audio import AUDIO_EXTENSIONS
    from genrecore.cli.files import collect
    from genrecore.cli.output import Output
    from genrecore.pool import analyze_many

    files, problems = collect(paths, AUDIO_EXTENSIONS)
    tally = _Tally(failed=len(problems))
    begin = perf_counter()
    with Output.choose(as_json=as_json) as output, cache_for(no_cache, cache, output.problem) as store:
        for problem in problems:
            output.problem(problem)
        output.expect(len(files))
        results = analyze_many(
            files, settings, jobs=jobs, timeout=timeout, cache=store, notify=output.problem
        )
        try:
            with closing(results):
                for result in results:
                    tally.add(result)
                    output.result(result)
        except KeyboardInterrupt:
            output.interrupted(tally.done, len(files), kept=store is not None)
            raise click.exceptions.Exit(130) from None
        output.summary(tally.heard, tally.cached, tally.failed, perf_counter() - begin)
    sys.exit(1 if tally.failed else 0)


@dataclass
class _Tally:
    heard: int = 0
    cached: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        return self.heard + self.cached + self.failed

    def add(self, result: Result) -> None:
        if result.analysis is None:
            self.failed += 1
        elif result.cached:
            self.cached += 1
        else:
            self.heard += 1
