"""Real songs in six formats, with the bundled models, from import to playlist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import synth
from plugin import rawtags
from plugin.conftest import Beets

from genrecore import audio

pytestmark = pytest.mark.slow

NUMBERS = "$title|$genre_top|$genre_confidence|$mood_sad|$valence|$arousal|$genre_model|$mood_model"


@pytest.fixture
def songs(shared_data: Path, tmp_path: Path) -> Path:
    """Parts of the songs, each in another format, without genre and mood."""
    sources = sorted(p for p in (shared_data / "songs").iterdir() if p.suffix in (".mp3", ".ogg"))
    assert len(sources) >= len(synth.COMMON)
    folder = tmp_path / "songs"
    folder.mkdir()
    for source, kind in zip(sources, synth.COMMON, strict=False):
        part = audio.load(source, rate=44100, start=10.0, duration=30.0)
        both = part.samples.repeat(2).reshape(-1, 2)
        rawtags.put(synth.write(folder / f"{kind}.{kind}", both), title=kind)
    return folder


@pytest.mark.parametrize("id3v23", [False, True])
def test_from_import_to_playlist(beet: Beets, songs: Path, id3v23: bool) -> None:
    beet.config["id3v23"] = id3v23
    beet.config["genreclf"] |= {
        "auto": True,
        "genre_model": "",
        "mood_model": "",
        "snippets": 20,
        "jobs": 0,
        "min_confidence": 0,
    }
    beet.config["plugins"].append("smartplaylist")
    beet.config["smartplaylist"] = {
        "playlist_dir": str(beet.home),
        "playlists": [{"name": "$mood.m3u", "query": "mood::."}],
    }
    beet("import", str(songs))
    numbers = {line.split("|")[0]: line.split("|")[1:] for line in beet.ls(form=NUMBERS)}
    moods = set()
    for item in beet.items():
        path, kind = item.filepath, item.title
        heard = {task: json.loads(rawtags.histogram(path, task)[0]) for task in ("genre", "mood")}
        for task in heard:
            assert sum(heard[task]["counts"].values()) == 20
            assert item[f"{task}_histogram"] == rawtags.histogram(path, task)[0]
        top, confidence, sad, valence, arousal, *models = numbers[kind]
        assert top == heard["genre"]["top"]
        assert float(confidence) == pytest.approx(heard["genre"]["confidence"], abs=1e-3)
        assert float(sad) == pytest.approx(heard["mood"]["counts"]["sad"] / 20, abs=1e-3)
        assert 0 <= float(valence) <= 1
        assert 0 <= float(arousal) <= 1
        assert models == [heard["genre"]["model"], heard["mood"]["model"]]
        assert rawtags.genre(path) == item.genres
        assert item.genres[0].replace("-", "").lower() == top
        mood = heard["mood"]["top"].title()
        moods.add(mood)
        found = rawtags.mood(path)
        if id3v23 and kind == "mp3":
            assert found is None
            found = rawtags.value(path, "TXXX:mood")
        assert found == [mood]
        assert kind in beet.ls(f"genre:{item.genres[0].lower()}")
        assert kind in beet.ls(f"mood:{mood.lower()}", f"mood_{mood.lower()}:0.25..", f"mood_{mood.lower()}-")
    assert "nothing to do: 6 tracks" in beet("genreclf")
    assert "6 from the cache" in beet("genreclf", "-f")
    beet("splupdate")
    lists = {path.stem: path.read_text().splitlines() for path in beet.home.glob("*.m3u")}
    assert set(lists) == moods
    assert sum(map(len, lists.values())) == 6
