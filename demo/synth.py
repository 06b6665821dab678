"""A small seeded band: instruments and mixing desk, in numpy and scipy only.

Every instrument returns mono float64 at `RATE`; a `Mix` places them in time and between the two loudspeakers.
The tunes themselves stand in ``pieces.py``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

__all__ = [
    "RATE",
    "Mix",
    "amplifier",
    "bass",
    "bowed",
    "chord",
    "clap",
    "cymbal",
    "epiano",
    "hat",
    "hertz",
    "kick",
    "noise_floor",
    "piano",
    "pluck",
    "reverb",
    "snare",
]

RATE = 44_100

Signal = npt.NDArray[np.float64]
Rng = np.random.Generator


def hertz(note: float) -> float:
    """Frequency of a MIDI note number (69 is the A of 440 Hz)."""
    return float(440.0 * 2.0 ** ((note - 69.0) / 12.0))


def _time(seconds: float) -> Signal:
    return np.arange(int(seconds * RATE)) / RATE


def _fade(signal: Signal, attack: float = 0.004, release: float = 0.02) -> Signal:
    """Ramp both ends, so that no note clicks."""
    rise, fall = (min(int(s * RATE), signal.size // 2) for s in (attack, release))
    if rise:
        signal[:rise] *= np.linspace(0.0, 1.0, rise)
    if fall:
        signal[-fall:] *= np.linspace(1.0, 0.0, fall)
    return signal


def _filter(signal: Signal, kind: str, hz: float | tuple[float, float], order: int = 2) -> Signal:
    return np.asarray(sosfilt(butter(order, hz, kind, fs=RATE, output="sos"), signal))


def pluck(note: float, seconds: float, rng: Rng, *, decay: float = 0.996, bright: float = 4_000.0) -> Signal:
    """A plucked string after Karplus and Strong (1983): filtered noise going round a delay line."""
    period = max(2, round(RATE / hertz(note)))
    excitation = np.zeros(int(seconds * RATE))
    burst = min(period, excitation.size)
    excitation[:burst] = rng.uniform(-1.0, 1.0, burst)
    excitation = _filter(excitation, "lowpass", bright)
    feedback = np.zeros(period + 2)
    feedback[0] = 1.0
    feedback[period] = feedback[period + 1] = -0.5 * decay
    return _fade(np.asarray(lfilter([1.0], feedback, excitation)))


def piano(note: float, seconds: float, rng: Rng, *, velocity: float = 0.7) -> Signal:
    """Struck strings: stretched partials, the higher ones sooner gone, and the knock of the hammer."""
    t, f0 = _time(seconds), hertz(note)
    tone = np.zeros(t.size)
    for k in range(1, 13):
        f = f0 * k * np.sqrt(1.0 + 4e-4 * k * k)
        if f > 0.45 * RATE:
            break
        level = k ** -(2.2 - velocity)
        life = 2.6 / (1.0 + 0.35 * k) * (220.0 / f0) ** 0.4
        tone += level * np.exp(-t / life) * np.sin(2.0 * np.pi * f * t + rng.uniform(0.0, 2.0 * np.pi))
    knock = _filter(rng.normal(0.0, 1.0, t.size) * np.exp(-t / 0.008), "bandpass", (400.0, 2_500.0))
    return _fade(velocity * (tone + 0.25 * knock), attack=0.002, release=0.12)


def epiano(note: float, seconds: float, *, velocity: float = 0.6) -> Signal:
    """An electric piano by frequency modulation."""
    t, f = _time(seconds), hertz(note)
    index = velocity * 2.2 * np.exp(-t / 0.35)
    tine = 0.12 * np.exp(-t / 0.06) * np.sin(2.0 * np.pi * 14.0 * f * t)
    body = np.sin(2.0 * np.pi * f * t + index * np.sin(2.0 * np.pi * f * t))
    return _fade(velocity * np.exp(-t / 1.2) * (body + tine), release=0.08)


def bowed(note: float, seconds: float, rng: Rng, *, players: int = 4, attack: float = 0.12) -> Signal:
    """A string section: detuned saw waves with vibrato through a wooden body."""
    t, f = _time(seconds), hertz(note)
    tone = np.zeros(t.size)
    for _ in range(players):
        detune = 2.0 ** (rng.normal(0.0, 4.0) / 1200.0)
        depth = 0.004 * np.clip(t / 0.5, 0.0, 1.0)
        vibrato = 1.0 + depth * np.sin(2.0 * np.pi * rng.uniform(4.8, 6.0) * t + rng.uniform(0.0, 6.0))
        phase = np.cumsum(f * detune * vibrato) / RATE + rng.uniform()
        tone += 2.0 * (phase % 1.0) - 1.0
    tone = _filter(tone / players, "lowpass", min(9.0 * f, 6_500.0), order=1)
    return _fade(_filter(tone, "highpass", 0.7 * f), attack=attack, release=min(0.25, 0.4 * seconds))


def bass(note: float, seconds: float, *, bright: float = 500.0, decay: float = 0.6) -> Signal:
    """A bass between finger and synthesiser: a saw with its edge taken off."""
    t, f = _time(seconds), hertz(note)
    saw = sum(np.sin(2.0 * np.pi * f * k * t) / k for k in range(1, 12))
    return _fade(0.8 * _filter(np.asarray(saw), "lowpass", bright) * np.exp(-t / decay), release=0.03)


def kick(*, punch: float = 150.0, seconds: float = 0.32) -> Signal:
    """A bass drum: a sine that falls to 48 Hz."""
    t = _time(seconds)
    phase = 2.0 * np.pi * np.cumsum(48.0 + punch * np.exp(-t / 0.022)) / RATE
    return _fade(np.sin(phase) * np.exp(-t / 0.11), attack=0.0005)


def snare(rng: Rng, *, tone: float = 190.0, seconds: float = 0.24) -> Signal:
    """A snare drum: a drum head and its wires."""
    t = _time(seconds)
    wires = _filter(rng.normal(0.0, 0.5, t.size), "highpass", 1_400.0) * np.exp(-t / 0.07)
    return _fade(wires + 0.6 * np.sin(2.0 * np.pi * tone * t) * np.exp(-t / 0.05), attack=0.0005)


def clap(rng: Rng) -> Signal:
    """Hands: four bursts of noise."""
    t = _time(0.22)
    envelope = sum(
        np.where(t >= d, np.exp(-(t - d) / w), 0.0)
        for d, w in ((0.0, 0.006), (0.011, 0.006), (0.022, 0.006), (0.031, 0.06))
    )
    return _fade(_filter(rng.normal(0.0, 0.5, t.size) * envelope, "bandpass", (900.0, 3_500.0)))


def hat(rng: Rng, *, seconds: float = 0.06) -> Signal:
    """A hi-hat, open or closed by its length."""
    t = _time(max(seconds * 3.0, 0.05))
    return _fade(
        _filter(rng.normal(0.0, 0.35, t.size), "highpass", 7_000.0) * np.exp(-t / seconds), attack=0.0005
    )


def cymbal(rng: Rng, *, seconds: float = 1.6) -> Signal:
    """A crash, or a ride where short and quiet."""
    t = _time(seconds)
    return _fade(_filter(rng.normal(0.0, 0.4, t.size), "highpass", 3_500.0) * np.exp(-3.0 * t / seconds))


def amplifier(signal: Signal, *, gain: float, cabinet: float = 4_500.0) -> Signal:
    """A guitar amplifier: overdriven valves and the loudspeaker that takes the edge off."""
    driven = np.tanh(gain * _filter(signal, "highpass", 90.0))
    return _filter(driven, "lowpass", cabinet, order=4)


def reverb(signal: Signal, rng: Rng, *, seconds: float = 1.6, wet: float = 0.25) -> Signal:
    """A room, as decaying noise to convolve with."""
    t = _time(seconds)
    tail = _filter(rng.normal(0.0, 1.0, t.size) * np.exp(-5.0 * t / seconds), "lowpass", 5_000.0)
    tail /= np.sqrt(np.sum(tail**2))
    return np.asarray(signal + wet * fftconvolve(signal, tail)[: signal.size])


def noise_floor(seconds: float, rng: Rng) -> Signal:
    """The hiss and crackle of an old record."""
    size = int(seconds * RATE)
    crackle = np.where(rng.random(size) < 8.0 / RATE, rng.normal(0.0, 1.0, size), 0.0)
    return 0.004 * rng.normal(0.0, 1.0, size) + 0.12 * _filter(crackle, "bandpass", (800.0, 6_000.0))


def chord(root: int, kind: str) -> tuple[int, ...]:
    """MIDI notes of a chord on `root`."""
    steps = {
        "maj": (0, 4, 7),
        "min": (0, 3, 7),
        "7": (0, 4, 7, 10),
        "m7": (0, 3, 7, 10),
        "maj7": (0, 4, 7, 11),
        "m9": (0, 3, 7, 10, 14),
        "5": (0, 7, 12),
    }
    return tuple(root + step for step in steps[kind])


class Mix:
    """A stereo canvas of fixed length.

    Parameters
    ----------
    seconds : float
        Its length; what is placed past the end is cut.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._canvas = np.zeros((int(seconds * RATE), 2))

    def add(self, signal: Signal, at: float, *, gain: float = 1.0, pan: float = 0.0) -> None:
        """Place `signal` at `at` seconds; `pan` runs from -1 (left) to 1 (right)."""
        start = int(at * RATE)
        room = self._canvas[start : start + signal.size]
        angle = (pan + 1.0) * np.pi / 4.0
        room += gain * np.sqrt(2.0) * signal[: len(room), None] * (np.cos(angle), np.sin(angle))

    def bus(self) -> Signal:
        """The mono sum of what has been placed, to be treated and placed on another canvas."""
        return np.asarray(self._canvas.mean(axis=1))

    def master(self, *, peak: float = 0.85) -> npt.NDArray[np.float32]:
        """The finished piece: soft-limited, faded at both ends, float32 [samples, 2]."""
        level = np.percentile(np.abs(self._canvas), 99.5) or 1.0
        loud = np.tanh(0.8 * self._canvas / level)
        for channel in loud.T:
            _fade(channel, attack=0.05, release=1.5)
        return np.asarray(peak * loud / np.max(np.abs(loud)), dtype=np.float32)
