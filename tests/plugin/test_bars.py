"""Histograms as small bars."""

from __future__ import annotations

import pytest
from plugin.conftest import Beets, Song, imported

from beetsplug.genreclf.bars import bars


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [
        ({"jazz": 71, "rock": 2, "hiphop": 27}, "Jazz ███████▏ 71% Hip-Hop ██▊ 27%"),
        ({"jazz": 5, "rock": 95}, "Rock █████████▌ 95% Jazz ▌ 5%"),
        ({"jazz": 100, "rock": 0}, "Jazz ██████████ 100%"),
        ({"jazz": 1, "rock": 1}, "Jazz █████ 50% Rock █████ 50%"),
        ({"jazz": 0}, ""),
        ({}, ""),
    ],
)
def test_what_is_drawn(counts: dict[str, int], drawn: str) -> None:
    assert bars(counts) == drawn


def test_in_lists_paths_and_pretended_changes(beet: Beets, song: Song) -> None:
    song(title="heard")
    song("flac", title="not heard")
    imported(beet)
    assert "  heard: Jazz ██████████ 100%\n" in beet("genreclf", "--pretend", "title:=heard")
    beet("genreclf", "title:=heard")
    assert beet.ls("title+", form="$title: $genre_bars, $mood_bars") == [
        "heard: Jazz ██████████ 100%, Sad ██████████ 100%",
        "not heard: , ",
    ]
