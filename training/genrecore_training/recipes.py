"""Recipes: one YAML file a model; every key is checked and documented here."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genrecore_training.augment import Augmentation

__all__ = ["InputSettings", "Optimisation", "Recipe", "RecipeError", "load", "names"]


class RecipeError(Exception):
    """A recipe that does not exist or does not read; the message names file, key and what is allowed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSettings(_Strict):
    """What a network listens to."""

    kind: Literal["waveform", "logmel"]
    samples: int = Field(description="length of a snippet in samples at 22,050 Hz")
    hop_length: int | None = Field(None, description="logmel: hop in samples, 1708 or a divisor of it")
    frames: int | None = Field(None, description="logmel: columns of a snippet")
    crops_per_track: int = Field(10, ge=1, description="random snippets of each track in an epoch")


class Optimisation(_Strict):
    """How the weights are found."""

    name: Literal["adam", "adamw"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["plateau", "cosine"] = Field(
        "plateau", description="x0.1 on plateau, or one cosine with warm-up"
    )
    patience: int = Field(3, ge=0, description="plateau: epochs without a better validation loss")
    epochs: int = Field(30, ge=1, description="at most")
    early_stopping: int | None = Field(
        None, description="epochs without a better validation loss; none: run to the end"
    )
    batch: int = Field(64, ge=2)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema: float | None = Field(None, gt=0, lt=1, description="decay of the moving average of the weights")
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class Recipe(_Strict):
    """Everything that decides a training run, but for protocol and fold."""

    name: str
    version: str
    task: Literal["genre", "mood"]
    description: str = ""
    network: str
    network_options: dict[str, Any] = {}
    dataset: Literal["gtzan", "4qaed"]
    input: InputSettings
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation
    protocols: tuple[str, ...]
    seed: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe's content, in hex; independent of layout and comments."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def names() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("genrecore_training") / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load(name_or_path: str | Path) -> Recipe:
    """Read a recipe, given as a name or a path.

    Raises
    ------
    RecipeError
        In one sentence: what is wrong, and what is allowed.
    """
    if str(name_or_path) in names():
        text = (resources.files("genrecore_training") / "recipes" / f"{name_or_path}.yaml").read_text("utf-8")
    elif Path(name_or_path).is_file():
        text = Path(name_or_path).read_text("utf-8")
    else:
        raise RecipeError(f"{name_or_path}: no such recipe: name a file or one of {', '.join(names())}")
    try:
        return Recipe.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RecipeError(f"{name_or_path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        raise RecipeError(f"{name_or_path}: {key}: {first['msg']}") from error
