"""Sounds for the tests' phones, and ears for what was recorded. No speech of others: tones and hiss."""

from __future__ import annotations

import array
import math
import random
import wave
from pathlib import Path
from typing import BinaryIO

RATE = 8000
Samples = array.array  # of 16-bit integers


def silence(seconds: float) -> Samples[int]:
    return array.array("h", bytes(2 * int(RATE * seconds)))


def tone(seconds: float, *frequencies: float, loudness: int = 9000) -> Samples[int]:
    step = 2 * math.pi / RATE
    return array.array(
        "h",
        (
            int(loudness * sum(math.sin(step * f * n) for f in frequencies) / len(frequencies))
            for n in range(int(RATE * seconds))
        ),
    )


def speech(seconds: float, word_seconds: float = 0.4) -> Samples[int]:
    """Something that a detector of speech takes for words: noisy bursts with hardly a pause."""
    dice = random.Random(1)
    count = int(RATE * seconds)
    word = int(RATE * word_seconds)
    return array.array(
        "h",
        (
            int(dice.uniform(-9000, 9000) * (0.4 + 0.6 * math.sin(math.pi * (n % word) / word)))
            for n in range(count)
        ),
    )


def ulaw(samples: Samples[int]) -> bytes:
    """Raw mu-law, as SIPp streams it."""
    return bytes(map(_ulaw, samples))


def _ulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | (exponent << 4) | mantissa) & 0xFF


def read_wav(source: Path | BinaryIO) -> Samples[int]:
    """The samples of a file in the form that telephones have."""
    with wave.open(str(source) if isinstance(source, Path) else source, "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE, 2, 1)
        return array.array("h", file.readframes(file.getnframes()))


def loudness(samples: Samples[int]) -> float:
    """Root mean square."""
    return math.sqrt(sum(each * each for each in samples) / max(1, len(samples)))


def strength(samples: Samples[int], frequency: float) -> float:
    """How much of one frequency is in it (Goertzel), comparable with `loudness`."""
    coefficient = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for each in samples:
        before, last = last, each + coefficient * last - before
    power = before * before + last * last - coefficient * before * last
    return math.sqrt(max(0.0, power) * 2) / max(1, len(samples))
