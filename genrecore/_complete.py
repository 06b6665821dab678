"""Whether a file holds all that its header promises."""

from __future__ import annotations

from genrecore._media import Media

__all__ = ["cut_off"]

# fmt: off
# Containers whose header states the duration; elsewhere it is an estimate, or read from the end of the file.
_STATES_DURATION = frozenset({
    "aiff", "ape", "asf", "au", "caf", "dsf", "flac", "iff", "matroska", "mov", "mp3", "mpc", "mpc8", "tak",
    "tta", "w64", "wav", "wv",
})
# fmt: on

# The largest page that Ogg has.
_OGG_PAGE = 65307

# How an ASF file begins; after the length of its header come the audio and its length.
_ASF = b"\x30\x26\xb2\x75"

# Less missing than this share, and half a second, is rounding.
_SLACK = 0.02


def cut_off(media: Media, seconds: float) -> list[str]:
    """Say so, in a clause, if what was decoded falls short of what the file promises.

    Parameters
    ----------
    media : Media
        The file.
    seconds : float
        What was decoded.
    """
    stated = media.header_seconds
    if stated is not None and _states_duration(media) and seconds < (1 - _SLACK) * stated - 0.5:
        return [
            f"it ends after {seconds:.1f} s though its header says {stated:.1f} s: it seems to be cut off"
        ]
    if _ends_early(media):
        return [f"it ends in the middle, after {seconds:.1f} s: it seems to be cut off"]
    return []


def _states_duration(media: Media) -> bool:
    if media.format == "mp3":  # without this frame the duration is FFmpeg's guess from the bit rate
        head = media.view.peek(0, 4096)
        return any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))
    return media.format in _STATES_DURATION


def _ends_early(media: Media) -> bool:
    view = media.view
    head = view.peek(0, 12)
    if head[:4] in (b"RIFF", b"FORM"):
        size = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
        # Programs that write into a pipe leave 0 or the largest number.
        return 0 < size < 0x7FFFFF00 and view.size - 8 < (1 - _SLACK) * size
    if head[:4] == b"OggS":
        tail = view.peek(-min(view.size, _OGG_PAGE), _OGG_PAGE)
        page = tail[tail.rfind(b"OggS") :]
        return len(page) < 27 or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])
    if head[:4] == _ASF:
        begin = int.from_bytes(view.peek(16, 8), "little")
        size = int.from_bytes(view.peek(begin + 16, 8), "little")
        return 0 < size < 1 << 48 and view.size - begin < (1 - _SLACK) * size
    return False
