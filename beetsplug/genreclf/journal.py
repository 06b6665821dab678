"""What stood in library and file before the plugin first wrote there, so that it can be put back.

One SQLite file beside the library. It is the user's data and no cache: nothing in it is ever dropped, entries
that have been restored stay as history. `merge` is pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from .policy import Wrote, same

__all__ = ["FILE_NAME", "Entry", "Journal", "JournalError", "merge"]

FILE_NAME = "genreclf-journal.db"
SCHEMA_VERSION = 1
_APPLICATION_ID = 0x474E524A  # "GNRJ": tells the journal from somebody else's database
_CHUNK = 500  # below SQLite's limit on the parameters of one statement

_metadata = sa.MetaData()
_entries = sa.Table(
    "entries",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("library", sa.Text, nullable=False),
    # Below zero once its number belongs to another recording: then only its content finds the entry.
    sa.Column("item_id", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("path", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
    # Set when the entry is history, because all was put back.
    sa.Column("closed_at", sa.Text),
    sa.Column("closed_because", sa.Text),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("wrote", sa.Text, nullable=False),
)
sa.Index(
    "one_open_entry_an_item",
    _entries.c.library,
    _entries.c.item_id,
    unique=True,
    sqlite_where=_entries.c.closed_at.is_(None),
)
sa.Index("by_item", _entries.c.item_id)
sa.Index("by_content", _entries.c.content_hash)


class JournalError(Exception):
    """The journal cannot be used; one sentence that names the file and says what to do."""


@dataclass(frozen=True)
class Entry:
    """One track: what was there before us, and what we put there.

    Parameters
    ----------
    item_id : int
        Its number in the library.
    content_hash : str
        Hash of its audio: tells whether the number still means the same recording.
    path : bytes
        Where it was.
    library, file : mapping
        Fields and tags before our first writing, JSON values; None for one that was absent.
    wrote_library, wrote_file : mapping of str to Wrote
        What we last put into each field of `policy`'s concern.
    id : int, optional
        Row number, once stored. In a new writing, that of the entry it continues: the track may have had
        another number then.
    """

    item_id: int
    content_hash: str
    path: bytes
    library: Mapping[str, Any] = field(default_factory=dict)
    file: Mapping[str, Any] = field(default_factory=dict)
    wrote_library: Mapping[str, Wrote] = field(default_factory=dict)
    wrote_file: Mapping[str, Wrote] = field(default_factory=dict)
    id: int | None = None


def merge(old: Entry, new: Entry) -> Entry:
    """Join what is known of a track with a new writing.

    What was there before the first writing stays; only where the value has become another's since (it is not
    what we had written), that one is what there is to put back from now on.
    """
    return replace(
        new,
        id=old.id,
        library=_before(old.library, old.wrote_library, new.library, new.wrote_library),
        file=_before(old.file, {**old.wrote_library, **old.wrote_file}, new.file, new.wrote_file),
        wrote_library={**old.wrote_library, **new.wrote_library},
        wrote_file={**old.wrote_file, **new.wrote_file},
    )


def _before(
    old: Mapping[str, Any],
    old_wrote: Mapping[str, Wrote],
    new: Mapping[str, Any],
    new_wrote: Mapping[str, Wrote],
) -> dict[str, Any]:
    joined = dict(old)
    for name in new_wrote.keys() & new.keys():
        wrote = old_wrote.get(name)
        if name not in old or wrote is None or not same(tuple(new[name] or ()), wrote.values):
            joined[name] = new[name]
    return joined


class Journal:
    """The journal of one library.

    The file is made when the first entry is recorded.

    Parameters
    ----------
    path : Path
        The journal's file.
    library : str
        Name of the library it is for: two libraries in one folder share the file, not the entries.

    Raises
    ------
    JournalError
        By every method: if the file is no journal, comes from a newer version, or cannot be written.
    """

    def __init__(self, path: Path, library: str) -> None:
        self.path = path
        self.library = library
        self._engine: sa.Engine | None = None

    def find(self, item_ids: Sequence[int]) -> dict[int, Entry]:
        """The open entries of these items, by item number."""
        return {entry.item_id: entry for entry in self._find(_entries.c.item_id, item_ids)}

    def find_recordings(self, content_hashes: Sequence[str]) -> dict[str, list[Entry]]:
        """The open entries of these recordings, whatever their numbers, by content hash, the latest first."""
        latest = (_entries.c.updated_at.desc(), _entries.c.id.desc())
        found: dict[str, list[Entry]] = {}
        for entry in self._find(_entries.c.content_hash, content_hashes, *latest):
            found.setdefault(entry.content_hash, []).append(entry)
        return found

    def latest(self, item_ids: Sequence[int]) -> dict[int, Entry]:
        """The last entry of each of these items, also where all was put back since, by item number."""
        in_order = (_entries.c.updated_at, _entries.c.id)
        return {
            entry.item_id: entry for entry in self._find(_entries.c.item_id, item_ids, *in_order, closed=True)
        }

    def record(self, entries: Iterable[Entry]) -> None:
        """Store what was there, before it is overwritten; all or nothing."""
        now = _now()
        with self._begin() as connection:
            for entry in entries:
                self._record(connection, entry, now)

    def close_entries(self, entries: Iterable[Entry]) -> None:
        """Mark entries as put back."""
        now = _now()
        with self._begin() as connection:
            for entry in entries:
                row = _entries.update().where(_entries.c.id == entry.id)
                connection.execute(row.values(closed_at=now, closed_because="restored"))

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _find(
        self,
        column: sa.Column[Any],
        values: Sequence[Any],
        *order: sa.ColumnElement[Any],
        closed: bool = False,
    ) -> Iterator[Entry]:
        """The open entries, or all, with one of these values in a column."""
        if not self.path.exists():
            return
        entries = self._all() if closed else self._open()
        with self._begin() as connection:
            for start in range(0, len(values), _CHUNK):
                chunk = column.in_(values[start : start + _CHUNK])
                yield from map(_entry, connection.execute(entries.where(chunk).order_by(*order)))

    def _all(self) -> sa.Select[Any]:
        return sa.select(_entries).where(_entries.c.library == self.library)

    def _open(self) -> sa.Select[Any]:
        return self._all().where(_entries.c.closed_at.is_(None))

    def _record(self, connection: sa.Connection, entry: Entry, now: str) -> None:
        same_recording = self._open().where(_entries.c.content_hash == entry.content_hash)
        old = connection.execute(same_recording.where(_entries.c.item_id == entry.item_id)).first()
        if old is None and entry.id is not None:
            old = connection.execute(same_recording.where(_entries.c.id == entry.id)).first()
        # Another recording had the number. It may have moved to another one, so its entry stays open.
        other = (_entries.c.item_id == entry.item_id, _entries.c.content_hash != entry.content_hash)
        displaced = _entries.update().where(
            _entries.c.library == self.library, _entries.c.closed_at.is_(None), *other
        )
        connection.execute(displaced.values(item_id=-_entries.c.id))
        if old is not None:
            values = {**_columns(merge(_entry(old), entry)), "updated_at": now}
            connection.execute(_entries.update().where(_entries.c.id == old.id).values(values))
        else:
            values = {**_columns(entry), "library": self.library, "created_at": now, "updated_at": now}
            connection.execute(_entries.insert().values(values))

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        try:
            if self._engine is None:
                self._engine = self._connect()
            with self._engine.begin() as connection:
                yield connection
        except (DatabaseError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error)
            raise JournalError(
                f"{self.path}: the journal of previous tags cannot be used ({reason}), nothing is written "
                "without it: see to its disk and permissions, or move it away and keep it"
            ) from error

    def _connect(self) -> sa.Engine:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)), connect_args={"timeout": 60}
        )
        # The driver's own BEGIN is deferred: two processes could both read, then both write.
        sa.event.listen(engine, "connect", _driver_leaves_transactions_alone)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        try:
            with engine.begin() as connection:
                self._make_or_check(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _make_or_check(self, connection: sa.Connection) -> None:
        application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if application == _APPLICATION_ID and version > SCHEMA_VERSION:
            raise JournalError(
                f"{self.path}: the journal comes from a newer version of genreclf: update genreclf"
            )
        if application == _APPLICATION_ID:
            return
        if sa.inspect(connection).get_table_names():
            raise JournalError(f"{self.path}: this is another program's database: move it somewhere else")
        _metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _driver_leaves_transactions_alone(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    # A commit must survive a power cut: the tags it is about are overwritten next.
    connection.execute("PRAGMA synchronous = FULL")


def _columns(entry: Entry) -> dict[str, Any]:
    wrote = {
        place: {name: asdict(value) for name, value in fields.items()}
        for place, fields in (("library", entry.wrote_library), ("file", entry.wrote_file))
    }
    before = {"library": dict(entry.library), "file": dict(entry.file)}
    return {
        "item_id": entry.item_id,
        "content_hash": entry.content_hash,
        "path": entry.path,
        "before": json.dumps(before),
        "wrote": json.dumps(wrote),
    }


def _entry(row: sa.Row[Any]) -> Entry:
    before, wrote = json.loads(row.before), json.loads(row.wrote)
    places = {
        place: {name: Wrote.from_dict(value) for name, value in wrote[place].items()}
        for place in ("library", "file")
    }
    return Entry(
        item_id=row.item_id,
        content_hash=row.content_hash,
        path=bytes(row.path),
        library=before["library"],
        file=before["file"],
        wrote_library=places["library"],
        wrote_file=places["file"],
        id=row.id,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
