"""A run: one recipe, one protocol, one fold; trained, calibrated on validation, tested once, kept in a folder."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track as progress

from genrecore import model as model_files
from genrecore.analysis import Histogram
from genrecore.card import ModelCard
from genrecore.model import Model
from genrecore_training import train
from genrecore_training.export import describe, input_spec, size_of, to_onnx
from genrecore_training.listen import columns_histogram, file_histogram, paired_histogram, windows_histogram
from genrecore_training.material import Bench
from genrecore_training.protocols import Split
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.statistics import Verdict, fit_temperature

__all__ = ["Places", "Run"]

_LICENCE = "MIT"
_SNIPPET_SECONDS = 3.0


@dataclass(frozen=True)
class Places:
    """Where things lie.

    Parameters
    ----------
    data : Path
        The data sets.
    store : Path
        Decoded features.
    runs : Path
        Checkpoints, models and tested tracks of runs.
    """

    data: Path
    store: Path
    runs: Path


class Run:
    """One recipe under one fold of one protocol.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    protocol : str
        Name of the split; ``all`` trains the model that is shipped.
    fold : int
        Which fold of it.
    places : Places
        Folders.
    """

    def __init__(self, recipe: Recipe, protocol: str, fold: int, places: Places) -> None:
        self.recipe = recipe
        self.protocol = protocol
        self.fold = fold
        self.places = places
        self.folder = places.runs / recipe.name / recipe.digest[:12] / f"{protocol}-{fold}"
        self.bench = Bench(recipe, places.data, places.store)

    @property
    def split(self) -> Split:
        """The fold's split.

        Raises
        ------
        RecipeError
            If the protocol has no such fold.
        """
        splits = self.bench.splits(self.protocol)
        if not 0 <= self.fold < len(splits):
            raise RecipeError(f"{self.protocol} has folds 0 to {len(splits) - 1}, not {self.fold}")
        return splits[self.fold]

    @property
    def model_file(self) -> Path:
        """The exported, calibrated model."""
        return self.folder / f"{self.recipe.name}.onnx"

    @property
    def tested_file(self) -> Path:
        """The tested tracks, one JSON object a line, after a line on the run."""
        return self.folder / "tested.jsonl"

    def execute(self) -> None:
        """Train, export, calibrate and test; each step only if its result is not there yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.model_file.is_file():
            self._train()
        if not self.tested_file.is_file():
            self._test()

    def tested(self) -> list[Verdict]:
        """What the test found."""
        lines = self.tested_file.read_text("utf-8").splitlines()[1:]
        return [_tested_from(json.loads(line)) for line in lines]

    def notes(self) -> dict[str, Any]:
        """Seconds, temperature and the like."""
        first, *_ = self.tested_file.read_text("utf-8").splitlines()
        notes: dict[str, Any] = json.loads(first)
        return notes

    def _train(self) -> None:
        bench, split = self.bench, self.split
        bench.prepare()
        material = bench.material(split.train) + bench.sounding(split.train)
        began = time.monotonic()
        network = train.fit(
            self.recipe,
            material,
            bench.material(split.validation),
            classes=len(bench.labels),
            folder=self.folder,
            size=bench.size,
        )
        seconds = time.monotonic() - began
        card = self._card(*size_of(network, input_spec(self.recipe.input)))
        raw = self.folder / "uncalibrated.onnx"
        difference = to_onnx(network, card, raw)
        model = model_files.load(raw, device="cpu")
        validation = self._listen(model, split.validation, thorough=False)
        temperature = fit_temperature(validation)
        describe(raw, dataclasses.replace(card, temperature=temperature))
        notes = {"seconds": round(seconds, 1), "onnx_difference": difference}
        (self.folder / "training.json").write_text(json.dumps(notes), "utf-8")
        raw.replace(self.model_file)

    def _test(self) -> None:
        model = model_files.load(self.model_file, device="cpu")
        tested = self._listen(model, self.split.test, thorough=True)
        notes = json.loads((self.folder / "training.json").read_text("utf-8"))
        notes |= {"temperature": model.card.temperature, "parameters": model.card.parameters}
        notes |= {part: len(getattr(self.split, part)) for part in ("train", "validation", "test")}
        lines = [json.dumps(notes), *(json.dumps(_tested_to(item)) for item in tested)]
        fresh = self.tested_file.with_suffix(".partial")
        fresh.write_text("\n".join(lines) + "\n", "utf-8")
        fresh.replace(self.tested_file)

    def _listen(self, model: Model, ids: Iterable[str], *, thorough: bool) -> list[Verdict]:
        bench, found = self.bench, []
        for name in progress(list(ids), description="listening"):
            track = bench.tracks[name]
            for kind, histogram in self._hear(model, name, thorough=thorough):
                found.append(Verdict(name, track.label, bench.groups[name], histogram, kind))
        return found

    def _hear(self, model: Model, name: str, *, thorough: bool) -> list[tuple[str, Histogram]]:
        """Histograms of a track in every way it can be heard; a single way where decisions are made."""
        track, dataset = self.bench.tracks[name], self.bench.dataset
        if dataset is not self.bench.gtzan:
            return [("waveform", file_histogram(model, track))]
        heard = []
        if model.card.input.kind == "logmel":
            heard.append(("columns", columns_histogram(model, self.bench.gtzan.logmel(name), name)))
            if not thorough:
                return heard
            if track.path is not None and track.whole:
                heard.append(("paired", paired_histogram(model, self.bench.gtzan.logmel(name), track)))
        if track.path is not None and track.whole:
            heard.append(("windows", windows_histogram(model, track)))
            if thorough:
                heard.append(("waveform", file_histogram(model, track)))
        elif track.path is not None:
            heard.append(("slice", file_histogram(model, track)))
        return heard

    def _card(self, parameters: int, multiply_adds: int) -> ModelCard:
        recipe = self.recipe
        return ModelCard(
            name=recipe.name,
            version=recipe.version,
            task=recipe.task,
            labels=self.bench.labels,
            input=input_spec(recipe.input),
            snippet_seconds=_SNIPPET_SECONDS,
            licence=_LICENCE,
            trained_on=f"{self.bench.dataset.title}, {len(self.bench.tracks)} tracks",
            recipe_hash=recipe.digest,
            parameters=parameters,
            multiply_adds=multiply_adds,
        )


def _tested_to(item: Verdict) -> dict[str, Any]:
    return {**vars(item), "histogram": item.histogram.to_dict()}


def _tested_from(data: dict[str, Any]) -> Verdict:
    return Verdict(**{**data, "histogram": Histogram.from_dict(data["histogram"])})
