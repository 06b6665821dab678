"""A run: one recipe, one protocol, one fold; trained, calibrated on validation, tested once, kept in a folder."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from rich.progress import track as progress
from torch import nn

from genrecore import model as model_files
from genrecore.analysis import Histogram
from genrecore.analyzer import ANALYSIS_VERSION
from genrecore.card import ModelCard
from genrecore_training import recipes as recipe_files
from genrecore_training import train
from genrecore_training.calibration import calibrated, fit_temperature
from genrecore_training.datasets import Dataset
from genrecore_training.export import (
    SAMPLE_RATE,
    input_spec,
    set_temperature,
    shape_of,
    size_of,
    to_onnx,
    to_table_onnx,
)
from genrecore_training.hear import hear, open_ear
from genrecore_training.int8 import quantise
from genrecore_training.lessons import Lessons, check_sources, lessons
from genrecore_training.material import Bench, open_dataset
from genrecore_training.protocols import RANDOM, Split
from genrecore_training.recipes import Recipe, RecipeError
from genrecore_training.statistics import Verdict
from genrecore_training.train import ANY_DEVICE, Compute

__all__ = ["Places", "Run", "runs_of"]

_LICENCE = "MIT"


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
    dataset : Dataset, optional
        In place of the one that the recipe names.
    compute : Compute
        On what to train.
    split_seed : int, optional
        Of a split that depends on a seed, where it is not the recipe's: a teacher's is its student's.
    """

    def __init__(
        self,
        recipe: Recipe,
        protocol: str,
        fold: int,
        places: Places,
        *,
        dataset: Dataset | None = None,
        compute: Compute = ANY_DEVICE,
        split_seed: int | None = None,
    ) -> None:
        self.recipe = recipe
        self.protocol = protocol
        self.fold = fold
        self.places = places
        self.compute = compute
        self._split_seed = recipe.seed if split_seed is None else split_seed
        other = self._split_seed != recipe.seed and protocol in (*RANDOM, "all")
        place = f"{protocol}-{fold}-split{split_seed}" if other else f"{protocol}-{fold}"
        self.folder = places.runs / recipe.name / recipe.digest[:12] / place
        self.bench = Bench(recipe, dataset or open_dataset(recipe, places.data), places.store)

    @cached_property
    def split(self) -> Split:
        """The fold's split.

        Raises
        ------
        RecipeError
            If the protocol has no such fold.
        """
        splits = self.bench.splits(self.protocol, seed=self._split_seed)
        if not 0 <= self.fold < len(splits):
            raise RecipeError(f"{self.protocol} has folds 0 to {len(splits) - 1}, not {self.fold}")
        return splits[self.fold]

    @property
    def model_file(self) -> Path:
        """The exported, calibrated model."""
        return self.folder / f"{self.recipe.name}.onnx"

    @property
    def weights_file(self) -> Path:
        """The trained network's weights, for PyTorch."""
        return self.folder / "network.pt"

    @property
    def learnt_file(self) -> Path:
        """Data set -> ids of the tracks that it or its teachers have learnt from, as JSON."""
        return self.folder / "learnt.json"

    @property
    def tested_file(self) -> Path:
        """The tested tracks, one JSON object a line, after a line on the run.

        It is named after the version of the analysis: where it has changed since, they are heard again.
        """
        return self.folder / f"tested-{ANALYSIS_VERSION}.jsonl"

    @property
    def validated_file(self) -> Path:
        """What the network said of the validation tracks before it was calibrated, one JSON object a line."""
        return self.folder / f"validated-{ANALYSIS_VERSION}.jsonl"

    def execute(self) -> None:
        """Train, export, calibrate and test; each step only if its result is not there yet."""
        self.fit()
        if not self.tested_file.is_file():
            self._test()

    def fit(self) -> None:
        """Train, export and calibrate, if that is not done yet; no test track is heard."""
        if not self.model_file.is_file():
            _ = self.split  # a fold that does not exist leaves no folder
            self.folder.mkdir(parents=True, exist_ok=True)
            self._train()
        self.check_learnt()
        if not self.validated_file.is_file():  # of a run that is older than this file
            held = self._listen(self.model_file, self.split.validation, thorough=False)
            _replace(self.validated_file, map(_line_of, calibrated(held, 1.0)))

    def check_learnt(self) -> None:
        """Refuse a network that knows what is held out: one that was trained where other data was at hand.

        Raises
        ------
        RecipeError
            In one sentence.
        """
        if self.protocol != "snippet_random" and self.learnt_file.is_file():
            learnt = json.loads(self.learnt_file.read_text("utf-8"))[self.recipe.dataset]
            known = {*self.split.validation, *self.split.test} & {*learnt}
            if known:
                raise RecipeError(
                    f"{self.folder} has learnt from {len(known)} of the tracks that are now held out, since other data "
                    "was at hand then: delete it, or name another folder with --runs"
                )

    def tested(self) -> list[Verdict]:
        """What the test found."""
        return _read_verdicts(self.tested_file.read_text("utf-8").splitlines()[1:])

    def validated(self) -> list[Verdict]:
        """What the validation tracks say, uncalibrated."""
        return _read_verdicts(self.validated_file.read_text("utf-8").splitlines())

    def training_notes(self) -> dict[str, Any]:
        """Seconds, epochs, size of the network and the like."""
        notes: dict[str, Any] = json.loads((self.folder / "training.json").read_text("utf-8"))
        return notes

    def notes(self) -> dict[str, Any]:
        """Seconds, temperature and the like."""
        first, *_ = self.tested_file.read_text("utf-8").splitlines()
        notes: dict[str, Any] = json.loads(first)
        return notes

    def hear_test(self, path: Path) -> list[Verdict]:
        """What a model file, this run's or one made of it, says of the test tracks."""
        return self._listen(path, self.split.test, thorough=True)

    def quantised(self) -> Path:
        """The model in int8, beside the other; made once."""
        target = self.folder / f"{self.recipe.name}-int8.onnx"
        return target if target.is_file() else quantise(self.model_file, self.bench, self.split, target)

    @property
    def _table(self) -> bool:
        return self.recipe.input.kind == "table"

    def _train(self) -> None:
        bench, split = self.bench, self.split
        check_sources(self.recipe, self.places.data)  # before hours go into a teacher
        teachers = self._teachers()
        models = [model_files.load(run.model_file, device="cpu") for run in teachers]
        if any(
            model.card.input != models[0].card.input or model.card.labels != bench.labels for model in models
        ):
            raise RecipeError(f"{self.recipe.name}: teachers are of one input, and of the same classes")
        learnt = lessons(bench, split, self.places.data, self.places.store, models)
        fitted = train.fit(
            self.recipe,
            learnt.material,
            bench.material(split.validation),
            heads=learnt.heads,
            folder=self.folder,
            compute=self.compute,
        )
        if fitted is None:  # another process of several goes on alone
            sys.exit(0)
        parameters, multiply_adds = size_of(fitted.network, shape_of(self.recipe.input))
        raw = self.folder / "uncalibrated.onnx"
        difference = self._export(fitted.network, raw, learnt, parameters, multiply_adds)
        if self.recipe.int8:
            quantise(raw, bench, split, raw)
        validation = self._listen(raw, split.validation, thorough=False)
        _replace(self.validated_file, map(_line_of, validation))
        temperature = fit_temperature(validation)
        set_temperature(raw, temperature)
        notes = {
            "seconds": round(fitted.seconds, 1),
            "epochs": fitted.epochs,
            "precision": self.compute.precision or self.recipe.optimisation.precision,
            "onnx_difference": difference,
            "temperature": temperature,
            "parameters": parameters,
            "multiply_adds": multiply_adds,
        }
        known = _all_of(
            [learnt.tracks, *(json.loads(run.learnt_file.read_text("utf-8")) for run in teachers)]
        )
        self.learnt_file.write_text(json.dumps(known), "utf-8")
        (self.folder / "training.json").write_text(json.dumps(notes), "utf-8")
        weights = io.BytesIO()
        torch.save(fitted.network.state_dict(), weights)
        self.weights_file.write_bytes(weights.getbuffer())
        raw.replace(self.model_file)
        for checkpoint in self.folder.glob("*.ckpt"):  # there is nothing left to resume
            checkpoint.unlink()

    def _teachers(self) -> list[Run]:
        """Trained first, where the recipe has some."""
        said = self.recipe.teacher
        runs = []
        for recipe in map(recipe_files.load, said.recipes if said else ()):
            for seed in range(recipe.seed, recipe.seed + (said.seeds if said else 0)):
                seeded = recipe.model_copy(update={"seed": seed})
                run = Run(
                    seeded,
                    self.protocol,
                    self.fold,
                    self.places,
                    compute=self.compute,
                    split_seed=self._split_seed,
                )
                if not {*self.split.validation, *self.split.test}.isdisjoint(run.split.train):
                    raise RecipeError(
                        f"{recipe.name} learns what {self.recipe.name} is validated or tested on: "
                        f"{self.protocol} splits them otherwise"
                    )
                run.fit()
                runs.append(run)
        return runs

    def _export(
        self, network: nn.Module, path: Path, learnt: Lessons, parameters: int, multiply_adds: int
    ) -> float:
        settings, labels = self.recipe.input, self.bench.labels
        if self._table:
            about = {"id": f"{self.recipe.name} {self.recipe.version}", "labels": labels, "temperature": 1.0}
            return to_table_onnx(network, settings.numbers or 0, about, path)
        card = ModelCard(
            name=self.recipe.name,
            version=self.recipe.version,
            task=self.recipe.task,
            labels=labels,
            input=input_spec(settings),
            snippet_seconds=round(settings.samples / SAMPLE_RATE, 1),
            licence=_LICENCE,
            trained_on=", ".join(f"{count} tracks of {title}" for title, count in learnt.counts.items()),
            recipe_hash=self.recipe.digest,
            parameters=parameters,
            multiply_adds=multiply_adds,
        )
        return to_onnx(network, card, path)

    def _test(self) -> None:
        tested = self.hear_test(self.model_file)
        notes = self.training_notes() | {
            part: len(self.bench.usable(getattr(self.split, part)))
            for part in ("train", "validation", "test")
        }
        _replace(self.tested_file, [json.dumps(notes), *map(_line_of, tested)])

    def _listen(self, path: Path, ids: Iterable[str], *, thorough: bool) -> list[Verdict]:
        bench, ear, found = self.bench, open_ear(path, table=self._table), []
        apart = self.protocol not in RANDOM
        for name in progress(bench.usable(ids), description="listening", disable=not sys.stderr.isatty()):
            track, _ = bench.piece_of(name)
            # What is resampled together: tracks of an artist; where the protocol does not look at artists, a track.
            group = bench.groups[track.id] if apart else track.id
            for kind, histogram in hear(bench, ear, name, thorough=thorough):
                found.append(Verdict(name, track.label, group, histogram, kind))
        return found


