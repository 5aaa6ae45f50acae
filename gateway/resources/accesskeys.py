"""Access keys: `/accesskeys`. Managing them takes an administrator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway import idempotency
from gateway.accounts import LEAST_EXPIRE, MOST_EXPIRE
from gateway.fields import NAME_LENGTH, Body, Field, integer, text
from gateway.identity import Permission
from gateway.members import ID, OWN_TIME, TEXT, Member, Shape
from gateway.resources.common import changing, creating, deleting, listing, page, reading
from gateway.routes import Call

TAG = "accesskeys"

ACCESS_KEY = Shape(
    "AccessKey",
    "A secret that acts as an administrator of its customer.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("token", TEXT, "The secret; only in the answer to its creation, else empty."),
        Member("token_prefix", TEXT, "Its first 11 characters."),
        Member("tm_expire", OWN_TIME, "Real time, also where the deployment's clock is scaled."),
        Member("tm_create", OWN_TIME),
        Member("tm_update", OWN_TIME),
        Member("tm_delete", OWN_TIME),
    ],
)

_NAMES = (
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
)
_CREATE = Body(
    "AccessKeyCreate",
    *_NAMES,
    Field(
        "expire",
        integer(LEAST_EXPIRE, MOST_EXPIRE, "seconds"),
        "Life in seconds, at least a day.",
        required=True,
    ),
)


async def _list(call: Call) -> Any:
    return await call.parts.accounts.list_keys(call.caller, page(call))


async def _create(call: Call) -> Any:
    return await call.parts.accounts.create_key(
        call.caller,
        UUID(call.new_id()),
        call.body.get("name", ""),
        call.body.get("detail", ""),
        call.body["expire"],
        idempotency.key_of(call.request) is not None,
    )


async def _get(call: Call) -> Any:
    return await call.parts.accounts.get_key(call.caller, UUID(call.ids["id"]))


async def _update(call: Call) -> Any:
    return await call.parts.accounts.update_key(call.caller, UUID(call.ids["id"]), call.body)


async def _delete(call: Call) -> Any:
    return await call.parts.accounts.delete_key(call.caller, UUID(call.ids["id"]))


_ADMIN = Permission.ADMIN
_ONE = "/accesskeys/{id}"

ROUTES = (
    listing(
        TAG,
        "/accesskeys",
        "List access keys",
        _list,
        ACCESS_KEY,
        "accesskeys",
        permission=_ADMIN,
    ),
    creating(
        TAG,
        "/accesskeys",
        "Create an access key",
        _create,
        ACCESS_KEY,
        _CREATE,
        permission=_ADMIN,
        about="The secret is in this answer only.",
    ),
    reading(TAG, _ONE, "Get an access key", _get, ACCESS_KEY, permission=_ADMIN),
    changing(
        TAG,
        _ONE,
        "Rename an access key",
        _update,
        ACCESS_KEY,
        Body("AccessKeyUpdate", *_NAMES),
        permission=_ADMIN,
    ),
    deleting(
        TAG,
        _ONE,
        "Delete an access key",
        _delete,
        ACCESS_KEY,
        permission=_ADMIN,
        about="This process refuses it at once, other gateway processes within two seconds.",
    ),
)
