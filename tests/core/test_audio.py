"""Decoding: every format, rate and number of channels comes out as the sound that went in."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import synth

from genrecore import audio

FIXTURES = Path(__file__).parents[1] / "fixtures"
SECONDS = 4.0


def _load_at(path: Path, rate: int) -> np.ndarray:
    return audio.load(path, rate=rate).samples


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Best correlation over the delays that encoders add at the beginning."""
    n = min(len(a), len(b))
    spectrum = np.fft.rfft(a[:n], 2 * n) * np.conj(np.fft.rfft(b[:n], 2 * n))
    return float(np.fft.irfft(spectrum).max() / (np.linalg.norm(a[:n]) * np.linalg.norm(b[:n])))


@pytest.mark.parametrize("kind", [name for name, target in synth.FORMATS.items() if target.lossless])
def test_lossless_formats_give_back_every_sample(encoded, kind):
    mix = synth.music(SECONDS).mean(axis=1)
    samples = _load_at(encoded(kind), 44100)
    assert len(samples) == len(mix)
    assert np.abs(samples - mix).max() < 2 / 2**15


@pytest.mark.parametrize("kind", [name for name, target in synth.FORMATS.items() if not target.lossless])
def test_lossy_formats_sound_like_what_went_in(encoded, kind):
    mix = synth.music(SECONDS).mean(axis=1)
    sound = audio.load(encoded(kind), rate=44100)
    assert abs(sound.duration - SECONDS) < 0.15
    assert not sound.warnings
    assert _correlation(sound.samples, mix) > 0.9


@pytest.mark.parametrize("kind", synth.FORMATS)
def test_probe_reads_the_header(encoded, kind):
    info = audio.probe(encoded(kind))
    target = synth.FORMATS[kind]
    assert info.channels == 2
    assert info.sample_rate == target.rates[0]
    assert abs(info.duration - SECONDS) < 0.15
    assert info.codec == {"libmp3lame": "mp3", "libopus": "opus"}.get(target.codec, target.codec)


@pytest.mark.parametrize("name", ["tone.ape", "tone.mpc"])
def test_formats_that_only_others_encode(name):
    sound = audio.load(FIXTURES / name, rate=22050)
    assert abs(sound.duration - 1.25) < 0.05
    middle = sound.samples[5000:20000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440 * len(middle) / 22050, abs=1)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.02)


def test_dsd(tmp_path):
    path = _write_dsf(tmp_path / "tone.dsf", seconds=1.2)
    sound = audio.load(path)
    assert audio.probe(path).codec.startswith("dsd")
    assert abs(sound.duration - 1.2) < 0.05
    middle = sound.samples[5000:20000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440 * len(middle) / 22050, abs=1)


@pytest.mark.parametrize("rate", [8000, 11025, 11111, 16000, 22050, 32000, 48000, 88200, 96000, 192000])
def test_every_rate_is_resampled(tmp_path, rate):
    n = int(1.5 * rate)
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(n) / rate)).astype(np.float32)
    sound = audio.load(synth.write(tmp_path / "tone.wav", tone, rate=rate))
    assert len(sound.samples) == pytest.approx(1.5 * 22050, abs=2)
    middle = slice(4000, 28000)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(sound.samples)) / 22050)
    assert np.abs(sound.samples[middle] - expected[middle]).max() < 1e-3


def test_resampling_leaves_no_alias(tmp_path):
    t = np.arange(96000) / 48000
    tone = (0.5 * np.sin(2 * np.pi * 15000 * t)).astype(np.float32)  # above half of 22,050 Hz
    samples = audio.load(synth.write(tmp_path / "tone.wav", tone, rate=48000)).samples
    assert np.abs(samples[2000:-2000]).max() < 1e-4


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("kind", ["wav", "flac", "wavfloat"])
def test_downmix_is_the_mean_of_the_channels(tmp_path, kind, channels):
    sound = synth.music(1.5, channels=channels, seed=channels)
    path = synth.write(tmp_path / f"x.{synth.FORMATS[kind].extension}", sound, kind=kind)
    assert np.abs(_load_at(path, 44100) - sound.mean(axis=1)).max() < 2 / 2**15


def test_channels_of_opposite_phase_cancel(tmp_path):
    one = synth.music(1.5, channels=1)
    samples = _load_at(synth.write(tmp_path / "x.wav", np.hstack([one, -one])), 44100)
    assert np.abs(samples).max() < 2 / 2**15


@pytest.mark.parametrize("kind", synth.COMMON)
def test_same_file_same_samples(encoded, kind):
    first, second = audio.load(encoded(kind)).samples, audio.load(encoded(kind)).samples
    assert first.dtype == np.float32
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", synth.COMMON)
def test_stream_is_load_in_blocks(encoded, kind):
    blocks = list(audio.stream(encoded(kind)))
    assert np.array_equal(np.concatenate(blocks), audio.load(encoded(kind)).samples)


@pytest.mark.parametrize("kind", synth.COMMON)
def test_a_stream_may_be_left_early(encoded, tmp_path, kind):
    path = Path(shutil.copy(encoded(kind), tmp_path / "x"))
    for _ in range(20):
        blocks = audio.stream(path)
        assert next(blocks).dtype == np.float32
        blocks.close()
    path.unlink()  # nothing holds the file open, which Windows would refuse
    assert not path.exists()


@pytest.mark.parametrize("kind", ["flac", "wav", "mp3", "opus", "alac", "wv", "tta", "aiff"])
@pytest.mark.parametrize("start", [0.0, 0.75, 2.125])
def test_a_part_is_that_part_of_the_whole(encoded, kind, start):
    whole = audio.load(encoded(kind)).samples
    part = audio.load(encoded(kind), start=start, duration=1.25)
    begin = round(start * 22050)
    assert len(part.samples) == round(1.25 * 22050)
    assert np.abs(part.samples - whole[begin : begin + len(part.samples)]).max() < 1e-4


