"""The folder of recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

CHUNK_BYTES = 256 * 1024


class FolderRecordingFiles:
    """See ports.RecordingFiles. Files are looked at in threads: the folder may be on another host."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is None where none is configured: it has no files then."""
        self._folder = folder

    async def size(self, location: str) -> int | None:
        """See RecordingFiles."""
        return await asyncio.to_thread(self._size, location)

    async def read(self, location: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """See RecordingFiles."""
        left = length
        while left > 0:
            chunk = await asyncio.to_thread(self._read, location, offset, min(left, CHUNK_BYTES))
            if not chunk:
                return
            yield chunk
            offset += len(chunk)
            left -= len(chunk)

    async def delete(self, location: str) -> bool:
        """See RecordingFiles."""
        return await asyncio.to_thread(self._delete, location)

    def _path(self, location: str) -> Path | None:
        """The file, if it is a file of this folder."""
        if self._folder is None or not location or "\x00" in location:
            return None
        try:
            root = self._folder.resolve()
            # Resolving also follows links: neither `..` nor a link leads out.
            path = (root / location).resolve()
            return path if path.is_relative_to(root) and path.is_file() else None
        except (OSError, RuntimeError):
            # Too long to be a name, or a link to itself.
            return None

    def _size(self, location: str) -> int | None:
        path = self._path(location)
        try:
            return None if path is None else path.stat().st_size
        except FileNotFoundError:
            return None

    def _read(self, location: str, offset: int, length: int) -> bytes:
        # Opened for each piece, so that a reader who never comes back keeps nothing open.
        path = self._path(location)
        if path is None:
            return b""
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except FileNotFoundError:
            return b""

    def _delete(self, location: str) -> bool:
        path = self._path(location)
        if path is None:
            return False
        path.unlink(missing_ok=True)
        return True
