"""Campaigns, their stats and leases as protobuf messages, both ways."""

from __future__ import annotations

from collections.abc import Iterable

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigns.domain import (
    Campaign,
    CampaignChange,
    CampaignDraft,
    CampaignStats,
    CampaignType,
    EndHandle,
    State,
    Status,
    StopMode,
    StopReason,
    Transition,
)
from services.campaign.campaigns.domain_leases import DialPlan, HeldLease, Lease, RunDefinition
from services.campaign.campaigns.domain_runs import RunEnd
from services.campaign.convert import source_from_proto
from services.common.convert import (
    action_to_proto,
    actions_from_proto,
    address_to_proto,
    digest,
    timestamp_to_proto,
)
from services.common.errors import invalid
from services.common.ids import optional_id, parse_id, text
from services.common.texts import MAX_TEXT, storable

Pb = campaign_pb.Campaign

TYPES = {
    CampaignType.CALL: Pb.TYPE_CALL,
    CampaignType.FLOW: Pb.TYPE_FLOW,
    CampaignType.MESSAGE: Pb.TYPE_MESSAGE,
    CampaignType.EMAIL: Pb.TYPE_EMAIL,
}
STATUSES = {
    Status.STOP: Pb.STATUS_STOP,
    Status.RUN: Pb.STATUS_RUN,
    Status.STOPPING: Pb.STATUS_STOPPING,
}
STATES = {
    State.STOP: Pb.STATE_STOP,
    State.RUNNING: Pb.STATE_RUNNING,
    State.STOPPING: Pb.STATE_STOPPING,
    State.FINISHED: Pb.STATE_FINISHED,
}
END_HANDLES = {
    EndHandle.STOP: Pb.END_HANDLE_STOP,
    EndHandle.CONTINUE: Pb.END_HANDLE_CONTINUE,
}
STOP_REASONS = {
    StopReason.NONE: Pb.STOP_REASON_UNSPECIFIED,
    StopReason.USER: Pb.STOP_REASON_USER,
    StopReason.FINISHED: Pb.STOP_REASON_FINISHED,
    StopReason.ERROR: Pb.STOP_REASON_ERROR,
    StopReason.CHAINED: Pb.STOP_REASON_CHAINED,
}
STOP_MODES = {
    StopMode.NONE: campaign_pb.STOP_MODE_UNSPECIFIED,
    StopMode.HANGUP: campaign_pb.STOP_MODE_HANGUP,
    StopMode.DRAIN: campaign_pb.STOP_MODE_DRAIN,
}
_ABANDONMENT = "abandonment_actions"
_TYPE_OF: dict[int, CampaignType] = {number: word for word, number in TYPES.items()}
_END_HANDLE_OF: dict[int, EndHandle] = {number: word for word, number in END_HANDLES.items()}
_STOP_MODE_OF: dict[int, StopMode] = {number: word for word, number in STOP_MODES.items()}


def campaign_to_proto(campaign: Campaign) -> campaign_pb.Campaign:
    """The message."""
    run = campaign.run
    return Pb(
        id=str(campaign.id),
        customer_id=str(campaign.customer_id),
        type=TYPES[campaign.type],
        name=campaign.name,
        detail=campaign.detail,
        status=STATUSES[run.status],
        state=STATES[run.state],
        stop_reason=STOP_REASONS[run.stop_reason],
        stop_detail=run.stop_detail,
        service_level=campaign.service_level,
        end_handle=END_HANDLES[campaign.end_handle],
        actions=map(action_to_proto, campaign.actions),
        flow_id=text(campaign.flow_id),
        outplan_id=text(campaign.outplan_id),
        outdial_id=text(campaign.outdial_id),
        queue_id=text(campaign.queue_id),
        next_campaign_id=text(campaign.next_campaign_id),
        source=address_to_proto(campaign.source),
        agent_wait_limit=campaign.agent_wait_limit,
        abandonment_actions=map(action_to_proto, campaign.abandonment_actions),
        run_number=run.number,
        revision=campaign.revision,
        tm_create=timestamp_to_proto(campaign.tm_create),
        tm_update=timestamp_to_proto(campaign.tm_update),
        tm_delete=timestamp_to_proto(campaign.tm_delete),
    )


def draft_from_proto(request: campaign_pb.CreateCampaignRequest) -> CampaignDraft:
    """What the request says."""
    return CampaignDraft(
        id=optional_id(request.id, "id"),
        digest=digest(request),
        type=_type(request.type or Pb.TYPE_CALL),
        name=request.name,
        detail=request.detail,
        service_level=request.service_level if request.HasField("service_level") else None,
        end_handle=_end_handle(request.end_handle or Pb.END_HANDLE_STOP),
        actions=actions_from_proto(request.actions),
        flow_id=optional_id(request.flow_id, "flow_id"),
        outplan_id=optional_id(request.outplan_id, "outplan_id"),
        outdial_id=optional_id(request.outdial_id, "outdial_id"),
        queue_id=optional_id(request.queue_id, "queue_id"),
        next_campaign_id=optional_id(request.next_campaign_id, "next_campaign_id"),
        source=source_from_proto(request.source),
        agent_wait_limit=request.agent_wait_limit if request.HasField("agent_wait_limit") else None,
        abandonment_actions=actions_from_proto(request.abandonment_actions, _ABANDONMENT),
    )


