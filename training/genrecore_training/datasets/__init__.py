"""One module a data set; each reads the folder people have and names what is missing."""

from __future__ import annotations

from genrecore_training.datasets.four_quadrant import FourQuadrant
from genrecore_training.datasets.gtzan import Gtzan
from genrecore_training.datasets.track import DatasetError, Track, artist_key

__all__ = ["DatasetError", "FourQuadrant", "Gtzan", "Track", "artist_key"]
