"""Protobuf messages to domain objects and back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb

from services.common.address import TYPES
from services.common.convert import (
    address_to_proto,
    timestamp_from_proto,
    timestamp_to_proto,
)
from services.common.errors import invalid
from services.common.ids import parse_id, text
from services.common.limits import SLOTS
from services.outdial.domain import (
    Claimed,
    Outdial,
    Plan,
    Progress,
    Result,
    Settlement,
    Status,
    Target,
)
from services.outdial.domain_imports import (
    Duplicates,
    Format,
    Import,
    ImportOptions,
    ImportState,
    Reject,
)

_STATUSES = {
    Status.IDLE: outdial_pb.Target.STATUS_IDLE,
    Status.PROGRESSING: outdial_pb.Target.STATUS_PROGRESSING,
    Status.DONE: outdial_pb.Target.STATUS_DONE,
}
_RESULTS = {
    Result.NONE: outdial_pb.Target.RESULT_UNSPECIFIED,
    Result.SUCCESS: outdial_pb.Target.RESULT_SUCCESS,
    Result.FAIL: outdial_pb.Target.RESULT_FAIL,
}
_STATUS_OF = {number: status for status, number in _STATUSES.items()}
MOST_TRIES = 2**15 - 1
"""What a number of tries can be stored as. How many a plan may allow is the campaign service's to say."""


def outdial_to_proto(outdial: Outdial) -> outdial_pb.Outdial:
    """The outdial."""
    return outdial_pb.Outdial(
        id=text(outdial.id),
        customer_id=text(outdial.customer_id),
        campaign_id=text(outdial.campaign_id),
        name=outdial.name,
        detail=outdial.detail,
        data=outdial.data,
        revision=outdial.revision,
        tm_create=timestamp_to_proto(outdial.tm_create),
        tm_update=timestamp_to_proto(outdial.tm_update),
        tm_delete=timestamp_to_proto(outdial.tm_delete),
    )


def target_to_proto(target: Target) -> outdial_pb.Target:
    """The target. Its attempt is nobody's business outside."""
    first, second, third, fourth, fifth = target.destinations
    return outdial_pb.Target(
        id=text(target.id),
        outdial_id=text(target.outdial_id),
        customer_id=text(target.customer_id),
        name=target.name,
        detail=target.detail,
        data=target.data,
        status=_STATUSES[target.status],
        result=_RESULTS[target.result],
        destination_0=address_to_proto(first),
        destination_1=address_to_proto(second),
        destination_2=address_to_proto(third),
        destination_3=address_to_proto(fourth),
        destination_4=address_to_proto(fifth),
        try_counts=target.try_counts,
        tm_next_try=timestamp_to_proto(target.tm_next_try),
        revision=target.revision,
        tm_create=timestamp_to_proto(target.tm_create),
        tm_update=timestamp_to_proto(target.tm_update),
        tm_delete=timestamp_to_proto(target.tm_delete),
    )


def status_from_proto(status: outdial_pb.Target.Status) -> Status | None:
    """The status to filter by; None for all."""
    if status == outdial_pb.Target.STATUS_UNSPECIFIED:
        return None
    found = _STATUS_OF.get(status)
    if found is None:
        raise invalid("status", status, "idle, progressing or done")
    return found


def progress_to_proto(progress: Progress) -> outdial_pb.OutdialProgress:
    """The counters."""
    return outdial_pb.OutdialProgress(
        outdial_id=text(progress.outdial_id),
        total_count=progress.total,
        idle_count=progress.idle,
        progressing_count=progress.progressing,
        success_count=progress.success,
        fail_count=progress.fail,
        is_reopening=progress.is_reopening,
        tm_next_due=timestamp_to_proto(progress.tm_next_due),
    )


def claimed_to_proto(claimed: Claimed) -> outdial_pb.ClaimedTarget:
    """One claimed target."""
    return outdial_pb.ClaimedTarget(
        attempt_id=text(claimed.attempt_id),
        target_id=text(claimed.target_id),
        name=claimed.name,
        detail=claimed.detail,
        data=claimed.data,
        destination=address_to_proto(claimed.destination),
        destination_index=claimed.slot,
        try_count=claimed.try_count,
    )


def described_to_proto(target: Target) -> outdial_pb.DescribedTarget:
    """What flows are told of a target."""
    return outdial_pb.DescribedTarget(
        id=text(target.id), name=target.name, detail=target.detail, data=target.data
    )


