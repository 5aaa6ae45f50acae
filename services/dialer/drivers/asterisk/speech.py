"""Speech: a port for engines, and the default one, espeak-ng in a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Protocol

WORK_SECONDS = 20.0
"""Longer than any text or file takes; then the worker is ended and begun anew."""
DEFAULT_VOICE = "en-us"
_LINE_BYTES = 1 << 20
_VOICE = re.compile(r"[A-Za-z0-9+_-]{1,64}")


class SpeechFailed(Exception):
    """A text cannot be spoken or a file not read; the text says why."""


class SpeechEngine(Protocol):
    """Makes speech. The same input MUST give the same speech: the result is kept by its content."""

    @property
    def name(self) -> str:
        """Engine and version: what is kept under another one is not used."""
        ...

    def voice_for(self, language: str, voice: str) -> str:
        """The voice for a language tag such as en-US; `voice`, when given, wins."""
        ...

    async def speak(self, text: str, voice: str, target: Path) -> None:
        """Write the text, plain or SSML, spoken, to a wav file of 8 kHz, 16 bits, one channel.
        Raises SpeechFailed; then there is no file."""
        ...


class SoundWorker:
    """The process that speaks and decodes; started on first use, and again when it died."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def work(self, **asked: Any) -> None:
        """Have one thing done. Raises SpeechFailed."""
        async with self._turn:
            process = await self._running()
            try:
                async with asyncio.timeout(WORK_SECONDS):
                    answer = await self._exchange(process, asked)
            except (TimeoutError, OSError, ValueError) as error:
                await self._end()
                raise SpeechFailed(
                    f"the sound worker failed: {str(error) or 'no answer'}"
                ) from error
            except asyncio.CancelledError:
                # Its answer would be taken for that of the next request.
                await self._end()
                raise
        if "error" in answer:
            raise SpeechFailed(str(answer["error"]))

    async def close(self) -> None:
        """End the process."""
        await self._end()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.dialer.drivers.asterisk.sound_worker",
                stdin=PIPE,
                stdout=PIPE,
                limit=_LINE_BYTES,
            )
        return self._process

    @staticmethod
    async def _exchange(process: Process, asked: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise ValueError("it ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


class EspeakEngine:
    """See SpeechEngine: more than a hundred languages, from a package, without a network."""

    name = "espeak-ng-1"

    def __init__(self, worker: SoundWorker, default_voice: str = DEFAULT_VOICE) -> None:
        self._worker = worker
        self._default = default_voice

    def voice_for(self, language: str, voice: str) -> str:
        """See SpeechEngine. espeak-ng names its voices after languages."""
        chosen = voice or language.replace("_", "-").lower() or self._default
        return chosen if _VOICE.fullmatch(chosen) else self._default

    async def speak(self, text: str, voice: str, target: Path) -> None:
        """See SpeechEngine. Of a language with no voice for its country, the general one speaks."""
        is_ssml = text.lstrip().startswith("<speak")
        asked = {"do": "speak", "text": text, "is_ssml": is_ssml, "target": str(target)}
        try:
            await self._worker.work(voice=voice, **asked)
        except SpeechFailed:
            general = voice.partition("-")[0]
            if general == voice:
                raise
            await self._worker.work(voice=general, **asked)
