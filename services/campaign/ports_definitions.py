"""Where flows and outplans are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from services.common.paging import Page

T = TypeVar("T")


class Definitions(Protocol[T]):
    """Those of all customers, within one transaction."""

    async def get(self, wanted_id: UUID, /) -> T | None:
        """The one of this id, also a deleted one; None if there never was one."""

    async def get_for_use(self, wanted_id: UUID, /) -> T | None:
        """Like get, and until the end of the transaction nobody MUST be able to change or delete it."""

    async def lock(self, wanted_id: UUID, /) -> T | None:
        """Like get, and nobody else MUST be able to change or use it until the transaction ends."""

    async def insert(self, thing: T, digest: str, /) -> bool:
        """Add it with the digest of its request; False, and no change, if the id is taken."""

    async def digest(self, wanted_id: UUID, /) -> str | None:
        """The digest of the request that created it."""

    async def save(self, thing: T, /) -> None:
        """Write every member of one that exists."""

    async def list(self, customer_id: UUID, page: Page) -> Sequence[T]:
        """Up to page.size + 1 that are not deleted, newest first, before the page's cursor."""

    async def busy_campaigns(self, wanted_id: UUID, /) -> Sequence[UUID]:
        """Campaigns in run or stopping that use it."""
