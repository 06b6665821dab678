"""Six short tunes in six styles, for a demo and a benchmark without music at hand.

A tune is a function of its length and a seed; the same two give the same samples. They are caricatures of
their styles, not recordings: what a network trained on real music says of them is a smoke test and no figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.synth import (
    RATE,
    Mix,
    amplifier,
    bass,
    bowed,
    chord,
    clap,
    cymbal,
    epiano,
    hat,
    kick,
    noise_floor,
    piano,
    pluck,
    reverb,
    snare,
)

__all__ = ["PIECES", "Piece"]

Tune = Callable[[float, np.random.Generator], npt.NDArray[np.float32]]


def blues(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A twelve-bar shuffle in E: boogie guitar, walking bass, a lead that answers."""
    beat, mix, lead, rhythm = 60 / 104, Mix(seconds), Mix(seconds), Mix(seconds)
    form = [40, 40, 40, 40, 45, 45, 40, 40, 47, 45, 40, 47]
    scale = np.array([0, 3, 5, 6, 7, 10, 12, 15])
    for index in range(int(seconds / beat)):
        at, root = index * beat, form[(index // 4) % 12]
        swung = at + beat * 2 / 3
        for step, when in ((7, at), (9 if index % 2 else 7, swung)):
            for note in (root, root + step):
                rhythm.add(pluck(note + 12, beat * 0.6, rng, bright=2_500), when, gain=0.5)
        mix.add(bass(root - 12 + (0, 4, 7, 9)[index % 4], beat * 0.9, bright=350), at, gain=0.7)
        mix.add(hat(rng, seconds=0.05), at, gain=0.35, pan=0.3)
        mix.add(hat(rng, seconds=0.04), swung, gain=0.25, pan=0.3)
        mix.add(kick() if index % 2 == 0 else snare(rng), at, gain=0.7)
        if (index // 4) % 4 in (1, 3):
            for when in (at, swung):
                if rng.random() < 0.75:
                    note = 64 + rng.choice(scale) + rng.choice([0, 0, 0.35])
                    lead.add(pluck(note, beat * 0.9, rng, decay=0.999, bright=6_000), when, gain=0.8)
    mix.add(amplifier(rhythm.bus(), gain=2.0, cabinet=3_500), 0, gain=0.5, pan=-0.4)
    mix.add(reverb(amplifier(lead.bus(), gain=5.0, cabinet=4_000), rng, wet=0.3), 0, gain=0.45, pan=0.25)
    return mix.master()


def metal(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Palm-muted gallop and power chords through a full stack, double bass drum, crashes."""
    beat, mix, left, right = 60 / 168, Mix(seconds), Mix(seconds), Mix(seconds)
    riff = [38, 38, 41, 38, 44, 43, 38, 36]
    for index in range(int(seconds / beat)):
        at, root = index * beat, riff[(index // 2) % 8]
        open_chord = (index // 16) % 2 == 1
        for guitars in (left, right):
            if open_chord and index % 2 == 0:
                for note in chord(root, "5"):
                    guitars.add(pluck(note, beat * 2, rng, decay=0.9995, bright=7_000), at)
            elif not open_chord:
                for part in (0, 0.5, 0.75):
                    for note in chord(root, "5"):
                        guitars.add(pluck(note, beat * 0.24, rng, decay=0.97, bright=5_000), at + part * beat)
        mix.add(bass(root - 12, beat, bright=900), at, gain=0.5)
        for part in (0, 0.25, 0.5, 0.75) if not open_chord else (0, 0.5):
            mix.add(kick(punch=260, seconds=0.18), at + part * beat, gain=0.6)
        if index % 2:
            mix.add(snare(rng, tone=210), at, gain=1.0)
        mix.add(cymbal(rng, seconds=0.5), at, gain=0.25, pan=0.4)
        if index % 16 == 0:
            mix.add(cymbal(rng, seconds=2.2), at, gain=0.9, pan=-0.3)
    mix.add(amplifier(left.bus(), gain=30.0), 0, gain=0.75, pan=-0.9)
    mix.add(amplifier(right.bus(), gain=30.0), 0, gain=0.75, pan=0.9)
    return mix.master(peak=0.95)


def disco(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Four on the floor, open hats off the beat, octave bass, strings and a scratching guitar."""
    beat, mix, strings = 60 / 120, Mix(seconds), Mix(seconds)
    form = [(45, "m7"), (50, "m7"), (43, "7"), (48, "maj7")]
    for index in range(int(seconds / beat)):
        at, (root, kind) = index * beat, form[(index // 4) % 4]
        mix.add(kick(punch=180), at, gain=1.0)
        mix.add(hat(rng, seconds=0.11), at + beat / 2, gain=0.6, pan=0.2)
        if index % 2:
            mix.add(clap(rng), at, gain=0.9)
            mix.add(snare(rng), at, gain=0.4)
        for part in range(4):
            octave = 12 * (part % 2)
            mix.add(bass(root - 12 + octave, beat / 4, bright=900, decay=0.2), at + part * beat / 4, gain=0.6)
            for note in chord(root + 24, kind)[1:]:
                strum = pluck(note, 0.07, rng, decay=0.97, bright=8_000)
                mix.add(strum, at + part * beat / 4, gain=0.3 * (part != 0), pan=0.5)
        if index % 4 == 0:
            for note in chord(root + 24, kind):
                strings.add(bowed(note, beat * 3.6, rng, attack=0.05), at, gain=0.25)
        if index % 8 in (6, 7):
            strings.add(
                bowed(root + 36 + (7 if index % 2 else 12), beat * 0.8, rng, attack=0.03), at, gain=0.4
            )
    mix.add(reverb(strings.bus(), rng), 0, gain=1.0, pan=-0.2)
    return mix.master()


def hiphop(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Boom-bap: a lazy beat, a deep bass, two electric piano chords off a worn record."""
    beat, mix, keys = 60 / 88, Mix(seconds), Mix(seconds)
    kicks, form = {0.0, 0.75, 2.5}, [(50, "m9"), (46, "maj7")]
    for bar in range(int(seconds / (4 * beat)) + 1):
        start, (root, kind) = bar * 4 * beat, form[(bar // 2) % 2]
        for sixteenth in range(16):
            position = sixteenth / 4
            swing = 0.06 * beat if sixteenth % 2 else 0.0
            at = start + position * beat + swing
            if at >= seconds:
                break
            if position in kicks:
                mix.add(kick(punch=120), at, gain=1.3)
                mix.add(bass(root - 24, beat * 0.7, bright=160, decay=0.5), at, gain=1.3)
            if position in (1.0, 3.0):
                mix.add(snare(rng, tone=170), at, gain=1.1)
            if sixteenth % 2 == 0 or rng.random() < 0.25:
                mix.add(hat(rng, seconds=0.035), at, gain=0.5 - 0.2 * (sixteenth % 4 != 0), pan=0.15)
        for when in (0.0, 2.75):
            for note in chord(root + 12, kind):
                if start + when * beat < seconds:
                    keys.add(epiano(note, beat * 2.2), start + when * beat, gain=0.22)
        if bar % 4 == 3:
            for step, note in enumerate((77, 74, 72, 69)):
                if start + (2 + step / 4) * beat < seconds:
                    keys.add(epiano(note, beat), start + (2 + step / 4) * beat, gain=0.25)
    mix.add(reverb(keys.bus(), rng, seconds=0.8, wet=0.15), 0, gain=1.0)
    mix.add(noise_floor(seconds, rng), 0, gain=1.0)
    return mix.master()


def classical(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A minuet for piano and strings in G: broken chords, a singing first violin, a hall."""
    beat, hall = 60 / 108, Mix(seconds)
    form = [(55, "maj"), (50, "7"), (52, "min"), (48, "maj"), (45, "min"), (50, "7"), (55, "maj"), (50, "7")]
    for bar in range(int(seconds / (3 * beat))):
        start, (root, kind) = bar * 3 * beat, form[bar % 8]
        notes = chord(root, kind)
        for eighth, step in enumerate((0, 2, 1, 2, 1, 2)):
            touch = 0.35 + 0.15 * (eighth == 0) + rng.uniform(0.0, 0.05)
            hall.add(piano(notes[step] + 12, beat, rng, velocity=touch), start + eighth * beat / 2, gain=0.5)
        for voice, note in enumerate(notes[:3]):
            hall.add(bowed(note, beat * 3, rng, attack=0.2), start, gain=0.10, pan=voice * 0.3 - 0.3)
        hall.add(bowed(root - 12, beat * 2.8, rng, attack=0.15), start, gain=0.16)
        at = start
        for length in ((2, 1), (1, 1, 1), (3,), (1.5, 0.5, 1))[bar % 4]:
            note = rng.choice(notes[:3]) + 24
            hall.add(bowed(note, length * beat, rng, players=3, attack=0.07), at, gain=0.22)
            at += length * beat
    mix = Mix(seconds)
    mix.add(reverb(hall.bus(), rng, seconds=2.4, wet=0.4), 0)
    return mix.master(peak=0.6)


def elegy(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A slow piano in A minor, alone in a large room."""
    beat, hall = 60 / 54, Mix(seconds)
    form = [(45, "min"), (41, "maj"), (38, "min"), (40, "7")]
    melody = [76, 74, 72, 71, 69, 72, 71, 69, 65, 69, 67, 65, 64, 68, 71, 69]
    for index in range(int(seconds / beat)):
        at, (root, kind) = index * beat, form[(index // 4) % 4]
        notes = chord(root, kind)
        late = at + rng.uniform(0.0, 0.04)
        if index % 4 == 0:
            hall.add(piano(root - 12, beat * 4, rng, velocity=0.35), at, gain=0.7)
        hall.add(piano(notes[index % 3] + 12, beat * 2.5, rng, velocity=0.25), late, gain=0.6)
        hall.add(piano(notes[(index + 1) % 3] + 12, beat * 2.0, rng, velocity=0.2), late + beat / 2, gain=0.5)
        if index % 4 != 3:
            hall.add(piano(melody[index % 16], beat * 2.2, rng, velocity=0.45), at + beat * 0.02, gain=0.8)
    mix = Mix(seconds)
    mix.add(reverb(hall.bus(), rng, seconds=3.0, wet=0.35), 0)
    return mix.master(peak=0.5)


@dataclass(frozen=True)
class Piece:
    """One tune with its names.

    Parameters
    ----------
    title, artist, album : str
        For the tags.
    tune : callable
        Seconds and generator to float32 [samples, 2] at 44,100 Hz.
    seconds : float
        Its length in the demo.
    suffix : str
        The format it is stored in there.
    """

    title: str
    artist: str
    album: str
    tune: Tune
    seconds: float
    suffix: str

    def render(self, seed: int, seconds: float | None = None) -> npt.NDArray[np.float32]:
        """Play it: float32 [samples, 2] at `synth.RATE`."""
        length = self.seconds if seconds is None else seconds
        samples = self.tune(length, np.random.default_rng(seed))
        assert len(samples) == int(length * RATE)
        return samples


PIECES = (
    Piece("Twelve Bars Down", "The Shufflers", "Back Porch", blues, 46.0, "mp3"),
    Piece("Gallop", "Iron Stack", "Heavy Weather", metal, 40.0, "flac"),
    Piece("Four on the Floor", "Mirror Ball", "Saturday", disco, 40.0, "ogg"),
    Piece("Worn Record", "Boom and Bap", "Crates", hiphop, 44.0, "m4a"),
    Piece("Minuet in G", "The Little Orchestra", "Small Dances", classical, 53.0, "opus"),
    Piece("Elegy", "A Piano", "Late", elegy, 53.0, "wav"),
)
