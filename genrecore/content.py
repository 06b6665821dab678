"""Hash of the audio in a file, blind to its tags."""

from __future__ import annotations

import hashlib
import os

from genrecore._media import open_media, packets
from genrecore.errors import DamagedAudio

__all__ = ["CONTENT_VERSION", "content_hash"]

#: Stands before the digest: raised whenever the same audio would give another hash.
CONTENT_VERSION = 1


def content_hash(path: str | os.PathLike[str]) -> str:
    """Hash the encoded audio of a file.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    str
        ``"1:"`` and the SHA-256, in hex, of the concatenated encoded packets of the first audio stream,
        after codec, sample rate and channels where those are uncompressed samples.
        Adding, changing or removing tags, covers and padding, moving or renaming the file leaves it as it
        is; encoding the audio again does not.

    Raises
    ------
    AudioError
        `MissingAudio`, `UnreadableAudio`, `EmptyAudio`, `DamagedAudio` or `NotAudio`, in one sentence.

    Examples
    --------
    >>> content_hash("song.mp3")  # doctest: +SKIP
    '1:9f2c...'
    """
    digest = hashlib.sha256()
    found = False
    with open_media(path) as media:
        context = media.stream.codec_context
        if media.codec.startswith("pcm_"):  # bare numbers: what they mean stands in the header alone
            digest.update(f"{media.codec} {context.sample_rate} {context.channels}\n".encode())
        for packet in packets(media):
            digest.update(packet)
            found = True
        if not found:
            raise DamagedAudio(media.path, "there is not a single frame of audio in it: get it again")
    return f"{CONTENT_VERSION}:{digest.hexdigest()}"
