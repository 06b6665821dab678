"""What a page says of a file beside what was heard, and where its sound comes from."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from genrecore.audio import probe
from genrecore.errors import ReportError

__all__ = ["Song", "Sound", "clean", "embedded", "linked", "read_song"]

# By FFmpeg's name of the container. What is not here, browsers do not play.
_TYPES = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mov": "audio/mp4",
    "mp4": "audio/mp4",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "matroska": "audio/webm",
    "webm": "audio/webm",
}


@dataclass(frozen=True)
class Song:
    """What the tags of a file say.

    Parameters
    ----------
    title : str
        The file's name where there is no title.
    artist, album : str
        Empty where they are not known.
    year : int or None
        Of the release.
    genres : tuple of str
        As tagged.
    """

    title: str
    artist: str = ""
    album: str = ""
    year: int | None = None
    genres: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sound:
    """Where a page has its sound from.

    Parameters
    ----------
    url : str
        Relative to the page; empty where the sound is inside of it.
    content : str
        The file itself, base64; empty where it is linked.
    kind : str
        Its MIME type; empty for one that browsers do not play.
    """

    url: str = ""
    content: str = ""
    kind: str = ""

    @property
    def policy(self) -> str:
        """What a content security policy must allow for it."""
        return "blob:" if self.content else "'self' file:"


def read_song(path: str | os.PathLike[str]) -> Song:
    """Read the tags of a file; of one whose tags cannot be read, its name."""
    import mediafile

    name = clean(Path(path).stem)
    try:
        tags = mediafile.MediaFile(os.fspath(path))
    except mediafile.UnreadableFileError:
        return Song(name)
    return Song(
        title=clean(tags.title or "") or name,
        artist=clean(tags.artist or ""),
        album=clean(tags.album or ""),
        year=tags.year or None,
        genres=tuple(clean(genre) for genre in tags.genres or () if genre),
    )


def linked(path: str | os.PathLike[str], page: str | os.PathLike[str], *, kind: str | None = None) -> Sound:
    """The sound of a file beside a page, by a relative link; of its MIME type, if that is not given."""
    song = Path(path).resolve()
    try:
        relative = Path(os.path.relpath(song, Path(page).resolve().parent))
        # In front of it "./", lest a colon in a name look like the scheme of an address.
        url = "./" + quote(os.fsencode(relative.as_posix()))
    except ValueError:  # on another drive
        url = song.as_uri()
    return Sound(url=url, kind=_kind(path) if kind is None else kind)


def embedded(path: str | os.PathLike[str]) -> Sound:
    """The sound of a file to be carried inside of a page.

    Raises
    ------
    ReportError
        If it cannot be read.
    """
    try:
        content = base64.b64encode(Path(path).read_bytes()).decode()
    except OSError as error:
        raise ReportError(f"{os.fspath(path)}: it cannot be read ({error.strerror})") from error
    return Sound(content=content, kind=_kind(path))


def _kind(path: str | os.PathLike[str]) -> str:
    return _TYPES.get(probe(path).container, "")


def clean(value: str) -> str:
    """A name on one line, without what is no Unicode, cannot be seen or turns the line around."""
    known = value.encode("utf-8", "replace").decode()
    return "".join(character if character.isprintable() else " " for character in known).strip()
