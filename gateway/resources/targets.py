"""Targets, the people of an outdial: `/outdials/{id}/targets`."""

from __future__ import annotations

from typing import Any, Final

from outbound.common.v1 import address_pb2 as address_pb
from outbound.outdial.v1 import outdial_service_pb2 as pb

from gateway.documents import ADDRESS, DATA
from gateway.fields import NAME_LENGTH, Body, Field, FieldKind, list_of, text
from gateway.fields import words as one_of
from gateway.members import ADDRESS as ADDRESS_SHAPE
from gateway.members import ID, TEXT, TIME, Json, Member, Shape, enum_of, enum_words, slot
from gateway.resources.common import (
    changing,
    deleting,
    doing,
    listing,
    page_of,
    present_members,
    reading,
    rpc,
)
from gateway.routes import Alternative, Answer, Call, Route
from services.common.errors import invalid
from services.common.limits import MAX_BATCH, SLOTS

TAG = "targets"
_SLOTS: Final = range(SLOTS)
_T = pb.Target
_STATUSES: Final = {word: number for number, word in enum_words(_T.Status).items()}

TARGET = Shape(
    "Target",
    "One person with up to five addresses, tried in order.",
    [
        Member("id", ID),
        Member("outdial_id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("data", TEXT, "Free text; of a JSON object every member becomes a flow variable."),
        Member("status", enum_of(_T.Status)),
        Member("result", enum_of(_T.Result, is_optional=True), "Empty until status is done."),
        *(Member(f"destination_{index}", ADDRESS_SHAPE.optional()) for index in _SLOTS),
        *(
            Member(f"try_count_{index}", slot(index, "try_counts"), f"Tries on slot {index}.")
            for index in _SLOTS
        ),
        Member("tm_next_try", TIME, "When it may be tried next; unset when it is not idle."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)


class _Targets(Answer):
    """One target, or for several `{"result": [...]}` in the order sent."""

    def __init__(self, is_list: bool) -> None:
        self._is_list = is_list

    @property
    def schema(self) -> dict[str, Any]:
        """See Answer."""
        several = {
            "type": "object",
            "required": ["result"],
            "properties": {"result": {"type": "array", "items": TARGET.reference}},
        }
        return several if self._is_list else {"anyOf": [TARGET.reference, several]}

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """See Answer."""
        return (TARGET,)

    def present(self, result: Any, call: Call) -> Json:
        """See Answer."""
        made = [TARGET.present(each, call.form) for each in result.targets]
        return {"result": made} if self._is_list or isinstance(call.body, list) else made[0]


_FIELDS = (
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
    Field("data", DATA, "Free data."),
    *(
        Field(f"destination_{index}", ADDRESS, "An address, or its target as text.")
        for index in _SLOTS
    ),
)
_TARGET = Body("TargetInput", *_FIELDS)
_LIST = list_of(_TARGET.kind(), MAX_BATCH)


def _some(value: Json, path: str) -> list[dict[str, Any]]:
    targets: list[dict[str, Any]] = _LIST.parse(value, path)
    if not targets:
        raise invalid(path, "an empty list", f"1 to {MAX_BATCH} targets")
    return targets


_TARGETS = FieldKind({**_LIST.schema, "minItems": 1}, _some)


def _new_target(given: dict[str, Any], target_id: str) -> pb.NewTarget:
    destinations = [given.get(f"destination_{index}") for index in _SLOTS]
    return pb.NewTarget(
        id=target_id,
        name=given.get("name", ""),
        detail=given.get("detail", ""),
        data=given.get("data", ""),
        destinations=[each or address_pb.Address() for each in destinations],
    )


def _add(call: Call) -> pb.AddTargetsRequest:
    body = call.body
    several = body if isinstance(body, list) else body.get("targets", [body])
    return pb.AddTargetsRequest(
        outdial_id=call.ids["id"],
        targets=[
            # However many there are, the first has the same id: so that no list is taken for a new one.
            _new_target(each, call.new_id(str(index) if index else ""))
            for index, each in enumerate(several)
        ],
        is_one_request=True,
    )


def _update(call: Call) -> pb.UpdateTargetRequest:
    return pb.UpdateTargetRequest(
        outdial_id=call.ids["id"],
        id=call.ids["target_id"],
        destinations=[
            pb.DestinationChange(index=index, destination=call.body[f"destination_{index}"])
            for index in _SLOTS
            if f"destination_{index}" in call.body
        ],
        **present_members(call, "name", "detail", "data"),
    )


def _of_one(message: Any) -> Any:
    return lambda call: message(outdial_id=call.ids["id"], id=call.ids["target_id"])


def _list(call: Call) -> pb.ListTargetsRequest:
    request: pb.ListTargetsRequest = page_of(pb.ListTargetsRequest, status="status")(call)
    request.outdial_id = call.ids["id"]
    return request


_ONE = "/outdials/{id}/targets/{target_id}"
_ADD = rpc("outdial", "AddTargets", _add)

ROUTES = (
    listing(
        TAG,
        "/outdials/{id}/targets",
        "List the targets of an outdial",
        rpc("outdial", "ListTargets", _list),
        TARGET,
        "targets",
        Field("status", one_of(_STATUSES), "Only targets of this status."),
    ),
    Route(
        "POST",
        "/outdials/{id}/targets",
        "Add a target, or up to 1,000 as a JSON list",
        TAG,
        _ADD,
        _Targets(is_list=False),
        body=_TARGET,
        alternative=Alternative(_TARGETS, list),
        has_large_body=True,
        creates=True,
        about="At least one destination must be usable. Of a list all targets are added or none.",
    ),
    Route(
        "POST",
        "/outdials/{id}/targets:batch",
        "Add up to 1,000 targets, all or none",
        TAG,
        _ADD,
        _Targets(is_list=True),
        body=Body("TargetBatch", Field("targets", _TARGETS, "The targets.", required=True)),
        alternative=Alternative(_TARGETS, list),
        has_large_body=True,
        creates=True,
    ),
    reading(
        TAG, _ONE, "Get a target", rpc("outdial", "GetTarget", _of_one(pb.GetTargetRequest)), TARGET
    ),
    changing(
        TAG,
        _ONE,
        "Change a target",
        rpc("outdial", "UpdateTarget", _update),
        TARGET,
        _TARGET,
        about="A merge; an empty address clears its slot. Destinations of a target that is being "
        "dialed cannot be changed.",
    ),
    deleting(
        TAG,
        _ONE,
        "Delete a target",
        rpc("outdial", "DeleteTarget", _of_one(pb.DeleteTargetRequest)),
        TARGET,
    ),
    doing(
        TAG,
        f"{_ONE}/reset",
        "Give a target all its tries back",
        rpc("outdial", "ResetTarget", _of_one(pb.ResetTargetRequest)),
        TARGET,
    ),
)