def test_a_part_beyond_the_end_is_what_there_is(encoded):
    assert len(audio.load(encoded("flac"), start=3.5, duration=10).samples) == pytest.approx(
        0.5 * 22050, abs=2
    )
    assert len(audio.load(encoded("flac"), start=100).samples) == 0


def test_negative_times_are_refused(encoded):
    with pytest.raises(ValueError, match="negative"):
        audio.load(encoded("wav"), start=-1)
    with pytest.raises(ValueError, match="negative"):
        list(audio.stream(encoded("wav"), duration=-1))


@pytest.mark.parametrize(
    ("kind", "wrong"), [("mp3", "flac"), ("flac", "mp3"), ("opus", "wav"), ("m4a", "ogg")]
)
def test_content_decides_not_the_extension(encoded, tmp_path, kind, wrong):
    path = shutil.copy(encoded(kind), tmp_path / f"song.{wrong}")
    assert np.array_equal(audio.load(path).samples, audio.load(encoded(kind)).samples)


@pytest.mark.parametrize(
    "name", ["no extension", "ünï çødé 日本.mp3", "concat:a|b.mp3", "http:", "-", "a\nb.mp3"]
)
def test_any_name_will_do(encoded, tmp_path, monkeypatch, name):
    try:
        shutil.copy(encoded("mp3"), tmp_path / name)
    except OSError:
        pytest.skip("this system does not allow such a name")
    monkeypatch.chdir(tmp_path)
    assert audio.load(name).duration == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.skipif(os.name == "nt", reason="names are not bytes here")
def test_a_name_that_is_not_text(encoded, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xfe.mp3"
    try:
        shutil.copy(encoded("mp3"), name)
    except OSError:
        pytest.skip("this system does not allow such a name")
    assert audio.load(os.fsdecode(name)).duration == pytest.approx(SECONDS, abs=0.1)


def test_path_objects_will_do(encoded):
    assert audio.probe(Path(encoded("mp3"))) == audio.probe(str(encoded("mp3")))


def test_sound_of_a_video(tmp_path):
    path = tmp_path / "clip.mkv"
    mix = synth.music(2.0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=44100, layout="stereo")
        for k in range(20):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 12 * k, np.uint8), format="rgb24")
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        ints = np.ascontiguousarray((mix * 32767).astype(np.int16).reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(ints, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(sound.encode(frame))
    assert _correlation(_load_at(path, 44100), mix.mean(axis=1)) > 0.99


def test_rate_that_changes_on_the_way(tmp_path, encoded):
    other = synth.piece(tmp_path / "b.mp3", 2.0, rate=22050, channels=1)
    path = tmp_path / "both.mp3"
    path.write_bytes(encoded("mp3").read_bytes() + other.read_bytes())
    sound = audio.load(path)
    assert sound.duration == pytest.approx(SECONDS + 2.0, abs=0.3)


def test_chained_ogg(tmp_path, encoded):
    path = tmp_path / "radio.ogg"
    path.write_bytes(encoded("ogg").read_bytes() + synth.piece(tmp_path / "b.ogg", 3.0, seed=2).read_bytes())
    assert audio.load(path).duration == pytest.approx(SECONDS + 3.0, abs=0.1)


def test_measure_agrees_with_decoding(encoded):
    for kind in synth.FORMATS:
        assert audio.measure(encoded(kind)).seconds == pytest.approx(
            audio.load(encoded(kind)).duration, abs=0.12
        ), kind


def test_decoders_are_named():
    assert set(audio.decoders()) == {"PyAV", "FFmpeg", "soxr"}
    assert all(audio.decoders().values())


def test_extensions_are_lower_case_and_hold_what_beets_knows():
    mediafile = pytest.importorskip("mediafile")
    assert all(e.startswith(".") and e == e.lower() for e in audio.AUDIO_EXTENSIONS)
    names = {"alac": "m4a", "aac": "m4a", "asf": "wma"}
    assert {f".{names.get(kind, kind)}" for kind in mediafile.TYPES} <= audio.AUDIO_EXTENSIONS
    assert {".au", ".aif", ".oga", ".m4b"} <= audio.AUDIO_EXTENSIONS


def test_real_music(shared_data):
    songs = [p for p in sorted((shared_data / "songs").iterdir()) if p.suffix in audio.AUDIO_EXTENSIONS]
    assert songs
    for path in songs:
        sound = audio.load(path)
        assert not sound.warnings, path
        assert sound.duration == pytest.approx(audio.probe(path).duration, rel=0.01)
        assert 0.05 < np.abs(sound.samples).max() < 2


def _write_dsf(path: Path, *, seconds: float) -> Path:
    """A 440 Hz tone as one channel of DSD64, by a second-order modulator, in a DSF file."""
    rate = 2_822_400
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    bits = np.empty(len(tone), np.uint8)
    first = second = 0.0
    for k, value in enumerate(tone.tolist()):
        out = 1.0 if second >= 0 else -1.0
        first += value - out
        second += first - 2 * out
        bits[k] = out > 0
    data = np.packbits(bits, bitorder="little").tobytes()
    data += b"\x69" * (-len(data) % 4096)
    fmt = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 1, 1, rate, 1, len(bits), 4096, 0)
    body = fmt + struct.pack("<4sQ", b"data", 12 + len(data)) + data
    path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(body), 0) + body)
    return path
