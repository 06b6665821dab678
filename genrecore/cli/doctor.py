"""``genrecore doctor``."""

from __future__ import annotations

import sys

import click

from genrecore.cli.options import cache_option

__all__ = ["doctor"]


@click.command()
@cache_option
def doctor(cache: str | None) -> None:
    """Show what is installed and what works; exit code 1 if something needs doing.

    Add this to a report of a bug.
    """
    from genrecore.doctor import examine

    problems: dict[str, None] = {}  # each once, in order
    for section in examine(cache):
        click.secho(section.title, bold=True)
        for finding in section.findings:
            click.echo(f"  {finding.name:<20} {finding.value}")
            if finding.problem:
                problems[finding.problem] = None
    for problem in problems:
        click.secho(f"\n{problem}", fg="red")
    if not problems:
        click.secho("\nEverything is in order.", fg="green")
    sys.exit(1 if problems else 0)
