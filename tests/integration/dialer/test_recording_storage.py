"""Recordings and webhooks: the tables and their stand-ins in memory keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from services.common import db
from services.common.bus import Bus
from services.common.clock import ManualClock
from services.common.errors import FailedPrecondition, NotFound
from services.common.ids import new_id
from services.common.outbox import Outbox, Relay
from services.common.paging import Page, cut, page_request
from services.dialer.domain.calls import ReferenceType
from services.dialer.domain.recordings import Recording, RecordingFact, RecordingStatus
from services.dialer.domain.webhooks import Webhook
from services.dialer.events import to_event
from services.dialer.ports import Batch, Recordings, Records, Webhooks
from services.dialer.storage import PostgresRecords
from services.dialer.storage_files import CHUNK_BYTES, FolderRecordingFiles
from services.dialer.storage_recordings import PostgresRecordings, PostgresWebhooks
from tests.fixtures.postgres import DatabaseFactory
from tests.unit.dialer.fakes import START
from tests.unit.dialer.memory import MemoryRecords
from tests.unit.dialer.test_recordings import ME, make_recording
from tests.unit.dialer.test_service import make_flow


@dataclass
class Tables:
    """One kind of storage, whole."""

    records: Records
    recordings: Recordings
    webhooks: Webhooks


@pytest.fixture
async def engine(database: DatabaseFactory) -> AsyncIterator[AsyncEngine]:
    engine = db.create_engine(database("dialer"), "dialer", pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture
async def postgres(engine: AsyncEngine) -> AsyncIterator[Tables]:
    clock = ManualClock(START)
    # A bus without a server: events stay in the outbox.
    bus = Bus("nats://127.0.0.1:1", "", "test")
    outbox = Outbox(clock, Relay(engine, bus, "dialer"))
    yield Tables(
        PostgresRecords(engine, outbox, clock, to_event),
        PostgresRecordings(engine, outbox, clock, to_event),
        PostgresWebhooks(engine),
    )
    await bus.close()


@pytest.fixture(params=["memory", "postgres"])
def tables(request: pytest.FixtureRequest, postgres: Tables) -> Tables:
    if request.param == "postgres":
        return postgres
    records = MemoryRecords()
    return Tables(records, records.recordings, records.webhooks)


def make_webhook(**changes: Any) -> Webhook:
    webhook = Webhook(
        new_id(), new_id(), new_id(), "POST", "https://x/é", "application/json", '{"a": "☎"}'
    )
    return replace(webhook, **changes)


async def keep(tables: Tables, *recordings: Recording) -> None:
    await tables.records.save(Batch(recordings=recordings))


async def test_a_recording_comes_back_whole(tables: Tables) -> None:
    whole = make_recording(detail="é", size_bytes=2**40, duration_ms=2**40)
    bare = make_recording(campaign_id=None, activeflow_id=None, tm_start=None, tm_end=None)
    await keep(tables, whole, bare)
    assert await tables.recordings.recording(whole.id) == whole
    assert await tables.recordings.recording(bare.id) == bare
    assert await tables.recordings.recording(new_id()) is None


async def test_a_recording_goes_forward_only_and_a_late_file_is_kept(tables: Tables) -> None:
    on = make_recording(status=RecordingStatus.RECORDING, location="", revision=1, tm_end=None)
    failed = on.failed(START, "no file")
    ended = failed.ended(START, "a.wav", 5, 7)
    await keep(tables, failed)
    await keep(tables, on)
    assert await tables.recordings.recording(on.id) == failed
    await keep(tables, ended)
    await keep(tables, replace(failed, revision=9))
    assert await tables.recordings.recording(on.id) == ended


async def test_lists_are_one_customers_newest_first_by_call_and_campaign(tables: Tables) -> None:
    call, campaign = new_id(), new_id()
    mine = [
        make_recording(
            tm_create=START + timedelta(seconds=number),
            call_id=call if number < 3 else new_id(),
            campaign_id=campaign if number % 2 else new_id(),
        )
        for number in range(5)
    ]
    foreign = make_recording(customer_id=new_id(), call_id=call, campaign_id=campaign)
    await keep(tables, *mine, foreign)

    async def listed(page: Page, **wanted: Any) -> list[Recording]:
        both = {"call_id": None, "campaign_id": None, **wanted}
        return await tables.recordings.recordings(ME, page, **both)

    page = Page(3)
    first, token = cut(await listed(page), page)
    assert first == mine[:1:-1]
    page = page_request(3, token)
    assert cut(await listed(page), page)[0] == mine[1::-1]
    assert await listed(Page(9), call_id=call) == mine[2::-1]
    assert await listed(Page(9), campaign_id=campaign) == [mine[3], mine[1]]
    assert await listed(Page(9), call_id=call, campaign_id=campaign) == [mine[1]]


async def test_only_what_is_over_is_deleted_and_once(tables: Tables) -> None:
    on = make_recording(status=RecordingStatus.RECORDING, tm_end=None)
    over = make_recording()
    await keep(tables, on, over)
    with pytest.raises(FailedPrecondition):
        await tables.recordings.delete_recording(on.id)
    with pytest.raises(NotFound):
        await tables.recordings.delete_recording(new_id())
    deleted = await tables.recordings.delete_recording(over.id)
    assert deleted.tm_delete is not None
    assert await tables.recordings.delete_recording(over.id) == deleted
    left = await tables.recordings.recordings(ME, Page(9), call_id=None, campaign_id=None)
    assert left == [on]
    # Nothing brings it back.
    await keep(tables, replace(over, revision=99))
    assert await tables.recordings.recording(over.id) == deleted


async def test_files_of_deleted_recordings_are_known_until_they_are_gone(tables: Tables) -> None:
    rows = [make_recording(location=f"{n}.wav") for n in range(3)]
    await keep(tables, *rows, make_recording(location=""))
    for each in rows[:2]:
        await tables.recordings.delete_recording(each.id)
    first = await tables.recordings.files_to_delete(1, None)
    second = await tables.recordings.files_to_delete(5, first[0])
    assert {each.location for each in (*first, *second)} == {"0.wav", "1.wav"}
    assert await tables.recordings.files_to_delete(5, second[0]) == []
    await tables.recordings.file_deleted([each.id for each in rows])
    assert await tables.recordings.files_to_delete(5, None) == []
    kept = await tables.recordings.recording(rows[2].id)
    assert kept is not None
    assert kept.location == "2.wav"


async def test_several_sweeps_mark_each_recording_once(
    postgres: Tables, engine: AsyncEngine
) -> None:
    old = [make_recording(tm_end=START - timedelta(days=2)) for _ in range(60)]
    await keep(postgres, *old, make_recording())
    before = START - timedelta(days=1)
    counts = await asyncio.gather(*(postgres.recordings.expire(before, 20) for _ in range(6)))
    while more := await postgres.recordings.expire(before, 20):
        counts.append(more)
    assert sum(counts) == 60
    async with engine.connect() as conn:
        rows = (
            await conn.execute(sql("SELECT count(*) FROM recordings WHERE revision = 3"))
        ).scalar()
    assert rows == 60


async def test_rows_and_events_are_one_transaction(postgres: Tables, engine: AsyncEngine) -> None:
    recording = make_recording()
    fact = RecordingFact("started", recording)
    await postgres.records.save(Batch(facts=[fact], recordings=[recording]))
    await postgres.recordings.delete_recording(recording.id)
    async with engine.connect() as conn:
        subjects = (
            (await conn.execute(sql("SELECT subject FROM outbox ORDER BY id"))).scalars().all()
        )
    assert subjects == [
        f"outbound.v1.{ME}.recording.started",
        f"outbound.v1.{ME}.recording.deleted",
    ]


async def test_a_nul_character_cannot_break_a_row(tables: Tables) -> None:
    recording = make_recording(detail="a\x00b", location="x\x00.wav")
    await keep(tables, recording)
    assert await tables.recordings.recording(recording.id) is not None


# --------------------------------------------------------------------------------- webhooks


async def test_a_webhook_is_taken_by_one_and_hidden_from_the_others(tables: Tables) -> None:
    webhook = make_webhook()
    await tables.records.save(Batch(webhooks=[webhook]))
    # The same step, repeated by another dialer.
    await tables.records.save(Batch(webhooks=[replace(webhook, data="other")]))
    (taken,) = await tables.webhooks.take(10, 60.0, [])
    assert (taken.webhook, taken.tries) == (webhook, 1)
    assert await tables.webhooks.take(10, 60.0, []) == []
    await tables.webhooks.done([webhook.id])
    await tables.records.save(Batch(webhooks=[webhook]))
    assert await tables.webhooks.take(10, 60.0, [webhook.customer_id]) == []
    assert len(await tables.webhooks.take(10, 60.0, [])) == 1


async def test_a_webhook_that_was_postponed_is_due_again_later(postgres: Tables) -> None:
    webhook = make_webhook()
    await postgres.records.save(Batch(webhooks=[webhook]))
    await postgres.webhooks.take(10, 60.0, [])
    await postgres.webhooks.postpone(webhook.id, 3600.0)
    assert await postgres.webhooks.take(10, 60.0, []) == []
    await postgres.webhooks.postpone(webhook.id, -1.0)
    (again,) = await postgres.webhooks.take(10, 60.0, [])
    assert again.tries == 2


async def test_senders_at_the_same_time_take_each_webhook_once(postgres: Tables) -> None:
    webhooks = [make_webhook() for _ in range(100)]
    await postgres.records.save(Batch(webhooks=webhooks))
    taken = await asyncio.gather(*(postgres.webhooks.take(30, 60.0, []) for _ in range(6)))
    ids = [each.webhook.id for batch in taken for each in batch]
    assert len(ids) == len(set(ids))
    while more := await postgres.webhooks.take(30, 60.0, []):
        ids += [each.webhook.id for each in more]
    assert set(ids) == {each.id for each in webhooks}


# --------------------------------------------------------------------- without a call


async def test_executions_without_a_call_are_taken_over_by_one(tables: Tables) -> None:
    left = make_flow(reference_type=ReferenceType.API, reference_id=None, dialer_id="dialer-9")
    mine = replace(left, id=new_id(), dialer_id="dialer-1")
    held = replace(left, id=new_id(), dialer_id="dialer-1")
    theirs = replace(left, id=new_id(), dialer_id="dialer-2")
    ended = replace(left, id=new_id(), is_ended=True)
    of_call = make_flow(dialer_id="dialer-9")
    await tables.records.save(Batch(activeflows=[left, mine, held, theirs, ended, of_call]))
    taken = await tables.records.take_without_call("dialer-1", ["dialer-2"], [held.id])
    assert {each.id for each in taken} == {left.id, mine.id}
    assert {(each.dialer_id, each.revision) for each in taken} == {("dialer-1", 2)}
    again = await tables.records.take_without_call("dialer-2", ["dialer-1"], [theirs.id])
    assert again == []


# ------------------------------------------------------------------------------------- files


async def test_the_folder_gives_its_files_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "a.wav").write_bytes(b"0123456789")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    files = FolderRecordingFiles(folder)
    assert await files.size("2026/a.wav") == 10
    assert [piece async for piece in files.read("2026/a.wav", 2, 3)] == [b"234"]
    assert [piece async for piece in files.read("2026/a.wav", 8, 99)] == [b"89"]
    for wrong in ("", "../secret", "2026/../../secret", str(tmp_path / "secret"), "link", "loop", "2026",
                  "a\x00b", "none.wav", "~/x"):  # fmt: skip
        assert await files.size(wrong) is None, wrong
        assert [piece async for piece in files.read(wrong, 0, 9)] == []
        assert not await files.delete(wrong)
    assert (tmp_path / "secret").exists()
    assert await files.delete("2026/a.wav")
    assert not await files.delete("2026/a.wav")


async def test_a_large_file_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(bytes(range(256)) * 3000)
    files = FolderRecordingFiles(tmp_path)
    pieces = [piece async for piece in files.read("a.wav", 0, 768_000)]
    assert [len(piece) for piece in pieces] == [CHUNK_BYTES, CHUNK_BYTES, 768_000 - 2 * CHUNK_BYTES]
    assert b"".join(pieces) == (tmp_path / "a.wav").read_bytes()
