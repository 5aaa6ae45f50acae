"""Music for those who wait: a slow melody of our own, so that no recording of others is needed."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path

_RATE = 8000
_NOTE_SECONDS = 0.5
_LOUDNESS = 6000
# Four chords, played note by note, up and down again: C, A minor, F, G.
_CHORDS = ((60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67))


def write_music(path: Path) -> None:
    """Sixteen seconds that join into a loop, as telephones have it: 8 kHz, 16 bits, one channel."""
    samples = array.array("h")
    for chord in _CHORDS:
        for note in (*chord, *reversed(chord)):
            samples.extend(_note(note))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())


def _note(number: int) -> array.array[int]:
    frequency = 440.0 * 2 ** ((number - 69) / 12)
    count = int(_RATE * _NOTE_SECONDS)
    return array.array("h", (_sample(frequency, index, count) for index in range(count)))


def _sample(frequency: float, index: int, count: int) -> int:
    # Struck, then fading, and silent at both ends so that nothing clicks.
    strength = math.exp(-2.5 * index / count) * min(1.0, index / 80, (count - index) / 400)
    phase = 2 * math.pi * frequency * index / _RATE
    return int(_LOUDNESS * strength * (math.sin(phase) + 0.3 * math.sin(2 * phase)))