def plan_from_proto(plan: outdial_pb.ClaimPlan) -> Plan:
    """The plan of a claim; InvalidArgument for wrong maxima or unknown types."""
    unknown = sorted(set(plan.address_types) - TYPES)
    if unknown:
        raise invalid("plan.address_types", ", ".join(unknown), ", ".join(sorted(TYPES)))
    return Plan(maxima(plan.max_try_counts, "plan.max_try_counts"), frozenset(plan.address_types))


def maxima(counts: Sequence[int], field: str) -> tuple[int, ...]:
    """Tries allowed per slot."""
    if len(counts) != SLOTS or not all(0 <= count <= MOST_TRIES for count in counts):
        raise invalid(field, list(counts), f"{SLOTS} numbers of 0..{MOST_TRIES}")
    return tuple(counts)


def settlement_from_proto(message: campaign_pb.Settlement) -> Settlement:
    """What became of an attempt.

    Only its shape is checked: whether the plan may say so was judged when the plan was made.
    """
    tm_end = timestamp_from_proto(message.tm_end)
    interval = _interval(message.try_interval_ms, tm_end)
    return Settlement(
        attempt_id=parse_id(message.campaigncall_id, "settlement.campaigncall_id"),
        outdial_id=parse_id(message.outdial_id, "settlement.outdial_id"),
        target_id=parse_id(message.outdial_target_id, "settlement.outdial_target_id"),
        is_success=message.result == campaign_pb.Campaigncall.RESULT_SUCCESS,
        is_refunded=message.is_refunded,
        is_final=message.is_final,
        tm_end=tm_end,
        try_interval=interval,
        max_try_counts=maxima(message.max_try_counts, "settlement.max_try_counts"),
    )


def _interval(milliseconds: int, since: datetime) -> timedelta:
    """The interval, if it is one and leads to an instant there is."""
    try:
        interval = timedelta(milliseconds=milliseconds)
        if milliseconds >= 0 and since + interval >= since:
            return interval
    except OverflowError:
        pass
    raise invalid(
        "settlement.try_interval_ms", milliseconds, "0 or more, within the years 1 to 9999"
    )


_FORMATS = {
    outdial_pb.ImportHeader.FORMAT_CSV: Format.CSV,
    outdial_pb.ImportHeader.FORMAT_NDJSON: Format.NDJSON,
}
_DUPLICATES = {
    outdial_pb.ImportHeader.DUPLICATES_UNSPECIFIED: Duplicates.REJECT,
    outdial_pb.ImportHeader.DUPLICATES_REJECT: Duplicates.REJECT,
    outdial_pb.ImportHeader.DUPLICATES_SKIP: Duplicates.SKIP,
    outdial_pb.ImportHeader.DUPLICATES_ALLOW: Duplicates.ALLOW,
}
_IMPORT_STATES = {
    ImportState.RECEIVING: outdial_pb.ImportResult.STATE_RECEIVING,
    ImportState.DONE: outdial_pb.ImportResult.STATE_DONE,
}


def options_from_proto(header: outdial_pb.ImportHeader) -> ImportOptions:
    """How to read a list."""
    list_format = _FORMATS.get(header.format)
    if list_format is None:
        raise invalid("format", header.format, "csv or ndjson")
    duplicates = _DUPLICATES.get(header.duplicates)
    if duplicates is None:
        raise invalid("duplicates", header.duplicates, "reject, skip or allow")
    return ImportOptions(
        format=list_format,
        mapping=dict(header.mapping),
        default_region=header.default_region.strip().upper(),
        duplicates=duplicates,
        is_strict=header.is_strict,
    )


def import_to_proto(found: Import) -> outdial_pb.ImportResult:
    """An import's state."""
    return outdial_pb.ImportResult(
        import_id=text(found.id),
        outdial_id=text(found.outdial_id),
        state=_IMPORT_STATES[found.state],
        row_count=found.position.row_count,
        accepted_count=found.accepted_count,
        rejected_count=found.position.rejected_count,
        duplicate_count=found.duplicate_count,
        rejects=rejects_to_proto(found.rejects),
        tm_create=timestamp_to_proto(found.tm_create),
        tm_end=timestamp_to_proto(found.tm_end),
    )


def rejects_to_proto(rejects: Sequence[Reject]) -> list[outdial_pb.ImportReject]:
    """Rejected rows."""
    return [
        outdial_pb.ImportReject(
            line=each.line, field=each.field, value=each.value, reason=each.reason
        )
        for each in rejects
    ]
