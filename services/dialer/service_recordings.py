"""What users may do with recordings, whichever dialer they reach.

A file is in the folder of one dialer, which may be shared. Asked for one that it does not find, a dialer
passes the request on, once, to the dialer that the row names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from services.common.errors import (
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Unavailable,
    invalid,
)
from services.common.paging import Page, cut
from services.dialer.domain.recordings import Recording
from services.dialer.ports import Peers, RecordingFiles, Recordings, Registry


class RecordingService:
    """The use cases of DialerService about recordings; every one acts for `customer_id`."""

    def __init__(
        self,
        *,
        recordings: Recordings,
        files: RecordingFiles,
        registry: Registry,
        peers: Peers,
        dialer_id: str,
    ) -> None:
        self._recordings = recordings
        self._files = files
        self._registry = registry
        self._peers = peers
        self._dialer_id = dialer_id

    async def get_recording(self, customer_id: UUID, recording_id: UUID) -> Recording:
        """One recording, also a deleted one; NotFound RECORDING_NOT_FOUND."""
        found = await self._recordings.recording(recording_id)
        if found is None:
            raise NotFound(
                f"no recording {recording_id}",
                reason="RECORDING_NOT_FOUND",
                recording_id=str(recording_id),
            )
        if found.customer_id != customer_id:
            raise PermissionDenied(f"recording {recording_id} belongs to another customer")
        return found

    async def list_recordings(
        self, customer_id: UUID, page: Page, *, call_id: UUID | None, campaign_id: UUID | None
    ) -> tuple[list[Recording], str]:
        """A page of the customer's recordings, newest first, and the token of the next."""
        rows = await self._recordings.recordings(
            customer_id, page, call_id=call_id, campaign_id=campaign_id
        )
        return cut(rows, page)

    async def delete_recording(self, customer_id: UUID, recording_id: UUID) -> Recording:
        """Delete one that is over, with its file. Deleting twice changes nothing."""
        await self.get_recording(customer_id, recording_id)
        deleted = await self._recordings.delete_recording(recording_id)
        # Found elsewhere or not at all: the sweep of the dialer that has it deletes it.
        if deleted.location and await self._files.delete(deleted.location):
            await self._recordings.file_deleted([recording_id])
        return deleted

    async def read_recording(
        self,
        customer_id: UUID,
        recording_id: UUID,
        *,
        offset: int,
        length: int,
        is_forwarded: bool,
    ) -> AsyncIterator[bytes]:
        """Part of the file, to its end when `length` is 0. Errors come before the first piece."""
        if offset < 0 or length < 0:
            raise invalid("offset", offset if offset < 0 else length, "0 or more bytes")
        found = await self.get_recording(customer_id, recording_id)
        if not found.is_over:
            raise FailedPrecondition(
                f"recording {recording_id} is {found.status}; its file is there when it has ended",
                status=found.status.value,
            )
        size = await self._files.size(found.location)
        if size is None:
            pieces = await self._elsewhere(found, offset, length, is_forwarded=is_forwarded)
        else:
            left = max(0, size - offset)
            pieces = self._files.read(found.location, offset, min(left, length or left))
        async for piece in pieces:
            yield piece

    async def _elsewhere(
        self, found: Recording, offset: int, length: int, *, is_forwarded: bool
    ) -> AsyncIterator[bytes]:
        is_mine = found.dialer_id == self._dialer_id
        if not found.location or found.tm_delete is not None or is_mine or is_forwarded:
            raise NotFound(
                f"recording {found.id} has no file (any more)",
                reason="RECORDING_FILE_NOT_FOUND",
                recording_id=str(found.id),
            )
        for peer in await self._registry.living():
            if peer.dialer_id == found.dialer_id:
                return self._peers.read_recording(peer, found.customer_id, found.id, offset, length)
        raise Unavailable(f"{found.dialer_id} has the file and is not running now; try again")
