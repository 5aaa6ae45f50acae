"""Between the dialer's own values and dialer/v1 messages, both ways. Pure."""

from __future__ import annotations

from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.dialer.v1 import events_pb2 as events_pb

from services.common.convert import (
    action_to_proto,
    actions_told,
    address_from_proto,
    address_to_proto,
    optional_timestamp,
    timestamp_from_proto,
    timestamp_to_proto,
)
from services.common.ids import optional_id, parse_id, text
from services.dialer.domain.calls import (
    Activeflow,
    Call,
    CallStatus,
    ReferenceType,
    Step,
    StepOutcome,
    visible_variables,
)
from services.dialer.domain.campaigns import PacingDecided
from services.dialer.domain.cursors import Cursor
from services.dialer.domain.recordings import Recording

_BOUND = {
    "agents": events_pb.PacingEvent.BOUND_AGENTS,
    "calls_per_second": events_pb.PacingEvent.BOUND_CALLS_PER_SECOND,
    "max_concurrent": events_pb.PacingEvent.BOUND_MAX_CONCURRENT,
    "no_target_due": events_pb.PacingEvent.BOUND_NO_TARGET_DUE,
    "carrier": events_pb.PacingEvent.BOUND_CARRIER,
    "capacity_unknown": events_pb.PacingEvent.BOUND_CAPACITY_UNKNOWN,
    "stopping": events_pb.PacingEvent.BOUND_STOPPING,
}


def call_to_proto(call: Call) -> dialer_pb.Call:
    """The message of a call."""
    return dialer_pb.Call(
        id=text(call.id),
        customer_id=text(call.customer_id),
        campaign_id=text(call.campaign_id),
        campaigncall_id=text(call.id) if call.campaign_id is not None else "",
        activeflow_id=text(call.activeflow_id),
        status=call.status.value,
        direction="outgoing",
        source=address_to_proto(call.source),
        destination=address_to_proto(call.destination),
        hangup_reason=call.hangup_reason,
        hangup_by=call.hangup_by,
        queuecall_id=text(call.queuecall_id),
        agent_id=text(call.agent_id),
        dialer_id=call.dialer_id,
        revision=call.revision,
        tm_create=timestamp_to_proto(call.tm_create),
        tm_progressing=timestamp_to_proto(call.tm_progressing),
        tm_hangup=timestamp_to_proto(call.tm_hangup),
        tm_update=timestamp_to_proto(call.tm_update),
    )


def call_from_proto(message: dialer_pb.Call) -> Call:
    """A call that another dialer told of."""
    return Call(
        id=parse_id(message.id, "id"),
        customer_id=parse_id(message.customer_id, "customer_id"),
        campaign_id=optional_id(message.campaign_id, "campaign_id"),
        activeflow_id=optional_id(message.activeflow_id, "activeflow_id"),
        status=CallStatus(message.status),
        source=address_from_proto(message.source) if message.HasField("source") else None,
        destination=address_from_proto(message.destination),
        hangup_reason=message.hangup_reason,
        hangup_by=message.hangup_by,
        queuecall_id=optional_id(message.queuecall_id, "queuecall_id"),
        agent_id=optional_id(message.agent_id, "agent_id"),
        dialer_id=message.dialer_id,
        revision=message.revision,
        tm_create=timestamp_from_proto(message.tm_create),
        tm_progressing=optional_timestamp(
            message.tm_progressing, message.HasField("tm_progressing")
        ),
        tm_hangup=optional_timestamp(message.tm_hangup, message.HasField("tm_hangup")),
        tm_update=timestamp_from_proto(message.tm_update),
    )


def activeflow_to_proto(flow: Activeflow) -> dialer_pb.Activeflow:
    """The message of an activeflow."""
    message = dialer_pb.Activeflow(
        id=text(flow.id),
        customer_id=text(flow.customer_id),
        flow_id=text(flow.flow_id),
        status="ended" if flow.is_ended else "running",
        reference_type=flow.reference_type.value,
        reference_id=text(flow.reference_id),
        actions=[action_to_proto(action) for action in flow.actions],
        executed_actions=[_step_to_proto(step) for step in flow.history],
        variables=visible_variables(flow.variables),
        campaign_id=text(flow.campaign_id),
        on_complete_flow_id=text(flow.on_complete_flow_id),
        reference_activeflow_id=text(flow.reference_activeflow_id),
        dialer_id=flow.dialer_id,
        revision=flow.revision,
        tm_create=timestamp_to_proto(flow.tm_create),
        tm_update=timestamp_to_proto(flow.tm_update),
        tm_end=timestamp_to_proto(flow.tm_end),
        tm_delete=timestamp_to_proto(flow.tm_delete),
    )
    if flow.current is not None:
        message.current_action.CopyFrom(action_to_proto(flow.current))
    return message


