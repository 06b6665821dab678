"""One module a data set; each reads the folder people have and names what is missing."""

from __future__ import annotations

from genrecore_training.datasets.emotify import Emotify
from genrecore_training.datasets.fma import Fma
from genrecore_training.datasets.four_quadrant import FourQuadrant
from genrecore_training.datasets.gtzan import Gtzan
from genrecore_training.datasets.own import OwnBeets, OwnFolder
from genrecore_training.datasets.spotify import SpotifySongs
from genrecore_training.datasets.subset import Subset
from genrecore_training.datasets.track import (
    Annotation,
    Dataset,
    DatasetError,
    Track,
    artist_key,
    share_an_artist,
)

__all__ = [
    "Annotation",
    "Dataset",
    "DatasetError",
    "Emotify",
    "Fma",
    "FourQuadrant",
    "Gtzan",
    "OwnBeets",
    "OwnFolder",
    "SpotifySongs",
    "Subset",
    "Track",
    "artist_key",
    "share_an_artist",
]
