"""What flows and outplans, which campaigns refer to, have in common. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, replace
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from services.common.errors import FailedPrecondition, invalid
from services.common.ownership import Owned


class Definition(Owned, Protocol):
    """Made by a customer, referred to by campaigns, deleted by marking it so. A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def revision(self) -> int:
        """How often it has changed."""

    @property
    def tm_delete(self) -> datetime | None:
        """When it was deleted."""


T = TypeVar("T", bound=Definition)


def deleted(thing: T, kind: str, busy_campaign_ids: Sequence[UUID], now: datetime) -> T:
    """The thing, deleted; FailedPrecondition while a campaign in run or stopping uses it."""
    if thing.tm_delete is not None:
        return thing
    if busy_campaign_ids:
        raise FailedPrecondition(
            f"{kind} {thing.id} is used by campaign {busy_campaign_ids[0]}, which is not stopped; "
            f"stop it before deleting the {kind}",
            campaign_id=str(busy_campaign_ids[0]),
        )
    return replace(thing, revision=thing.revision + 1, tm_update=now, tm_delete=now)


def require_usable(
    found: Definition | None, customer_id: UUID, field: str, wanted_id: UUID, accepted: str
) -> None:
    """InvalidArgument unless what `field` refers to is there, not deleted, and the customer's."""
    if found is None or found.tm_delete is not None or found.customer_id != customer_id:
        raise invalid(field, str(wanted_id), accepted)
