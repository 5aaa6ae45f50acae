"""Campaigncalls and what is said about them as protobuf messages, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigncalls.domain import (
    MAX_DIGITS,
    MAX_VARIABLE_BYTES,
    MAX_VARIABLES,
    CallStatus,
    Campaigncall,
    Report,
    ReportKind,
    Result,
    Settlement,
)
from services.campaign.campaigncalls.domain_opening import (
    Attempt,
    OpenCall,
    Opened,
    Opener,
    Resolution,
    Verdict,
)
from services.common.convert import (
    address_from_proto,
    address_to_proto,
    optional_timestamp,
    timestamp_from_proto,
    timestamp_to_proto,
)
from services.common.errors import invalid
from services.common.ids import parse_id, text
from services.common.limits import MAX_BATCH, SLOTS
from services.common.texts import MAX_NAME, check_text, storable

Pb = campaign_pb.Campaigncall

_STATUSES = {
    CallStatus.DIALING: Pb.STATUS_DIALING,
    CallStatus.PROGRESSING: Pb.STATUS_PROGRESSING,
    CallStatus.DONE: Pb.STATUS_DONE,
}
_RESULTS = {
    Result.NONE: Pb.RESULT_UNSPECIFIED,
    Result.SUCCESS: Pb.RESULT_SUCCESS,
    Result.FAIL: Pb.RESULT_FAIL,
}
_KIND_OF = {
    campaign_pb.CampaigncallReport.KIND_ANSWERED: ReportKind.ANSWERED,
    campaign_pb.CampaigncallReport.KIND_CONNECTED: ReportKind.CONNECTED,
    campaign_pb.CampaigncallReport.KIND_ABANDONED: ReportKind.ABANDONED,
    campaign_pb.CampaigncallReport.KIND_ENDED: ReportKind.ENDED,
}
_VERDICTS = {
    Verdict.OPENED: campaign_pb.OpenVerdict.VERDICT_OPENED,
    Verdict.REFUSED: campaign_pb.OpenVerdict.VERDICT_REFUSED,
    Verdict.DEAD: campaign_pb.OpenVerdict.VERDICT_DEAD,
}


def campaigncall_to_proto(call: Campaigncall) -> campaign_pb.Campaigncall:
    """The message."""
    # The call has a row of its own once it is answered; before, there is nothing to refer to.
    is_call = call.tm_answer is not None
    return Pb(
        id=str(call.id),
        customer_id=str(call.customer_id),
        campaign_id=str(call.campaign_id),
        outplan_id=str(call.outplan_id),
        outdial_id=str(call.outdial_id),
        outdial_target_id=str(call.outdial_target_id),
        queue_id=text(call.queue_id),
        flow_id=text(call.flow_id),
        activeflow_id=str(call.activeflow_id),
        reference_type=Pb.REFERENCE_TYPE_CALL if is_call else Pb.REFERENCE_TYPE_NONE,
        reference_id=str(call.id) if is_call else "",
        status=_STATUSES[call.status],
        result=_RESULTS[call.result],
        source=address_to_proto(call.source),
        destination=address_to_proto(call.destination),
        destination_index=call.destination_index,
        try_count=call.try_count,
        hangup_reason=call.hangup_reason,
        hangup_detail=call.hangup_detail,
        is_refunded=call.is_refunded,
        is_abandoned=call.is_abandoned,
        is_machine=call.is_machine,
        answer_to_agent=call.answer_to_agent,
        run_number=call.run_number,
        revision=call.revision,
        tm_create=timestamp_to_proto(call.tm_create),
        tm_update=timestamp_to_proto(call.tm_update),
        tm_delete=timestamp_to_proto(call.tm_delete),
        tm_answer=timestamp_to_proto(call.tm_answer),
        tm_connect=timestamp_to_proto(call.tm_connect),
        tm_abandon=timestamp_to_proto(call.tm_abandon),
        tm_end=timestamp_to_proto(call.tm_end),
        dialer_id=call.dialer_id,
        variables=call.variables,
        digits=call.digits,
    )


def settlement_to_proto(settlement: Settlement) -> campaign_pb.Settlement:
    """The message."""
    call = settlement.call
    return campaign_pb.Settlement(
        campaigncall_id=str(call.id),
        outdial_id=str(call.outdial_id),
        outdial_target_id=str(call.outdial_target_id),
        destination_index=call.destination_index,
        result=_RESULTS[call.result],
        is_refunded=call.is_refunded,
        is_final=settlement.is_final,
        tm_end=timestamp_to_proto(call.tm_end),
        try_interval_ms=settlement.plan.try_interval_ms,
        max_try_counts=settlement.plan.max_try_counts,
    )


def opener_from_proto(request: campaign_pb.OpenCampaigncallsRequest) -> Opener:
    """Who asks."""
    return Opener(
        dialer_id=dialer_id_of(request.dialer_id),
        campaign_id=parse_id(request.campaign_id, "campaign_id"),
        run_number=request.run_number,
        fencing_token=request.fencing_token,
    )


def attempts_from_proto(messages: Sequence[campaign_pb.OpeningAttempt]) -> list[Attempt]:
    """The attempts; InvalidArgument for a bad one, too many, or the same id twice."""
    _limited("attempts", len(messages))
    attempts = [_attempt(each, f"attempts[{index}]") for index, each in enumerate(messages)]
    if len({each.id for each in attempts}) < len(attempts):
        raise invalid("attempts", "a list with an id twice", "each id once")
    return attempts


def opened_to_proto(opened: Opened) -> campaign_pb.OpenCampaigncallsResponse:
    """The message."""
    return campaign_pb.OpenCampaigncallsResponse(
        verdicts=[
            campaign_pb.OpenVerdict(
                id=str(call_id), verdict=_VERDICTS[verdict], activeflow_id=text(activeflow_id)
            )
            for call_id, verdict, activeflow_id in opened.verdicts
        ],
        place_within_ms=opened.place_within_ms,
    )


def reports_from_proto(messages: Sequence[campaign_pb.CampaigncallReport]) -> list[Report]:
    """The facts, in order; InvalidArgument for a bad one or too many."""
    _limited("reports", len(messages))
    return [_report(each, f"reports[{index}]") for index, each in enumerate(messages)]


def open_call_to_proto(found: OpenCall) -> campaign_pb.OpenCampaigncall:
    """The message."""
    return campaign_pb.OpenCampaigncall(
        campaigncall=campaigncall_to_proto(found.call),
        tm_deadline=timestamp_to_proto(found.call.deadline),
        place_within_ms=found.place_within_ms,
    )


def ids_from_proto(texts: Sequence[str]) -> list[UUID]:
    """The ids, in order; InvalidArgument for a bad one or too many."""
    _limited("ids", len(texts))
    return [parse_id(each, f"ids[{index}]") for index, each in enumerate(texts)]


def resolution_to_proto(resolution: Resolution) -> campaign_pb.AttemptResolution:
    """The message."""
    pb = campaign_pb.AttemptResolution
    if resolution.settlement is not None:
        settlement = settlement_to_proto(resolution.settlement)
        return pb(id=str(resolution.id), state=pb.STATE_DONE, settlement=settlement)
    state = pb.STATE_OPEN if resolution.is_known else pb.STATE_NEVER_OPENED
    return pb(id=str(resolution.id), state=state)


def dialer_id_of(value: str) -> str:
    """The name of a dialer; InvalidArgument when empty or no name."""
    if not value:
        raise invalid("dialer_id", value, "the name of the dialer")
    return check_text("dialer_id", value, MAX_NAME)


def _attempt(message: campaign_pb.OpeningAttempt, place: str) -> Attempt:
    destination = address_from_proto(message.destination)
    if not destination.target:
        raise invalid(f"{place}.destination", "", "an address with a target")
    if not 0 <= message.destination_index < SLOTS:
        accepted = f"0 to {SLOTS - 1}"
        raise invalid(f"{place}.destination_index", message.destination_index, accepted)
    if message.try_count < 1:
        raise invalid(f"{place}.try_count", message.try_count, "1 or more")
    return Attempt(
        id=parse_id(message.id, f"{place}.id"),
        outdial_target_id=parse_id(message.outdial_target_id, f"{place}.outdial_target_id"),
        destination=destination,
        destination_index=message.destination_index,
        try_count=message.try_count,
    )


def _report(message: campaign_pb.CampaigncallReport, place: str) -> Report:
    kind = _KIND_OF.get(message.kind)
    if kind is None:
        raise invalid(f"{place}.kind", message.kind, "answered, connected, abandoned, ended")
    if not message.HasField("tm"):
        raise invalid(f"{place}.tm", "", "the time at which it happened")
    return Report(
        id=parse_id(message.id, f"{place}.id"),
        kind=kind,
        tm=timestamp_from_proto(message.tm),
        # Words of a network: refusing them would leave the attempt open.
        hangup_reason=storable(message.hangup_reason),
        hangup_detail=storable(message.hangup_detail),
        is_refunded=message.is_refunded,
        is_abandoned=message.is_abandoned,
        tm_answer=optional_timestamp(message.tm_answer, message.HasField("tm_answer")),
        variables=_kept(message.variables),
        digits=storable(message.digits, MAX_DIGITS),
        answer_to_agent_ms=(
            message.answer_to_agent_ms if message.HasField("answer_to_agent_ms") else None
        ),
        is_machine=message.is_machine,
    )


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    """Variables as far as there is room for them, without what the database cannot hold.

    Refusing them instead would leave the attempt open.
    """
    kept: dict[str, str] = {}
    left = MAX_VARIABLE_BYTES
    for name in sorted(given):
        value = given[name].replace("\x00", "")
        left -= len(name.encode()) + len(value.encode())
        if left < 0 or len(kept) == MAX_VARIABLES:
            break
        kept[name.replace("\x00", "")] = value
    return kept


def _limited(field: str, count: int) -> None:
    if count > MAX_BATCH:
        raise invalid(field, f"a list of {count}", f"at most {MAX_BATCH}")
