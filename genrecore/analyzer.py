"""One file to one analysis, in this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from genrecore import audio, model, snippets, spectrogram
from genrecore.analysis import AGGREGATION_VERSION, Analysis, Histogram, Sampling, aggregate
from genrecore.card import ModelCard
from genrecore.content import content_hash as hash_content
from genrecore.errors import ModelError
from genrecore.keys import CacheKey, Method
from genrecore.runtime import CPU
from genrecore.settings import Settings
from genrecore.snippets import Cuts, Track

__all__ = [
    "ANALYSIS_VERSION",
    "Analyzer",
    "Prepared",
    "Preparer",
    "Settings",
    "analyze",
    "listen",
    "method_of",
]

#: What besides audio, models and sampling decides the numbers: part of the cache key.
ANALYSIS_VERSION = ".".join(
    str(version)
    for version in (
        audio.DECODER_VERSION,
        snippets.SNIPPETS_VERSION,
        spectrogram.LOGMEL_VERSION,
        AGGREGATION_VERSION,
    )
)


@dataclass(frozen=True)
class Prepared:
    """A track ready for the models: all that is left to do is arithmetic.

    Parameters
    ----------
    path, content_hash : str
        The file and the hash of its audio.
    duration : float
        Seconds.
    warnings : tuple of str
        What was odd about the file.
    genre, mood : Cuts
        Input of the two models, of shape (snippets, *model.card.input.shape).
    """

    path: str
    content_hash: str
    duration: float
    warnings: tuple[str, ...]
    genre: Cuts = field(repr=False)
    mood: Cuts = field(repr=False)

    def packed(self) -> Prepared:
        """The same in the least room, to be sent to another process."""
        return replace(self, genre=self.genre.packed(), mood=self.mood.packed())


class Preparer:
    """Files to inputs of the models, without the models.

    Parameters
    ----------
    genre, mood : ModelCard
        What the models listen to.
    count : int
        Snippets a track.
    """

    def __init__(self, genre: ModelCard, mood: ModelCard, count: int) -> None:
        self._genre = genre
        self._mood = mood
        self._count = count
        #: Seconds that the stages of the last file took.
        self.stage_seconds: dict[str, float] = {}

    @classmethod
    def for_settings(cls, settings: Settings) -> Preparer:
        """Read the cards of the models."""
        genre, mood = (model.read_card(name) for name in model_names(settings))
        _check(genre, "genre", settings)
        _check(mood, "mood", settings)
        return cls(genre, mood, settings.snippets)

    def prepare(self, path: str | os.PathLike[str], content_hash: str | None = None) -> Prepared:
        """Decode a file and cut its snippets.

        Raises
        ------
        AudioError
            In one sentence.
        """
        return self.cut(self.open(path, content_hash))

    def open(self, path: str | os.PathLike[str], content_hash: str | None = None) -> Track:
        """The first half of `prepare`: decode a file and draw its snippets."""
        name = os.fspath(path)
        begin = perf_counter()
        hashed = content_hash or hash_content(name)
        hashed_at = perf_counter()
        seconds = max(self._genre.snippet_seconds, self._mood.snippet_seconds)
        track = snippets.open_track(name, count=self._count, seconds=seconds, content_hash=hashed)
        self.stage_seconds = {"hash": hashed_at - begin, "decode": perf_counter() - hashed_at}
        return track

    def cut(self, track: Track) -> Prepared:
        """The second half: the snippets of a track as the two models want them."""
        begin = perf_counter()
        logmels = snippets.LogMels(track, [self._genre, self._mood])
        genre = snippets.cuts_for(self._genre, track, logmels)
        mood = snippets.cuts_for(self._mood, track, logmels)
        self.stage_seconds["logmel"] = perf_counter() - begin
        return Prepared(track.path, track.content_hash, track.duration, track.warnings, genre, mood)


class Analyzer:
    """Listens to files, one after the other; loads its models once.

    Parameters
    ----------
    settings : Settings, optional
        Models, number of snippets, device.
    notify : callable, optional
        Gets `fallback`, if there is one; the logger ``genrecore`` by default.

    Attributes
    ----------
    settings : Settings
        As given.
    genre, mood : Model
        The loaded models.
    preparer : Preparer
        The half of it that needs no models.
    graphics : bool
        Whether a model runs on a graphics card.
    fallback : str
        Why none does though one might be expected to, in one sentence that says what to do; or empty.

    Raises
    ------
    ModelError
        If a model is missing or faulty.
    RuntimeMissing
        If no ONNX Runtime, or more than one, is installed, or none that works on the device that is named.

    Examples
    --------
    >>> Analyzer().analyze("song.mp3").genre.top  # doctest: +SKIP
    'jazz'
    """

    def __init__(
        self, settings: Settings | None = None, *, notify: Callable[[str], None] | None = None
    ) -> None:
        self.settings = settings or Settings()
        genre, mood = model_names(self.settings)
        self.genre = model.load(genre, device=self.settings.device)
        self.mood = model.load(mood, device=self.settings.device)
        _check(self.genre.card, "genre", self.settings)
        _check(self.mood.card, "mood", self.settings)
        self.graphics = any(loaded.provider != CPU for loaded in (self.genre, self.mood))
        self.fallback = self.genre.fallback or self.mood.fallback
        if self.fallback:
            (notify or logging.getLogger("genrecore").warning)(self.fallback)
        self.preparer = Preparer(self.genre.card, self.mood.card, self.settings.snippets)
        self._method = Method(self.genre.digest, self.mood.digest, self.settings.snippets, ANALYSIS_VERSION)
        #: Seconds that the stages of the last analysis took: hash, decode, logmel, genre, mood.
        self.stage_seconds: dict[str, float] = {}

    def key(self, content_hash: str) -> CacheKey:
        """What the analysis of this audio is filed under."""
        return self._method.key(content_hash)

    def analyze(self, path: str | os.PathLike[str], content_hash: str | None = None) -> Analysis:
        """Listen to a file.

        Parameters
        ----------
        path : str or path
            Any audio file.
        content_hash : str, optional
            Its `genrecore.content.content_hash`, if known.

        Raises
        ------
        AudioError
            If nothing can be heard in it; in one sentence.
        """
        return self.infer(self.preparer.prepare(path, content_hash), self.preparer.stage_seconds)

    def infer(self, prepared: Prepared, seconds_before: dict[str, float] | None = None) -> Analysis:
        """The second half of `analyze`."""
        begin = perf_counter()
        genre = listen(self.genre, prepared.genre)
        heard_genre_at = perf_counter()
        mood = listen(self.mood, prepared.mood)
        stages = {"genre": heard_genre_at - begin, "mood": perf_counter() - heard_genre_at}
        self.stage_seconds = {**(seconds_before or {}), **stages}
        return Analysis(
            path=prepared.path,
            content_hash=prepared.content_hash,
            duration=prepared.duration,
            genre=genre,
            mood=mood,
            sampling=Sampling(
                snippets=genre.snippets,
                seconds=self.genre.card.snippet_seconds,
                seed=snippets.seed_of(prepared.content_hash),
            ),
            analysed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            warnings=prepared.warnings,
        )


def analyze(
    path: str | os.PathLike[str],
    *,
    genre_model: str = "",
    mood_model: str = "",
    snippets: int = Settings.snippets,
    device: str = "auto",
) -> Analysis:
    """Listen to one file.

    Parameters
    ----------
    path : str or path
        Any audio file.
    genre_model, mood_model : str
        Name of a bundled model or path of a model file; empty for the default one.
    snippets : int
        How many snippets are drawn from the track.
    device : {'auto', 'cpu', 'cuda', 'directml'}
        Where the models run.

    Returns
    -------
    Analysis
        Histograms of genre and mood. The same file always gives the same.

    Raises
    ------
    AudioError
        If nothing can be heard in it.
    ModelError, RuntimeMissing
        If a model or the ONNX Runtime is missing or faulty, or the device that is named does not work.

    Examples
    --------
    >>> genrecore.analyze("song.mp3").genre.share("jazz")  # doctest: +SKIP
    0.62
    """
    return _analyzer(Settings(genre_model, mood_model, snippets, device)).analyze(path)


def model_names(settings: Settings) -> tuple[str, str]:
    """Names or paths of the genre and the mood model."""
    return (
        settings.genre_model or model.DEFAULT_MODELS["genre"],
        settings.mood_model or model.DEFAULT_MODELS["mood"],
    )


def method_of(settings: Settings) -> Method:
    """How these settings make an analysis; reads the model files, but loads no model.

    Raises
    ------
    ModelError
        If a model is missing.
    """
    genre, mood = model_names(settings)
    return Method(model.digest(genre), model.digest(mood), settings.snippets, ANALYSIS_VERSION)


@lru_cache(maxsize=1)
def _analyzer(settings: Settings) -> Analyzer:
    return Analyzer(settings)


def _check(card: ModelCard, task: str, settings: Settings) -> None:
    name = model_names(settings)[task == "mood"]
    if card.task != task:
        raise ModelError(f"{name}: this model decides the {card.task}, not the {task}: name another one")
    if card.input.sample_rate != audio.ANALYSIS_RATE:
        raise ModelError(
            f"{name}: this model wants audio at {card.input.sample_rate} Hz, and genrecore analyses at "
            f"{audio.ANALYSIS_RATE} Hz: export it for that rate"
        )


def listen(loaded: model.Model, inputs: Cuts | NDArray[np.float32]) -> Histogram:
    """Histogram of what a model says of snippets of shape (snippets, *model.card.input.shape)."""
    card = loaded.card
    rows = loaded.run(inputs).tolist()
    return aggregate(rows, card.labels, model=card.id, temperature=card.temperature)
