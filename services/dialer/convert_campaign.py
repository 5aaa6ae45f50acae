"""Messages of the campaign and outdial services. Pure."""

from __future__ import annotations

from uuid import UUID

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.common.v1 import address_pb2 as address_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb

from services.common.address import Address
from services.common.convert import (
    actions_told,
    address_from_proto,
    address_to_proto,
    optional_timestamp,
    timestamp_from_proto,
    timestamp_to_proto,
)
from services.common.ids import optional_id, parse_id, text
from services.common.limits import MAX_CONVERSATION_MS
from services.dialer.domain.campaigns import (
    AttemptReport,
    CampaignInfo,
    Claim,
    ClaimedTarget,
    Definition,
    DialPlan,
    HeldLease,
    Lease,
    LeaseStatus,
    OpenAnswer,
    OpenAttempt,
    Opening,
    Progress,
    ReportKind,
    StopMode,
    TargetFacts,
    Verdict,
)

_STATUS = {
    campaign_pb.Campaign.STATUS_RUN: LeaseStatus.RUN,
    campaign_pb.Campaign.STATUS_STOPPING: LeaseStatus.STOPPING,
}
_VERDICT = {
    campaign_pb.OpenVerdict.VERDICT_OPENED: Verdict.OPENED,
    campaign_pb.OpenVerdict.VERDICT_REFUSED: Verdict.REFUSED,
}
_KIND = {
    ReportKind.ANSWERED: campaign_pb.CampaigncallReport.KIND_ANSWERED,
    ReportKind.CONNECTED: campaign_pb.CampaigncallReport.KIND_CONNECTED,
    ReportKind.ABANDONED: campaign_pb.CampaigncallReport.KIND_ABANDONED,
    ReportKind.ENDED: campaign_pb.CampaigncallReport.KIND_ENDED,
}


def held_to_proto(held: HeldLease) -> campaign_pb.HeldLease:
    """A lease as it is quoted."""
    return campaign_pb.HeldLease(
        campaign_id=text(held.campaign_id),
        fencing_token=held.fencing_token,
        definition_revision=held.definition_revision,
    )


def lease_from_proto(message: campaign_pb.Lease) -> Lease:
    """A lease. Anything that is not `run` does not dial."""
    drain = message.stop_mode == campaign_pb.STOP_MODE_DRAIN
    return Lease(
        campaign_id=UUID(message.campaign_id),
        run_number=message.run_number,
        fencing_token=message.fencing_token,
        status=_STATUS.get(message.status, LeaseStatus.STOPPING),
        stop_mode=StopMode.DRAIN if drain else StopMode.HANGUP,
        expires_in_ms=message.expires_in_ms,
        definition_revision=message.definition_revision,
        definition=_definition(message.definition_revision, message.definition)
        if message.HasField("definition")
        else None,
        is_new=message.is_new,
    )


def _definition(revision: str, message: campaign_pb.LeaseDefinition) -> Definition:
    campaign, plan = message.campaign, message.plan
    return Definition(
        revision=revision,
        campaign=CampaignInfo(
            id=UUID(campaign.id),
            customer_id=UUID(campaign.customer_id),
            name=campaign.name,
            detail=campaign.detail,
            # A level of 0 is refused at the door; a division must not depend on that.
            service_level=max(1, campaign.service_level),
            continues=campaign.end_handle == campaign_pb.Campaign.END_HANDLE_CONTINUE,
            outdial_id=parse_id(campaign.outdial_id, "campaign.outdial_id"),
            queue_id=optional_id(campaign.queue_id, "campaign.queue_id"),
            flow_id=None if campaign.actions else optional_id(campaign.flow_id, "flow_id"),
            agent_wait_limit_ms=campaign.agent_wait_limit,
            abandonment_actions=actions_told(campaign.abandonment_actions),
            on_complete_flow_id=optional_id(message.on_complete_flow_id, "on_complete_flow_id"),
            # 0 comes from a campaign service that does not know the setting yet.
            max_conversation_ms=message.max_conversation_ms or MAX_CONVERSATION_MS,
        ),
        plan=DialPlan(
            outplan_id=UUID(plan.outplan_id),
            source=_optional_address(plan.source, plan.HasField("source")),
            dial_timeout_ms=plan.dial_timeout_ms,
            try_interval_ms=plan.try_interval_ms,
            max_try_counts=tuple(plan.max_try_counts),
            calls_per_second=plan.calls_per_second,
            max_concurrent=plan.max_concurrent,
            headers=dict(plan.headers),
            variables=dict(plan.variables),
        ),
        actions=actions_told(message.actions),
    )


