"""The process itself: its RPCs over a real socket, its roles, and its events on a real NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.common.v1 import address_pb2 as address_pb
from outbound.outdial.v1 import events_pb2 as outdial_events
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import events_pb2 as outplan_events
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb

from services.common.auth import (
    Role,
    acting_for,
)
from services.common.bus import Bus, Received
from services.common.convert import timestamp_to_proto
from services.common.errors import (
    AlreadyExists,
    InvalidArgument,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from services.common.ids import new_id
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.outdial.process import CAMPAIGN, CUSTOMER, END, Process, serving


@pytest.fixture
async def process(
    tmp_path: Path, database: DatabaseFactory, nats_url: str
) -> AsyncIterator[Process]:
    database_url = database("outdial")
    async with serving(tmp_path, database_url, nats_url) as (server, channels):
        bus = await Bus.connect(nats_url, "", "test")
        published: asyncio.Queue[Received] = asyncio.Queue()
        await bus.listen([("outdial", "*"), ("target", "*")], published.put_nowait)
        made = [channels(role) for role in (Role.GATEWAY, Role.DIALER, Role.CAMPAIGN)]
        stubs = [
            outdial_grpc.OutdialServiceStub(each.channel(server.address, "outdial"))
            for each in made
        ]
        customer, dialer, campaign = stubs
        yield Process(customer, dialer, campaign, bus, database_url, published)
        await bus.close()
        for each in made:
            await each.close()


async def test_a_target_from_creation_to_its_settlement_by_event(process: Process) -> None:
    outdial = await process.outdial()
    (target,) = await process.add(outdial.id, "+1 555 000 0001")
    assert (target.destination_0.type, target.destination_0.target) == ("tel", "+15550000001")
    assert not target.HasField("destination_1")
    assert list(target.try_counts) == [0] * 5
    claim = await process.claim(outdial.id)
    (claimed,) = claim.targets
    assert (claimed.target_id, claimed.destination_index, claimed.try_count) == (target.id, 0, 1)
    assert claim.progress.progressing_count == 1
    done = campaign_events.CampaigncallEvent(
        settlement=campaign_pb.Settlement(
            campaigncall_id=claimed.attempt_id,
            outdial_id=outdial.id,
            outdial_target_id=target.id,
            result=campaign_pb.Campaigncall.RESULT_SUCCESS,
            tm_end=timestamp_to_proto(datetime(2026, 3, 2, tzinfo=UTC)),
            max_try_counts=[2, 0, 0, 0, 0],
        )
    )
    await process.publish("campaigncall", "done", claimed.attempt_id, done)
    told = outdial_events.TargetEvent.FromString(await process.event("target.updated"))
    assert (told.target.status, told.target.result) == (
        outdial_pb.Target.STATUS_DONE,
        outdial_pb.Target.RESULT_SUCCESS,
    )
    assert (told.campaigncall_id, told.target.id) == (claimed.attempt_id, target.id)
    assert process.names == ["outdial.created", "target.created", "target.updated"]
    with acting_for(CUSTOMER):
        progress = await process.customer.GetOutdialProgress(
            outdial_pb.GetOutdialProgressRequest(outdial_id=outdial.id)
        )
    assert (progress.total_count, progress.success_count) == (1, 1)
    assert not progress.HasField("tm_next_due")


async def test_outplan_event_reopens_exhausted_targets(process: Process) -> None:
    outdial = await process.outdial()
    await process.add(outdial.id, "+15550000001")
    none = outdial_pb.ClaimPlan(max_try_counts=[0] * 5, address_types=["tel"])
    assert (await process.claim(outdial.id, none)).exhausted_count == 1
    await process.event("target.updated")
    updated = outplan_events.OutplanEvent(
        outplan=outplan_pb.Outplan(id=str(new_id()), max_try_counts=[1, 0, 0, 0, 0]),
        outdial_ids=[outdial.id],
    )
    await process.publish("outplan", "updated", updated.outplan.id, updated)
    told = outdial_events.TargetEvent.FromString(await process.event("target.updated"))
    assert told.target.status == outdial_pb.Target.STATUS_IDLE
    assert told.campaigncall_id == ""


async def test_expired_claim_is_resolved_in_the_background(process: Process) -> None:
    outdial = await process.outdial()
    await process.add(outdial.id, "+15550000001")
    await process.claim(outdial.id)
    async with await psycopg.AsyncConnection.connect(process.database_url) as conn:
        await conn.execute("UPDATE outdial.claims SET check_at = clock_timestamp()")
    async with asyncio.timeout(10):
        # Nothing is told of a claim that came to nothing.
        while not (claim := await process.claim(outdial.id)).targets:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert claim.targets[0].try_count == 1


async def test_released_claims_can_be_claimed_again(process: Process) -> None:
    outdial = await process.outdial()
    await process.add(outdial.id, "+15550000001", "+15550000002")
    claim = await process.claim(outdial.id)
    request = outdial_pb.ReleaseClaimsRequest(
        attempt_ids=[each.attempt_id for each in claim.targets]
    )
    assert (await process.dialer.ReleaseClaims(request)).released_count == 2
    assert (await process.dialer.ReleaseClaims(request)).released_count == 0
    assert len((await process.claim(outdial.id)).targets) == 2


async def test_import_over_the_wire(process: Process) -> None:
    outdial = await process.outdial()
    header = outdial_pb.ImportHeader(
        import_id=str(new_id()), outdial_id=outdial.id, format=outdial_pb.ImportHeader.FORMAT_CSV
    )

    async def requests(*chunks: bytes) -> AsyncIterator[outdial_pb.ImportTargetsRequest]:
        yield outdial_pb.ImportTargetsRequest(header=header)
        for chunk in chunks:
            yield outdial_pb.ImportTargetsRequest(chunk=chunk)
        yield END

    chunks = (b"phone,na", b"me\n+15550000001,Ann\nx", b",Bob\n")
    with acting_for(CUSTOMER):
        done = await process.customer.ImportTargets(requests(*chunks))
        assert done.state == outdial_pb.ImportResult.STATE_DONE
        assert (done.row_count, done.accepted_count, done.rejected_count) == (2, 1, 1)
        assert (done.rejects[0].line, done.rejects[0].value) == (3, "x")
        ids = {"outdial_id": outdial.id, "import_id": header.import_id}
        assert await process.customer.GetImport(outdial_pb.GetImportRequest(**ids)) == done
        pages = process.customer.ListImportRejects(outdial_pb.ListImportRejectsRequest(**ids))
        assert [each async for page in pages for each in page.rejects] == list(done.rejects)
        assert await process.customer.ImportTargets(requests(*chunks)) == done
        header.is_strict = True
        with pytest.raises(AlreadyExists):
            await process.customer.ImportTargets(requests(*chunks))

        async def headless() -> AsyncIterator[outdial_pb.ImportTargetsRequest]:
            yield outdial_pb.ImportTargetsRequest(chunk=b"phone\n")

        with pytest.raises(InvalidArgument, match="header"):
            await process.customer.ImportTargets(headless())
    told = outdial_events.OutdialEvent.FromString(await process.event("outdial.imported"))
    assert getattr(told, "import").accepted_count == 1
    assert told.outdial.revision == 2


async def test_broken_off_stream_is_taken_up_over_the_wire(process: Process) -> None:
    outdial = await process.outdial()
    header = outdial_pb.ImportHeader(
        import_id=str(new_id()), outdial_id=outdial.id, format=outdial_pb.ImportHeader.FORMAT_CSV
    )
    rows = b"phone\n" + b"".join(b"+1555%07d\n" % number for number in range(30_000))
    half = len(rows) // 2

    async def breaking() -> AsyncIterator[outdial_pb.ImportTargetsRequest]:
        yield outdial_pb.ImportTargetsRequest(header=header)
        # And no end: the same is seen of a client that went away.
        yield outdial_pb.ImportTargetsRequest(chunk=rows[:half])

    async def whole() -> AsyncIterator[outdial_pb.ImportTargetsRequest]:
        yield outdial_pb.ImportTargetsRequest(header=header)
        for start in range(0, len(rows), 100_000):
            yield outdial_pb.ImportTargetsRequest(chunk=rows[start : start + 100_000])
        yield END

    with acting_for(CUSTOMER):
        with pytest.raises(Unavailable, match="broke off"):
            await process.customer.ImportTargets(breaking())
        ids = {"outdial_id": outdial.id, "import_id": header.import_id}
        found = await process.customer.GetImport(outdial_pb.GetImportRequest(**ids))
        assert (found.state, found.accepted_count) == (outdial_pb.ImportResult.STATE_RECEIVING, 0)
        assert found.row_count > 0
        done = await process.customer.ImportTargets(whole())
    assert (done.row_count, done.accepted_count) == (30_000, 30_000)


async def test_binding_is_the_campaigns_and_claiming_the_dialers(process: Process) -> None:
    outdial = await process.outdial()
    bind = outdial_pb.BindOutdialRequest(outdial_id=outdial.id, campaign_id=CAMPAIGN)
    with acting_for(CUSTOMER):
        assert (await process.campaign.BindOutdial(bind)).campaign_id == CAMPAIGN
        for stub in (process.customer, process.dialer):
            with pytest.raises(PermissionDenied):
                await stub.BindOutdial(bind)
        for stub in (process.customer, process.campaign):
            with pytest.raises(PermissionDenied):
                await stub.ClaimTargets(outdial_pb.ClaimTargetsRequest())
            with pytest.raises(PermissionDenied):
                await stub.ReleaseClaims(outdial_pb.ReleaseClaimsRequest())
    with pytest.raises(Unauthenticated):
        await process.customer.ListOutdials(outdial_pb.ListOutdialsRequest())
    with acting_for(new_id()), pytest.raises(PermissionDenied):
        await process.customer.GetOutdial(outdial_pb.GetOutdialRequest(id=outdial.id))


async def test_updates_tell_absent_members_from_empty_ones(process: Process) -> None:
    outdial = await process.outdial()
    (target,) = await process.add(outdial.id, "+15550000001")
    with acting_for(CUSTOMER):
        update = outdial_pb.UpdateOutdialRequest(id=outdial.id, detail="d")
        changed = await process.customer.UpdateOutdial(update)
        assert (changed.name, changed.detail, changed.campaign_id) == ("list", "d", CAMPAIGN)
        update = outdial_pb.UpdateOutdialRequest(id=outdial.id, name="", campaign_id="")
        changed = await process.customer.UpdateOutdial(update)
        assert (changed.name, changed.detail, changed.campaign_id) == ("", "d", "")
        with pytest.raises(InvalidArgument) as unknown:
            await process.customer.UpdateOutdial(
                outdial_pb.UpdateOutdialRequest(id=outdial.id, campaign_id=str(new_id()))
            )
        assert unknown.value.violations[0].field == "campaign_id"
        ids = {"outdial_id": outdial.id, "id": target.id}
        edit = outdial_pb.UpdateTargetRequest(
            **ids,
            data="x",
            destinations=[
                outdial_pb.DestinationChange(
                    index=1, destination=address_pb.Address(target="a@example.com")
                )
            ],
        )
        edited = await process.customer.UpdateTarget(edit)
        assert (edited.data, edited.destination_0.target) == ("x", "+15550000001")
        assert edited.destination_1.type == "email"
        assert await process.customer.GetTarget(outdial_pb.GetTargetRequest(**ids)) == edited
        reset = await process.customer.ResetTarget(outdial_pb.ResetTargetRequest(**ids))
        assert reset.revision == edited.revision + 1
        deleted = await process.customer.DeleteTarget(outdial_pb.DeleteTargetRequest(**ids))
        assert deleted.HasField("tm_delete")
        page = await process.customer.ListTargets(
            outdial_pb.ListTargetsRequest(outdial_id=outdial.id)
        )
        assert (list(page.targets), page.next_page_token) == ([], "")
        gone = await process.customer.DeleteOutdial(outdial_pb.DeleteOutdialRequest(id=outdial.id))
        assert gone.HasField("tm_delete")
        lists = await process.customer.ListOutdials(outdial_pb.ListOutdialsRequest())
        assert not lists.outdials


@pytest.mark.parametrize("bad", ["", "x", str(UUID(int=0))])
async def test_malformed_ids_are_refused(process: Process, bad: str) -> None:
    with acting_for(CUSTOMER), pytest.raises(InvalidArgument) as caught:
        await process.customer.GetOutdial(outdial_pb.GetOutdialRequest(id=bad))
    assert caught.value.reason == "INVALID_ID"
