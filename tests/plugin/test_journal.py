"""The journal: what was there first stays known, whatever happens afterwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from beetsplug.genreclf.journal import Entry, Journal, JournalError, merge
from beetsplug.genreclf.policy import Wrote

ROCK = Wrote(("Rock",), ("Rock",))
JAZZ = Wrote(("Jazz",), ("Jazz",))


def entry(
    item_id: int = 1,
    *,
    library: list[str] | None = None,
    file: list[str] | None = None,
    wrote: Wrote = ROCK,
    content: str = "1:aa",
) -> Entry:
    return Entry(
        item_id,
        content,
        b"/m/\xff.mp3",
        {"genres": library},
        {"genres": file},
        {"genres": wrote},
        {"genres": wrote},
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "genreclf-journal.db", "library.db")


def test_an_entry_comes_back_as_it_was(journal: Journal) -> None:
    first = Entry(
        7,
        "1:aa",
        b"/m/\xff.mp3",
        {"genres": ["Trip Hop", "Größe \udcff"], "mood": None, "mood_sad": 0.25},
        {"genres": [], "mood": None},
        {"genres": JAZZ},
        {"mood": Wrote(("Sad", "Slow"), ("Sad",))},
    )
    journal.record([first])
    journal.close()
    found = journal.find([7, 8])
    assert set(found) == {7}
    assert found[7].id is not None
    assert found[7] == Entry(**{**vars(first), "id": found[7].id})


def test_looking_makes_no_file(journal: Journal) -> None:
    assert journal.find([1, 2]) == {}
    assert journal.find_recordings(["1:aa"]) == {}
    assert not journal.path.exists()


def test_what_was_there_first_stays(journal: Journal) -> None:
    journal.record([entry(library=["Blues"], file=["Soul"])])
    journal.record([entry(library=["Rock"], file=["Rock"], wrote=JAZZ)])
    found = journal.find([1])[1]
    assert found.library == {"genres": ["Blues"]}
    assert found.file == {"genres": ["Soul"]}
    assert found.wrote_library == {"genres": JAZZ}


def test_a_later_value_of_the_user_is_what_is_put_back(journal: Journal) -> None:
    journal.record([entry(library=["Blues"], file=["Soul"])])
    journal.record([entry(library=["Ska"], file=["Rock"], wrote=JAZZ)])
    found = journal.find([1])[1]
    assert found.library == {"genres": ["Ska"]}
    assert found.file == {"genres": ["Soul"]}


def test_merge_leaves_other_fields_as_first_seen() -> None:
    old = Entry(1, "1:aa", b"", {"genres": [], "mood_sad": 0.9}, {}, {"genres": ROCK}, {}, id=5)
    new = Entry(
        1, "1:aa", b"", {"genres": ["Rock"], "mood_sad": 0.1, "valence": 0.5, "mood": ["Sad"]}, {}, {}, {}
    )
    merged = merge(old, new)
    assert merged.id == 5
    assert merged.library == {"genres": [], "mood_sad": 0.9}
    forced = merge(
        old, Entry(1, "1:aa", b"", {"mood": ["Sad"]}, {}, {"mood": Wrote(("Calm",), ("Calm",))}, {})
    )
    assert forced.library["mood"] == ["Sad"]
    assert set(forced.wrote_library) == {"genres", "mood"}


def test_a_number_used_again_for_another_recording_loses_nothing(journal: Journal) -> None:
    journal.record([entry(library=["Blues"])])
    journal.record([entry(library=["Ska"], content="1:bb")])
    assert journal.find([1])[1].library == {"genres": ["Ska"]}
    with sqlite3.connect(journal.path) as connection:
        rows = connection.execute("SELECT content_hash, closed_because FROM entries ORDER BY id").fetchall()
    assert rows == [("1:aa", None), ("1:bb", None)]
    (displaced,) = journal.find_recordings(["1:aa"])["1:aa"]
    assert displaced.library == {"genres": ["Blues"]}
    assert displaced.item_id < 0


def test_a_recording_that_has_another_number_continues_its_entry(journal: Journal) -> None:
    journal.record([entry(1, library=["Blues"])])
    first = journal.find([1])[1]
    journal.record([replace(entry(2, library=["Rock"], wrote=JAZZ), id=first.id, path=b"/m/b.mp3")])
    assert journal.find([1]) == {}
    found = journal.find([2])[2]
    assert (found.id, found.path, found.library) == (first.id, b"/m/b.mp3", {"genres": ["Blues"]})
    assert found.wrote_library == {"genres": JAZZ}


def test_recordings_that_have_swapped_their_numbers(journal: Journal) -> None:
    journal.record([entry(1, library=["Blues"]), entry(2, library=["Ska"], content="1:bb")])
    before = journal.find([1, 2])
    journal.record(
        [
            replace(entry(2, library=["Rock"]), id=before[1].id),
            replace(entry(1, library=["Rock"], content="1:bb"), id=before[2].id),
        ]
    )
    after = journal.find([1, 2])
    assert after[2].library == {"genres": ["Blues"]}
    assert after[1].library == {"genres": ["Ska"]}
    assert {e.id for e in after.values()} == {e.id for e in before.values()}


def test_an_entry_that_was_put_back_meanwhile_is_not_continued(journal: Journal) -> None:
    journal.record([entry(1, library=["Blues"])])
    known = journal.find([1])[1]
    journal.close_entries([known])
    journal.record([replace(entry(2, library=["Ska"]), id=known.id)])
    assert journal.find([2])[2].library == {"genres": ["Ska"]}


def test_what_was_put_back_stays_as_history(journal: Journal) -> None:
    journal.record([entry(library=["Blues"])])
    journal.close_entries(journal.find([1]).values())
    assert journal.find([1]) == {}
    journal.record([entry(library=["Ska"])])
    assert journal.find([1])[1].library == {"genres": ["Ska"]}
    with sqlite3.connect(journal.path) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (2,)


def test_two_libraries_in_one_folder(journal: Journal) -> None:
    other = Journal(journal.path, "podcasts.db")
    journal.record([entry(library=["Blues"])])
    other.record([entry(library=["Talk"])])
    assert journal.find([1])[1].library == {"genres": ["Blues"]}
    assert other.find([1])[1].library == {"genres": ["Talk"]}


def test_found_by_its_sound(journal: Journal) -> None:
    journal.record([entry(1), entry(2), entry(3, content="1:bb")])
    found = journal.find_recordings(["1:aa", "1:bb", "1:cc"])
    assert {content: {e.item_id for e in entries} for content, entries in found.items()} == {
        "1:aa": {1, 2},
        "1:bb": {3},
    }


def test_many_at_once(journal: Journal) -> None:
    journal.record(entry(n, content=f"1:{n}") for n in range(1, 1501))
    assert len(journal.find(list(range(1, 1501)))) == 1500


def test_all_or_nothing(journal: Journal) -> None:
    def entries():
        yield entry(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.record(entries())
    assert journal.find([1]) == {}


def test_several_writers(journal: Journal) -> None:
    journal.record([entry(0)])

    def write(worker: int) -> None:
        mine = Journal(journal.path, journal.library)
        for n in range(1, 21):
            mine.record([entry(n, library=[f"by {worker}"], wrote=ROCK)])
        mine.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(journal.find(list(range(21)))) == 21


def test_a_foreign_file_is_left_alone(journal: Journal) -> None:
    journal.path.write_text("my shopping list, much longer than a SQLite header, for many days to come " * 9)
    before = journal.path.read_bytes()
    with pytest.raises(JournalError, match=r"genreclf-journal\.db: the journal .* cannot be used"):
        journal.record([entry()])
    assert journal.path.read_bytes() == before


def test_another_programs_database_is_left_alone(journal: Journal) -> None:
    with sqlite3.connect(journal.path) as connection:
        connection.execute("CREATE TABLE songs (id)")
    with pytest.raises(JournalError, match="another program's database"):
        journal.record([entry()])
    with sqlite3.connect(journal.path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]


def test_a_newer_journal_is_left_alone(journal: Journal) -> None:
    journal.record([entry()])
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(JournalError, match="newer version"):
        journal.find([1])


def test_a_commit_survives_a_kill(journal: Journal) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from beetsplug.genreclf.journal import Entry, Journal;"
        "j = Journal(Path(sys.argv[1]), 'library.db'); j.record([Entry(1, '1:aa', b'')]); os._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(journal.path)], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == 9
    assert set(journal.find([1])) == {1}
