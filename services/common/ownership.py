"""Whether a thing exists, and is the caller's: asked by every service of everything it has."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.common.errors import NotFound, PermissionDenied


class Owned(Protocol):
    """What belongs to a customer."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def customer_id(self) -> UUID:
        """Whose it is."""


Thing = TypeVar("Thing", bound=Owned)


def owned(
    found: Thing | None, kind: str, wanted_id: UUID, customer_id: UUID | None, *, reason: str
) -> Thing:
    """The thing, if there is one and it is the customer's; a customer of None may have any.

    NotFound with `reason`, or PermissionDenied; `kind` is how people call such a thing.
    """
    named = id_metadata(kind, wanted_id)
    if found is None:
        raise NotFound(f"there is no {kind} {wanted_id}", reason=reason, **named)
    if customer_id is not None and found.customer_id != customer_id:
        raise PermissionDenied(f"{kind} {wanted_id} belongs to another customer", **named)
    return found


def id_metadata(kind: str, of: UUID) -> dict[str, Any]:
    """The id as the metadata of an error names it: `queue_id`, `accesskey_id`."""
    return {f"{kind.replace(' ', '')}_id": str(of)}
