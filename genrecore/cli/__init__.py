"""The command ``genrecore``: what the beets plugin does, without beets."""

from __future__ import annotations

from typing import Any

import click

from genrecore.cli.analyze import analyze
from genrecore.cli.cache import cache
from genrecore.cli.doctor import doctor
from genrecore.cli.models import models
from genrecore.cli.report import report
from genrecore.cli.timeline import timeline
from genrecore.errors import GenreCoreError

__all__ = ["main"]


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GenreCoreError as error:
            from genrecore.cli.render import printable

            raise click.ClickException(printable(str(error))) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            raise click.exceptions.Exit(130) from None


def _show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import genrecore

        click.echo(f"genrecore {genrecore.__version__}")
        ctx.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version.",
)
def main() -> None:
    """Hear the genre and the mood of music, offline.

    \b
    Examples:
      genrecore analyze song.mp3 Music/
      genrecore analyze --json Music/ > analyses.jsonl
      genrecore timeline song.mp3
      genrecore report Music/
      genrecore models
      genrecore doctor
    """


for _command in (analyze, timeline, report, models, cache, doctor):
    main.add_command(_command)
