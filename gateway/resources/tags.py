"""Tags, which group agents into queues: `/tags`."""

from __future__ import annotations

from outbound.agent.v1 import agent_service_pb2 as pb

from gateway.fields import NAME_LENGTH, Body, Field, text
from gateway.members import ID, TEXT, TIME, Member, Shape
from gateway.resources.common import (
    by_id,
    deleting,
    listing,
    page_of,
    present_members,
    reading,
    rpc,
)
from gateway.routes import Call, One, Route

TAG = "tags"

TAG_SHAPE = Shape(
    "Tag",
    "Groups agents into queues.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_BODY = Body(
    "Tag",
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
)


def _create(call: Call) -> pb.CreateTagRequest:
    return pb.CreateTagRequest(id=call.new_id(), **present_members(call, "name", "detail"))


def _update(call: Call) -> pb.UpdateTagRequest:
    return pb.UpdateTagRequest(id=call.ids["id"], **present_members(call, "name", "detail"))


ROUTES = (
    listing(
        TAG,
        "/tags",
        "List tags",
        rpc("agent", "ListTags", page_of(pb.ListTagsRequest)),
        TAG_SHAPE,
        "tags",
    ),
    Route(
        "POST",
        "/tags",
        "Create a tag",
        TAG,
        rpc("agent", "CreateTag", _create),
        One(TAG_SHAPE),
        body=_BODY,
        creates=True,
    ),
    reading(
        TAG, "/tags/{id}", "Get a tag", rpc("agent", "GetTag", by_id(pb.GetTagRequest)), TAG_SHAPE
    ),
    Route(
        "PUT",
        "/tags/{id}",
        "Change a tag",
        TAG,
        rpc("agent", "UpdateTag", _update),
        One(TAG_SHAPE),
        body=_BODY,
        about="A merge: members that are absent or null stay as they are.",
    ),
    deleting(
        TAG,
        "/tags/{id}",
        "Delete a tag, and take it from agents and queues",
        rpc("agent", "DeleteTag", by_id(pb.DeleteTagRequest)),
        TAG_SHAPE,
    ),
)
