"""Creating the same thing twice: a repeated request finds what the first one made.

A service keeps, with what it creates under an id of the caller's choosing, a digest of the request. The
row itself cannot tell: it changes. An empty digest is one of a row made before digests were kept;
whoever repeats that request is believed.
"""

from __future__ import annotations

from typing import Protocol, TypeVar
from uuid import UUID

from services.common.errors import AlreadyExists
from services.common.ownership import Thing, id_metadata

Digest_co = TypeVar("Digest_co", bound=str | bytes, covariant=True)
Thing_co = TypeVar("Thing_co", covariant=True)


class Creations(Protocol[Thing_co, Digest_co]):
    """The things of one kind, within a transaction."""

    async def get(self, wanted_id: UUID, /) -> Thing_co | None:
        """The thing, also a deleted one."""

    async def digest(self, wanted_id: UUID, /) -> Digest_co | None:
        """The digest of the request that made it; None when there is none."""


async def same_or_taken(
    rows: Creations[Thing, Digest_co],
    wanted: Thing,
    digest: str | bytes,
    kind: str,
    *,
    reason: str | None = None,
) -> Thing:
    """What an equal request made earlier under the id that is wanted; AlreadyExists otherwise."""
    present = await rows.get(wanted.id)
    if present is None or present.customer_id != wanted.customer_id:
        raise _taken(kind, wanted.id, reason)
    refuse_other(kind, wanted.id, await rows.digest(wanted.id), digest, reason=reason)
    return present


def refuse_other(
    kind: str,
    wanted_id: UUID,
    known: str | bytes | None,
    digest: str | bytes | None,
    *,
    reason: str | None = None,
) -> None:
    """AlreadyExists unless the digest that is `known` for the id is the request's."""
    if known is None or (known and known != digest):
        raise _taken(kind, wanted_id, reason)


def _taken(kind: str, wanted_id: UUID, reason: str | None) -> AlreadyExists:
    return AlreadyExists(
        f"the id {wanted_id} is taken by another {kind}",
        reason=reason,
        **id_metadata(kind, wanted_id),
    )
