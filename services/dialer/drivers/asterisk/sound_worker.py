"""Speaks texts and decodes sound files, as a process of its own: `python -m` this module.

It keeps two things away from the dialer: espeak-ng, whose licence (GPL) must not reach into it, and
decoders that read what strangers sent. One JSON object a line comes in, one goes out; the result is a
file as telephones have it: 8 kHz, 16 bits, one channel.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import sys
import wave
from collections.abc import Mapping
from typing import Any

RATE = 8000
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the samples come to the callback
_UTF8, _SSML = 1, 0x10
_MOST_SECONDS = 600


class Espeak:
    """The speech engine, loaded on first use."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        path = espeakng_loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, path, 0))
        if self.rate <= 0:
            raise RuntimeError("espeak-ng could not be started")
        self._samples = array.array("h")
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = kind(self._receive)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, *, is_ssml: bool) -> array.array[int]:
        """The samples of a text; ValueError when there is no such voice."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"there is no voice {voice!r}")
        del self._samples[:]
        data = text.encode()
        flags = _UTF8 | (_SSML if is_ssml else 0)
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, flags, None, None)
        self._library.espeak_Synchronize()
        return self._samples

    def _receive(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples.extend(samples[:count])
        return 1 if len(self._samples) > _MOST_SECONDS * self.rate else 0


class Worker:
    """Does one thing after the other."""

    def __init__(self) -> None:
        self._espeak: Espeak | None = None

    def handle(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        try:
            if asked["do"] == "speak":
                samples = self._speak(asked)
            else:
                samples = self._decode(asked["source"])
            _write(asked["target"], samples)
        except Exception as error:
            # Whatever a strange text or file does, the next request is to be served.
            return {"error": str(error) or type(error).__name__}
        return {"seconds": len(samples) // 2 / RATE}

    def _speak(self, asked: Mapping[str, Any]) -> bytes:
        if self._espeak is None:
            self._espeak = Espeak()
        spoken = self._espeak.speak(asked["text"], asked["voice"], is_ssml=asked["is_ssml"])
        if not spoken:
            return b"\0\0" * (RATE // 10)  # nothing to say is said quickly
        return _resampled(spoken.tobytes(), self._espeak.rate)

    def _decode(self, source: str) -> bytes:
        import miniaudio

        decoded = miniaudio.decode_file(
            source, miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE
        )
        if decoded.duration > _MOST_SECONDS:
            raise ValueError(f"longer than {_MOST_SECONDS} s")
        return bytes(decoded.samples.tobytes())


def _resampled(samples: bytes, rate: int) -> bytes:
    import miniaudio

    form = miniaudio.SampleFormat.SIGNED16
    return bytes(miniaudio.convert_frames(form, 1, rate, samples, form, 1, RATE))


def _write(target: str, samples: bytes) -> None:
    """In one step: a file that is there is whole."""
    fresh = f"{target}.{os.getpid()}.new"
    with wave.open(fresh, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
    os.replace(fresh, target)


def main() -> None:
    """Serve until the standard input ends."""
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker()
    for line in sys.stdin:
        answers.write(json.dumps(worker.handle(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
