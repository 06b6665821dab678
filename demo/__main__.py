"""The main job from end to end, every command shown before it runs.

python -m demo                    six made-up pieces
python -m demo --music FOLDER     your own music (it is copied; the originals are not touched)
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARKER = ".made-by-genreclf-demo"
SEED = 2
MOODS = ("happy", "angry", "sad", "relaxed")

CONFIG = """\
plugins: genreclf smartplaylist
directory: ../library
library: library.db
import:
  copy: yes
genreclf:
  auto: no            # the default is yes: analyse during import; off here to show the command by itself
{guesses}smartplaylist:
  playlist_dir: playlists
  playlists:
    - name: sad.m3u
      query: mood:sad
    - name: calm.m3u
      query: mood_relaxed:0.5..
"""

GUESSES = """\
  min_confidence: 0   # the default is 0.5; made-up pieces are none that the models are sure of
"""

SECOND_MODEL = """\
genreclf:
  genre_model: {name}
  min_confidence: 0   # so that it names all
"""


class Demo:
    """A folder with a beets set-up of its own, and a way to run commands in it for all to see."""

    def __init__(self, out: Path, *, own_music: bool) -> None:
        self.out = out
        self.own_music = own_music
        self.step = 0
        scripts = sysconfig.get_path("scripts")
        self.env = os.environ | {
            "BEETSDIR": str(out / "beets"),
            "PATH": scripts + os.pathsep + os.environ.get("PATH", ""),
            "PYTHONIOENCODING": "utf-8",
        }
        if not sys.stdout.isatty():  # then rich draws the bars of the histogram all the same, without colours
            self.bars = self.env | {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"}
        else:
            self.bars = self.env

    def say(self, title: str, *lines: str) -> None:
        """Begin a step."""
        self.step += 1
        print(f"\n\n== {self.step}. {title}", flush=True)
        for line in lines:
            print(line, flush=True)

    def run(self, *command: str, bars: bool = False) -> None:
        """Show a command, then run it; a failure ends the demo, unless single files of the user's failed."""
        print(f"\n$ {shlex.join(command)}", flush=True)
        done = subprocess.run(
            self._found(command), cwd=self.out, env=self.bars if bars else self.env, check=False
        )
        if done.returncode and not (self.own_music and "genreclf" in command):
            sys.exit(f"The command above failed with exit code {done.returncode}; the demo stops here.")

    def ask(self, *command: str) -> list[str]:
        """Run a command unseen; its lines."""
        done = subprocess.run(
            self._found(command),
            cwd=self.out,
            env=self.env,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
        if done.returncode:
            sys.exit(f"{shlex.join(command)} failed with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout.splitlines()

    def show(self, path: str) -> None:
        """Print a small file of the demo's folder."""
        print(f"\n$ cat {shlex.quote(path)}\n{(self.out / path).read_text('utf-8').rstrip()}", flush=True)

    def _found(self, command: tuple[str, ...]) -> list[str]:
        program = shutil.which(command[0], path=self.env["PATH"])
        if program is None:
            sys.exit(
                f'The command {command[0]} is not installed beside {sys.executable}: pip install ".[cpu]"'
            )
        return [program, *command[1:]]


def fresh(out: Path, own: Path | None = None) -> None:
    """Empty the demo's folder; one that the demo did not make, or with the user's music, is left alone."""
    if own is not None and (own.is_relative_to(out) or out.is_relative_to(own)):
        sys.exit(
            f"{own} and the demo's folder {out} must not lie in each other: name another one with "
            "python -m demo --music FOLDER --out FOLDER."
        )
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            sys.exit(f"{out} holds files that the demo did not make: name another folder with --out.")
        shutil.rmtree(out)
    for folder in ("beets", "library", "playlists"):
        (out / folder).mkdir(parents=True)
    (out / MARKER).touch()


def make_music(folder: Path) -> None:
    """Play the pieces of `demo.pieces` into files, one format each."""
    from demo.files import encode, tag
    from demo.pieces import PIECES

    for index, piece in enumerate(PIECES):
        path = folder / piece.album / f"{piece.title}.{piece.suffix}"  # beets takes a folder for an album
        path.parent.mkdir(parents=True)
        encode(path, piece.render(SEED + index))
        tag(path, title=piece.title, artist=piece.artist, album=piece.album)
        print(f"  {piece.seconds:.0f} s  {path.name:24}  {piece.tune.__doc__}", flush=True)


def other_genre_model() -> tuple[str, str]:
    """Names of the default genre model and of the other one."""
    from genrecore.model import DEFAULT_MODELS, bundled

    default = DEFAULT_MODELS["genre"]
    return default, next(path.stem for path in bundled("genre") if path.stem != default)


def tour(demo: Demo, music: str) -> None:
    """The commands of the demo, from an empty library on."""
    demo.say("A beets configuration with genreclf among its plugins", "This is all there is to set up:")
    (demo.out / "beets" / "config.yaml").write_text(
        CONFIG.format(guesses="" if demo.own_music else GUESSES), "utf-8"
    )
    demo.show("beets/config.yaml")
    demo.ask("beet", "stats")  # makes the empty library, with beets' notes about that

    demo.say(
        "Import the music", "No look-ups on the web (-A), no questions (-q): the names come from the tags."
    )
    demo.run("beet", "import", "-qA", music)
    items = demo.ask("beet", "ls", "-f", "$id|$path")
    if not items:
        sys.exit(f"beets found no music in {music}: name a folder that holds some with MUSIC=folder.")
    names = "$artist - $title"
    demo.run("beet", "ls", "-f", f"{names}: genres [$genres], mood [$mood]")

    demo.say("Listen to it", "100 snippets of 3 seconds a track, each classified by itself:")
    demo.run("beet", "genreclf")
    demo.run("beet", "ls", "-f", f"{names}: $genres ($genre_confidence), $mood ($mood_confidence)")

    demo.say(
        "A second run does nothing",
        "What has been heard is remembered, by the sound and not by the file name:",
    )
    demo.run("beet", "genreclf")

    demo.say(
        "Ask the library",
        "By genre and mood, and by shares: genre_jazz is how much of a track sounds like jazz, 0 to 1.",
    )
    tops = Counter(demo.ask("beet", "ls", "-f", "$genre_top", "genre_top::."))
    if not tops:
        sys.exit("None of these files could be listened to: the lines above say why.")
    genre = tops.most_common(1)[0][0]
    demo.run("beet", "ls", f"genre_top:{genre}")
    demo.run("beet", "ls", "-f", f"$genre_{genre}  {names}", f"genre_{genre}:0.1..", f"genre_{genre}-")
    shares = demo.ask("beet", "ls", "-f", " ".join(f"$mood_{mood}" for mood in MOODS), "genre_top::.")
    totals = [sum(map(float, column)) for column in zip(*map(str.split, shares), strict=True)]
    mood = MOODS[totals.index(max(totals))]
    demo.run("beet", "ls", f"mood:{mood}")
    demo.run("beet", "ls", "-f", f"$mood_{mood}  {names}", f"mood_{mood}:0.5..", f"mood_{mood}-")
    demo.run("beet", "ls", "-f", f"valence $valence, arousal $arousal: {names}", "arousal+")

    demo.say(
        "Playlists, kept by beets' own smartplaylist plugin",
        "Sad songs, and those of which at least half sounds relaxed; a list of nothing is not written.",
    )
    demo.run("beet", "splupdate")
    for playlist in sorted((demo.out / "playlists").glob("*.m3u")):
        demo.show(f"playlists/{playlist.name}")

    first = items[0].split("|", 1)[1]
    relative = os.path.relpath(first, demo.out)
    demo.say(
        "One track as a histogram",
        "The same without beets; it is given the plugin's cache here, so nothing is heard twice.",
    )
    demo.run("genrecore", "analyze", "--cache", "beets/genreclf.db", relative, bars=True)

    demo.say("What stands in the file", "Every player reads these tags:")
    demo.run("mutagen-inspect", relative)

    default, other = other_genre_model()
    demo.say(
        "Another model, by name",
        f"So far {default} has named the genres; now {other} does.",
        "Genres that genreclf wrote itself are renewed; yours never are.",
    )
    demo.run("genrecore", "models")
    (demo.out / "second-model.yaml").write_text(SECOND_MODEL.format(name=other), "utf-8")
    demo.show("second-model.yaml")
    demo.run("beet", "-c", "second-model.yaml", "genreclf")
    demo.run("beet", "ls", "-f", f"{names}: $genres ($genre_confidence) by $genre_model")

    demo.say("What is remembered")
    demo.run("genrecore", "cache", "info", "--cache", "beets/genreclf.db")


def main() -> None:
    """Parse the arguments and run the demo."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description=__doc__.split("\n", 1)[0] if __doc__ else None
    )
    parser.add_argument("--music", type=Path, help="a folder with music of yours; it is copied, not touched")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where the demo's library goes")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    # Many shells leave the tilde of MUSIC=~/Music alone.
    own = arguments.music and arguments.music.expanduser().resolve()
    if own and not own.is_dir():
        parser.error(f"{own} is not a folder: name one that holds music")
    fresh(out, own)
    demo = Demo(out, own_music=own is not None)
    if own is None:
        demo.say(
            "Six short pieces, made up on the spot", "Caricatures of six styles, one in each of six formats:"
        )
        make_music(out / "music")
        music = "music"
    else:
        music = str(own)
    tour(demo, music)
    where = os.path.relpath(out)
    print(
        "\n\nThat was it. Go on by yourself:\n"
        f"  export PATH={shlex.quote(sysconfig.get_path('scripts'))}:$PATH\n"
        f"  cd {shlex.quote(where)}; export BEETSDIR=$PWD/beets\n"
        "  beet ls -f '$artist - $title: $genre_histogram'\n"
        "  beet genreclf --restore        # every genre and mood as it was before"
    )


if __name__ == "__main__":
    main()
