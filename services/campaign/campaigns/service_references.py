"""What a campaign refers to: does it exist, may it be used, and whose outdial is it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence, Set
from uuid import UUID

from services.campaign.campaigns import domain
from services.campaign.campaigns.domain import OUTDIAL_IN_USE, Campaign
from services.campaign.campaigns.ports import Begin, Outdials, Transaction
from services.campaign.domain_definitions import Definition, require_usable
from services.campaign.flows.ports import Queues
from services.campaign.flows.service_named import check_flows, check_queues
from services.common.actions import Action
from services.common.errors import (
    AppError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    invalid,
)
from services.common.log import get_logger

LEFTOVER_SECONDS = 60.0
"""A binding asked for is checked after this much real time, should its request have died."""


class References:
    """Checks references and keeps the bindings of outdials true to the campaigns.

    No method calls another service while it holds a lock.
    """

    def __init__(self, *, begin: Begin, outdials: Outdials, queues: Queues) -> None:
        self._begin = begin
        self._outdials = outdials
        self._queues = queues

    async def check_local(self, tx: Transaction, campaign: Campaign, names: Set[str]) -> None:
        """InvalidArgument unless what the named members refer to exists in this process."""
        for name, look, accepted in (
            ("outplan_id", tx.outplans.get_for_use, "an outplan of yours"),
            ("flow_id", tx.flows.get_for_use, "a flow of yours"),
            ("next_campaign_id", tx.campaigns.get, "a campaign of yours"),
        ):
            wanted_id: UUID | None = getattr(campaign, name)
            if name in names and wanted_id is not None:
                found: Definition | None = await look(wanted_id)
                require_usable(found, campaign.customer_id, name, wanted_id, accepted)
        for name in ("actions", "abandonment_actions"):
            if name in names:
                actions = getattr(campaign, name)
                await check_flows(tx.flows, campaign.customer_id, actions, name)

    async def check_remote(self, campaign: Campaign, names: Set[str]) -> None:
        """InvalidArgument unless the named queue exists and the named outdial is bound by this call.

        FailedPrecondition OUTDIAL_IN_USE when another campaign uses the outdial.
        """
        queue_id = campaign.queue_id if "queue_id" in names else None
        if queue_id is not None and not await self._queues.exists(campaign.customer_id, queue_id):
            raise invalid("queue_id", str(queue_id), "a queue of yours")
        if "outdial_id" in names and campaign.outdial_id is not None:
            found = await self._outdials.get(campaign.customer_id, campaign.outdial_id)
            if found is None or found.is_deleted or found.customer_id != campaign.customer_id:
                raise invalid("outdial_id", str(campaign.outdial_id), "an outdial of yours")
            await self.bind(campaign)

    async def startable_actions(self, tx: Transaction, campaign: Campaign) -> tuple[Action, ...]:
        """What runs on answer. FailedPrecondition says what in this process prevents a start."""
        try:
            await self.check_local(tx, campaign, {"outplan_id", "flow_id"})
        except InvalidArgument as exc:
            raise _unstartable(campaign, exc) from exc
        flow = None if campaign.flow_id is None else await tx.flows.get(campaign.flow_id)
        actions = domain.dialed_actions(campaign, () if flow is None else flow.actions)
        domain.refuse_unstartable(campaign, actions)
        queue_id = campaign.queue_id
        if queue_id is not None and not await tx.queue_uses.hold(queue_id):
            raise FailedPrecondition(
                f"campaign {campaign.id} cannot be run: queue_id is '{queue_id}', which is being "
                "deleted; accepted: a queue of yours"
            )
        return actions

    async def check_actions(self, campaign: Campaign) -> None:
        """InvalidArgument unless the queues that its own actions name exist."""
        await check_queues(self._queues, campaign.customer_id, campaign.actions)
        await self._check_abandonment(campaign)

    async def _check_abandonment(self, campaign: Campaign) -> None:
        actions, field = campaign.abandonment_actions, "abandonment_actions"
        await check_queues(self._queues, campaign.customer_id, actions, field)

    async def check_startable(
        self, campaign: Campaign, actions: Sequence[Action], checked: Set[str] = frozenset()
    ) -> None:
        """FailedPrecondition that says what in another service prevents a start; binds the outdial.

        `actions` are the startable ones. References in `checked` have been checked by the same
        request and are not again.
        """
        try:
            # The campaign's own queue was put behind them; it is checked under its own name.
            own = actions if campaign.queue_id is None else actions[:-1]
            await check_queues(self._queues, campaign.customer_id, own)
            await self._check_abandonment(campaign)
            await self.check_remote(campaign, {"queue_id", "outdial_id"} - checked)
        except InvalidArgument as exc:
            raise _unstartable(campaign, exc) from exc

    async def bind(self, campaign: Campaign) -> None:
        """Bind the campaign's outdial to it, also out of the hands of a campaign that is gone.

        FailedPrecondition OUTDIAL_IN_USE names the campaign that has it.
        """
        outdial_id = campaign.outdial_id
        if outdial_id is None:
            return
        holder: UUID | None = None
        # Twice: between asking who holds it and taking it over somebody else may have done so.
        for _ in range(2):
            holder = await self._outdials.bind(
                campaign.customer_id, outdial_id, campaign.id, expected=holder
            )
            if holder is None:
                return
            if not await self._is_gone(holder, outdial_id):
                break
        raise FailedPrecondition(
            f"outdial {outdial_id} is in use by campaign {holder}; delete that campaign or give it "
            "another outdial first",
            reason=OUTDIAL_IN_USE,
            campaign_id=str(holder),
            outdial_id=str(outdial_id),
        )

    async def settle(self, customer_id: UUID, outdial_id: UUID, campaign_id: UUID) -> None:
        """Release the outdial from the campaign unless the campaign uses it.

        If this fails or never runs, the noted check repeats it.
        """
        async with self._begin() as tx:
            campaign = await tx.campaigns.get(campaign_id)
            if _uses(campaign, outdial_id):
                await tx.bindings.forget(outdial_id, campaign_id)
                return
        # An outdial that is not found is gone together with its binding.
        with contextlib.suppress(NotFound):
            await self._outdials.bind(customer_id, outdial_id, None, expected=campaign_id)
        async with self._begin() as tx:
            campaign = await tx.campaigns.get(campaign_id)
            if not _uses(campaign, outdial_id):
                await tx.bindings.forget(outdial_id, campaign_id)
                return
        # It was given back to the campaign while we released it.
        await self._outdials.bind(customer_id, outdial_id, campaign_id)

    async def try_settle(self, customer_id: UUID, outdial_id: UUID, campaign_id: UUID) -> None:
        """Like settle, but a failure is left to the noted check: the answer must not wait for it."""
        try:
            await self.settle(customer_id, outdial_id, campaign_id)
        except AppError as exc:
            get_logger().warning(
                "binding_not_settled",
                outdial=str(outdial_id),
                campaign=str(campaign_id),
                error=exc.message,
                reason=exc.reason,
            )

    async def settle_due(self) -> int:
        """Settle noted checks that are due; how many there were."""
        async with self._begin() as tx:
            due = await tx.bindings.due(100)
        for customer_id, outdial_id, campaign_id in due:
            await self.try_settle(customer_id, outdial_id, campaign_id)
        return len(due)

    async def _is_gone(self, campaign_id: UUID, outdial_id: UUID) -> bool:
        """Whether the holder is deleted, or never came to be.

        One that is being created binds before it is inserted, and notes a check before that. So long
        as the check is to come it may yet appear; after that the outdial is free without our doing.
        """
        async with self._begin() as tx:
            # First: the check is forgotten in the transaction that inserts the campaign.
            is_noted = await tx.bindings.is_noted(outdial_id, campaign_id)
            holder = await tx.campaigns.get(campaign_id)
        return holder.tm_delete is not None if holder is not None else not is_noted


def _uses(campaign: Campaign | None, outdial_id: UUID) -> bool:
    return campaign is not None and campaign.tm_delete is None and campaign.outdial_id == outdial_id


def _unstartable(campaign: Campaign, why: InvalidArgument) -> FailedPrecondition:
    return FailedPrecondition(f"campaign {campaign.id} cannot be run: {why.message}")