def opening_to_proto(target: ClaimedTarget) -> campaign_pb.OpeningAttempt:
    """A claimed target about to be dialed."""
    return campaign_pb.OpeningAttempt(
        id=text(target.attempt_id),
        outdial_target_id=text(target.target_id),
        destination=address_to_proto(target.destination),
        destination_index=target.destination_index,
        try_count=target.try_count,
    )


def open_answer_from_proto(message: campaign_pb.OpenCampaigncallsResponse) -> OpenAnswer:
    """The verdicts. An unknown one means: do not touch it."""
    return OpenAnswer(
        openings=tuple(
            Opening(
                attempt_id=UUID(each.id),
                verdict=_VERDICT.get(each.verdict, Verdict.DEAD),
                activeflow_id=optional_id(each.activeflow_id, "activeflow_id"),
            )
            for each in message.verdicts
        ),
        place_within_ms=message.place_within_ms,
    )


def open_attempt_from_proto(message: campaign_pb.OpenCampaigncall) -> OpenAttempt:
    """An attempt in flight."""
    call = message.campaigncall
    return OpenAttempt(
        id=UUID(call.id),
        target_id=UUID(call.outdial_target_id),
        outdial_id=UUID(call.outdial_id),
        activeflow_id=UUID(call.activeflow_id),
        is_answered=call.status == campaign_pb.Campaigncall.STATUS_PROGRESSING,
        source=_optional_address(call.source, call.HasField("source")),
        destination=address_from_proto(call.destination),
        destination_index=call.destination_index,
        try_count=call.try_count,
        run_number=call.run_number,
        tm_create=timestamp_from_proto(call.tm_create),
        tm_answer=optional_timestamp(call.tm_answer, call.HasField("tm_answer")),
        tm_connect=optional_timestamp(call.tm_connect, call.HasField("tm_connect")),
        tm_deadline=timestamp_from_proto(message.tm_deadline),
        place_within_ms=message.place_within_ms,
    )


def report_to_proto(report: AttemptReport) -> campaign_pb.CampaigncallReport:
    """A fact about an attempt."""
    return campaign_pb.CampaigncallReport(
        id=text(report.attempt_id),
        kind=_KIND[report.kind],
        tm=timestamp_to_proto(report.tm),
        hangup_reason=report.hangup_reason,
        hangup_detail=report.hangup_detail,
        is_refunded=report.is_refunded,
        is_abandoned=report.is_abandoned,
        tm_answer=timestamp_to_proto(report.tm_answer),
        variables=report.variables,
        digits=report.digits,
        answer_to_agent_ms=report.answer_to_agent_ms,
        is_machine=report.is_machine,
    )


def claim_from_proto(message: outdial_pb.ClaimTargetsResponse) -> Claim:
    """What a claim took."""
    # Read once: all targets share the texts.
    outdial_name, outdial_data = message.outdial_name, message.outdial_data
    return Claim(
        targets=tuple(
            ClaimedTarget(
                attempt_id=UUID(each.attempt_id),
                target_id=UUID(each.target_id),
                name=each.name,
                detail=each.detail,
                data=each.data,
                destination=address_from_proto(each.destination),
                destination_index=each.destination_index,
                try_count=each.try_count,
                outdial_name=outdial_name,
                outdial_data=outdial_data,
            )
            for each in message.targets
        ),
        exhausted_count=message.exhausted_count,
        progress=progress_from_proto(message.progress),
    )


def facts_from_proto(
    outdial_id: UUID, message: outdial_pb.DescribeTargetsResponse
) -> dict[UUID, TargetFacts]:
    """What is known of targets, by their ids."""
    return {
        UUID(each.id): TargetFacts(
            outdial_id=outdial_id,
            target_id=UUID(each.id),
            name=each.name,
            detail=each.detail,
            data=each.data,
            outdial_name=message.outdial_name,
            outdial_data=message.outdial_data,
        )
        for each in message.targets
    }


def progress_from_proto(message: outdial_pb.OutdialProgress) -> Progress:
    """Counters of an outdial."""
    return Progress(
        idle=message.idle_count,
        progressing=message.progressing_count,
        is_reopening=message.is_reopening,
        next_due=optional_timestamp(message.tm_next_due, message.HasField("tm_next_due")),
    )


def _optional_address(message: address_pb.Address, is_set: bool) -> Address | None:
    return address_from_proto(message) if is_set and message.target else None
