"""Outplans, the dialing strategies: `/outplans`."""

from __future__ import annotations

from typing import Any, Final

from outbound.outplan.v1 import outplan_service_pb2 as pb

from gateway.documents import ADDRESS
from gateway.fields import NAME_LENGTH, Body, Field, integer, number, text, text_map
from gateway.members import ADDRESS as ADDRESS_SHAPE
from gateway.members import (
    ID,
    INTEGER,
    OPTIONAL_INTEGER,
    OPTIONAL_NUMBER,
    TEXT,
    TEXTS,
    TIME,
    Member,
    Shape,
    slot,
)
from gateway.resources.common import (
    by_id,
    changing,
    creating,
    deleting,
    listing,
    page_of,
    present_members,
    reading,
    rpc,
)
from gateway.routes import Call
from services.common.extras import MAX_EXTRA_VALUE, MAX_EXTRAS
from services.common.limits import (
    DIAL_TIMEOUT_MS,
    MAX_CALLS_PER_SECOND,
    MAX_CONCURRENT,
    SLOTS,
    TRY_COUNT,
    TRY_INTERVAL_MS,
)

TAG = "outplans"
_SLOTS: Final = range(SLOTS)

OUTPLAN = Shape(
    "Outplan",
    "A dialing strategy: how long a phone rings, how often and when a target is tried again.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("source", ADDRESS_SHAPE.optional(), "Caller id."),
        Member("dial_timeout", INTEGER, "Milliseconds; 0 means the default of 60,000."),
        Member("try_interval", INTEGER, "Milliseconds from the end of an attempt to the next."),
        *(
            Member(
                f"max_try_count_{index}",
                slot(index, "max_try_counts"),
                f"Tries on destination_{index}; 0 means never.",
            )
            for index in _SLOTS
        ),
        Member("calls_per_second", OPTIONAL_NUMBER, "null: the deployment's default."),
        Member("max_concurrent", OPTIONAL_INTEGER, "null: the deployment's default."),
        Member("headers", TEXTS, "SIP headers of each call."),
        Member("variables", TEXTS, "Variables of each call for the network behind the carrier."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_NAMES = (
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
)
_DIAL = (
    Field("source", ADDRESS, "Caller id."),
    Field("dial_timeout", integer(*DIAL_TIMEOUT_MS, "milliseconds"), "Milliseconds; 0: 60,000."),
    Field(
        "try_interval",
        integer(*TRY_INTERVAL_MS, "milliseconds"),
        "Milliseconds from the end of an attempt to the next on the same target.",
    ),
    *(
        Field(
            f"max_try_count_{index}",
            integer(*TRY_COUNT),
            f"Tries on destination_{index}, 0..100. When none of the five is sent to create, "
            "max_try_count_0 is 1.",
        )
        for index in _SLOTS
    ),
    Field(
        "calls_per_second",
        number(0, MAX_CALLS_PER_SECOND),
        "New attempts a second of each campaign; 0: the default.",
    ),
    Field(
        "max_concurrent",
        integer(0, MAX_CONCURRENT),
        "Attempts in flight at once of each campaign; 0: the default.",
    ),
    Field(
        "headers",
        text_map(MAX_EXTRAS, MAX_EXTRA_VALUE),
        "SIP headers of each call, named X-...; `${name}` in a value stands for a variable of the "
        "attempt. They take the place of all there were.",
    ),
    Field(
        "variables",
        text_map(MAX_EXTRAS, MAX_EXTRA_VALUE),
        "Variables of each call for the network behind the carrier, likewise.",
    ),
)
_WHOLE = Body("Outplan", *_NAMES, *_DIAL)


def _members(call: Call) -> dict[str, Any]:
    given = present_members(
        call,
        "name",
        "detail",
        "source",
        "dial_timeout",
        "try_interval",
        "calls_per_second",
        "max_concurrent",
    )
    maxima = {
        f"slot_{index}": call.body[f"max_try_count_{index}"]
        for index in _SLOTS
        if f"max_try_count_{index}" in call.body
    }
    for name in ("headers", "variables"):
        if name in call.body:
            given[name] = pb.Texts(values=call.body[name])
    if maxima:
        given["max_try_counts"] = pb.MaxTryCounts(**maxima)
    return given


def _create(call: Call) -> pb.CreateOutplanRequest:
    given = _members(call)
    for name in ("calls_per_second", "max_concurrent"):
        if not given.get(name, 1):
            del given[name]
    return pb.CreateOutplanRequest(id=call.new_id(), **given)


def _update(call: Call) -> pb.UpdateOutplanRequest:
    return pb.UpdateOutplanRequest(id=call.ids["id"], **_members(call))


_PUT = rpc("outplan", "UpdateOutplan", _update)
_APPLIES = "A merge. It applies to campaigns from their next attempt on."

ROUTES = (
    listing(
        TAG,
        "/outplans",
        "List outplans",
        rpc("outplan", "ListOutplans", page_of(pb.ListOutplansRequest)),
        OUTPLAN,
        "outplans",
    ),
    creating(
        TAG,
        "/outplans",
        "Create an outplan",
        rpc("outplan", "CreateOutplan", _create),
        OUTPLAN,
        _WHOLE,
    ),
    reading(
        TAG,
        "/outplans/{id}",
        "Get an outplan",
        rpc("outplan", "GetOutplan", by_id(pb.GetOutplanRequest)),
        OUTPLAN,
    ),
    changing(TAG, "/outplans/{id}", "Change an outplan", _PUT, OUTPLAN, _WHOLE, about=_APPLIES),
    changing(
        TAG,
        "/outplans/{id}/dial_info",
        "Change how an outplan dials",
        _PUT,
        OUTPLAN,
        Body("OutplanDialInfo", *_DIAL),
        about=_APPLIES,
        aliases=("/outplans/{id}/dials",),
    ),
    deleting(
        TAG,
        "/outplans/{id}",
        "Delete an outplan",
        rpc("outplan", "DeleteOutplan", by_id(pb.DeleteOutplanRequest)),
        OUTPLAN,
    ),
)
