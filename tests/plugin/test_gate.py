"""The cache knows files by their state, also after their tags were written, and never a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin.conftest import Beets, Song, imported

from genrecore.cache import Cache
from genrecore.content import content_hash
from genrecore.keys import FileStat

SWAP = """
import shutil
from beets.plugins import BeetsPlugin


class Swap(BeetsPlugin):
    def __init__(self):
        super().__init__()
        self.config.add({"by": ""})
        self.import_stages = [self.swap]

    def swap(self, session, task):
        for item in task.imported_items():
            shutil.copy(self.config["by"].as_filename(), item.filepath)
"""


def known(beet: Beets, path: Path) -> str | None:
    """The audio in a file as the cache knows it without reading the file."""
    with Cache(beet.home / "genreclf.db", make=False) as cache:
        return cache.hashes([FileStat.of(str(path))]).get(str(path))


def test_a_file_is_known_after_its_tags_were_written(beet: Beets, song: Song) -> None:
    song("mp3", title="a")
    imported(beet)
    path = beet.music / "a.mp3"
    before = path.read_bytes()
    beet("genreclf")
    assert path.read_bytes() != before
    assert known(beet, path) == content_hash(path)


@pytest.mark.parametrize("swapped", [False, True])
def test_only_what_was_heard_is_vouched_for(beet: Beets, song: Song, tmp_path: Path, swapped: bool) -> None:
    """Another plugin replaces the file during the import, after it was heard."""
    path = song("flac", title="a")
    other = song("flac", "loud", title="b").rename(tmp_path / "other.flac")
    beet.config["genreclf"]["auto"] = True
    beet.config["import"]["copy"] = False
    if swapped:
        (tmp_path / "swap.py").write_text(SWAP)
        beet.config["pluginpath"] = [str(tmp_path)]
        beet.config["plugins"].append("swap")
        beet.config["swap"] = {"by": str(other)}
    imported(beet)
    assert (content_hash(path) == content_hash(other)) == swapped
    assert known(beet, path) == (None if swapped else content_hash(path))
