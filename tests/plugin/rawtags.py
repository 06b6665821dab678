"""The tags of a file as mutagen sees them: what players read."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3, TCON, TIT2, TMOO, TPE1, TXXX

#: Where each kind of file keeps genre, mood and a histogram.
KEYS = {
    "mp3": ("TCON", "TMOO", "TXXX:{}"),
    "wav": ("TCON", "TMOO", "TXXX:{}"),
    "aiff": ("TCON", "TMOO", "TXXX:{}"),
    "flac": ("GENRE", "MOOD", "{}"),
    "ogg": ("GENRE", "MOOD", "{}"),
    "opus": ("GENRE", "MOOD", "{}"),
    "wv": ("GENRE", "Mood", "{}"),
    "m4a": ("\xa9gen", "----:com.apple.iTunes:MOOD", "----:com.apple.iTunes:{}"),
    "wma": ("WM/Genre", "WM/Mood", "{}"),
    "ape": ("GENRE", "Mood", "{}"),
}
#: Those of them that can be made here.
FORMATS = ("mp3", "flac", "ogg", "opus", "m4a", "wav", "aiff", "wv", "wma")


def monkeys_audio() -> bytes:
    """A file of Monkey's Audio, for which there is no encoder: the header, and noise for audio."""
    header = bytearray(76)
    header[:6] = b"MAC " + (3990).to_bytes(2, "little")
    header[56:76] = struct.pack("<IIIHHI", 73728, 40000, 2, 16, 2, 44100)
    return bytes(header) + bytes(range(256)) * 40


def value(path: Path, key: str) -> list[str] | None:
    """Values under one key, or None."""
    tags = mutagen.File(path).tags
    if tags is None or key not in tags:
        return None
    found: Any = tags[key]
    found = getattr(found, "text", found)
    if isinstance(found, str) or not hasattr(found, "__iter__"):
        return [str(found)]
    return [v.decode() if isinstance(v, bytes) else str(v) for v in found]


def genre(path: Path) -> list[str] | None:
    """The genre tag."""
    return value(path, KEYS[path.suffix[1:]][0])


def mood(path: Path) -> list[str] | None:
    """The mood tag (of ID3, that of version 2.4)."""
    return value(path, KEYS[path.suffix[1:]][1])


def histogram(path: Path, task: str) -> list[str] | None:
    """The histogram tag."""
    return value(path, KEYS[path.suffix[1:]][2].format(f"{task.upper()}_HISTOGRAM"))


def everything(path: Path) -> dict[str, list[str]]:
    """All tags, as text."""
    tags = mutagen.File(path).tags
    if tags is None:
        return {}
    return {key: value(path, key) or [] for key in sorted(set(tags.keys()))}


def put(
    path: Path, *, title: str = "", genre: list[str] | None = None, mood: list[str] | None = None
) -> Path:
    """Tag a file as another program would."""
    kind = path.suffix[1:]
    keys = dict(zip(("genre", "mood"), KEYS[kind][:2], strict=True))
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, ID3):
        frames = [TIT2(text=[title])] if title else []
        frames += [TCON(text=genre)] if genre else []
        frames += [TMOO(text=mood)] if mood else []
        for frame in frames:
            file.tags.add(frame)
    else:
        title_key = {"m4a": "\xa9nam", "wma": "Title", "wv": "Title", "ape": "Title"}.get(kind, "TITLE")
        for key, values in ((title_key, [title]), (keys["genre"], genre), (keys["mood"], mood)):
            if values and values[0]:
                file.tags[key] = [v.encode() for v in values] if key.startswith("----") else values
    file.save()
    return path


def put_user_text(path: Path, desc: str, text: str) -> Path:
    """Add a TXXX frame to an MP3."""
    tags = ID3(path)
    tags.add(TXXX(encoding=3, desc=desc, text=[text]))
    tags.save(path)
    return path


def version(path: Path) -> tuple[int, ...]:
    """Version of the ID3 tag."""
    return tuple(ID3(path, translate=False).version)


def put_artist(path: Path, artist: str) -> Path:
    """Name the artist in an MP3."""
    tags = ID3(path)
    tags.add(TPE1(encoding=3, text=[artist]))
    tags.save(path)
    return path
