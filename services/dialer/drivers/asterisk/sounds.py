"""Everything calls can be made to hear, as files both we and the PBX can read: made once, kept by content."""

from __future__ import annotations

import array
import asyncio
import hashlib
import math
import os
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from services.common.clock import Clock
from services.common.metrics import counter
from services.dialer.drivers.asterisk.media_web import MediaWeb
from services.dialer.drivers.asterisk.speech import SoundWorker, SpeechEngine, SpeechFailed
from services.dialer.telephony import BEEP

FETCH_AGAIN_SECONDS = 3600.0
_BEEP_HZ, _BEEP_SECONDS, _RATE = 1000, 0.4, 8000
_SWEEP_EVERY = 50

_made = counter("asterisk_sounds_made", "Texts spoken and media decoded", ("what",))


class Sounds:
    """Speech and media in one folder that is kept within its size. `folder` must be shared with the PBX."""

    def __init__(
        self,
        folder: Path,
        media_folder: Path | None,
        engine: SpeechEngine,
        worker: SoundWorker,
        clock: Clock,
        *,
        web: MediaWeb,
        most_bytes: int,
    ) -> None:
        self._folder = folder
        self._media_folder = media_folder
        self._engine = engine
        self._worker = worker
        self._clock = clock
        self._web = web
        self._most_bytes = most_bytes
        self._making: dict[Path, asyncio.Task[None]] = {}
        self._fetched_at: dict[Path, float] = {}
        self._count = 0

    async def spoken(self, text: str, language: str, voice: str) -> Path:
        """The file of a spoken text. Raises SpeechFailed."""
        chosen = self._engine.voice_for(language, voice)
        path = self._path("say", self._engine.name, chosen, text)
        await self._kept(path, "speech", lambda: self._engine.speak(text, chosen, path))
        return path

    async def medium(self, name: str) -> Path:
        """The file of a medium: a URL, the name of a file in the media folder, or the beep."""
        if name == BEEP:
            path = self._path("beep")
            await self._kept(path, "beep", lambda: asyncio.to_thread(_write_beep, path))
            return path
        if urlsplit(name).scheme in ("http", "https"):
            return await self._of_url(name)
        source = self._in_media_folder(name)
        facts = source.stat()
        path = self._path("file", str(source), str(facts.st_mtime_ns), str(facts.st_size))
        await self._kept(path, "file", lambda: self._decode(source, path))
        return path

    async def close(self) -> None:
        """End the worker."""
        for task in self._making.values():
            task.cancel()
        await self._worker.close()

    # ---------------------------------------------------------------------------------- making

    async def _kept(self, path: Path, what: str, make: Callable[[], Awaitable[None]]) -> None:
        """Make the file unless it is there; whoever asks meanwhile waits for the same making."""
        if path not in self._making:
            if _is_there(path):
                return
            # Who else may look into it is for whoever shares it with the PBX to say.
            self._folder.mkdir(parents=True, exist_ok=True)
            self._making[path] = asyncio.create_task(self._make(path, what, make))
        # One caller that is cancelled must not take it from the others.
        await asyncio.shield(self._making[path])

    async def _make(self, path: Path, what: str, make: Callable[[], Awaitable[None]]) -> None:
        try:
            await make()
            _made.labels(what).inc()
            self._count += 1
            if self._count % _SWEEP_EVERY == 0:
                await asyncio.to_thread(self._sweep)
        finally:
            del self._making[path]

    def _sweep(self) -> None:
        """Remove what was not used for longest, down to nine tenths of the size allowed."""
        found = []
        for entry in os.scandir(self._folder):
            facts = entry.stat()
            found.append((facts.st_mtime, facts.st_size, entry.path))
        total = sum(size for _, size, _ in found)
        if total <= self._most_bytes:
            return
        for _, size, path in sorted(found):
            Path(path).unlink(missing_ok=True)
            total -= size
            if total <= self._most_bytes * 0.9:
                return

    def _path(self, *parts: str) -> Path:
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return self._folder / f"{digest[:40]}.wav"

    async def _decode(self, source: Path, target: Path) -> None:
        await self._worker.work(do="decode", source=str(source), target=str(target))

    # ----------------------------------------------------------------------------------- media

    def _in_media_folder(self, name: str) -> Path:
        if self._media_folder is None:
            raise SpeechFailed("no media folder is configured (OUTBOUND_MEDIA_DIR)")
        base = self._media_folder.resolve()
        path = (base / name).resolve()
        if not path.is_relative_to(base) or path == base:
            raise SpeechFailed(f"{name!r} is not within the media folder")
        if not path.is_file():
            raise SpeechFailed(f"there is no file {name!r} in the media folder")
        return path

    async def _of_url(self, url: str) -> Path:
        path = self._path("url", url)
        age = self._clock.boottime() - self._fetched_at.get(path, float("-inf"))
        if age > FETCH_AGAIN_SECONDS and path not in self._making:
            # Kept by its name, so it must not be kept for ever.
            path.unlink(missing_ok=True)
        await self._kept(path, "url", lambda: self._fetch(url, path))
        return path

    async def _fetch(self, url: str, target: Path) -> None:
        loaded = target.with_suffix(".loaded")
        try:
            await self._web.load(url, loaded)
            await self._decode(loaded, target)
        finally:
            loaded.unlink(missing_ok=True)
        self._fetched_at[target] = self._clock.boottime()


def _is_there(path: Path) -> bool:
    """Whether it was made before; then it is used now, and the last to be removed."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write_beep(path: Path) -> None:
    count = int(_RATE * _BEEP_SECONDS)
    samples = array.array(
        "h", (int(12000 * math.sin(2 * math.pi * _BEEP_HZ * n / _RATE)) for n in range(count))
    )
    fresh = path.with_suffix(f".{os.getpid()}.new")
    with wave.open(str(fresh), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    fresh.replace(path)
