"""An import of many albums while others query and change the library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from plugin import rawtags
from plugin.conftest import Beets, Song

KINDS = ("mp3", "flac", "ogg", "m4a", "wav", "opus")
ALBUMS = 40

#: Another program on the same library, quicker than any user: until the folder of its heart's desire is there.
OTHER = """
import sys, time
from pathlib import Path
from beets.library import Library

library, music, end = sys.argv[1:]
lib = Library(library, music)
changes = 0
while not Path(end).exists():
    for item in list(lib.items("genre_model::.")):
        if "seen" not in item:
            item["seen"] = changes
            item.year = 1900 + changes % 100
            item.store()
            changes += 1
    list(lib.albums("album_mood:sad"))
    time.sleep(0.02)
print(changes)
"""


def albums(song: Song, folder: Path) -> None:
    for number in range(ALBUMS):
        album = folder / f"{number:02}"
        album.mkdir()
        for track, loudness in enumerate(("quiet", "loud")):
            path = song(KINDS[(number + track) % len(KINDS)], loudness, title=f"{number:02}-{track}")
            path.rename(album / path.name)


def test_an_import_beside_a_program_and_commands(beet: Beets, song: Song) -> None:
    folder = beet.home.parent / "new"
    albums(song, folder)
    beet.config["genreclf"]["auto"] = True
    beet.config["import"]["duplicate_action"] = "keep"  # they have no names
    beet("ls")
    talking = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    importing = subprocess.Popen(beet.command("import", str(folder)), env=beet.env, **talking)
    end = beet.home / "end"
    program = [sys.executable, "-c", OTHER, str(beet.library), str(beet.music), str(end)]
    other = subprocess.Popen(program, env=beet.env, **talking)
    said, changed = [], set()
    while importing.poll() is None:
        titles = set(beet.ls("genre_model::.")) - changed
        if titles:
            title = max(titles)
            changed.add(title)
            said.append(beet("modify", "-y", f"title:{title}", f"comments=about {title}"))
        said.append(beet("ls", "-a", "album_mood:sad"))
    said.append(importing.communicate()[0])
    end.touch()
    (seen, _) = other.communicate(timeout=100)
    assert (importing.returncode, other.returncode) == (0, 0), seen
    for text in said:
        assert not any(word in text for word in ("locked", "Traceback", "rror")), text
    assert int(seen) > 20, "this was meant to happen at the same time"
    assert changed, "this as well"
    found = {item.title: item for item in beet.items()}
    assert len(found) == 2 * ALBUMS
    for title, item in found.items():
        expected = ("Jazz", "Sad") if title.endswith("0") else ("Hip-Hop", "Angry")
        assert item.genres == rawtags.genre(item.filepath) == [expected[0]]
        assert rawtags.mood(item.filepath) == [expected[1]]
        assert rawtags.histogram(item.filepath, "mood") == [item["mood_histogram"]]
        assert item.comments == (f"about {title}" if title in changed else "")
    assert sum("seen" in item for item in found.values()) == int(seen)
    assert len(beet.ls("-a", "album_genre_jazz:0.5..0.5", "album_genre_hiphop:0.5")) == ALBUMS
    assert "nothing to do" in beet("genreclf", "-a")
