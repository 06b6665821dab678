"""The timeline in a line of the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from core.rig import GENRES, MOODS
from plugin import ears
from rich.console import Console
from synth import music, write

from genrecore.analysis import Analysis, Histogram, Sampling, aggregate
from genrecore.analyzer import Analyzer
from genrecore.cli.render import Layout, letters_for, strip_of
from genrecore.pool import Result
from genrecore.report.style import colours
from genrecore.settings import Settings


def histogram(*sequence: int, labels: tuple[str, ...] = GENRES) -> Histogram:
    rows = np.eye(len(labels))[list(sequence)]
    return aggregate(rows.tolist(), labels, model="test 1")


def test_the_snippets_of_an_analysis_stand_in_the_order_in_which_they_sound(tmp_path: Path) -> None:
    samples = music(20)
    samples[: len(samples) // 2] *= 0.1
    path = write(tmp_path / "x.wav", samples)
    models = [
        str(ears.make_model(tmp_path / f"{task}.onnx", task, *labels))
        for task, labels in (("genre", ("jazz", "hiphop")), ("mood", ("sad", "angry")))
    ]
    analysis = Analyzer(Settings(*models, snippets=50)).analyze(path)
    names = [analysis.genre.labels[k] for k in analysis.genre.sequence]
    assert names[:15] == ["jazz"] * 15
    assert names[-15:] == ["hiphop"] * 15
    assert Analysis.from_json(analysis.to_json()).genre.sequence == analysis.genre.sequence


def test_a_sequence_must_be_that_which_is_counted() -> None:
    with pytest.raises(ValueError, match="sequence"):
        Histogram(("a", "b"), (1, 1), (0.5, 0.5), "test 1", 1.0, (0, 0))
    assert (
        Histogram.from_dict({"model": "old 1", "counts": {"a": 1}, "probabilities": {"a": 1.0}}).sequence
        == ()
    )


def test_each_part_has_its_commonest_class() -> None:
    assert strip_of(histogram(0, 0, 1, 1, 1, 2), 3) == ["blues", "classical", "classical"]
    assert strip_of(histogram(5, 6), 40) == ["jazz", "metal"]
    assert strip_of(Histogram(("a", "b"), (1, 1), (0.5, 0.5), "old 1"), 40) == []
    assert strip_of(histogram(0), 0) == []


def test_letters_are_all_different() -> None:
    assert len(set(letters_for(GENRES).values())) == len(GENRES)
    assert letters_for(GENRES)["jazz"] == "j"
    assert letters_for(["aa", "aa a", "a", "aAa"])["aa"] == "a"
    many = [f"a{k}" for k in range(40)]
    assert len(set(letters_for(many).values())) == 40


def drawn(colour: str | None, encoding: str = "utf-8", *, no_color: bool = False) -> str:
    genre = histogram(*[5] * 30, *[9] * 20)
    mood = histogram(*[2] * 50, labels=MOODS)
    analysis = Analysis("/x/a.mp3", "1:ab", 61.0, genre, mood, Sampling(50, 3.0, 1))
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(
        file=file, force_terminal=True, width=80, color_system=colour, legacy_windows=False, no_color=no_color
    )  # type: ignore[arg-type]
    console.print(Layout.for_console(console).row(Result("/x/a.mp3", analysis)))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_with_colours_the_strip_is_of_blocks_in_the_colours_of_the_bars() -> None:
    text = drawn("truecolor")
    for label in ("jazz", "rock"):
        red, green, blue = (int(colours(GENRES)[label][k : k + 2], 16) for k in (1, 3, 5))
        code = f"38;2;{red};{green};{blue}"
        assert f"\x1b[{code}m▀" in text
        assert text.count(code) > 2
    assert text.index("▀") < text.rindex("▀")


@pytest.mark.parametrize("colour", [None, "standard"])
def test_without_colours_enough_the_strip_is_of_letters(colour: str | None) -> None:
    text = drawn(colour)
    assert "j jazz" in text
    assert "k rock" in text or "o rock" in text
    letter = letters_for(GENRES)["rock"]
    assert "jjjjjjjj" in text
    assert letter * 8 in text
    assert "▀" not in text


def test_an_old_terminal_gets_letters_of_its_own() -> None:
    text = drawn("truecolor", "ascii")
    assert text.isascii()
    assert "jjjj" in text


def test_who_wants_no_colours_gets_letters() -> None:
    assert "jjjjjjjj" in drawn("truecolor", no_color=True)