def runs_of(
    recipe: Recipe,
    protocol: str,
    places: Places,
    *,
    folds: int | None = None,
    seeds: int = 1,
    dataset: Dataset | None = None,
    compute: Compute = ANY_DEVICE,
) -> list[list[Run]]:
    """The runs of a recipe under a protocol: for each seed, counted up from the recipe's, one a fold.

    Parameters
    ----------
    recipe, protocol, places, dataset, compute
        As for `Run`; the data set is opened once for all.
    folds : int, optional
        Only the first so many.
    seeds : int
        How many.
    """
    first = Run(recipe, protocol, 0, places, dataset=dataset)
    count = len(first.bench.splits(protocol))
    return [
        [
            Run(
                recipe.model_copy(update={"seed": recipe.seed + step}),
                protocol,
                fold,
                places,
                dataset=first.bench.dataset,
                compute=compute,
            )
            for fold in range(min(count, folds or count))
        ]
        for step in range(seeds)
    ]


def _all_of(lists: Iterable[Mapping[str, Iterable[str]]]) -> dict[str, list[str]]:
    """Their union, in order."""
    known: dict[str, dict[str, None]] = {}
    for learnt in lists:
        for name, tracks in learnt.items():
            known.setdefault(name, {}).update(dict.fromkeys(tracks))
    return {name: [*tracks] for name, tracks in known.items()}


def _line_of(item: Verdict) -> str:
    return json.dumps({**vars(item), "histogram": item.histogram.to_dict()})


def _read_verdicts(lines: Iterable[str]) -> list[Verdict]:
    found = map(json.loads, lines)
    return [Verdict(**{**data, "histogram": Histogram.from_dict(data["histogram"])}) for data in found]


def _replace(path: Path, lines: Iterable[str]) -> None:
    fresh = path.with_suffix(".partial")
    fresh.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    fresh.replace(path)
