"""Experiment: what do 4-Quadrant's hand-made features give on the very folds by which the mood networks are judged?

The published figure of such features is of folds that share artists: Panda, Malheiro, Paiva: Novel audio features for
music emotion recognition. IEEE TAC, 2018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genrecore.analysis import Histogram
from genrecore_training.datasets import DatasetError
from genrecore_training.datasets.four_quadrant import FourQuadrant
from genrecore_training.protocols import artist_grouped, group_of
from genrecore_training.results import measured
from genrecore_training.statistics import INTERVAL, Verdict, accuracy, macro_f1

__all__ = ["measure"]

_MODEL = "SVM 1"
_GRID = {"svc__C": (1, 3, 10, 30), "svc__gamma": (1e-3, 3e-3, 1e-2, 3e-2)}
_FOLDS, _INNER = 5, 4
_SEED = 0


def measure(data: Path) -> dict[str, Any]:
    """Test a support vector machine on the features, with artists apart and with artists on both sides.

    Penalty and width of its kernel are chosen by an inner cross-validation of the training side, which keeps apart what
    the outer one does.

    Parameters
    ----------
    data : Path
        Folder of the data set.

    Returns
    -------
    dict
        For JSON: accuracy and macro F1 with interval, for each protocol.

    Raises
    ------
    DatasetError
        If the table of features or the names of the artists are not there.
    """
    dataset = FourQuadrant(data)
    features = dataset.annotations.get("features")
    if features is None:
        raise DatasetError(f"{data}: the authors' table of features is not there")
    known = [track for track in dataset.tracks if track.id in features.values]
    values = {track.id: np.array(features.values[track.id]) for track in known}
    labels, artists = {track.id: track.label for track in known}, dataset.groups
    apart = {name: artists[name] for name in labels}
    alone = {name: name for name in labels}
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    names = np.array(list(labels))
    mixed = [
        (names[learnt].tolist(), names[asked].tolist())
        for learnt, asked in folds.split(names, list(labels.values()))
    ]
    kept = [((*split.train, *split.validation), split.test) for split in artist_grouped(labels, apart)]
    found = []
    for protocol, splits, groups in (("artist_grouped", kept, apart), ("track_random", mixed, alone)):
        tested: list[Verdict] = []
        for learnt, asked in splits:
            tested += _verdicts(learnt, asked, values, labels, groups, dataset.labels)
        found.append(
            {
                "protocol": protocol,
                "folds": len(splits),
                "n": len(tested),
                "accuracy": measured(tested, accuracy),
                "macro F1": measured(tested, macro_f1),
                "interval": INTERVAL.replace("artists", group_of(protocol)),
            }
        )
    return {
        "experiment": "hand-made features and a support vector machine",
        "dataset": dataset.name,
        "features": len(features.names),
        "seed": _SEED,
        "tests": found,
    }


def _verdicts(
    learnt: Sequence[str],
    asked: Sequence[str],
    values: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, str],
    groups: Mapping[str, str],
    classes: Sequence[str],
) -> Iterator[Verdict]:
    machine = GridSearchCV(
        make_pipeline(StandardScaler(), SVC()),
        _GRID,
        cv=StratifiedGroupKFold(_INNER, shuffle=True, random_state=_SEED),
    )
    machine.fit(
        np.stack([values[name] for name in learnt]),
        [labels[name] for name in learnt],
        groups=[groups[name] for name in learnt],
    )
    for name, said in zip(asked, machine.predict(np.stack([values[name] for name in asked])), strict=True):
        sure = tuple(int(label == said) for label in classes)
        yield Verdict(
            name, labels[name], groups[name], Histogram(tuple(classes), sure, sure, _MODEL), "features"
        )
