"""Single tracks from many places, whose genre is told by a file name or guessed from the artist: for outside tests."""

from __future__ import annotations

from pathlib import Path

from genrecore_training.datasets.gtzan_files import GENRES
from genrecore_training.datasets.tables import rows_of
from genrecore_training.datasets.track import DatasetError, Track, artist_key

__all__ = ["mixed_genres"]


def mixed_genres(root: Path) -> tuple[Track, ...]:
    """The tracks of ``index.csv`` (file, genre, artist, title) in ``audio/``.

    Parameters
    ----------
    root : Path
        The folder.

    Raises
    ------
    DatasetError
        If the table, or a file, is missing.
    """
    table = root / "index.csv"
    if not table.is_file():
        raise DatasetError(f"{table} is missing: name the folder of the data with --data")
    found = []
    for _, row in rows_of(table, ("file", "genre", "artist", "title")):
        if row["genre"] not in GENRES:
            raise DatasetError(
                f"{table}: {row['file']}: genre '{row['genre']}' is none of {', '.join(GENRES)}"
            )
        path = root / "audio" / row["file"]
        if not path.is_file():
            raise DatasetError(f"{path} is missing, and {table} names it: get it again")
        # "Muse?" and "Debussy (file name debussy)": what is no name is left out.
        artist = artist_key(row["artist"].partition("(")[0].removeprefix("probably ").rstrip("? "))
        found.append(Track(path.stem, row["genre"], artist, row["title"], path))
    return tuple(found)
