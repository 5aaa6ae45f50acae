"""Recordings of the calls this dialer holds, from the wish to the row that tells of the file.

The driver records and stores; what it tells becomes a row and an event. `begin` is for whoever wants a
call recorded: a flow's `recording_start`, or a conversation with an agent.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.common.ids import new_id
from services.dialer.attempts import Attempt
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.journal import Journal
from services.dialer.domain.cursors import OpenRecording
from services.dialer.domain.recordings import Recording, RecordingStatus, RecordingWish
from services.dialer.telephony import Recorded, Telephony

SizeOf = Callable[[str], Awaitable[int | None]]
"""Bytes of the file at a location; None when there is none here."""
MOST_LATE = 1_000
"""Recordings of calls that have ended whose files may still be told of."""


class Recordings:
    """See the module. `run` is a background task: it looks at the files of recordings that are over."""

    def __init__(
        self,
        telephony: Telephony,
        journal: Journal,
        clock: Clock,
        dialer_id: str,
        size_of: SizeOf,
        noted: Callable[[FlowRun], None],
    ) -> None:
        """`noted` stores a run whose recording has ended."""
        self._telephony = telephony
        self._journal = journal
        self._clock = clock
        self._dialer_id = dialer_id
        self._size_of = size_of
        self._noted = noted
        self._open: dict[UUID, tuple[Recording, FlowRun]] = {}
        self._late: OrderedDict[UUID, Recording] = OrderedDict()
        self._over: deque[tuple[Recording, Recorded]] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, attempt: Attempt, run: FlowRun, wish: RecordingWish) -> UUID | None:
        """Record the call from now on; the recording's id. None when the call is recorded already."""
        if run.recording is not None:
            return None
        opened = OpenRecording(new_id(), wish.format, self._clock.now())
        run.open_recording(opened)
        self._noted(run)
        self.start(attempt, run, opened, wish)
        return opened.id

    def start(
        self, attempt: Attempt, run: FlowRun, opened: OpenRecording, wish: RecordingWish
    ) -> None:
        """Have the network record the call, as a recording that the run has opened."""
        recording = self._row(attempt, run, opened)
        self._open[recording.id] = (recording, run)
        self._journal.recording(recording, "started")
        self._telephony.start_recording(
            attempt.id,
            str(recording.id),
            audio_format=wish.format,
            max_duration_ms=wish.max_duration_ms,
            silence_ms=wish.silence_ms,
            end_keys=wish.end_keys,
            has_beep=wish.has_beep,
        )

    def stop(self, call_id: UUID, recording_id: UUID) -> None:
        """Record it no longer. What there is comes with the network's answer."""
        self._telephony.stop_recording(call_id, str(recording_id))

    def hold(self, attempt: Attempt, run: FlowRun) -> None:
        """Go on with the recordings of a call that was taken over."""
        for opened in run.recordings:
            self._open[opened.id] = (self._row(attempt, run, opened), run)

    def recorded(self, event: Recorded) -> None:
        """A recording is over, with or without a file."""
        recording_id = _id(event.recording_id)
        found = self._open.pop(recording_id, None)
        recording = self._late.pop(recording_id, None)
        if found is not None:
            recording, run = found
            run.close_recording(recording_id)
            self._note(run)
        if recording is not None and event.location:
            self._over.append((recording, event))
            self._filled.set()
        elif found is not None:
            self._fail(found[0], event.tm, "the network has stored nothing")

    def failed(self, reference: str, detail: str) -> None:
        """The network could not record."""
        found = self._open.pop(_id(reference), None)
        if found is not None:
            recording, run = found
            opened = run.close_recording(recording.id)
            if opened is not None and opened.execution:
                run.fail_step(detail, opened.execution)
            self._note(run)
            self._fail(recording, self._clock.now(), detail)

    def call_ended(self, attempt: Attempt, run: FlowRun | None) -> None:
        """The call is over. Recordings that nothing was heard of are lost, unless their files are still
        told of.

        `run` may be one that a dialer before began and this one has not gone on with.
        """
        if run is None:
            return
        self.hold(attempt, run)
        for opened in run.recordings:
            recording, _ = self._open.pop(opened.id)
            self._late[recording.id] = self._fail(
                recording, self._clock.now(), "the call ended and no file was told of"
            )
        run.recordings = ()
        while len(self._late) > MOST_LATE:
            self._late.popitem(last=False)

    def drop(self, run: FlowRun) -> None:
        """Another dialer has the call."""
        for opened in run.recordings:
            self._open.pop(opened.id, None)

    async def run(self) -> None:
        """Look at files until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._over:
                recording, event = self._over.popleft()
                size = await self._size_of(event.location)
                if size is None:
                    self._fail(recording, event.tm, f"no file {event.location} was found")
                    continue
                ended = recording.ended(event.tm, event.location, event.duration_ms, size)
                self._journal.recording(ended, "ended")

    def _row(self, attempt: Attempt, run: FlowRun, opened: OpenRecording) -> Recording:
        return Recording(
            id=opened.id,
            customer_id=run.customer_id,
            campaign_id=run.campaign_id,
            activeflow_id=run.id,
            call_id=attempt.id,
            format=opened.format,
            status=RecordingStatus.RECORDING,
            location="",
            duration_ms=0,
            size_bytes=0,
            detail="",
            dialer_id=self._dialer_id,
            revision=1,
            tm_create=opened.tm_start,
            tm_start=opened.tm_start,
            tm_update=opened.tm_start,
        )

    def _note(self, run: FlowRun) -> None:
        if not run.is_ended:
            self._noted(run)

    def _fail(self, recording: Recording, tm: datetime, detail: str) -> Recording:
        failed = recording.failed(tm, detail)
        self._journal.recording(failed, "ended")
        return failed


def _id(reference: str) -> UUID:
    """The id that a carrier's event names; the nil one when it is none of ours."""
    try:
        return UUID(reference)
    except ValueError:
        return UUID(int=0)
