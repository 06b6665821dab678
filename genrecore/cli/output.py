"""Where the results of a run go: table, lines or JSON on standard output, progress and trouble beside it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from genrecore.cli.render import Layout, as_json, line, printable
from genrecore.pool import Result
from genrecore.report.style import clock

__all__ = ["Output"]


class Output:
    """Writes results as they come; a context manager, because of the progress bar.

    Parameters
    ----------
    out, err : Console
        Standard output and standard error.
    as_json : bool
        One JSON object a line instead of table or lines.
    """

    def __init__(self, out: Console, err: Console, *, as_json: bool) -> None:
        self._out = out
        self._err = err
        self._as_json = as_json
        # The bar must be drawn by the console that prints above it. It leaves room for the terminal's ^C.
        self._live = out if out.is_terminal else err
        self._progress = Progress(
            TextColumn("listening"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._live,
            transient=True,
            disable=not self._live.is_terminal,
        )
        self._task: TaskID | None = None
        self._layout: Layout | None = None

    @classmethod
    def choose(cls, *, as_json: bool) -> Output:
        """For the standard streams as they are."""
        return cls(Console(highlight=False), Console(stderr=True, highlight=False), as_json=as_json)

    def expect(self, total: int) -> None:
        """Show the progress bar."""
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def result(self, result: Result) -> None:
        """What became of a file."""
        if self._as_json:
            self._line(as_json(result.to_dict(), self._out.encoding))
        elif result.analysis is None:
            self.problem(result.error or "")
        elif self._out.is_terminal:
            if self._layout is None:
                self._layout = Layout.for_console(self._out)
                self._out.print(self._layout.header())
            self._out.print(self._layout.row(result))
        else:
            self._line(line(result.analysis, self._out.encoding))
        self._heard(() if self._as_json else result.warnings, result.path)

    def unseen(self, result: Result) -> None:
        """The same where it is not shown, and only what went wrong is."""
        if result.analysis is None:
            self.problem(result.error or "")
        self._heard(result.warnings, result.path)

    def _heard(self, warnings: tuple[str, ...], path: str) -> None:
        for warning in warnings:
            self.problem(f"{path}: {warning}", style="yellow")
        if self._task is not None:
            self._progress.advance(self._task)

    def problem(self, sentence: str, *, style: str = "red") -> None:
        """Something the user should know; on standard error unless both are the same terminal."""
        console = self._live if self._err.is_terminal else self._err
        console.out(printable(sentence, console.encoding), style=style, highlight=False)

    def _line(self, text: str) -> None:
        if self._out.is_terminal:
            self._out.out(text, highlight=False)
        else:  # ten times faster, and at once for whoever reads the other end
            self._out.file.write(f"{text}\n")
            self._out.file.flush()

    def interrupted(self, done: int, total: int, *, kept: bool) -> None:
        """Ctrl-C."""
        self._progress.stop()
        keeping = "; they are kept, and the same command goes on from there" if kept and done else ""
        self._err.out(f"interrupted: {done} of {total} files done{keeping}", highlight=False)

    def summary(self, heard: int, cached: int, failed: int, seconds: float) -> None:
        """Last line, on a terminal only."""
        self._progress.stop()
        if self._err.is_terminal and heard + cached + failed > 1:
            parts = [f"{heard} analysed"]
            parts += [f"{cached} from the cache"] if cached else []
            parts += [f"{failed} failed"] if failed else []
            self._err.out(f"{', '.join(parts)} in {clock(seconds)}", highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
