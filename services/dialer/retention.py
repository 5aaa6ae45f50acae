"""Deletes recordings that have been kept long enough, and the files of all that are deleted.

Every dialer does both. A row is marked by one of them; its file is deleted by whoever finds it in its
folder, and the row then says so.
"""

from __future__ import annotations

from datetime import timedelta

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.domain.recordings import Recording
from services.dialer.ports import RecordingFiles, Recordings

LOOK_SECONDS = 30.0
BATCH = 500


class RecordingSweep:
    """`run` is a background task. `keep_days` of domain time; 0 keeps recordings for ever."""

    def __init__(
        self,
        recordings: Recordings,
        files: RecordingFiles,
        clock: Clock,
        *,
        keep_days: int,
        dialer_id: str,
    ) -> None:
        self._recordings = recordings
        self._files = files
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._dialer_id = dialer_id
        self._log = get_logger()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self._clock.sleep_real(LOOK_SECONDS)
            try:
                await self.look()
            except (AppError, OSError) as exc:
                self._log.warning("recordings_not_swept", error=str(exc))

    async def look(self) -> None:
        """Sweep once."""
        if self._keep:
            before = self._clock.now() - self._keep
            while marked := await self._recordings.expire(before, BATCH):
                self._log.info("recordings_expired", count=marked)
        last: Recording | None = None
        while page := await self._recordings.files_to_delete(BATCH, last):
            gone = [each.id for each in page if await self._is_gone(each)]
            if gone:
                await self._recordings.file_deleted(gone)
            last = page[-1]

    async def _is_gone(self, recording: Recording) -> bool:
        """Whether the file is gone now. One that is not here is another dialer's to look for."""
        if await self._files.delete(recording.location):
            return True
        return recording.dialer_id == self._dialer_id
