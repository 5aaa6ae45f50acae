"""What is set on a channel before it is dialed: who calls, how long it may last, and what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from services.dialer.drivers.asterisk.configuration import CallerId, TrunkSettings
from services.dialer.telephony import Placement

ID_HEADER = "X-Outbound-Call-Id"
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9_]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_CALLER = re.compile(r"[^0-9A-Za-z+*#._-]")
_NOT_IN_CALLER_NAME = re.compile(r"[\x00-\x1f\x7f\"<>\\]")
_DIAL_SLACK_MS = 10_000


def variables_of(
    placement: Placement, application: str, trunk: TrunkSettings, now: datetime
) -> Mapping[str, str]:
    """The variables and functions of a placement's channel, in the order they are set."""
    longest_ms = placement.ring_timeout_ms + placement.max_duration_ms + _DIAL_SLACK_MS
    variables = dict(trunk.variables)
    variables |= {
        f"OUTBOUND_{_NOT_IN_NAMES.sub('_', name.upper())}": _CONTROL.sub(" ", value)
        for name, value in placement.variables.items()
    }
    variables |= {
        "OUTBOUND_APP": application,
        "OUTBOUND_LEG": placement.leg.value,
        "OUTBOUND_TRUNK": trunk.name,
        "OUTBOUND_RING_MS": str(placement.ring_timeout_ms),
        "OUTBOUND_MAX_MS": str(placement.max_duration_ms),
        "OUTBOUND_PLACED": now.isoformat(),
        # Where a callee's redirection would be followed: nowhere. Nobody counts a second phone.
        "FORWARD_CONTEXT": "outbound-nowhere",
        # A bound that holds whoever dies; the dialplan sets it to what is due when the answer comes.
        "TIMEOUT(absolute)": f"{longest_ms / 1000:.3f}",
    }
    variables |= _caller(placement, trunk.caller_id)
    variables |= _headers(placement, trunk)
    return variables


def _caller(placement: Placement, default: CallerId | None) -> Mapping[str, str]:
    number, name = "", ""
    if placement.source is not None and placement.source.target:
        number, name = placement.source.target, placement.source.name
    elif default is not None:
        number, name = default.number, default.name
    number = _NOT_IN_CALLER.sub("", number)
    name = _NOT_IN_CALLER_NAME.sub("", name)
    if not number:
        return {}
    shown = {"CONNECTEDLINE(all,i)": f'"{name}" <{number}>'}
    if placement.is_anonymous:
        shown["CONNECTEDLINE(num-pres,i)"] = "prohib_not_screened"
        shown["CONNECTEDLINE(name-pres,i)"] = "prohib_not_screened"
    return shown


def _headers(placement: Placement, trunk: TrunkSettings) -> Mapping[str, str]:
    # The operator's own are not a customer's to change, however they are written.
    own = {**trunk.headers, ID_HEADER: str(placement.call_id)}
    taken = {name.lower() for name in own}
    given = {name: each for name, each in placement.headers.items() if name.lower() not in taken}
    headers = {**given, **own}
    return {
        f"PJSIP_HEADER(add,{name})": _CONTROL.sub(" ", value)
        for name, value in headers.items()
        if _HEADER_NAME.fullmatch(name)
    }
