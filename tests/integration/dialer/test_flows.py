"""Flows on the simulated network whose dialer dies, and recordings that one of two dialers has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from sqlalchemy import text as sql

from services.common import db
from services.common.auth import acting_for
from services.common.bus import Bus
from services.common.clock import SystemClock
from services.common.errors import NotFound, PermissionDenied
from services.common.ids import new_id
from services.common.outbox import Outbox, Relay
from services.dialer.domain.recordings import Recording
from services.dialer.events import to_event
from services.dialer.ports import Batch
from services.dialer.storage import PostgresRecords
from tests.integration.dialer.props import until
from tests.integration.dialer.test_dialing import _counts
from tests.integration.dialer.world import World
from tests.unit.dialer.test_recordings import make_recording

PRESSES = "+19998000001"
RINGS_LONG = "+19994000001"
COLLEAGUE = "+19990900009"


async def test_keys_and_settings_survive_the_dialer_that_collected_them(world: World) -> None:
    first = await world.start_dialer("dialer-1")
    campaign_id = await world.make_campaign(
        [PRESSES],
        actions=(
            ("variable_set", '{"key": "greeted", "value": "yes"}'),
            ("talk", '{"text": "one?", "digits_handle": "next"}'),
            ("digits_receive", '{"duration": 6000, "length": 3}'),
            ("variable_set", '{"key": "pressed", "value": "${voipbin.call.digits}"}'),
        ),
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, progressing=1), "the call")
    engine = db.create_engine(world.database_url, "dialer", pool_size=1)

    async def keys_are_stored() -> bool:
        async with engine.connect() as connection:
            digits = sql("SELECT variables ->> 'voipbin.call.digits' FROM activeflows")
            return (await connection.execute(digits)).scalar() == "12"

    await until(keys_are_stored, "the stored keys")
    await engine.dispose()
    await first.kill()
    await world.start_dialer("dialer-2")

    await world.finished(campaign_id)

    (attempt,) = await world.attempts(campaign_id)
    assert attempt.digits == "12"
    assert dict(attempt.variables) == {"greeted": "yes", "pressed": "12"}


async def test_the_targets_own_data_is_there_after_a_take_over(world: World) -> None:
    first = await world.start_dialer("dialer-1")
    campaign_id = await world.make_campaign(
        [RINGS_LONG],
        actions=(
            (
                "variable_set",
                '{"key": "city", "value": "${voipbin.outdialtarget.data.city} '
                '${voipbin.outdialtarget.name} ${voipbin.outdial.name}"}',
            ),
        ),
        dial_timeout_ms=20_000,
    )
    await world.start(campaign_id)
    await until(lambda: _counts(world, campaign_id, dialing=1), "the ringing")
    await first.kill()
    await world.start_dialer("dialer-2")

    await world.finished(campaign_id)

    (attempt,) = await world.attempts(campaign_id)
    assert dict(attempt.variables) == {"city": f"Seoul {RINGS_LONG} o"}


async def test_a_colleague_is_rung_and_talks(world: World) -> None:
    await world.start_dialer()
    campaign_id = await world.make_campaign(
        ["+19997000003"],
        actions=(
            (
                "connect",
                '{"source": {"type": "tel", "target": "+15550000001"},'
                f' "destinations": [{{"type": "tel", "target": "{COLLEAGUE}"}}]}}',
            ),
            ("variable_set", '{"key": "behind", "value": "the connection"}'),
            ("sleep", '{"duration": 10}'),
        ),
    )
    await world.start(campaign_id)
    await world.finished(campaign_id)

    (attempt,) = await world.attempts(campaign_id)
    stub = world.dialer_stub("dialer-1")
    with acting_for(world.customer_id):
        flow = await stub.GetActiveflow(dialer_pb.GetActiveflowRequest(id=attempt.activeflow_id))
    step = flow.executed_actions[0]
    assert (step.type, step.outcome) == ("connect", "done")
    assert COLLEAGUE in step.detail
    assert len(world.simnet.entries("ring")) == 2


async def keep_recording(world: World, recording: Recording) -> None:
    """The row as the recording's dialer writes it."""
    engine = db.create_engine(world.database_url, "dialer", pool_size=1)
    bus = Bus(world.nats_url, "", "test")
    clock = SystemClock()
    outbox = Outbox(clock, Relay(engine, bus, "dialer"))
    await PostgresRecords(engine, outbox, clock, to_event).save(Batch(recordings=[recording]))
    await bus.close()
    await engine.dispose()


async def test_any_dialer_gives_a_recording_that_another_has(world: World) -> None:
    folders = {name: world.folder / name for name in ("dialer-1", "dialer-2")}
    for name, folder in folders.items():
        (folder / "calls").mkdir(parents=True)
        await world.start_dialer(name, recordings_dir=str(folder))
    sound = bytes(range(256)) * 1000
    file = folders["dialer-1"] / "calls" / "a.wav"
    file.write_bytes(sound)
    recording = make_recording(
        customer_id=world.customer_id,
        dialer_id="dialer-1",
        location="calls/a.wav",
        size_bytes=len(sound),
        tm_create=datetime.now(UTC),
    )
    await keep_recording(world, recording)
    other = world.dialer_stub("dialer-2")
    wanted = dialer_pb.ReadRecordingRequest(id=str(recording.id), offset=100)

    with acting_for(world.customer_id):
        listed = await other.ListRecordings(dialer_pb.ListRecordingsRequest())
        assert [each.id for each in listed.recordings] == [str(recording.id)]
        chunks = [answer.chunk async for answer in other.ReadRecording(wanted)]
        assert b"".join(chunks) == sound[100:]
    with acting_for(new_id()), pytest.raises(PermissionDenied):
        _ = [answer async for answer in other.ReadRecording(wanted)]
    with acting_for(world.customer_id):
        holder = world.dialer_stub("dialer-1")
        await holder.DeleteRecording(dialer_pb.DeleteRecordingRequest(id=str(recording.id)))
        with pytest.raises(NotFound):
            _ = [answer async for answer in other.ReadRecording(wanted)]
    assert not file.exists()
