"""Use cases of tags."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.errors import (
    FailedPrecondition,
    invalid,
)
from services.common.ids import new_id
from services.common.ownership import owned
from services.common.paging import Page, cut
from services.common.texts import check_texts
from services.queue.agents import domain
from services.queue.agents.domain import NewTag, Tag
from services.queue.agents.ports import BeginAgents, Tags


class TagService:
    """Tags of the customer that each call names."""

    def __init__(self, *, begin: BeginAgents, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def create_tag(self, customer_id: UUID, new: NewTag) -> Tag:
        """A new tag. Repeating it with the same id and body gives the same tag."""
        check_texts(name=new.name, detail=new.detail)
        tag = Tag(
            id=new.id or new_id(),
            customer_id=customer_id,
            name=new.name,
            detail=new.detail,
            tm_create=self._clock.now(),
        )
        async with self._begin() as tx:
            if not await tx.tags.insert(tag, new.digest):
                return await same_or_taken(tx.tags, tag, new.digest, "tag")
            return tag

    async def get_tag(self, customer_id: UUID, tag_id: UUID) -> Tag:
        """The tag, also a deleted one."""
        async with self._begin() as tx:
            return _owned(customer_id, tag_id, await tx.tags.get(tag_id))

    async def list_tags(self, customer_id: UUID, page: Page) -> tuple[list[Tag], str]:
        """One page of those not deleted, and the next page's token."""
        async with self._begin() as tx:
            return cut(await tx.tags.list_page(customer_id, page), page)

    async def update_tag(
        self, customer_id: UUID, tag_id: UUID, name: str | None, detail: str | None
    ) -> Tag:
        """The tag with the members that are not None changed."""
        check_texts(name=name, detail=detail)
        async with self._begin() as tx:
            tag = _owned(customer_id, tag_id, await tx.tags.lock(tag_id))
            if tag.tm_delete is not None:
                raise FailedPrecondition(f"tag {tag_id} is deleted", tag_id=str(tag_id))
            changed = replace(
                tag,
                name=tag.name if name is None else name,
                detail=tag.detail if detail is None else detail,
            )
            if changed == tag:
                return tag
            changed = replace(changed, tm_update=self._clock.now())
            await tx.tags.save(changed)
        return changed

    async def delete_tag(self, customer_id: UUID, tag_id: UUID) -> Tag:
        """The tag, now deleted and taken from every agent and queue.

        FailedPrecondition while it is a queue's only tag: without one every agent would serve it.
        """
        async with self._begin() as tx:
            tag = _owned(customer_id, tag_id, await tx.tags.lock(tag_id))
            if tag.tm_delete is not None:
                return tag
            now = self._clock.now()
            gone = replace(tag, tm_update=now, tm_delete=now)
            await tx.tags.save(gone)
            for queue_id in await tx.untag_queues(customer_id, tag_id, now):
                raise FailedPrecondition(
                    f"tag {tag_id} is the only one of queue {queue_id}; give the queue another first",
                    tag_id=str(tag_id),
                    queue_id=str(queue_id),
                )
            for agent in await tx.agents.remove_tag(customer_id, tag_id, now):
                tx.events.agent("updated", agent)
        return gone


async def require_tags(tags: Tags, customer_id: UUID, tag_ids: Collection[UUID]) -> None:
    """InvalidArgument unless all are tags of the customer; until the end they stay so."""
    missing = set(tag_ids) - await tags.existing(customer_id, tag_ids) if tag_ids else set()
    if missing:
        named = ", ".join(sorted(map(str, missing)))
        raise invalid("tag_ids", named, "ids of existing tags of this customer")


def _owned(customer_id: UUID, tag_id: UUID, tag: Tag | None) -> Tag:
    return owned(tag, "tag", tag_id, customer_id, reason=domain.TAG_NOT_FOUND)
