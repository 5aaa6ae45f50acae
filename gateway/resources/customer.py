"""The caller's own customer: `/customer`."""

from __future__ import annotations

from typing import Any

from gateway.fields import NAME_LENGTH, Body, Field, fields_named, text
from gateway.identity import ANYONE, Permission
from gateway.members import ID, OWN_TIME, TEXT, Member, Shape
from gateway.resources.common import MERGE, changing, reading
from gateway.routes import Call

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
    reading(TAG, "/customer", "Get your customer", _get, CUSTOMER, permission=ANYONE),
    changing(
        TAG,
        "/customer",
        "Change your customer",
        _update,
        CUSTOMER,
        _BODY,
        permission=Permission.ADMIN,
        about=MERGE,
    ),
)
