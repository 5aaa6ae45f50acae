"""Flow variables: the system's own, substitution, and the caps on those from outside. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from services.common.address import Address
from services.common.errors import invalid
from services.common.ids import text
from services.dialer.domain.calls import SYSTEM_PREFIX
from services.dialer.domain.campaigns import CampaignInfo, TargetFacts

MAX_NAMES = 100
MAX_VALUE_BYTES = 32 * 1024
MAX_TOTAL_BYTES = 64 * 1024

_REFERENCE = re.compile(r"\$\{(.*?)\}", re.DOTALL)
_MEMBERS = ("name", "detail", "target", "target_name", "type")


def substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with each `${name}` in every text of it replaced; an unknown name becomes empty."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        return _REFERENCE.sub(lambda found: variables.get(found.group(1).strip(), ""), value)
    if isinstance(value, Mapping):
        return {key: substitute(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [substitute(each, variables) for each in value]
    return value


def accept_from_outside(given: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables without those named like the system's; InvalidArgument past the caps."""
    kept = {
        name: value for name, value in given.items() if not name.lower().startswith(SYSTEM_PREFIX)
    }
    if len(kept) > MAX_NAMES:
        raise invalid("variables", f"{len(kept)} names", f"at most {MAX_NAMES} names")
    total = 0
    for name, value in kept.items():
        size = len(value.encode())
        if size > MAX_VALUE_BYTES:
            raise invalid(f"variables.{name}", f"{size} bytes", f"at most {MAX_VALUE_BYTES} bytes")
        total += size + len(name.encode())
    if total > MAX_TOTAL_BYTES:
        raise invalid("variables", f"{total} bytes", f"at most {MAX_TOTAL_BYTES} bytes in all")
    return kept


def of_activeflow(
    activeflow_id: UUID, reference_type: str, reference_id: UUID | None, flow_id: UUID | None
) -> dict[str, str]:
    """The variables every activeflow has."""
    return {
        "voipbin.activeflow.id": text(activeflow_id),
        "voipbin.activeflow.reference_type": reference_type,
        "voipbin.activeflow.reference_id": text(reference_id),
        "voipbin.activeflow.reference_activeflow_id": "",
        "voipbin.activeflow.flow_id": text(flow_id),
        "voipbin.activeflow.complete_count": "0",
    }


def of_call(call_id: UUID, source: Address | None, destination: Address) -> dict[str, str]:
    """The variables of a call."""
    found = {
        "voipbin.call.id": text(call_id),
        "voipbin.call.direction": "outgoing",
        "voipbin.call.master_call_id": "",
        "voipbin.call.digits": "",
    }
    found.update(_address("voipbin.call.source", source))
    found.update(_address("voipbin.call.destination", destination))
    return found


def of_campaign(
    campaign: CampaignInfo,
    target: TargetFacts,
    attempt_id: UUID,
    destination: Address,
    destination_index: int,
    try_count: int,
) -> dict[str, str]:
    """What a campaign's attempt knows of whom it called and why."""
    found = {
        "voipbin.campaign.id": text(campaign.id),
        "voipbin.campaign.name": campaign.name,
        "voipbin.campaign.detail": campaign.detail,
        "voipbin.campaigncall.id": text(attempt_id),
        "voipbin.campaigncall.destination_index": str(destination_index),
        "voipbin.campaigncall.try_count": str(try_count),
        "voipbin.outdial.id": text(target.outdial_id),
        "voipbin.outdialtarget.id": text(target.target_id),
        "voipbin.outdialtarget.name": target.name,
        "voipbin.outdialtarget.detail": target.detail,
        "voipbin.outdialtarget.data": target.data,
    }
    found.update(_address("voipbin.destination", destination))
    for key, value in _members_of(target.data).items():
        found[f"voipbin.outdialtarget.data.{key}"] = value
    return found


def of_queue(queue_id: UUID, queuecall_id: UUID) -> dict[str, str]:
    """What is known while queued."""
    return {"voipbin.queue.id": text(queue_id), "voipbin.queuecall.id": text(queuecall_id)}


def _address(prefix: str, address: Address | None) -> dict[str, str]:
    return {
        f"{prefix}.{member}": "" if address is None else getattr(address, member)
        for member in _MEMBERS
    }


def _members_of(data: str) -> dict[str, str]:
    """The members of `data` when it is JSON of one object; a nested value as compact JSON."""
    if not data.lstrip().startswith("{"):
        return {}
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return {
        key: value if isinstance(value, str) else _compact(value) for key, value in found.items()
    }


def _compact(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
