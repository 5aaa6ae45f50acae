"""What users may do with calls and activeflows, whichever dialer they reach.

A call or execution lives in the memory of one dialer. Asked for one that it does not hold, a dialer
passes the request on, once: to the dialer that the row names, or to every other one for an attempt
that still rings and has no row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from services.common.actions import Action, validate_actions
from services.common.clock import Clock
from services.common.creation import refuse_other
from services.common.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from services.common.ids import new_id
from services.common.ownership import id_metadata, owned
from services.common.paging import Page, cut
from services.common.tasks import KeyedLocks
from services.dialer.domain.calls import (
    Activeflow,
    ActiveflowFact,
    Call,
    DialerEntry,
    FlowDefinition,
    ReferenceType,
)
from services.dialer.domain.cursors import Cursor
from services.dialer.domain.variables import accept_from_outside, of_activeflow
from services.dialer.ports import Batch, Flows, LiveSide, Peers, Records, Registry

Found = TypeVar("Found")

ROW_DELAY_SECONDS = 2.0
"""How long a row may take to tell of an end that no dialer remembers any more, real seconds."""
ROW_LOOK_SECONDS = 0.05


class DialerService:
    """The use cases of DialerService; every one acts for `customer_id`."""

    def __init__(
        self,
        *,
        live: LiveSide,
        records: Records,
        registry: Registry,
        peers: Peers,
        flows: Flows,
        clock: Clock,
        dialer_id: str,
    ) -> None:
        self._live = live
        self._records = records
        self._registry = registry
        self._peers = peers
        self._flows = flows
        self._clock = clock
        self._dialer_id = dialer_id
        self._creating = KeyedLocks()

    # ---------------------------------------------------------------------------------- calls

    async def get_call(self, customer_id: UUID, call_id: UUID) -> Call:
        """One call; NotFound CALL_NOT_FOUND."""
        call = await self._records.call(call_id)
        if call is None:
            raise _no_call(call_id)
        return owned(call, "call", call_id, customer_id, reason="CALL_NOT_FOUND")

    async def list_calls(self, customer_id: UUID, page: Page) -> tuple[list[Call], str]:
        """A page of the customer's calls, newest first, and the token of the next."""
        return cut(await self._records.calls(customer_id, page), page)

    async def hangup_call(self, customer_id: UUID, call_id: UUID, *, is_forwarded: bool) -> Call:
        """End a call wherever it is held. One that has ended is returned as it is."""
        owner = self._live.customer_of_call(call_id)
        if owner is not None:
            _check_owner(customer_id, owner, "call", call_id)
            return self._live.hangup_call(call_id)
        if is_forwarded:
            raise _no_call(call_id)
        call = await self._records.call(call_id)
        if call is not None:
            owned(call, "call", call_id, customer_id, reason="CALL_NOT_FOUND")
            if call.is_over:
                return call
        ended = await self._ask_peers(
            None if call is None else call.dialer_id,
            lambda peer: self._peers.hangup_call(peer, customer_id, call_id),
        )
        if ended is not None:
            return ended
        if call is None:
            raise _no_call(call_id)
        # It may have ended while the peers were asked; the row learns of it a moment later.
        return await self._until_over(
            lambda: self.get_call(customer_id, call_id),
            lambda found: found.is_over,
            f"no dialer holds call {call_id} right now; try again",
        )

    # ----------------------------------------------------------------------------- activeflows

    async def create_activeflow(
        self,
        customer_id: UUID,
        *,
        activeflow_id: UUID | None,
        flow_id: UUID | None,
        actions: Sequence[Action],
        variables: Mapping[str, str],
        digest: str = "",
    ) -> Activeflow:
        """Execute a flow or actions without a call: how it stands when all that takes no time is done.
        The same request with the same id again gives what the first one made.

        AlreadyExists when the first belongs to another customer or was another request.
        """
        given = accept_from_outside(variables)
        if activeflow_id is None:
            activeflow_id = new_id()
        # One at a time: what is executed is held by its id before it is known who was first.
        async with self._creating.of(activeflow_id):
            known = await self._records.activeflow(activeflow_id)
            if known is None:
                begun = await self._begun(
                    customer_id, activeflow_id, flow_id, actions, given, digest
                )
                known = await self._execute(begun)
            if known is None:
                # Another dialer was faster.
                known = await self._records.activeflow(activeflow_id)
                assert known is not None, "activeflows are never removed"
        is_own = known.customer_id == customer_id
        refuse_other("activeflow", activeflow_id, known.create_digest if is_own else None, digest)
        return known

    async def _begun(
        self,
        customer_id: UUID,
        run_id: UUID,
        flow_id: UUID | None,
        actions: Sequence[Action],
        given: Mapping[str, str],
        digest: str,
    ) -> Activeflow:
        found = await self._definition_of(customer_id, flow_id, actions)
        now = self._clock.now()
        return Activeflow(
            id=run_id,
            customer_id=customer_id,
            campaign_id=None,
            flow_id=flow_id,
            reference_type=ReferenceType.API,
            reference_id=None,
            is_ended=False,
            actions=found.actions,
            cursor=Cursor(),
            history=(),
            variables={**given, **of_activeflow(run_id, "api", None, flow_id)},
            given_variables=given,
            create_digest=digest,
            on_complete_flow_id=found.on_complete_flow_id,
            dialer_id=self._dialer_id,
            revision=1,
            tm_create=now,
            tm_update=now,
        )

    async def _execute(self, begun: Activeflow) -> Activeflow | None:
        """As far as it goes at once, stored; None, and nothing done, when its id is taken."""
        executed = self._live.execute(begun)
        now_is = executed.activeflow
        facts = [ActiveflowFact("created", begun), ActiveflowFact("updated", now_is)]
        rows = [now_is]
        if executed.follower is not None:
            rows.append(executed.follower)
            facts.append(ActiveflowFact("created", executed.follower))
        is_new = False
        try:
            is_new = await self._records.create(
                Batch(activeflows=rows, facts=facts, webhooks=executed.webhooks)
            )
        finally:
            if not is_new:
                self._live.give_up(begun.id)
        if not is_new:
            return None
        self._live.go_on(begun.id)
        return now_is

    async def get_activeflow(self, customer_id: UUID, activeflow_id: UUID) -> Activeflow:
        """One activeflow, also a deleted one; NotFound ACTIVEFLOW_NOT_FOUND."""
        flow = await self._records.activeflow(activeflow_id)
        return owned(flow, "activeflow", activeflow_id, customer_id, reason="ACTIVEFLOW_NOT_FOUND")

    async def list_activeflows(self, customer_id: UUID, page: Page) -> tuple[list[Activeflow], str]:
        """A page of the customer's activeflows, newest first, and the token of the next."""
        return cut(await self._records.activeflows(customer_id, page), page)

    async def stop_activeflow(
        self, customer_id: UUID, activeflow_id: UUID, *, is_forwarded: bool
    ) -> Activeflow:
        """End an execution, and the call it runs on, wherever it is run."""
        owner = self._live.customer_of_activeflow(activeflow_id)
        if owner is not None:
            _check_owner(customer_id, owner, "activeflow", activeflow_id)
            return self._live.stop_activeflow(activeflow_id)
        if is_forwarded:
            raise _no_activeflow(activeflow_id)
        flow = await self.get_activeflow(customer_id, activeflow_id)
        if flow.is_ended:
            return flow
        stopped = await self._ask_peers(
            flow.dialer_id,
            lambda peer: self._peers.stop_activeflow(peer, customer_id, activeflow_id),
        )
        if stopped is not None:
            return stopped
        return await self._until_stored(activeflow_id)

    async def delete_activeflow(self, customer_id: UUID, activeflow_id: UUID) -> Activeflow:
        """Stop and soft-delete. Deleting twice changes nothing."""
        flow = await self.get_activeflow(customer_id, activeflow_id)
        if not flow.is_ended:
            await self.stop_activeflow(customer_id, activeflow_id, is_forwarded=False)
            # Deleting raises the row's revision: before its end is stored it would shut that out.
            await self._until_stored(activeflow_id)
        return await self._records.delete_activeflow(activeflow_id)

    # ----------------------------------------------------------------------------------- inside

    async def _until_stored(self, activeflow_id: UUID) -> Activeflow:
        async def read() -> Activeflow:
            flow = await self._records.activeflow(activeflow_id)
            if flow is None:
                raise _no_activeflow(activeflow_id)
            return flow

        return await self._until_over(
            read,
            lambda found: found.is_ended,
            f"no dialer runs activeflow {activeflow_id} right now; try again",
        )

    async def _until_over(
        self,
        read: Callable[[], Awaitable[Found]],
        is_over: Callable[[Found], bool],
        otherwise: str,
    ) -> Found:
        """The row once it tells of its end, which its dialer stores a moment after it happened."""
        give_up = self._clock.boottime() + ROW_DELAY_SECONDS
        while True:
            found = await read()
            if is_over(found):
                return found
            if self._clock.boottime() >= give_up:
                raise Unavailable(otherwise)
            await self._clock.sleep_real(ROW_LOOK_SECONDS)

    async def _definition_of(
        self, customer_id: UUID, flow_id: UUID | None, actions: Sequence[Action]
    ) -> FlowDefinition:
        if actions:
            return FlowDefinition(tuple(validate_actions(actions)))
        if flow_id is None:
            raise InvalidArgument("neither flow_id nor actions are given; give one of them")
        found = await self._flows.definition(customer_id, flow_id)
        return replace(found, actions=tuple(validate_actions(found.actions)))

    async def _ask_peers(
        self, first: str | None, ask: Callable[[DialerEntry], Awaitable[Found | None]]
    ) -> Found | None:
        """The answer of the peer that holds what is asked for: the one expected first, then all."""
        peers = [
            each for each in await self._registry.living() if each.dialer_id != self._dialer_id
        ]
        peers.sort(key=lambda peer: peer.dialer_id != first)
        unreachable = False
        for peer in peers:
            try:
                answer = await ask(peer)
            except Unavailable:
                unreachable = True
                continue
            if answer is not None:
                return answer
        if unreachable:
            raise Unavailable("a dialer that may hold this does not answer; try again")
        return None


def _check_owner(customer_id: UUID, owner: UUID, what: str, resource_id: UUID) -> None:
    if customer_id != owner:
        raise PermissionDenied(
            f"{what} {resource_id} belongs to another customer", **id_metadata(what, resource_id)
        )


def _no_call(call_id: UUID) -> NotFound:
    return NotFound(
        f"no call {call_id}: an attempt becomes a call when it is answered",
        reason="CALL_NOT_FOUND",
        call_id=str(call_id),
    )


def _no_activeflow(activeflow_id: UUID) -> NotFound:
    return NotFound(
        f"no activeflow {activeflow_id}",
        reason="ACTIVEFLOW_NOT_FOUND",
        activeflow_id=str(activeflow_id),
    )