def change_from_proto(request: campaign_pb.UpdateCampaignRequest) -> CampaignChange:
    """What the request sets, but for the status."""
    has = request.HasField
    names = ("flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id")
    return CampaignChange(
        name=request.name if has("name") else None,
        detail=request.detail if has("detail") else None,
        type=_type(request.type) if has("type") else None,
        service_level=request.service_level if has("service_level") else None,
        end_handle=_end_handle(request.end_handle) if has("end_handle") else None,
        actions=actions_from_proto(request.actions.actions) if has("actions") else None,
        references={name: optional_id(getattr(request, name), name) for name in names if has(name)},
        sets_source=has("source"),
        source=source_from_proto(request.source),
        agent_wait_limit=request.agent_wait_limit if has("agent_wait_limit") else None,
        abandonment_actions=(
            actions_from_proto(request.abandonment_actions.actions, _ABANDONMENT)
            if has("abandonment_actions")
            else None
        ),
    )


def transition_of(status: int, stop_mode: int) -> Transition:
    """The transition a request asks for; InvalidArgument unless it is run or stop."""
    if status == Pb.STATUS_RUN:
        return Transition(Status.RUN)
    # Asking for `stopping` is asking for a stop.
    if status in (Pb.STATUS_STOP, Pb.STATUS_STOPPING):
        if stop_mode not in _STOP_MODE_OF:
            raise invalid("stop_mode", stop_mode, "hangup, drain")
        return Transition(Status.STOP, _STOP_MODE_OF[stop_mode])
    raise invalid("status", status, "run, stop")


def stats_to_proto(stats: CampaignStats) -> campaign_pb.CampaignStats:
    """The message."""
    run = stats.campaign.run
    return campaign_pb.CampaignStats(
        campaign_id=str(stats.campaign.id),
        status=STATUSES[run.status],
        state=STATES[run.state],
        run_number=run.number,
        attempt_count=stats.attempt_count,
        dialing_count=stats.dialing_count,
        progressing_count=stats.progressing_count,
        done_count=stats.done_count,
        success_count=stats.success_count,
        fail_count=stats.fail_count,
        answered_count=stats.answered_count,
        connected_count=stats.connected_count,
        abandoned_count=stats.abandoned_count,
        refunded_count=stats.refunded_count,
        answered_by_person_count=stats.person_count,
        abandoned_rate=stats.abandoned_rate,
        answer_to_agent_ms_average=stats.waits.average_ms,
        answer_to_agent_ms_p50=stats.waits.percentile_ms(50),
        answer_to_agent_ms_p95=stats.waits.percentile_ms(95),
        answer_to_agent_ms_max=stats.waits.longest_ms,
        hangup_reason_counts=stats.hangup_reason_counts,
        talk_ms_total=stats.talk_ms,
        tm_run_start=timestamp_to_proto(run.tm_start),
        tm_run_end=timestamp_to_proto(run.tm_end),
        lease_holder=stats.lease_holder,
    )


def held_from_proto(messages: Iterable[campaign_pb.HeldLease]) -> list[HeldLease]:
    """The leases a dialer says it holds."""
    return [
        HeldLease(
            campaign_id=parse_id(each.campaign_id, f"held[{index}].campaign_id"),
            fencing_token=each.fencing_token,
            definition_revision=each.definition_revision,
        )
        for index, each in enumerate(messages)
    ]


def lease_to_proto(lease: Lease) -> campaign_pb.Lease:
    """The message."""
    state = lease.state
    definition = lease.definition
    return campaign_pb.Lease(
        campaign_id=str(state.campaign_id),
        run_number=state.run_number,
        fencing_token=state.fencing_token,
        status=STATUSES[state.status],
        stop_mode=STOP_MODES[state.stop_mode],
        expires_in_ms=state.expires_in_ms,
        definition_revision=state.definition_revision,
        definition=None if definition is None else _definition(definition),
        is_new=lease.is_new,
    )


def run_end_from_proto(request: campaign_pb.FinishRunRequest) -> RunEnd:
    """What the dialer says."""
    return RunEnd(
        campaign_id=parse_id(request.campaign_id, "campaign_id"),
        run_number=request.run_number,
        fencing_token=request.fencing_token,
        # An end that is refused would leave the run going on for ever.
        detail=storable(request.detail, MAX_TEXT),
        is_error=request.is_error,
    )


def _definition(found: RunDefinition) -> campaign_pb.LeaseDefinition:
    return campaign_pb.LeaseDefinition(
        campaign=campaign_to_proto(found.campaign),
        plan=_plan(found.plan),
        actions=map(action_to_proto, found.actions),
        on_complete_flow_id=text(found.on_complete_flow_id),
        max_conversation_ms=found.max_conversation_ms,
    )


def _plan(plan: DialPlan) -> campaign_pb.DialPlan:
    return campaign_pb.DialPlan(
        outplan_id=str(plan.outplan_id),
        source=address_to_proto(plan.source),
        dial_timeout_ms=plan.dial_timeout_ms,
        try_interval_ms=plan.try_interval_ms,
        max_try_counts=plan.max_try_counts,
        calls_per_second=plan.calls_per_second,
        max_concurrent=plan.max_concurrent,
        headers=plan.headers,
        variables=plan.variables,
    )


def _type(number: int) -> CampaignType:
    if number not in _TYPE_OF:
        raise invalid("type", number, "call, flow, message, email")
    return _TYPE_OF[number]


def _end_handle(number: int) -> EndHandle:
    if number not in _END_HANDLE_OF:
        raise invalid("end_handle", number, "stop, continue")
    return _END_HANDLE_OF[number]
