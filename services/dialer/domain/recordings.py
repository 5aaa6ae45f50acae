"""Recordings of calls, as they are stored, listed and published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class RecordingStatus(StrEnum):
    """Documented words, and `failed`."""

    INITIATING = "initiating"
    RECORDING = "recording"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of one call. Domain times.

    `location` is the file's path within the folder of recordings of the dialer that has it; empty
    when there is none: not yet, failed, or deleted.
    """

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    activeflow_id: UUID | None
    call_id: UUID
    format: str
    status: RecordingStatus
    location: str
    duration_ms: int
    size_bytes: int
    detail: str  # why it failed
    dialer_id: str
    revision: int
    tm_create: datetime
    tm_start: datetime | None
    tm_update: datetime
    tm_end: datetime | None = None
    tm_delete: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is recorded any more."""
        return self.status in (RecordingStatus.ENDED, RecordingStatus.FAILED)

    def ended(self, tm: datetime, location: str, duration_ms: int, size_bytes: int) -> Recording:
        """It is over and there is a file."""
        return replace(
            self,
            status=RecordingStatus.ENDED,
            location=location,
            duration_ms=max(0, duration_ms),
            size_bytes=size_bytes,
            detail="",
            revision=self.revision + 1,
            tm_end=tm,
            tm_update=tm,
        )

    def failed(self, tm: datetime, detail: str) -> Recording:
        """It came to nothing."""
        return replace(
            self,
            status=RecordingStatus.FAILED,
            detail=detail[:255],
            revision=self.revision + 1,
            tm_end=tm,
            tm_update=tm,
        )


@dataclass(frozen=True, slots=True)
class RecordingWish:
    """How a call is to be recorded. Milliseconds; 0 sets no limit. `end_keys` end it when pressed."""

    format: str = "wav"
    max_duration_ms: int = 0
    silence_ms: int = 0
    end_keys: str = ""
    has_beep: bool = False


@dataclass(frozen=True, slots=True)
class RecordingFact:
    """An event of the resource `recording`: started, ended (also when it failed) or deleted."""

    event: str
    recording: Recording
