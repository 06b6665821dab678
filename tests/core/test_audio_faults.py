"""Files that are damaged, strange, or no audio at all: one clear sentence each, and what decodes is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import wave
from contextlib import suppress
from pathlib import Path

import av
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import numpy as np
import pytest
import synth

from genrecore import audio, errors

ROOT = Path(__file__).parents[2]


def _refused(kind: type[errors.AudioError], path: Path | str) -> str:
    """The message of `load`, checked for being one sentence that names the file."""
    with pytest.raises(kind) as caught:
        audio.load(path)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert text.startswith(os.fspath(path))
    assert "\n" not in text.removeprefix(os.fspath(path))
    assert len(text) < 160 + len(os.fspath(path))
    with pytest.raises(kind):
        list(audio.stream(path))
    return text


def test_missing(tmp_path):
    assert "no such file" in _refused(errors.MissingAudio, tmp_path / "gone.mp3")
    assert "no such file" in _refused(errors.MissingAudio, tmp_path / "gone" / "gone.mp3")


def test_null_byte_in_the_name():
    _refused(errors.MissingAudio, "a\0b.mp3")


def test_folder(tmp_path):
    assert "folder" in _refused(errors.UnreadableAudio, tmp_path)


def test_zero_bytes(tmp_path):
    path = tmp_path / "empty.mp3"
    path.touch()
    assert "0 bytes" in _refused(errors.EmptyAudio, path)


def test_nothing_but_tags(tmp_path):
    path = tmp_path / "tags.mp3"
    path.write_bytes(b"")
    mutagen.id3.ID3().save(path)
    _refused(errors.EmptyAudio, path)


def test_no_samples(tmp_path):
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
    assert "sample" in _refused(errors.EmptyAudio, path)


@pytest.mark.parametrize(
    "name", ["noise.mp3", "noise.flac", "noise.m4a", "noise.ogg", "noise", "noise.wav", "noise.aac"]
)
@pytest.mark.parametrize("size", [1, 100, 5000, 1_000_000])
def test_random_bytes(tmp_path, name, size):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(size).bytes(size))
    _refused(errors.NotAudio, path)


def test_text_named_mp3(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_text("This is not music.\n" * 500)
    _refused(errors.NotAudio, path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:4,\nother.mp3\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.mp3\n",
        "#EXTM3U\nother.mp3\n",
    ],
)
def test_a_playlist_is_not_followed(tmp_path, encoded, monkeypatch, text):
    """FFmpeg would open what such a file names, another file or an address."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(encoded("mp3"), "other.mp3")
    path = tmp_path / "song.mp3"
    path.write_text(text)
    _refused(errors.NotAudio, path)


def test_picture(tmp_path):
    path = tmp_path / "cover.jpg"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    _refused(errors.NotAudio, path)


