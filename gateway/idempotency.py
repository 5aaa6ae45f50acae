"""Idempotency-Key: the id of what a POST creates is derived from the key.

Services create idempotently by id and compare the body, so a request sent again after a crash or a
lost answer finds its first result instead of making a second one, and the same key with another body
is refused. Nothing is stored here.
"""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from starlette.requests import Request

from services.common.errors import invalid

HEADER = "idempotency-key"
_NAMESPACE = UUID("6f757462-6f75-5e64-8000-6964656d706f")
_FORM = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request: Request) -> str | None:
    """The request's key, or None. InvalidArgument when it is not 1..255 visible characters."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if _FORM.fullmatch(key) is None:
        raise invalid("Idempotency-Key", key, "1 to 255 visible ASCII characters")
    return key


def derived_id(customer_id: UUID, path: str, key: str, part: str = "") -> UUID:
    """The id for this customer, path (with its ids, without the version prefix) and key."""
    # The key comes last and cannot hold the separator, so no two requests share a text.
    return uuid5(_NAMESPACE, f"{customer_id}\n{path}\n{part}\n{key}")
