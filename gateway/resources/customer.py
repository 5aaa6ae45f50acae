"""The caller's own customer: `/customer`."""

from __future__ import annotations

from typing import Any

from gateway.fields import NAME_LENGTH, Body, Field, fields_named, text
from gateway.identity import ANYONE, Permission
from gateway.members import ID, OWN_TIME, TEXT, Member, Shape
from gateway.routes import Call, One, Route

TAG = "customer"

CUSTOMER = Shape(
    "Customer",
    "A customer of this deployment; everything else belongs to one.",
    [
        Member("id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("email", TEXT),
        Member("phone_number", TEXT),
        Member("address", TEXT),
        Member("tm_create", OWN_TIME),
        Member("tm_update", OWN_TIME),
        Member("tm_delete", OWN_TIME),
    ],
)

_BODY = Body(
    "Customer",
    *fields_named(["name", "email", "phone_number"], text(NAME_LENGTH)),
    Field("detail", text(), "Description."),
    Field("address", text(), "Postal address."),
)


async def _get(call: Call) -> Any:
    return await call.parts.accounts.customer(call.caller)


async def _update(call: Call) -> Any:
    return await call.parts.accounts.update_customer(call.caller, call.body)


ROUTES = (
    Route("GET", "/customer", "Get your customer", TAG, _get, One(CUSTOMER), permission=ANYONE),
    Route(
        "PUT",
        "/customer",
        "Change your customer",
        TAG,
        _update,
        One(CUSTOMER),
        permission=Permission.ADMIN,
        body=_BODY,
        about="A merge: members that are absent or null stay as they are.",
    ),
)
