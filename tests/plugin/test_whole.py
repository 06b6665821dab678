"""A file is changed as a whole or not at all, whenever the process is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import mediafile
import mutagen
import pytest
import synth
from beets.library import Item
from beets.logging import getLogger
from plugin import rawtags

from beetsplug.genreclf.tags import TagError, TagFile, _save
from beetsplug.genreclf.whole import COPY_PREFIX, replaced
from genrecore.content import content_hash

# More than mutagen leaves room for, so that the audio has to be moved.
TAGS = {"genres": ("Jazz", "Rock"), "mood": ("Sad",), "genre_histogram": '{"counts":{}}' * 400}
#: What a process asks the system for, and before which it is killed.
CALLS = {
    "write",
    "truncate",
    "flush",
    "sendfile",
    "copy_file_range",
    "utime",
    "chmod",
    "fsync",
    "replace",
    "close",
}

LOG = getLogger("genreclf")

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


pytestmark = pytest.mark.usefixtures("media_fields")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("originals")

    def original(kind: str) -> bytes:
        path = folder / f"a.{kind}"
        if not path.exists():
            rawtags.put(synth.piece(path, 3.0), title="a", genre=["Blues"])
        return path.read_bytes()

    return original


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "library").mkdir()
    return tmp_path / "library" / "journal.db"


def write(path: Path, lock: Path | None) -> None:
    item = Item(path=os.fsencode(path), mtime=path.stat().st_mtime)
    TagFile(item).write(TAGS, LOG, lock)


def killed_at(moment: int, act: Callable[[], None]) -> bool:
    """Do something in a process of its own, which is killed at the n-th call of the system; whether it got there."""
    child = os.fork()
    if child == 0:
        seen = count(1)

        def watch(_frame: object, event: str, called: Any) -> None:
            if event == "c_call" and called.__name__ in CALLS and next(seen) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        status = 1
        try:
            sys.setprofile(watch)
            act()
            status = 0
        finally:
            sys.setprofile(None)
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status != 0


@forking
@pytest.mark.parametrize("kind", rawtags.FORMATS)
def test_killed_at_every_moment(
    kind: str, originals: Callable[[str], bytes], tmp_path: Path, lock: Path
) -> None:
    before = originals(kind)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(before)
    audio = content_hash(str(path))
    moments = 0
    kept = True
    for moments in count(1):
        was_killed = killed_at(moments, lambda: write(path, lock))
        if path.read_bytes() != before:
            kept = False
            assert rawtags.genre(path) == ["Jazz", "Rock"]
            assert rawtags.histogram(path, "genre") == [TAGS["genre_histogram"]]
            assert content_hash(str(path)) == audio
            path.write_bytes(before)
        if not was_killed:
            break
    assert not kept
    assert moments > 10
    left = sorted(found.name for found in tmp_path.iterdir())
    assert left == [path.name, "library"], "what the killed ones left is gone"


@forking
def test_in_place_it_would_break(originals: Callable[[str], bytes], tmp_path: Path) -> None:
    """What all this is for."""
    path = tmp_path / "a.mp3"
    path.write_bytes(originals("mp3"))
    audio = content_hash(str(path))

    def in_place() -> None:
        file = mediafile.MediaFile(path)
        file.update({"genre_histogram": TAGS["genre_histogram"]})
        file.save()

    broken = 0
    for moment in count(1):
        path.write_bytes(originals("mp3"))
        if not killed_at(moment, in_place):
            break
        try:
            broken += content_hash(str(path)) != audio or rawtags.genre(path) != ["Blues"]
        except Exception:
            broken += 1
    assert broken


def test_what_is_not_content_stays(originals: Callable[[str], bytes], tmp_path: Path, lock: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(originals("flac"))
    path.chmod(0o640)
    os.utime(path, (1000, 1000))
    has_attributes = hasattr(os, "setxattr")
    if has_attributes:
        try:
            os.setxattr(path, "user.rating", b"5")
        except OSError:
            has_attributes = False
    write(path, lock)
    assert path.stat().st_mode & 0o777 == 0o640 or os.name == "nt"
    assert path.stat().st_mtime > 1000, "others must see that it has changed"
    if has_attributes:
        assert os.getxattr(path, "user.rating") == b"5"


def test_links_stay_links(originals: Callable[[str], bytes], tmp_path: Path, lock: Path) -> None:
    (tmp_path / "else").mkdir()
    path, symbolic, hard = tmp_path / "a.flac", tmp_path / "else" / "s.flac", tmp_path / "else" / "h.flac"
    path.write_bytes(originals("flac"))
    try:
        symbolic.symlink_to(path)
    except OSError:
        pytest.skip("no links here")
    write(symbolic, lock)
    assert symbolic.is_symlink()
    assert rawtags.genre(path) == ["Jazz", "Rock"]
    path.write_bytes(originals("flac"))
    os.link(path, hard)
    write(hard, lock)
    assert path.stat().st_nlink == 2
    assert rawtags.genre(path) == ["Jazz", "Rock"]


def test_in_place_a_failure_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    os.link(path, tmp_path / "b")

    def change() -> None:
        with replaced(str(path), None) as changed:
            Path(changed).write_text("new")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        change()
    assert (tmp_path / "b").read_text() == path.read_text() == "old"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("user", [0, 1002])
def test_owner_and_group_stay(tmp_path: Path, user: int) -> None:
    (tmp_path / "music").mkdir()
    path = tmp_path / "music" / "a"
    for place in (tmp_path, *tmp_path.parents):
        if place.owner() == "root" and place.stat().st_mode & 0o005 != 0o005:
            place.chmod(0o755)
    path.write_text("old")
    path.parent.chmod(0o777)
    os.chown(path, 1001, 2000)
    path.chmod(0o664)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgid(2000)
            os.setuid(user)
            with replaced(str(path), None) as changed:
                Path(changed).write_text("new")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert path.read_text() == "new"
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (1001, 2000, 0o664)


def test_what_a_killed_one_has_left_is_removed(
    originals: Callable[[str], bytes], tmp_path: Path, lock: Path
) -> None:
    for name in "ab":
        (tmp_path / f"{name}.mp3").write_bytes(originals("mp3"))

    def left(lock: Path) -> str:
        with replaced(str(tmp_path / "a.mp3"), lock) as copy:
            Path(copy).with_suffix(".kept").write_bytes(Path(copy).read_bytes())
        kept = Path(copy).with_suffix(".kept")
        kept.rename(copy)
        return Path(copy).name

    mine, others = left(lock), left(tmp_path / "library" / "another.db")
    write(tmp_path / "b.mp3", lock)
    assert mine != others
    assert not (tmp_path / mine).exists()
    assert (tmp_path / others).exists(), "that of another library may be in use"


@pytest.mark.parametrize(
    "values",
    [
        ("17",),
        ("(17)Rock",),
        ("RX",),
        ("Rock/Pop", "Jazz"),
        ("R&B; Soul",),
        (" Rock ",),
        ("a\nb",),
        ("Rock", "Rock"),
    ],
)
@pytest.mark.parametrize("id3v23", [False, True])
@pytest.mark.parametrize("kind", ["mp3", "aiff", "m4a", "flac", "wv", "wma"])
def test_odd_values_are_written(
    kind: str,
    id3v23: bool,
    values: tuple[str, ...],
    originals: Callable[[str], bytes],
    tmp_path: Path,
) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(originals(kind))
    for name in ("genres", "mood"):
        _save(str(path), {name: list(values)}, id3v23)
    assert rawtags.genre(path)


def test_a_change_by_another_program_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def change() -> None:
        with replaced(str(path), None) as copy:
            Path(copy).write_text("new")
            path.write_text("the other program's")

    with pytest.raises(OSError, match="another program has changed it meanwhile"):
        change()
    assert path.read_text() == "the other program's"
    assert list(tmp_path.iterdir()) == [path]


@forking
def test_on_a_full_disk_a_file_is_as_it_was(
    originals: Callable[[str], bytes], tmp_path: Path, lock: Path
) -> None:
    import resource

    path = tmp_path / "a.wav"
    path.write_bytes(originals("wav"))
    child = os.fork()
    if child == 0:  # the limit would stay
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        status = 1
        try:
            write(path, lock)
        except TagError as error:
            status = 0 if "too large" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert path.read_bytes() == originals("wav")
    assert not list(tmp_path.glob(f"{COPY_PREFIX}*"))


class Deaf(mediafile.MediaField):
    """A tag that is never written."""

    def __set__(self, file: mediafile.MediaFile, value: object) -> None: ...


@pytest.fixture
def _deaf() -> Iterator[None]:
    hearing = vars(mediafile.MediaFile)["mood"]
    mediafile.MediaFile.mood = Deaf(mediafile.MP3StorageStyle("TMOO"), mediafile.StorageStyle("MOOD"))
    yield
    mediafile.MediaFile.mood = hearing


@pytest.mark.usefixtures("_deaf")
def test_a_tag_that_does_not_arrive_is_told(
    originals: Callable[[str], bytes], tmp_path: Path, lock: Path
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(originals("mp3"))
    with pytest.raises(TagError, match="it says nothing where Sad was written as mood"):
        write(path, lock)
    assert path.read_bytes() == originals("mp3")
    assert not list(tmp_path.glob(f"{COPY_PREFIX}*"))


def test_nothing_but_tags_has_changed(originals: Callable[[str], bytes], tmp_path: Path, lock: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(originals("m4a"))
    write(path, lock)
    assert mutagen.File(path).info.length == pytest.approx(3.0, abs=0.1)
    assert rawtags.value(path, "\xa9nam") == ["a"]
