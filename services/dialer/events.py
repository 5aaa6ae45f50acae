"""What the dialer publishes, and what it listens to for waking up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from outbound.dialer.v1 import events_pb2 as events_pb
from outbound.outdial.v1 import events_pb2 as outdial_events_pb

from services.common.bus import Filter, Received
from services.common.envelope import NewEvent
from services.dialer.convert import (
    activeflow_to_proto,
    call_to_proto,
    pacing_to_proto,
    recording_to_proto,
)
from services.dialer.domain.calls import ActiveflowFact, CallFact
from services.dialer.domain.recordings import RecordingFact
from services.dialer.ports import Fact

CAMPAIGN_HINTS: tuple[Filter, ...] = (
    ("campaign", "updated"),
    ("campaign", "status_run"),
    ("campaign", "status_stopping"),
    ("campaign", "status_stop"),
    ("outplan", "updated"),
    ("flow", "updated"),
)
TARGET_HINTS: tuple[Filter, ...] = (
    ("target", "created"),
    ("outdial", "imported"),
    ("outdial", "updated"),
)
AGENT_HINTS: tuple[Filter, ...] = (
    ("agent", "created"),
    ("agent", "updated"),
    ("agent", "deleted"),
    ("agent", "status_updated"),
    ("queue", "updated"),
)

QUEUECALL_HINTS: tuple[Filter, ...] = (
    ("queuecall", "done"),
    ("queuecall", "abandoned"),
)


def to_event(fact: Fact) -> NewEvent:
    """The fact as the outbox takes it."""
    if isinstance(fact, CallFact):
        call = events_pb.CallEvent(call=call_to_proto(fact.call))
        return NewEvent(
            customer_id=fact.call.customer_id,
            resource="call",
            event=fact.event,
            resource_id=fact.call.id,
            revision=fact.call.revision,
            data=call.SerializeToString(),
            data_type=call.DESCRIPTOR.full_name,
        )
    if isinstance(fact, ActiveflowFact):
        flow = events_pb.ActiveflowEvent(activeflow=activeflow_to_proto(fact.activeflow))
        return NewEvent(
            customer_id=fact.activeflow.customer_id,
            resource="activeflow",
            event=fact.event,
            resource_id=fact.activeflow.id,
            revision=fact.activeflow.revision,
            data=flow.SerializeToString(),
            data_type=flow.DESCRIPTOR.full_name,
        )
    if isinstance(fact, RecordingFact):
        recording = events_pb.RecordingEvent(recording=recording_to_proto(fact.recording))
        return NewEvent(
            customer_id=fact.recording.customer_id,
            resource="recording",
            event=fact.event,
            resource_id=fact.recording.id,
            revision=fact.recording.revision,
            data=recording.SerializeToString(),
            data_type=recording.DESCRIPTOR.full_name,
        )
    pacing = pacing_to_proto(fact)
    return NewEvent(
        customer_id=fact.customer_id,
        resource="pacing",
        event="decided",
        resource_id=fact.campaign_id,
        revision=0,
        data=pacing.SerializeToString(),
        data_type=pacing.DESCRIPTOR.full_name,
    )


def outdials_in(received: Received) -> set[UUID]:
    """The outdials a message about targets or outdials concerns."""
    found = set()
    for event in received.events:
        if event.left_out_bytes:
            continue
        if event.resource == "target":
            target = outdial_events_pb.TargetEvent.FromString(event.data).target
            found.add(UUID(target.outdial_id))
        else:
            found.add(event.resource_id)
    return found


class Hints:
    """Turns passing events into wake-ups. A hint may be lost: everything is also looked at by a tick."""

    def __init__(
        self,
        *,
        campaigns_changed: Callable[[], None],
        targets_changed: Callable[[set[UUID]], None],
        agents_changed: Callable[[], None],
        queuecalls_ended: Callable[[Collection[UUID]], None],
    ) -> None:
        self._campaigns_changed = campaigns_changed
        self._targets_changed = targets_changed
        self._agents_changed = agents_changed
        self._queuecalls_ended = queuecalls_ended

    def on_campaign(self, received: Received) -> None:
        """A campaign, or something its definition is made of, was changed."""
        self._campaigns_changed()

    def on_target(self, received: Received) -> None:
        """Targets came."""
        self._targets_changed(outdials_in(received))

    def on_agent(self, received: Received) -> None:
        """An agent became available, or is no more."""
        self._agents_changed()

    def on_queuecall(self, received: Received) -> None:
        """Callers are out of their queues, perhaps without this dialer's doing."""
        self._queuecalls_ended([event.resource_id for event in received.events])
