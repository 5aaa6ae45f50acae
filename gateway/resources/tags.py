"""Tags, which group agents into queues: `/tags`."""

from __future__ import annotations

from outbound.agent.v1 import agent_service_pb2 as pb

from gateway.fields import NAME_LENGTH, Body, Field, text
from gateway.members import ID, TEXT, TIME, Member, Shape
from gateway.resources.common import (
    MERGE,
    by_id,
    changing,
    creating,
    deleting,
    listing,
    made_of,
    merged,
    page_of,
    reading,
    rpc,
)

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


_MEMBERS = ("name", "detail")

ROUTES = (
    listing(
        TAG,
        "/tags",
        "List tags",
        rpc("agent", "ListTags", page_of(pb.ListTagsRequest)),
        TAG_SHAPE,
        "tags",
    ),
    creating(
        TAG,
        "/tags",
        "Create a tag",
        rpc("agent", "CreateTag", made_of(pb.CreateTagRequest, *_MEMBERS)),
        TAG_SHAPE,
        _BODY,
    ),
    reading(
        TAG, "/tags/{id}", "Get a tag", rpc("agent", "GetTag", by_id(pb.GetTagRequest)), TAG_SHAPE
    ),
    changing(
        TAG,
        "/tags/{id}",
        "Change a tag",
        rpc("agent", "UpdateTag", merged(pb.UpdateTagRequest, *_MEMBERS)),
        TAG_SHAPE,
        _BODY,
        about=MERGE,
    ),
    deleting(
        TAG,
        "/tags/{id}",
        "Delete a tag, and take it from agents and queues",
        rpc("agent", "DeleteTag", by_id(pb.DeleteTagRequest)),
        TAG_SHAPE,
    ),
)
