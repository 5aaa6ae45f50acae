"""Flow variables: the system's own, substitution, and the caps on those from outside. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from services.common.action_kinds import SYSTEM_PREFIX
from services.common.address import Address
from services.common.errors import invalid
from services.common.ids import text
from services.common.nesting import is_deep
from services.common.texts import NO_NUL
from services.dialer.domain.campaigns import CampaignInfo, TargetFacts
from services.dialer.domain.queuecalls import QueueFacts

DIGITS = "voipbin.call.digits"
"""The keys pressed and not read yet; the last ones while a flow has not gone on."""
AMD = "voipbin.call.amd"
"""Who answered, once an amd action has found out: human, machine or unknown."""
REFERENCE_DATA = "voipbin.flow.reference_data"
"""JSON text: what the flow runs on, or whose end has started it."""
COMPLETE_COUNT = "voipbin.activeflow.complete_count"
"""How many activeflows came before this one, each started by the end of the one before."""
REFERENCE_ACTIVEFLOW = "voipbin.activeflow.reference_activeflow_id"
"""The one whose end has started this one; empty when there is none."""
MAX_NAMES = 100
MAX_VALUE_BYTES = 32 * 1024
MAX_TOTAL_BYTES = 64 * 1024
MAX_SET_BYTES = 32 * 1024
"""What a flow may set in all, names and values: it is kept with the attempt and told in its events."""
MAX_SUBSTITUTED = 256 * 1024
"""Longest option once variables have been put into it, in characters."""

# A name may hold a reference, as in ${${a}}: there is no such variable, so it becomes empty as a whole.
_REFERENCE = re.compile(r"\$\{((?:\$\{[^{}]*\}|(?!\$\{)[^}])*)\}")
_MEMBERS = ("name", "detail", "target", "target_name", "type")


def substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with each `${name}` in every text of it replaced; an unknown name becomes empty.

    Raises ValueError when that makes it longer than MAX_SUBSTITUTED.
    """
    return _Substitution(variables).of(value)


class _Substitution:
    """Counts while it replaces: a long text of short references must not fill the memory first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._left = MAX_SUBSTITUTED

    def of(self, value: Any) -> Any:
        """The value with its references replaced."""
        if isinstance(value, str):
            return _REFERENCE.sub(self._one, value) if "${" in value else value
        if isinstance(value, Mapping):
            return {key: self.of(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.of(each) for each in value]
        return value

    def _one(self, found: re.Match[str]) -> str:
        value = self._variables.get(found.group(1).strip(), "")
        self._left -= len(value)
        if self._left < 0:
            raise ValueError(f"longer than {MAX_SUBSTITUTED} characters with its variables")
        return value


def named_by(reference: str) -> str:
    """The variable that a text names, by itself or as `${name}`."""
    found = _REFERENCE.fullmatch(reference)
    return found.group(1).strip() if found else reference


def size_of(variables: Mapping[str, str]) -> int:
    """Bytes of names and values."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())


def accept_from_outside(given: Mapping[str, str]) -> dict[str, str]:
    """The caller's variables without those named like the system's; InvalidArgument past the caps."""
    kept = {
        name: value for name, value in given.items() if not name.lower().startswith(SYSTEM_PREFIX)
    }
    if len(kept) > MAX_NAMES:
        raise invalid("variables", f"{len(kept)} names", f"at most {MAX_NAMES} names")
    total = 0
    for name, value in kept.items():
        if "\x00" in name or "\x00" in value:
            raise invalid(f"variables.{name}", value[:80], NO_NUL)
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
        REFERENCE_DATA: _json({"type": reference_type, "id": text(reference_id)}),
        "voipbin.activeflow.id": text(activeflow_id),
        "voipbin.activeflow.reference_type": reference_type,
        "voipbin.activeflow.reference_id": text(reference_id),
        REFERENCE_ACTIVEFLOW: "",
        "voipbin.activeflow.flow_id": text(flow_id),
        COMPLETE_COUNT: "0",
    }


def of_follower(
    activeflow_id: UUID, flow_id: UUID, before: Mapping[str, str], told: Mapping[str, str]
) -> dict[str, str]:
    """The variables of an activeflow that starts at the end of another: those of that one, and its own.

    `told` is what is to be known of that one.
    """
    return {
        **before,
        **of_activeflow(activeflow_id, "api", None, flow_id),
        REFERENCE_ACTIVEFLOW: told["id"],
        COMPLETE_COUNT: str(completes(before) + 1),
        REFERENCE_DATA: _json({"type": "activeflow", **told}),
    }


def completes(variables: Mapping[str, str]) -> int:
    """How many activeflows came before, each started by the end of the one before."""
    return int(variables.get(COMPLETE_COUNT) or 0)


def _json(value: dict[str, str]) -> str:
    return orjson.dumps(value).decode()


def of_call(call_id: UUID, source: Address | None, destination: Address) -> dict[str, str]:
    """The variables of a call."""
    found = {
        "voipbin.call.id": text(call_id),
        "voipbin.call.direction": "outgoing",
        "voipbin.call.master_call_id": "",
        DIGITS: "",
        AMD: "",
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
        "voipbin.outdial.name": target.outdial_name,
        "voipbin.outdial.data": target.outdial_data,
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
    """What is known from the moment of joining a queue."""
    return {"voipbin.queue.id": text(queue_id), "voipbin.queuecall.id": text(queuecall_id)}


def of_queue_facts(facts: QueueFacts) -> dict[str, str]:
    """What the queue service tells of a queue that was joined."""
    return {
        "voipbin.queue.name": facts.name,
        "voipbin.queue.detail": facts.detail,
        "voipbin.queuecall.timeout_wait": str(facts.wait_timeout_ms),
        "voipbin.queuecall.timeout_service": str(facts.service_timeout_ms),
    }


def without_queue(variables: dict[str, str]) -> None:
    """Take out what is known only while queued."""
    for name in [each for each in variables if each.startswith(_OF_QUEUE)]:
        del variables[name]


_OF_QUEUE = ("voipbin.queue.", "voipbin.queuecall.")


def of_recording(recording_id: UUID, call_id: UUID, audio_format: str) -> dict[str, str]:
    """What is known of the call's latest recording."""
    return {
        "voipbin.recording.id": text(recording_id),
        "voipbin.recording.reference_type": "call",
        "voipbin.recording.reference_id": text(call_id),
        "voipbin.recording.format": audio_format,
    }


def _address(prefix: str, address: Address | None) -> dict[str, str]:
    return {
        f"{prefix}.{member}": "" if address is None else getattr(address, member)
        for member in _MEMBERS
    }


def _members_of(data: str) -> dict[str, str]:
    """The members of `data` when it is JSON of one object; a nested value as compact JSON.

    Nothing that stands there may keep a flow from beginning: what is too deep, stored before that was
    refused, is left out.
    """
    if not data.lstrip().startswith("{"):
        return {}
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return {
        key: value if isinstance(value, str) else _compact(value)
        for key, value in found.items()
        if not is_deep(value)
    }


def _compact(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()
