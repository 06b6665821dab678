"""Tables of the cache, and how analyses become rows and rows analyses."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import sqlalchemy as sa

from genrecore.analysis import Analysis, Histogram, Sampling
from genrecore.keys import CacheKey, FileStat, Method

__all__ = [
    "ANALYSES",
    "FILES",
    "METADATA",
    "analysis_of",
    "is_file",
    "made_by",
    "path_hash",
    "store_analysis",
    "store_file",
]

METADATA = sa.MetaData()

ANALYSES = sa.Table(
    "genrecore_analyses",
    METADATA,
    sa.Column("content_hash", sa.String(80), primary_key=True),
    sa.Column("genre_model", sa.String(64), primary_key=True),
    sa.Column("mood_model", sa.String(64), primary_key=True),
    sa.Column("snippets", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("duration", sa.Double, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("genre_name", sa.String(200), nullable=False),
    sa.Column("genre", sa.JSON, nullable=False),
    sa.Column("mood_name", sa.String(200), nullable=False),
    sa.Column("mood", sa.JSON, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("analysed_at", sa.String(40), nullable=False),
)

# Paths are bytes on some systems and longer than a key may be, hence the hash of the absolute path as key.
FILES = sa.Table(
    "genrecore_files",
    METADATA,
    sa.Column("path_hash", sa.String(64), primary_key=True),
    sa.Column("path", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("content_hash", sa.String(80), nullable=False),
)


def store_analysis(connection: sa.Connection, key: CacheKey, analysis: Analysis) -> None:
    """Insert an analysis, or replace the one under the same key."""
    _upsert(connection, ANALYSES, _key_columns(key), _value_columns(analysis))


def store_file(connection: sa.Connection, stat: FileStat, content_hash: str) -> None:
    """Insert or replace what is known of a file."""
    _upsert(connection, FILES, *_file_columns(stat, content_hash))


def made_by(method: Method) -> list[sa.ColumnElement[bool]]:
    """Condition: the analysis was made by this method."""
    return [
        ANALYSES.c.genre_model == method.genre_model,
        ANALYSES.c.mood_model == method.mood_model,
        ANALYSES.c.snippets == method.snippets,
        ANALYSES.c.version == method.version,
    ]


def is_file(path: str) -> sa.ColumnElement[bool]:
    """Condition: the row is about this file."""
    return FILES.c.path_hash == path_hash(path)


def path_hash(path: str) -> str:
    """What a file is filed under."""
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()


def analysis_of(row: sa.Row[Any], path: str) -> Analysis:
    """The analysis in a row, as that of the file `path`."""
    genre = _unpack(row.genre, row.genre_name)
    return Analysis(
        path=path,
        content_hash=row.content_hash,
        duration=row.duration,
        genre=genre,
        mood=_unpack(row.mood, row.mood_name),
        # The row's number is that which was asked for.
        sampling=Sampling(snippets=genre.snippets, seconds=row.seconds, seed=row.seed),
        analysed_at=row.analysed_at,
        warnings=tuple(row.warnings),
    )


def _upsert(connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Update, else insert: the one way that every database knows.

    Raises
    ------
    IntegrityError
        If another process was a moment faster: the transaction is to be done again, and will update.
    """
    update = sa.update(table).where(*(table.c[name] == value for name, value in key.items())).values(values)
    if connection.execute(update).rowcount:
        return
    connection.execute(sa.insert(table).values(key | values))


def _key_columns(key: CacheKey) -> dict[str, Any]:
    return {"content_hash": key.content_hash, **vars(key.method)}


def _value_columns(analysis: Analysis) -> dict[str, Any]:
    return {
        "duration": analysis.duration,
        "seconds": analysis.sampling.seconds,
        "seed": analysis.sampling.seed,
        "genre_name": analysis.genre.model,
        "genre": _pack(analysis.genre),
        "mood_name": analysis.mood.model,
        "mood": _pack(analysis.mood),
        "warnings": list(analysis.warnings),
        "analysed_at": analysis.analysed_at,
    }


def _file_columns(stat: FileStat, content_hash: str) -> tuple[dict[str, Any], dict[str, Any]]:
    path = os.fsencode(os.path.abspath(stat.path))
    values = {"path": path, "size": stat.size, "mtime_ns": stat.mtime_ns, "content_hash": content_hash}
    return {"path_hash": path_hash(stat.path)}, values


# Not Histogram.to_dict: that rounds, and a stored analysis must equal the fresh one to the last bit.
def _pack(histogram: Histogram) -> dict[str, Any]:
    return {
        "labels": histogram.labels,
        "counts": histogram.counts,
        "probabilities": histogram.probabilities,
        "temperature": histogram.temperature,
        "sequence": histogram.sequence,
    }


def _unpack(data: dict[str, Any], model: str) -> Histogram:
    return Histogram(
        labels=tuple(data["labels"]),
        counts=tuple(data["counts"]),
        probabilities=tuple(data["probabilities"]),
        model=model,
        temperature=data["temperature"],
        sequence=tuple(data["sequence"]),
    )