def activeflow_from_proto(message: dialer_pb.Activeflow) -> Activeflow:
    """An activeflow that another dialer told of; its cursor and system variables stay there."""
    return Activeflow(
        id=parse_id(message.id, "id"),
        customer_id=parse_id(message.customer_id, "customer_id"),
        campaign_id=optional_id(message.campaign_id, "campaign_id"),
        flow_id=optional_id(message.flow_id, "flow_id"),
        reference_type=ReferenceType(message.reference_type),
        reference_id=optional_id(message.reference_id, "reference_id"),
        is_ended=message.status == "ended",
        actions=actions_told(message.actions),
        cursor=Cursor(position=None),
        history=tuple(_step_from_proto(step) for step in message.executed_actions),
        variables=dict(message.variables),
        on_complete_flow_id=optional_id(message.on_complete_flow_id, "on_complete_flow_id"),
        reference_activeflow_id=optional_id(
            message.reference_activeflow_id, "reference_activeflow_id"
        ),
        dialer_id=message.dialer_id,
        revision=message.revision,
        tm_create=timestamp_from_proto(message.tm_create),
        tm_update=timestamp_from_proto(message.tm_update),
        tm_end=optional_timestamp(message.tm_end, message.HasField("tm_end")),
        tm_delete=optional_timestamp(message.tm_delete, message.HasField("tm_delete")),
    )


def recording_to_proto(recording: Recording) -> dialer_pb.Recording:
    """The message of a recording. Where its file is stays inside."""
    return dialer_pb.Recording(
        id=text(recording.id),
        customer_id=text(recording.customer_id),
        campaign_id=text(recording.campaign_id),
        activeflow_id=text(recording.activeflow_id),
        reference_type="call",
        reference_id=text(recording.call_id),
        format=recording.format,
        status=recording.status.value,
        detail=recording.detail,
        duration_ms=recording.duration_ms,
        size_bytes=recording.size_bytes,
        dialer_id=recording.dialer_id,
        revision=recording.revision,
        tm_create=timestamp_to_proto(recording.tm_create),
        tm_start=timestamp_to_proto(recording.tm_start),
        tm_end=timestamp_to_proto(recording.tm_end),
        tm_update=timestamp_to_proto(recording.tm_update),
        tm_delete=timestamp_to_proto(recording.tm_delete),
    )


def pacing_to_proto(fact: PacingDecided) -> events_pb.PacingEvent:
    """The message of a pacing decision."""
    return events_pb.PacingEvent(
        campaign_id=text(fact.campaign_id),
        run_number=fact.run_number,
        queue_id=text(fact.queue_id),
        available_count=fact.available,
        dialing_count=fact.counts.dialing,
        waiting_count=fact.counts.waiting,
        talking_count=fact.counts.talking,
        service_level=fact.service_level,
        calls_per_second=fact.calls_per_second,
        max_concurrent=fact.max_concurrent,
        wanted_count=fact.wanted,
        started_count=fact.started,
        # Unspecified: nothing bounded it but the size of one batch.
        bound=_BOUND.get(fact.bound, events_pb.PacingEvent.BOUND_UNSPECIFIED),
        tm=timestamp_to_proto(fact.tm),
    )


def _step_to_proto(step: Step) -> dialer_pb.Activeflow.Step:
    return dialer_pb.Activeflow.Step(
        action_id=text(step.action_id),
        type=step.type,
        outcome=step.outcome.value,
        detail=step.detail,
        tm=timestamp_to_proto(step.tm),
    )


def _step_from_proto(message: dialer_pb.Activeflow.Step) -> Step:
    return Step(
        action_id=optional_id(message.action_id, "action_id"),
        type=message.type,
        outcome=StepOutcome(message.outcome),
        detail=message.detail,
        tm=timestamp_from_proto(message.tm),
    )
