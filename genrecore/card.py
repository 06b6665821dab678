"""What a model file says about itself: the card in its metadata.

The card is one JSON document under the ONNX metadata key ``genrecore.card``; this module reads, checks and writes that
document and knows nothing of ONNX.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from genrecore._types import require_texts, require_types
from genrecore.errors import ModelError
from genrecore.spectrogram import LogMelSpec, frames_of

__all__ = ["CARD_KEY", "TASKS", "Figure", "InputSpec", "ModelCard"]

CARD_KEY = "genrecore.card"
TASKS = ("genre", "mood")

_REQUIRED = [
    "name",
    "version",
    "task",
    "labels",
    "input",
    "snippet_seconds",
    "licence",
    "trained_on",
    "figures",
    "temperature",
    "recipe_hash",
]


@dataclass(frozen=True)
class InputSpec:
    """What a network listens to.

    Parameters
    ----------
    kind : {'waveform', 'logmel'}
        ``waveform``: float32 [batch, samples]; ``logmel``: float32 [batch, mels, frames] in dB re full scale.
    sample_rate : int
        Hz.
    samples : int
        Length of a snippet in samples.
    logmel : LogMelSpec, optional
        For ``logmel``: how the spectrogram is made.
    frames : int, optional
        For ``logmel``: columns of a snippet.
    """

    kind: str
    sample_rate: int
    samples: int
    logmel: LogMelSpec | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("waveform", "logmel"):
            raise ValueError(f"its input kind is {self.kind!r}, not waveform or logmel")
        if self.sample_rate <= 0 or self.samples <= 0:
            raise ValueError("its sample rate and snippet length must be positive")
        if self.kind == "logmel":
            if self.logmel is None or self.frames is None:
                raise ValueError("a logmel input needs the spectrogram's parameters and its frames")
            if self.logmel.sample_rate != self.sample_rate:
                raise ValueError("its two sample rates differ")
            if not 0 < self.frames <= frames_of(self.samples, self.logmel):
                raise ValueError(f"{self.frames} frames do not fit into a snippet of {self.samples} samples")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one snippet, without the batch."""
        if self.logmel is not None and self.frames is not None:
            return (self.logmel.n_mels, self.frames)
        return (self.samples,)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        data: dict[str, Any] = {"kind": self.kind, "sample_rate": self.sample_rate, "samples": self.samples}
        if self.logmel is not None:
            data |= {"logmel": self.logmel.to_dict(), "frames": self.frames}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> InputSpec:
        """Read what `to_dict` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        require_types(cls, data, "input.")
        logmel = data.get("logmel")
        if logmel is not None:
            require_types(LogMelSpec, logmel, "input.logmel.")
            missing = LogMelSpec().to_dict().keys() - logmel.keys()
            if missing:  # a default would be another spectrogram than the model was trained on
                raise KeyError(min(missing))
        return cls(
            kind=data["kind"],
            sample_rate=data["sample_rate"],
            samples=data["samples"],
            logmel=LogMelSpec(**logmel) if logmel is not None else None,
            frames=data.get("frames"),
        )


@dataclass(frozen=True)
class Figure:
    """One figure a model reached: never without protocol, number of test items and interval.

    Parameters
    ----------
    protocol : str
        Name of the split, see ``genrecore_training.protocols``.
    metric : str
        ``accuracy`` or ``macro F1``, per track.
    value, low, high : float
        The figure and its 95 % interval.
    n : int
        Test items: tracks, or single snippets under ``snippet_random``.
    fold : int, optional
        Of the protocol, whose test these very weights have not heard: ``genrecore-train evaluate`` gives the figure
        again. None where it is that of the recipe, over models of all folds, and not of these weights.
    """

    protocol: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    fold: int | None = None

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class ModelCard:
    """The self-description of a model file.

    Parameters
    ----------
    name, version : str
        ``id`` is both.
    task : {'genre', 'mood'}
        What it decides.
    labels : tuple of str
        Classes, in the order of the output.
    input : InputSpec
        What it listens to.
    snippet_seconds : float
        Length of a snippet.
    licence, trained_on : str
        Licence of the weights; the data they were trained on.
    figures : tuple of Figure
        What it reached, under which protocol.
    temperature : float
        Calibration temperature, see `genrecore.analysis.Histogram`.
    recipe_hash : str
        Hash of the recipe that trained it.
    parameters, multiply_adds : int
        Size and cost a snippet; 0 if unknown.
    """

    name: str
    version: str
    task: str
    labels: tuple[str, ...]
    input: InputSpec
    snippet_seconds: float
    licence: str
    trained_on: str
    figures: tuple[Figure, ...] = field(default=())
    temperature: float = 1.0
    recipe_hash: str = ""
    parameters: int = 0
    multiply_adds: int = 0

    def __post_init__(self) -> None:
        if not self.name or not self.version:
            raise ValueError("it has no name or no version")
        if self.task not in TASKS:
            raise ValueError(f"its task is {self.task!r}, not one of {', '.join(TASKS)}")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError("it needs at least two labels, all different")
        if not self.temperature > 0:
            raise ValueError("its calibration temperature must be positive")
        if (
            abs(self.snippet_seconds * self.input.sample_rate - self.input.samples)
            > 0.05 * self.input.sample_rate
        ):
            raise ValueError("its snippet length in seconds and in samples differ")

    @property
    def id(self) -> str:
        """Name and version: what stands in the fields ``genre_model`` and ``mood_model``."""
        return f"{self.name} {self.version}"

    def to_json(self) -> str:
        """The document that goes into the model file."""
        data = {
            "name": self.name,
            "version": self.version,
            "task": self.task,
            "labels": list(self.labels),
            "input": self.input.to_dict(),
            "snippet_seconds": self.snippet_seconds,
            "licence": self.licence,
            "trained_on": self.trained_on,
            "figures": [vars(figure) for figure in self.figures],
            "temperature": self.temperature,
            "recipe_hash": self.recipe_hash,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
        }
        return json.dumps(data, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: str) -> ModelCard:
        """Read and check a card.

        Parameters
        ----------
        text : str
            The document.
        source : str
            The file it stands in, for the message.

        Raises
        ------
        ModelError
            In one sentence: the file and what is wrong with it.
        """
        try:
            data = json.loads(text)
            require_types(cls, data)
            missing = [key for key in _REQUIRED if key not in data]
            if missing:
                raise KeyError(missing[0])
            require_texts(data["labels"], "labels")
            fields = {
                **data,
                "labels": tuple(data["labels"]),
                "input": InputSpec.from_dict(data["input"]),
                "figures": tuple(_figures(data["figures"])),
            }
            return cls(**fields)
        except KeyError as error:
            raise ModelError(f"{source}: the model's description lacks {error.args[0]!r}") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"{source}: the model's description is faulty: {error}") from error


def _figures(data: object) -> Iterator[Figure]:
    if not isinstance(data, list):
        raise ValueError("its figures are not a list")
    for number, figure in enumerate(data):
        require_types(Figure, figure, f"figures[{number}].")
        yield Figure(**figure)
