"""Recordings: from the wish to the row, and how long they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.common.errors import FailedPrecondition, NotFound, PermissionDenied, Unavailable
from services.common.ids import new_id
from services.common.paging import Page
from services.dialer.domain.calls import DialerEntry
from services.dialer.domain.recordings import (
    Recording,
    RecordingFact,
    RecordingStatus,
    RecordingWish,
)
from services.dialer.retention import RecordingSweep
from services.dialer.service_recordings import RecordingService
from services.dialer.telephony import CommandFailed, Recorded
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.memory import MemoryFiles, MemoryRecordings, MemoryRegistry
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after
from tests.unit.dialer.test_service import FakePeers

NUMBER = ["+19990000001"]
SPEAK = (action("talk", text="${voipbin.recording.id}"),)
ACTIONS = (action("recording_start", duration=60, end_of_key="#"), *SPEAK)
ME = new_id()


def make_recording(**changes: Any) -> Recording:
    recording = Recording(
        id=new_id(),
        customer_id=ME,
        campaign_id=new_id(),
        activeflow_id=new_id(),
        call_id=new_id(),
        format="wav",
        status=RecordingStatus.ENDED,
        location="a.wav",
        duration_ms=1000,
        size_bytes=4,
        detail="",
        dialer_id="dialer-1",
        revision=2,
        tm_create=START,
        tm_start=START,
        tm_update=START,
        tm_end=START,
    )
    return replace(recording, **changes)


def row(s: Stage) -> Recording:
    (found,) = s.records.recordings.rows.values()
    return found


def told(s: Stage) -> list[tuple[str, str]]:
    return [
        (fact.event, fact.recording.status.value)
        for fact in s.records.facts
        if isinstance(fact, RecordingFact)
    ]


async def recorded(s: Stage, call: UUID, location: str = "x/1.wav") -> None:
    s.telephony.tell(Recorded(call, s.clock.now(), str(row(s).id), location, 4321))
    await s.settle()


async def test_a_recording_is_a_row_from_its_start_to_its_file(stage: Stages) -> None:
    async with stage(NUMBER, actions=ACTIONS) as s:
        (call,) = s.calls
        await s.answer(call)
        started = row(s)
        assert started.status is RecordingStatus.RECORDING
        assert (started.call_id, started.campaign_id) == (call, s.definition.campaign.id)
        assert s.telephony.last("start_recording", call) == (
            str(started.id),
            ("wav", 60_000, 0, "#", False),
        )
        assert s.telephony.last("say", call) == ("step-2", str(started.id))
        s.files.files["x/1.wav"] = b"RIFF"
        await recorded(s, call)
        ended = row(s)
        assert ended.status is RecordingStatus.ENDED
        assert (ended.location, ended.duration_ms, ended.size_bytes) == ("x/1.wav", 4321, 4)
        assert told(s) == [("started", "recording"), ("ended", "ended")]


async def test_a_recording_that_follows_another_at_once_is_one_of_its_own(stage: Stages) -> None:
    twice = (action("recording_start"), action("recording_stop"), action("recording_start"), *SPEAK)
    async with stage(NUMBER, actions=twice) as s:
        (call,) = s.calls
        await s.answer(call)
        first, second = s.records.recordings.rows.values()
        assert s.telephony.of(call)[:3] == ["start_recording", "stop_recording", "start_recording"]
        s.files.files["x/1.wav"] = s.files.files["x/2.wav"] = b"RIFF"
        for each, location in ((second, "x/2.wav"), (first, "x/1.wav")):
            s.telephony.tell(Recorded(call, s.clock.now(), str(each.id), location, 1))
            await s.settle()
        found = {each.id: each.location for each in s.records.recordings.rows.values()}
        assert found == {first.id: "x/1.wav", second.id: "x/2.wav"}


async def test_a_network_that_fails_to_record_fails_the_action_behind_the_flows_back(
    stage: Stages,
) -> None:
    async with stage(NUMBER, actions=ACTIONS) as s:
        (call,) = s.calls
        await s.answer(call)
        s.telephony.tell(CommandFailed(call, "start_recording", str(row(s).id), "disk full"))
        await s.settle()
        assert (row(s).status, row(s).detail) == (RecordingStatus.FAILED, "disk full")
        (flow,) = s.records.flow_rows.values()
        assert [(each.type, each.outcome.value) for each in flow.history] == [
            ("recording_start", "failed"),
            ("talk", "done"),
        ]
        assert flow.history[0].detail == "disk full"


@pytest.mark.parametrize(
    ("location", "detail"),
    [("", "the network has stored nothing"), ("gone.wav", "no file gone.wav was found")],
)
async def test_a_recording_without_a_file_has_failed(
    stage: Stages, location: str, detail: str
) -> None:
    async with stage(NUMBER, actions=ACTIONS) as s:
        (call,) = s.calls
        await s.answer(call)
        await recorded(s, call, location)
        assert (row(s).status, row(s).detail) == (RecordingStatus.FAILED, detail)


async def test_a_file_may_be_told_of_after_the_end_of_the_call(stage: Stages) -> None:
    async with stage(NUMBER, actions=ACTIONS) as s:
        (call,) = s.calls
        await s.answer(call)
        await s.end(call)
        assert row(s).status is RecordingStatus.FAILED
        s.files.files["x/1.wav"] = b"RIFF"
        await recorded(s, call)
        assert (row(s).status, row(s).detail) == (RecordingStatus.ENDED, "")


async def test_a_recording_goes_on_at_the_next_dialer(stage: Stages) -> None:
    async with stage(NUMBER, actions=ACTIONS) as first:
        (call,) = first.calls
        await first.answer(call)
    async with stage(prepare=after(first, call), actions=ACTIONS) as s:
        assert "start_recording" not in s.telephony.of(call)
        s.files.files["x/1.wav"] = b"RIFF"
        await recorded(s, call)
        assert (row(s).status, row(s).size_bytes) == (RecordingStatus.ENDED, 4)


async def test_a_recording_whose_call_ended_unseen_has_failed(stage: Stages) -> None:
    async with stage(NUMBER, actions=ACTIONS) as first:
        (call,) = first.calls
        await first.answer(call)
    prepare = after(first, call)

    def ended(s: Stage) -> None:
        prepare(s)
        del s.telephony.live[call]

    async with stage(prepare=ended, actions=ACTIONS) as s:
        await s.end(call)
        assert row(s).status is RecordingStatus.FAILED


async def test_whoever_wants_a_call_recorded_may_say_so(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("talk", text="hi"),)) as s:
        (call,) = s.calls
        await s.answer(call)
        attempt, run = s.system.attempts.get(call), s.system.flows.of_call(call)
        assert attempt is not None
        assert run is not None
        recording_id = s.system.recordings.begin(attempt, run, RecordingWish(has_beep=True))
        assert recording_id is not None
        assert s.system.recordings.begin(attempt, run, RecordingWish()) is None
        await s.settle()
        assert row(s).id == recording_id
        s.system.recordings.stop(call, recording_id)
        assert s.telephony.last("stop_recording", call) == (str(recording_id),)


# --------------------------------------------------------------------------- how long


def sweep(rows: MemoryRecordings, files: MemoryFiles, s: Stage, days: int = 90) -> RecordingSweep:
    return RecordingSweep(rows, files, s.clock, keep_days=days, dialer_id="dialer-1")


async def test_recordings_are_deleted_when_they_were_kept_long_enough(stage: Stages) -> None:
    old = make_recording(tm_end=START - timedelta(days=91))
    fresh = make_recording(tm_end=START - timedelta(days=89), location="b.wav")
    on = make_recording(tm_end=None, status=RecordingStatus.RECORDING, location="")
    rows = MemoryRecordings({each.id: each for each in (old, fresh, on)})
    files = MemoryFiles({"a.wav": b"1", "b.wav": b"2"})
    async with stage() as s:
        await sweep(rows, files, s, days=0).look()
        assert not rows.facts
        await sweep(rows, files, s).look()
        await sweep(rows, files, s).look()
    assert [fact.event for fact in rows.facts if isinstance(fact, RecordingFact)] == ["deleted"]
    assert rows.rows[old.id].tm_delete is not None
    assert rows.rows[old.id].location == ""
    assert files.files == {"b.wav": b"2"}


async def test_a_file_in_anothers_folder_is_left_to_it(stage: Stages) -> None:
    mine = make_recording(tm_delete=START)
    theirs = make_recording(tm_delete=START, dialer_id="dialer-2", location="c.wav")
    shared = make_recording(tm_delete=START, dialer_id="dialer-2", location="d.wav")
    rows = MemoryRecordings({each.id: each for each in (mine, theirs, shared)})
    async with stage() as s:
        await sweep(rows, MemoryFiles({"d.wav": b"1"}), s).look()
    assert rows.rows[mine.id].location == "", "gone already"
    assert rows.rows[theirs.id].location == "c.wav"
    assert rows.rows[shared.id].location == ""


# --------------------------------------------------------------------------- who may


def service(
    *recordings: Recording, files: dict[str, bytes] | None = None
) -> tuple[RecordingService, FakePeers, MemoryFiles]:
    peers, folder, registry = FakePeers(), MemoryFiles(files or {}), MemoryRegistry()
    for name in ("dialer-1", "dialer-2"):
        registry.entries[name] = DialerEntry(name, f"{name}:1")
    made = RecordingService(
        recordings=MemoryRecordings({each.id: each for each in recordings}),
        files=folder,
        registry=registry,
        peers=peers,
        dialer_id="dialer-1",
    )
    return made, peers, folder


async def read(made: RecordingService, recording: Recording, **options: Any) -> bytes:
    whole = {"offset": 0, "length": 0, "is_forwarded": False, **options}
    return b"".join([piece async for piece in made.read_recording(ME, recording.id, **whole)])


async def test_a_file_is_read_whole_or_in_part() -> None:
    recording = make_recording()
    made, _, _ = service(recording, files={"a.wav": b"0123456789"})
    assert await read(made, recording) == b"0123456789"
    assert await read(made, recording, offset=3) == b"3456789"
    assert await read(made, recording, offset=3, length=2) == b"34"
    assert await read(made, recording, offset=99) == b""


async def test_a_file_of_another_dialer_is_asked_for_once() -> None:
    recording = make_recording(dialer_id="dialer-2")
    made, peers, _ = service(recording)
    peers.held = {"dialer-2": {recording.id}}
    assert await read(made, recording, offset=1, length=2) == b"dialer-2 1 2"
    with pytest.raises(NotFound):
        await read(made, recording, is_forwarded=True)
    gone, _, _ = service(replace(recording, dialer_id="dialer-9"))
    with pytest.raises(Unavailable, match="dialer-9"):
        await read(gone, recording)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"customer_id": new_id()}, PermissionDenied),
        ({"status": RecordingStatus.RECORDING, "location": ""}, FailedPrecondition),
        ({"status": RecordingStatus.FAILED, "location": ""}, NotFound),
        ({"tm_delete": START, "location": ""}, NotFound),
        ({"tm_delete": START, "dialer_id": "dialer-2"}, NotFound),
        ({}, NotFound),
    ],
)
async def test_what_cannot_be_read_says_why(
    changes: dict[str, Any], error: type[Exception]
) -> None:
    recording = make_recording(**changes)
    made, _, _ = service(recording)
    with pytest.raises(error):
        await read(made, recording)


async def test_only_the_owner_deletes_and_the_file_goes_at_once() -> None:
    recording = make_recording()
    made, _, folder = service(recording, files={"a.wav": b"1"})
    with pytest.raises(PermissionDenied):
        await made.delete_recording(new_id(), recording.id)
    with pytest.raises(NotFound):
        await made.delete_recording(ME, new_id())
    deleted = await made.delete_recording(ME, recording.id)
    assert deleted.tm_delete is not None
    assert folder.files == {}
    assert (await made.delete_recording(ME, recording.id)).revision == deleted.revision
    listed, _ = await made.list_recordings(ME, Page(10), call_id=None, campaign_id=None)
    assert listed == []