def test_video_without_sound(tmp_path):
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "no audio" in _refused(errors.NotAudio, path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_does_not_hang(tmp_path):
    path = tmp_path / "pipe.mp3"
    os.mkfifo(path)
    done = threading.Thread(target=_refused, args=(errors.UnreadableAudio, path), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no devices in its file tree")
def test_device():
    assert "device" in _refused(errors.UnreadableAudio, "/dev/zero")


_LOAD = """
import sys
from genrecore import audio, errors
try:
    audio.load(sys.argv[1])
except errors.UnreadableAudio as error:
    print(error)
"""


def test_no_permission(tmp_path, encoded, unprivileged):
    path = tmp_path / "secret.mp3"
    path.write_bytes(encoded("mp3").read_bytes())
    path.chmod(0)
    command = [*unprivileged, sys.executable, "-c", _LOAD, str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{path}: no permission")


def test_broken_symbolic_link(tmp_path):
    try:
        (tmp_path / "link.mp3").symlink_to(tmp_path / "gone.mp3")
        (tmp_path / "loop.mp3").symlink_to(tmp_path / "loop.mp3")
    except OSError:
        pytest.skip("no symbolic links here")
    _refused(errors.MissingAudio, tmp_path / "link.mp3")
    _refused(errors.UnreadableAudio, tmp_path / "loop.mp3")


@pytest.mark.parametrize(
    "kind", ["mp3", "flac", "ogg", "opus", "aac", "wav", "aiff", "au", "wma", "wv", "tta", "mka"]
)
def test_truncated_gives_what_decodes_and_says_so(tmp_path, encoded, kind):
    whole = audio.load(encoded(kind))
    path = synth.cut(encoded(kind), tmp_path / f"cut.{synth.FORMATS[kind].extension}", 0.6)
    sound = audio.load(path)
    assert 0.2 * whole.duration < sound.duration < 0.8 * whole.duration
    n = len(sound.samples) - 4096
    assert np.abs(sound.samples[:n] - whole.samples[:n]).max() < 1e-3
    if kind != "aac":  # it has no header that could promise more, and a frame more or less is no matter
        assert len(sound.warnings) == 1, sound.warnings
        assert "cut off" in sound.warnings[0] or "damaged" in sound.warnings[0]


@pytest.mark.parametrize("kind", ["m4a", "alac"])
def test_mp4_without_its_index_is_damaged(tmp_path, encoded, kind):
    assert "get it again" in _refused(errors.DamagedAudio, synth.cut(encoded(kind), tmp_path / "cut.m4a"))


def test_mp4_with_its_index_in_front_can_be_cut(tmp_path, encoded):
    path = tmp_path / "front.m4a"
    with (
        av.open(str(encoded("m4a"))) as reading,
        av.open(str(path), "w", format="ipod", options={"movflags": "faststart"}) as writing,
    ):
        stream = writing.add_stream_from_template(reading.streams.audio[0])
        for packet in reading.demux(audio=0):
            if packet.size:
                packet.stream = stream
                writing.mux(packet)
    sound = audio.load(synth.cut(path, tmp_path / "cut.m4a", 0.6))
    assert 1.5 < sound.duration < 3
    assert "cut off" in sound.warnings[0]


@pytest.mark.parametrize("kind", synth.FORMATS)
@pytest.mark.parametrize("size", [12, 60, 400])
def test_headers_alone_never_crash(tmp_path, encoded, kind, size):
    path = tmp_path / f"x.{synth.FORMATS[kind].extension}"
    path.write_bytes(encoded(kind).read_bytes()[:size])
    with suppress(errors.DamagedAudio, errors.EmptyAudio, errors.NotAudio):
        assert audio.load(path).duration < 0.1


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "opus", "m4a", "wv"])
def test_a_hole_costs_only_itself(tmp_path, encoded, kind):
    data = bytearray(encoded(kind).read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    path = tmp_path / f"hole.{synth.FORMATS[kind].extension}"
    path.write_bytes(data)
    whole, sound = audio.load(encoded(kind)), audio.load(path)
    assert sound.duration > 0.45 * whole.duration  # an ogg page is lost as a whole, and may hold a second
    n = int(0.15 * len(whole.samples))
    assert np.abs(sound.samples[:n] - whole.samples[:n]).max() < 1e-3


@pytest.mark.parametrize("kind", ["mp3", "aac", "ogg"])
def test_random_damage_never_crashes(tmp_path, encoded, kind):
    clean = encoded(kind).read_bytes()
    path = tmp_path / f"x.{kind}"
    for seed in range(8):
        rng = np.random.default_rng(seed)
        data = bytearray(clean)
        for place in rng.integers(0, len(data), 40):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            sound = audio.load(path)
        except errors.AudioError:
            continue
        assert np.isfinite(sound.samples).all()
        assert np.abs(sound.samples).max() <= 64


def test_junk_before_and_between_the_frames_of_an_mp3(tmp_path, encoded):
    data, rng = encoded("mp3").read_bytes(), np.random.default_rng(3)
    path = tmp_path / "x.mp3"
    for mixed in (
        rng.bytes(50_000) + data,
        bytes(50_000) + data,
        data[:20_000] + rng.bytes(3000) + data[20_000:],
    ):
        path.write_bytes(mixed)
        assert audio.load(path).duration == pytest.approx(4.0, abs=0.4)


def test_mp3_whose_header_lies_about_its_length(tmp_path, encoded):
    data = bytearray(encoded("mp3").read_bytes())
    place = data.find(b"Xing") if b"Xing" in data[:2000] else data.find(b"Info")
    for frames in (5, 1_000_000):
        data[place + 8 : place + 12] = frames.to_bytes(4, "big")
        path = tmp_path / "lie.mp3"
        path.write_bytes(data)
        assert audio.load(path).duration == pytest.approx(4.0, abs=0.1)


def test_flac_whose_header_says_nothing_or_too_much(tmp_path, encoded):
    data = bytearray(encoded("flac").read_bytes())
    path = tmp_path / "lie.flac"
    for total in (0, 2**35, 1000):
        packed = int.from_bytes(data[18:26], "big") >> 36 << 36 | total
        data[18:26] = packed.to_bytes(8, "big")
        path.write_bytes(data)
        assert audio.load(path).duration == pytest.approx(4.0, abs=0.01)


def test_wav_written_into_a_pipe(tmp_path, encoded):
    data = bytearray(encoded("wav").read_bytes())
    place = data.find(b"data") + 4
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        data[4:8] = data[place : place + 4] = size
        path = tmp_path / "pipe.wav"
        path.write_bytes(data)
        sound = audio.load(path)
        assert sound.duration == pytest.approx(4.0, abs=0.01)
        assert not sound.warnings


def test_cover_art_is_no_obstacle(tmp_path, encoded):
    cover = np.random.default_rng(0).bytes(3_000_000)
    mp3, flac, m4a = (tmp_path / f"x.{kind}" for kind in ("mp3", "flac", "m4a"))
    for path in (mp3, flac, m4a):
        path.write_bytes(encoded(path.suffix[1:]).read_bytes())
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.APIC(encoding=3, mime="image/png", type=3, data=cover))
    tags.save(mp3)
    picture = mutagen.flac.Picture()
    picture.data, picture.mime, picture.type = cover, "image/png", 3
    file = mutagen.flac.FLAC(flac)
    file.add_picture(picture)
    file.save()
    from mutagen.mp4 import MP4, MP4Cover

    file = MP4(m4a)
    file["covr"] = [MP4Cover(cover, imageformat=MP4Cover.FORMAT_PNG)]
    file.save()
    for path in (mp3, flac, m4a):
        assert np.array_equal(audio.load(path).samples, audio.load(encoded(path.suffix[1:])).samples), path


def test_tags_that_are_not_text(tmp_path, encoded):
    path = tmp_path / "x.flac"
    path.write_bytes(encoded("flac").read_bytes())
    file = mutagen.flac.FLAC(path)
    file["artist"] = "XXXXXXXX"
    file.save()
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"\xff\xfe\xe9\xe8\xff\xfe\xe9\xe8"))
    assert audio.load(path).duration == pytest.approx(4.0, abs=0.1)


