"""The options of `beet genreclf` and its help. Light on purpose: every `beet` command imports this module."""

from __future__ import annotations

import optparse

from beets import ui

__all__ = ["command"]

_EXAMPLES = """
Examples:
  beet genreclf                          everything that has not been heard yet
  beet genreclf -p artist:queen          only show what would be written
  beet genreclf -a albumartist:queen     the albums get a genre and a mood, too
  beet genreclf --failed                 try again what failed
  beet genreclf --reapply                after other names or policies in the configuration
  beet genreclf --restore artist:queen   put back what was there before
  beet genreclf --show title:bohemian    draw what was heard, and when
  beet genreclf --report library.html    a page on the whole library
"""


class _Formatter(optparse.IndentedHelpFormatter):
    """Leaves the lines of the examples as they are."""

    def format_epilog(self, epilog: str | None) -> str:
        return epilog or ""


def command() -> ui.Subcommand:
    """The command, without what it does."""
    parser = ui.CommonOptionsParser(
        usage="%prog [options] [QUERY]",
        description="Listen to the tracks that match, or to all, and fill in genre and mood.",
        epilog=_EXAMPLES,
        formatter=_Formatter(),
    )
    parser.add_option(
        "-a",
        "--albums",
        action="store_true",
        dest="albums",
        help="match albums, listen to their tracks, and give the albums genre and mood, too",
    )
    parser.add_option("-A", "--items", action="store_false", dest="albums", help="match tracks (default)")
    parser.add_option(
        "-f",
        "--force",
        action="store_true",
        help="overwrite genres and moods, also of tracks heard before",
    )
    parser.add_option(
        "--reapply",
        action="store_true",
        help="write again what was heard before, after other options or other programs' changes",
    )
    parser.add_option(
        "--failed",
        action="store_true",
        help="only tracks that failed before (beet ls genreclf_failed::.)",
    )
    parser.add_option(
        "-p", "--pretend", action="store_true", help="show what would change, and change nothing"
    )
    parser.add_option(
        "-w", "--write", action="store_true", default=None, help="write tags to files (default)"
    )
    parser.add_option("-W", "--nowrite", action="store_false", dest="write", help="change only the library")
    parser.add_option("-j", "--jobs", type="int", metavar="N", help="worker processes (default: one a core)")
    parser.add_option("-q", "--quiet", action="store_true", help="print only warnings and errors")
    parser.add_option(
        "--restore", action="store_true", help="put back the genres and moods that were there before"
    )
    parser.add_option(
        "--show", action="store_true", help="draw what is heard in each track, and when; change nothing"
    )
    parser.add_option(
        "--report", metavar="FILE", help="write a page on the tracks that were heard; change nothing"
    )
    parser.add_option(
        "--config", action="store_true", help="show the options in force and where they come from"
    )
    return ui.Subcommand("genreclf", parser, help="listen to the music and fill in genre and mood")
