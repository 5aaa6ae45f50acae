"""Facts out to the outbox, and facts of the campaign process in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.outdial.v1 import events_pb2 as outdial_events
from outbound.outplan.v1 import events_pb2 as outplan_events

from services.common.bus import Received
from services.common.errors import InvalidArgument
from services.common.ids import parse_id, text
from services.common.log import get_logger
from services.common.outbox import Pending
from services.outdial.convert import (
    import_to_proto,
    maxima,
    outdial_to_proto,
    settlement_from_proto,
    target_to_proto,
)
from services.outdial.domain import Outdial, Settlement, Target
from services.outdial.domain_imports import Import
from services.outdial.ports import Change
from services.outdial.service_dialing import DialingService

SETTLE_DURABLE = "outdial-settle"
SETTLE_FILTERS = [("campaigncall", "done")]
OUTPLAN_DURABLE = "outdial-outplan"
OUTPLAN_FILTERS = [("outplan", "updated")]


class OutboxEvents(Pending):
    """See ports.Events; writes to the outbox."""

    def outdial(self, change: Change, outdial: Outdial) -> None:
        """See ports.Events."""
        message = outdial_events.OutdialEvent(outdial=outdial_to_proto(outdial))
        self.tell("outdial", change.value, message, outdial)

    def imported(self, outdial: Outdial, found: Import) -> None:
        """See ports.Events."""
        message = outdial_events.OutdialEvent(
            outdial=outdial_to_proto(outdial),
            **{"import": import_to_proto(replace(found, rejects=()))},
        )
        self.tell("outdial", "imported", message, outdial)

    def targets(
        self,
        change: Change,
        targets: Sequence[Target],
        attempts: Mapping[UUID, UUID] | None = None,
    ) -> None:
        """See ports.Events."""
        settled = attempts or {}
        for target in targets:
            message = outdial_events.TargetEvent(
                target=target_to_proto(target), campaigncall_id=text(settled.get(target.id))
            )
            self.tell("target", change.value, message, target)


class SettleHandler:
    """Settles targets by the event campaigncall.done."""

    def __init__(self, dialing: DialingService) -> None:
        self._dialing = dialing

    async def __call__(self, batches: list[Received]) -> None:
        """Settle every attempt told of; repeated and late ones change nothing."""
        settlements = []
        for received in batches:
            for event in received.events:
                found = _settlement(event.data)
                if found is not None:
                    settlements.append(found)
        await self._dialing.settle(settlements)


class OutplanHandler:
    """Reopens exhausted targets by the event outplan.updated."""

    def __init__(self, dialing: DialingService) -> None:
        self._dialing = dialing

    async def __call__(self, batches: list[Received]) -> None:
        """Note the plan's maxima for the outdials dialed by it."""
        for received in batches:
            for event in received.events:
                await self._note(outplan_events.OutplanEvent.FromString(event.data))

    async def _note(self, message: outplan_events.OutplanEvent) -> None:
        try:
            counts = maxima(message.outplan.max_try_counts, "outplan.max_try_counts")
            outdial_ids = [parse_id(each, "outdial_ids") for each in message.outdial_ids]
        except InvalidArgument as exc:
            # Not lost: the next claim brings the plan itself.
            get_logger().error("outplan_unreadable", outplan=message.outplan.id, error=str(exc))
            return
        for outdial_id in outdial_ids:
            await self._dialing.plan_changed(outdial_id, counts)


def _settlement(data: bytes) -> Settlement | None:
    message = campaign_events.CampaigncallEvent.FromString(data)
    if not message.HasField("settlement"):
        return None
    try:
        return settlement_from_proto(message.settlement)
    except InvalidArgument as exc:
        # The target stays progressing: ResolveAttempts, asked when the claim expires, says the same,
        # and is asked again, with a line in the log each time, until one side or the other is mended.
        get_logger().error(
            "settlement_unreadable", campaigncall=message.campaigncall.id, error=str(exc)
        )
        return None
