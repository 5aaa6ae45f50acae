"""Access keys: `/accesskeys`. Managing them takes an administrator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway import idempotency
from gateway.accounts import LEAST_EXPIRE, MOST_EXPIRE
from gateway.fields import NAME_LENGTH, Body, Field, integer, text
from gateway.identity import Permission
from gateway.members import ID, OWN_TIME, TEXT, Member, Shape
from gateway.routes import PAGE, Call, One, PageOf, Route
from services.common.paging import page_request

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
    page = page_request(call.query.get("page_size", 0), call.query.get("page_token", ""))
    return await call.parts.accounts.list_keys(call.caller, page)


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
    Route(
        "GET",
        "/accesskeys",
        "List access keys",
        TAG,
        _list,
        PageOf(ACCESS_KEY, "accesskeys"),
        permission=_ADMIN,
        query=PAGE,
    ),
    Route(
        "POST",
        "/accesskeys",
        "Create an access key",
        TAG,
        _create,
        One(ACCESS_KEY),
        permission=_ADMIN,
        body=_CREATE,
        creates=True,
        about="The secret is in this answer only.",
    ),
    Route("GET", _ONE, "Get an access key", TAG, _get, One(ACCESS_KEY), permission=_ADMIN),
    Route(
        "PUT",
        _ONE,
        "Rename an access key",
        TAG,
        _update,
        One(ACCESS_KEY),
        permission=_ADMIN,
        body=Body("AccessKeyUpdate", *_NAMES),
    ),
    Route(
        "DELETE",
        _ONE,
        "Delete an access key",
        TAG,
        _delete,
        One(ACCESS_KEY),
        permission=_ADMIN,
        about="This process refuses it at once, other gateway processes within two seconds.",
    ),
)
