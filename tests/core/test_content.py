"""The content hash: blind to every tag edit in every format, and to nothing else."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import mediafile
import mutagen
import mutagen.apev2
import mutagen.id3
import numpy as np
import pytest
import synth

from genrecore import audio, errors
from genrecore.content import content_hash

FIXTURES = Path(__file__).parents[1] / "fixtures"

# What mutagen can tag; beets knows them all but FLAC in Ogg.
TAGGABLE = [
    "mp3",
    "flac",
    "m4a",
    "alac",
    "ogg",
    "oggflac",
    "opus",
    "wav",
    "wav24",
    "aiff",
    "aiff24",
    "wma",
    "wv",
]


@pytest.fixture
def copied(tmp_path, encoded):
    """Gives a copy of a piece, free to be changed."""

    def copy(kind: str) -> Path:
        source = FIXTURES / f"tone.{kind}" if kind in ("ape", "mpc") else encoded(kind)
        return Path(shutil.copy(source, tmp_path / source.name))

    return copy


def _cover(size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + np.random.default_rng(size).bytes(size)


@pytest.mark.parametrize("kind", [*(kind for kind in TAGGABLE if kind != "oggflac"), "ape", "mpc"])
def test_beets_tags_do_not_matter(copied, kind):
    path = copied(kind)
    before, samples = content_hash(path), audio.load(path).samples
    for title, genres, cover in [
        ("A", ["Jazz"], 100_000),
        ("B" * 5000, ["Rock", "Pop"], 2_000_000),
        ("C", [], None),
    ]:
        file = mediafile.MediaFile(path)
        file.title, file.genres, file.lyrics = title, genres, "la " * 3000
        file.images = [mediafile.Image(_cover(cover))] if cover else []
        file.save()
        assert content_hash(path) == before, title
        assert np.array_equal(audio.load(path).samples, samples)
    mediafile.MediaFile(path).delete()
    assert content_hash(path) == before


@pytest.mark.parametrize("kind", TAGGABLE)
def test_removing_all_tags_and_padding_does_not_matter(copied, kind):
    path = copied(kind)
    before = content_hash(path)
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file.save()
    for padding in (0, 100_000):
        if kind not in ("wv", "wav", "wav24", "aiff", "aiff24"):
            mutagen.File(path).save(padding=lambda _, padding=padding: padding)
            assert content_hash(path) == before, padding
    mutagen.File(path).delete()
    assert content_hash(path) == before


@pytest.mark.parametrize("kind", ["mp3", "flac", "aac", "wv", "tta", "ape", "mpc", "mp2", "ac3"])
def test_tags_before_and_after_the_audio_do_not_matter(copied, kind):
    """Whichever of them, alone and together, in any order."""
    path = copied(kind)
    clean = path.read_bytes()
    before, samples = content_hash(path), audio.load(path).samples
    id3v1 = b"TAG" + b"A title".ljust(30, b"\0") + bytes(94) + b"\x08"
    lyrics = b"LYRICSBEGININD0000300110LYR00003la\n"
    lyrics += b"%06dLYRICS200" % len(lyrics)
    for tail in (id3v1, lyrics + id3v1, b""):
        path.write_bytes(clean + tail)
        assert content_hash(path) == before, tail
        tags = mutagen.apev2.APEv2()
        tags["Genre"], tags["Title"] = ["Jazz", "Rock"], "x" * 3000
        tags.save(path)
        assert content_hash(path) == before
        if kind not in ("ape", "mpc", "tta", "wv"):
            mutagen.id3.ID3().save(path, v1=2)
        front = mutagen.id3.ID3()
        front.add(mutagen.id3.TIT2(encoding=3, text="x" * 4000))
        front.save(path, v2_version=3)
        assert content_hash(path) == before
        assert np.array_equal(audio.load(path).samples, samples)


def test_two_id3_tags_in_a_row(copied):
    path = copied("mp3")
    before, data = content_hash(path), path.read_bytes()
    tag = b"ID3\x04\x00\x00\x00\x00\x10\x00" + bytes(2048)
    path.write_bytes(tag + tag + data)
    assert content_hash(path) == before


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_chunks_after_the_audio_do_not_matter(copied, kind):
    path = copied(kind)
    before = content_hash(path)
    order = "little" if kind == "wav" else "big"
    data = bytearray(path.read_bytes())
    data += b"note" + (1000).to_bytes(4, order) + bytes(1000)
    data[4:8] = (len(data) - 8).to_bytes(4, order)
    path.write_bytes(data)
    assert content_hash(path) == before


@pytest.mark.parametrize("kind", synth.FORMATS)
def test_other_audio_has_another_hash(tmp_path, encoded, kind):
    other = synth.piece(tmp_path / f"x.{synth.FORMATS[kind].extension}", 4.0, kind=kind, seed=7)
    assert content_hash(other) != content_hash(encoded(kind))


@pytest.mark.parametrize("kind", synth.COMMON)
def test_one_changed_byte_of_audio_changes_the_hash(copied, kind):
    path = copied(kind)
    before, data = content_hash(path), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    assert content_hash(path) != before


@pytest.mark.parametrize("kind", synth.COMMON)
def test_name_and_place_do_not_matter(copied, tmp_path, kind):
    path = copied(kind)
    before = content_hash(path)
    assert content_hash(str(path)) == before
    assert content_hash(path.rename(tmp_path / "else.xyz")) == before


def test_form(encoded):
    version, _, digest = content_hash(encoded("mp3")).partition(":")
    assert version == "1"
    assert len(digest) == 64
    assert int(digest, 16)


def test_golden_value(tmp_path):
    """Hashes are kept in databases: this one may change only with CONTENT_VERSION."""
    path = tmp_path / "ramp.wav"
    synth.write(path, np.linspace(-0.5, 0.5, 44100, dtype=np.float32))
    import hashlib
    import wave

    with wave.open(str(path)) as file:
        frames = file.readframes(file.getnframes())
    expected = hashlib.sha256(b"pcm_s16le 44100 1\n" + frames).hexdigest()
    assert content_hash(path) == f"1:{expected}"


def test_the_same_samples_at_another_rate_are_other_audio(tmp_path):
    path = synth.piece(tmp_path / "a.wav", 1.0)
    before = content_hash(path)
    data = bytearray(path.read_bytes())
    assert data[20:24] == b"\x01\x00\x02\x00"  # PCM, stereo
    data[24:32] = struct.pack("<II", 22050, 22050 * 4)
    path.write_bytes(data)
    assert content_hash(path) != before


def test_cut_off_file_has_its_own_hash(tmp_path, encoded):
    assert content_hash(synth.cut(encoded("mp3"), tmp_path / "x.mp3")) != content_hash(encoded("mp3"))


def test_no_audio_no_hash(tmp_path):
    path = tmp_path / "x.mp3"
    path.write_bytes(b"nothing to hear " * 100)
    with pytest.raises(errors.NotAudio):
        content_hash(path)
    with pytest.raises(errors.MissingAudio):
        content_hash(tmp_path / "gone.mp3")


def test_real_music_retagged(shared_data, tmp_path):
    for source in sorted((shared_data / "songs").glob("*.mp3")) + sorted(
        (shared_data / "songs").glob("*.ogg")
    ):
        path = Path(shutil.copyfile(source, tmp_path / source.name))
        before = content_hash(path)
        file = mediafile.MediaFile(path)
        file.genres, file.title = ["Blues"], "Another title"
        file.images = [mediafile.Image(_cover(300_000))]
        file.save()
        assert content_hash(path) == before, source.name
