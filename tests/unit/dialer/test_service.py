"""What users may do, at whichever dialer they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from services.common.actions import Action
from services.common.clock import ManualClock
from services.common.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from services.common.ids import new_id
from services.dialer.domain.calls import (
    Activeflow,
    Call,
    CallStatus,
    DialerEntry,
    FlowDefinition,
    ReferenceType,
)
from services.dialer.domain.cursors import Cursor
from services.dialer.ports import Batch, Executed, LiveSide
from services.dialer.service import DialerService
from tests.support.waiting import eventually
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action, address
from tests.unit.dialer.memory import MemoryRecords, MemoryRegistry
from tests.unit.dialer.stage import Stage

ME = new_id()


def make_call(**changes: object) -> Call:
    call = Call(
        id=new_id(),
        customer_id=ME,
        campaign_id=None,
        activeflow_id=None,
        status=CallStatus.PROGRESSING,
        source=None,
        destination=address("+19990000001"),
        hangup_reason="",
        hangup_by="",
        queuecall_id=None,
        agent_id=None,
        dialer_id="dialer-2",
        revision=1,
        tm_create=START,
        tm_progressing=START,
        tm_hangup=None,
        tm_update=START,
    )
    return replace(call, **changes)  # type: ignore[arg-type]


def make_flow(**changes: object) -> Activeflow:
    flow = Activeflow(
        id=new_id(),
        customer_id=ME,
        campaign_id=None,
        flow_id=None,
        reference_type=ReferenceType.CALL,
        reference_id=new_id(),
        is_ended=False,
        actions=(action("sleep", duration=1000),),
        cursor=Cursor(),
        history=(),
        variables={},
        dialer_id="dialer-2",
        revision=1,
        tm_create=START,
        tm_update=START,
    )
    return replace(flow, **changes)  # type: ignore[arg-type]


@dataclass
class FakePeers:
    """Other dialers, by id: what each holds, or that it does not answer."""

    held: dict[str, set[UUID]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def hangup_call(self, peer: DialerEntry, customer_id: UUID, call_id: UUID) -> Call | None:
        if not self._holds(peer, call_id):
            return None
        return make_call(id=call_id, status=CallStatus.TERMINATING, dialer_id=peer.dialer_id)

    async def stop_activeflow(
        self, peer: DialerEntry, customer_id: UUID, activeflow_id: UUID
    ) -> Activeflow | None:
        return (
            make_flow(id=activeflow_id, is_ended=True) if self._holds(peer, activeflow_id) else None
        )

    async def read_recording(
        self, peer: DialerEntry, customer_id: UUID, recording_id: UUID, offset: int, length: int
    ) -> AsyncIterator[bytes]:
        if not self._holds(peer, recording_id):
            raise NotFound("not here", reason="RECORDING_FILE_NOT_FOUND")
        yield f"{peer.dialer_id} {offset} {length}".encode()

    def _holds(self, peer: DialerEntry, resource_id: UUID) -> bool:
        self.asked.append(peer.dialer_id)
        if peer.dialer_id in self.silent:
            raise Unavailable("no answer")
        return resource_id in self.held.get(peer.dialer_id, set())


class KnownFlows:
    async def definition(self, customer_id: UUID, flow_id: UUID) -> FlowDefinition:
        return FlowDefinition((action("variable_set", key="from", value="flow"),))


class NothingLive:
    """A dialer that holds nothing; executes activeflows like a real one."""

    def __init__(self, stage: Stage) -> None:
        self._live = stage.system.live

    def customer_of_call(self, call_id: UUID) -> UUID | None:
        return None

    def hangup_call(self, call_id: UUID) -> Call:
        raise AssertionError

    def customer_of_activeflow(self, activeflow_id: UUID) -> UUID | None:
        return None

    def stop_activeflow(self, activeflow_id: UUID) -> Activeflow:
        raise AssertionError

    def execute(self, activeflow: Activeflow) -> Executed:
        return self._live.execute(activeflow)

    def go_on(self, activeflow_id: UUID) -> None:
        self._live.go_on(activeflow_id)

    def give_up(self, activeflow_id: UUID) -> None:
        self._live.give_up(activeflow_id)


@dataclass
class Desk:
    service: DialerService
    records: MemoryRecords
    registry: MemoryRegistry
    peers: FakePeers


@pytest.fixture
def desk() -> Desk:
    return _desk(NothingLive(Stage()))


def _desk(live: LiveSide, records: MemoryRecords | None = None) -> Desk:
    records = records or MemoryRecords()
    registry, peers = MemoryRegistry(), FakePeers()
    for name in ("dialer-1", "dialer-2", "dialer-3"):
        registry.entries[name] = DialerEntry(name, f"{name}:1")
    service = DialerService(
        live=live,
        records=records,
        registry=registry,
        peers=peers,
        flows=KnownFlows(),
        clock=ManualClock(START),
        dialer_id="dialer-1",
    )
    return Desk(service, records, registry, peers)


async def test_a_call_held_here_is_hung_up_here(stage: Stages) -> None:
    async with stage(["+19990000001"]) as s:
        desk = _desk(s.system.live, s.records)
        customer_id = s.definition.campaign.customer_id
        (call,) = s.calls
        found = await desk.service.hangup_call(customer_id, call, is_forwarded=False)
        assert found.status is CallStatus.CANCELING
        assert s.telephony.of(call) == ["cancel"]
        with pytest.raises(PermissionDenied):
            await desk.service.hangup_call(ME, call, is_forwarded=False)
        assert not desk.peers.asked


async def test_a_call_held_elsewhere_is_asked_of_its_holder_first(desk: Desk) -> None:
    call = make_call(dialer_id="dialer-3")
    desk.records.call_rows[call.id] = call
    desk.peers.held = {"dialer-3": {call.id}}
    found = await desk.service.hangup_call(ME, call.id, is_forwarded=False)
    assert found.status is CallStatus.TERMINATING
    assert desk.peers.asked == ["dialer-3"]


async def test_an_attempt_that_rings_is_looked_for_everywhere(desk: Desk) -> None:
    call_id = new_id()
    desk.peers.held = {"dialer-3": {call_id}}
    await desk.service.hangup_call(ME, call_id, is_forwarded=False)
    assert set(desk.peers.asked) == {"dialer-2", "dialer-3"}


async def test_what_nobody_knows_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as caught:
        await desk.service.hangup_call(ME, new_id(), is_forwarded=False)
    assert caught.value.reason == "CALL_NOT_FOUND"


async def test_what_a_silent_dialer_may_hold_is_unavailable(desk: Desk) -> None:
    desk.peers.silent = {"dialer-2"}
    with pytest.raises(Unavailable):
        await desk.service.hangup_call(ME, new_id(), is_forwarded=False)


async def test_a_forwarded_request_is_not_passed_on(desk: Desk) -> None:
    call = make_call()
    desk.records.call_rows[call.id] = call
    with pytest.raises(NotFound):
        await desk.service.hangup_call(ME, call.id, is_forwarded=True)
    assert not desk.peers.asked


async def test_an_ended_call_is_returned_as_it_is(desk: Desk) -> None:
    call = make_call(status=CallStatus.HANGUP)
    desk.records.call_rows[call.id] = call
    assert await desk.service.hangup_call(ME, call.id, is_forwarded=False) == call
    assert not desk.peers.asked


async def test_another_customers_resources_are_refused(desk: Desk) -> None:
    call, flow = make_call(customer_id=new_id()), make_flow(customer_id=new_id())
    desk.records.call_rows[call.id] = call
    desk.records.flow_rows[flow.id] = flow
    service = desk.service
    attempts: list[Callable[[], object]] = [
        lambda: service.get_call(ME, call.id),
        lambda: service.hangup_call(ME, call.id, is_forwarded=False),
        lambda: service.get_activeflow(ME, flow.id),
        lambda: service.stop_activeflow(ME, flow.id, is_forwarded=False),
        lambda: service.delete_activeflow(ME, flow.id),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            await attempt()  # type: ignore[misc]


async def test_an_activeflow_without_a_call_runs_to_its_end(desk: Desk) -> None:
    created = await _create(desk, actions=[action("variable_set", key="a", value="1")])
    assert created.is_ended
    assert created.variables["a"] == "1"
    assert desk.records.flow_rows[created.id] == created
    assert desk.records.flow_events() == [("created", False), ("updated", True)]


async def test_creating_it_again_gives_the_first(desk: Desk) -> None:
    flow_id = new_id()
    first = await _create(desk, activeflow_id=flow_id, actions=[action("stop")])
    assert await _create(desk, activeflow_id=flow_id, actions=[action("stop")]) == first
    with pytest.raises(AlreadyExists):
        await _create(desk, activeflow_id=flow_id, actions=[action("talk", text="x")])
    with pytest.raises(AlreadyExists):
        await _create(desk, activeflow_id=flow_id, flow_id=new_id())
    with pytest.raises(AlreadyExists):
        await _create(desk, activeflow_id=flow_id, actions=[action("stop")], variables={"x": "z"})
    desk.records.flow_rows[flow_id] = replace(first, customer_id=new_id())
    with pytest.raises(AlreadyExists):
        await _create(desk, activeflow_id=flow_id, actions=[action("stop")])


class TakenAtThatMoment(MemoryRecords):
    """Another dialer has stored the same id between the look and the insertion."""

    other: Activeflow

    async def create(self, batch: Batch) -> bool:
        self.flow_rows[self.other.id] = self.other
        return False


@pytest.mark.parametrize("customer_id", [ME, new_id()])
async def test_of_two_dialers_that_create_it_at_once_the_first_counts(customer_id: UUID) -> None:
    records = TakenAtThatMoment()
    records.other = make_flow(customer_id=customer_id)
    desk = _desk(NothingLive(Stage()), records)
    creating = _create(desk, activeflow_id=records.other.id, actions=[action("stop")])
    if customer_id == ME:
        assert await creating == records.other
    else:
        with pytest.raises(AlreadyExists):
            await creating


async def test_a_row_from_before_digests_were_kept_is_believed(desk: Desk) -> None:
    first = await _create(desk, activeflow_id=new_id(), actions=[action("stop")])
    desk.records.flow_rows[first.id] = replace(first, create_digest="")
    again = await _create(desk, activeflow_id=first.id, actions=[action("talk", text="x")])
    assert again.id == first.id


async def test_a_flow_is_run_when_no_actions_are_given(desk: Desk) -> None:
    created = await _create(desk, flow_id=new_id())
    assert created.variables["from"] == "flow"


@pytest.mark.parametrize(
    "actions", [[], [action("no_such_word")], [action("ai_talk")], [action("talk")]], ids=str
)
async def test_what_cannot_run_is_refused(desk: Desk, actions: list[Action]) -> None:
    with pytest.raises(InvalidArgument):
        await _create(desk, actions=actions)


async def test_stopping_an_ended_activeflow_changes_nothing(desk: Desk) -> None:
    flow = make_flow(is_ended=True)
    desk.records.flow_rows[flow.id] = flow
    assert await desk.service.stop_activeflow(ME, flow.id, is_forwarded=False) == flow


async def test_deleting_stops_first_and_twice_is_once(desk: Desk) -> None:
    flow = make_flow()
    desk.records.flow_rows[flow.id] = flow
    desk.peers.held = {"dialer-2": {flow.id}}
    deleting = asyncio.create_task(desk.service.delete_activeflow(ME, flow.id))
    await eventually(lambda: desk.peers.asked, "the holder is asked")
    assert desk.records.flow_rows[flow.id].tm_delete is None, "its end is not stored yet"
    desk.records.flow_rows[flow.id] = replace(flow, is_ended=True, revision=flow.revision + 1)
    first = await deleting
    assert first.tm_delete is not None
    assert first.is_ended
    assert desk.peers.asked == ["dialer-2"]
    assert (await desk.service.delete_activeflow(ME, flow.id)).tm_delete == first.tm_delete


async def test_a_flow_without_actions_has_no_current_one(desk: Desk) -> None:
    ended = await _create(desk, actions=[action("stop")])
    # As the event of its beginning tells it, before anything has run.
    assert replace(ended, is_ended=False, cursor=Cursor(), actions=()).current is None


async def _create(
    desk: Desk,
    *,
    activeflow_id: UUID | None = None,
    flow_id: UUID | None = None,
    actions: list[Action] | None = None,
    variables: dict[str, str] | None = None,
) -> Activeflow:
    told = (flow_id, actions, variables)
    return await desk.service.create_activeflow(
        ME,
        digest=repr(told),
        activeflow_id=activeflow_id,
        flow_id=flow_id,
        actions=actions or [],
        variables=variables or {"x": "y"},
    )
