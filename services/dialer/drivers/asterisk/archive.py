"""Brings finished recordings from the PBX into the deployment's folder."""

from __future__ import annotations

import asyncio
import wave
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from services.common.log import get_logger
from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.link import Link
from services.dialer.telephony import TelephonyUnavailable


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a recording is now; no location when it could not be fetched."""

    location: str = ""
    duration_ms: int = 0


class Archive:
    """The folder of recordings."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is None where none is configured: recordings then fail."""
        self._folder = folder

    @property
    def is_there(self) -> bool:
        """Whether anything can be kept."""
        return self._folder is not None

    async def fetch(self, link: Link, name: str, call_id: UUID, recording_id: str) -> Stored:
        """Fetch one, then remove it from the PBX. Raises TelephonyUnavailable: try again later."""
        assert self._folder is not None
        location = f"{str(call_id)[:8]}/{call_id}.{recording_id}.wav"
        target = self._folder / location
        fresh = target.with_suffix(".new")
        try:
            await asyncio.to_thread(_make_private, self._folder, target.parent)
            if not await link.download(f"recordings/stored/{name}/file", fresh):
                # Another dialer of this machine may have been quicker.
                return Stored(location, await asyncio.to_thread(_length_ms, target))
            duration_ms = await asyncio.to_thread(_keep, fresh, target)
        except (OSError, EOFError, wave.Error) as error:
            get_logger().error("recording_not_kept", recording=name, error=str(error))
            return Stored()
        link.send(requests.remove_recording(name))
        return Stored(location, duration_ms)

    async def left_behind(self, link: Link) -> list[str]:
        """Names of finished recordings of this link's application that wait to be fetched."""
        try:
            answer = await link.fetch(requests.stored_recordings())
        except TelephonyUnavailable:
            return []
        names = [each["name"] for each in answer.body or ()] if answer.is_good else []
        return [name for name in names if name.startswith(f"{link.application}.")]


def _make_private(*folders: Path) -> None:
    """Make the folders that are missing; what people have said is nobody else's business."""
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _keep(fresh: Path, target: Path) -> int:
    """Put the file in place; its length in milliseconds."""
    duration_ms = _length_ms(fresh)
    fresh.chmod(0o600)
    fresh.replace(target)
    return duration_ms


def _length_ms(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        return file.getnframes() * 1000 // file.getframerate()
