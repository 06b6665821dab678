"""Fixtures of the core's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from core.program import Genrecore
from core.rig import make_model
from synth import piece

from genrecore.card import ModelCard
from genrecore.model import read_card
from genrecore.settings import Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Small models, few snippets."""
    folder = tmp_path_factory.mktemp("models")
    genre = make_model(folder / "genre.onnx", "genre")
    mood = make_model(folder / "mood.onnx", "mood", hop=854, seed=1)
    return Settings(str(genre), str(mood), snippets=20, device="cpu")


@pytest.fixture(scope="session")
def genre_card(settings: Settings) -> ModelCard:
    return read_card(settings.genre_model)


@pytest.fixture(scope="session")
def mood_card(settings: Settings) -> ModelCard:
    return read_card(settings.mood_model)


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six short pieces; not to be changed."""
    folder = tmp_path_factory.mktemp("songs")
    for seed, kind in enumerate(("mp3", "flac", "ogg", "opus", "m4a", "wav")):
        piece(folder / f"{seed} {kind}.{kind}", seconds=8, seed=seed)
    return folder


@pytest.fixture
def genrecore(tmp_path: Path, settings: Settings) -> Genrecore:
    return Genrecore(tmp_path, settings)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db" / "cache.db"


@pytest.fixture
def messages() -> list[str]:
    return []