def _float_wav(path: Path, samples: np.ndarray) -> Path:
    return synth.write(path, samples.astype(np.float32), kind="wavfloat")


def test_values_that_are_no_sound_become_silence(tmp_path):
    clean = synth.music(2.0)
    dirty = clean.copy()
    dirty[1000], dirty[2000], dirty[3000], dirty[4000] = np.nan, np.inf, -np.inf, 3e38
    sound = audio.load(_float_wav(tmp_path / "x.wav", dirty), rate=44100)
    expected = clean.mean(axis=1)
    expected[[1000, 2000, 3000, 4000]] = 0
    assert np.abs(sound.samples - expected).max() < 1e-6
    resampled = audio.load(tmp_path / "x.wav").samples
    assert np.isfinite(resampled).all()
    assert np.abs(resampled).max() < 2


def test_nothing_but_nan_is_silence(tmp_path):
    assert not audio.load(_float_wav(tmp_path / "x.wav", np.full((44100, 2), np.nan))).samples.any()


def test_peaks_over_full_scale_are_kept(tmp_path):
    loud = 3 * synth.music(2.0)
    sound = audio.load(_float_wav(tmp_path / "x.wav", loud), rate=44100)
    assert np.abs(sound.samples - loud.mean(axis=1)).max() < 1e-6
    assert not sound.warnings


def test_integers_in_a_float_file_are_scaled_down(tmp_path):
    sound = audio.load(_float_wav(tmp_path / "x.wav", 32768 * synth.music(2.0)))
    assert np.abs(sound.samples).max() == pytest.approx(1)
    assert "scaled" in sound.warnings[0]


@pytest.mark.parametrize("data", [b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"ID3\x04\x00\x00\xff\xff\xff\xff"])
def test_id3_tag_longer_than_the_file(tmp_path, encoded, data):
    path = tmp_path / "x.mp3"
    path.write_bytes(data + encoded("mp3").read_bytes())
    assert audio.load(path).duration == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "opus"])
def test_nothing_is_written_to_the_terminal(tmp_path, encoded, kind, capfd):
    data = bytearray(encoded(kind).read_bytes())
    data[3000:9000] = np.random.default_rng(0).bytes(6000)
    path = tmp_path / f"x.{kind}"
    path.write_bytes(data[: len(data) * 2 // 3])
    with suppress(errors.AudioError):
        audio.load(path)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
