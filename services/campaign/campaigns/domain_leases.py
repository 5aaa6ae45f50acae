"""Leases: which dialer runs a campaign, and what it is told about it. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.campaign.campaigns.domain import Campaign, Status, StopMode, dialed_actions
from services.campaign.outplans.domain import Outplan
from services.common.actions import Action
from services.common.address import Address
from services.common.limits import MAX_CALLS_PER_SECOND, MAX_CONCURRENT

LEASE_SECONDS = 5.0
"""How long a lease lasts unless renewed: real seconds by the database's clock."""


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease a dialer says it holds, and the revision of the definition it knows ("" for none)."""

    campaign_id: UUID
    fencing_token: int
    definition_revision: str = ""


@dataclass(frozen=True, slots=True)
class LeaseState:
    """How a lease stands. `expires_in_ms` is real time."""

    campaign_id: UUID
    run_number: int
    fencing_token: int
    status: Status
    stop_mode: StopMode
    expires_in_ms: int
    definition_revision: str


@dataclass(frozen=True, slots=True)
class LeaseDefinition:
    """A campaign with its plan and the actions of its flow, none if it has no flow."""

    campaign: Campaign
    outplan: Outplan
    flow_actions: tuple[Action, ...]
    on_complete_flow_id: UUID | None = None  # of the flow


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What the deployment decides: the pace of a campaign without a queue whose plan sets none (per
    second of domain time), and the longest conversation."""

    calls_per_second: float
    max_concurrent: int
    max_conversation_ms: int

    @property
    def revision(self) -> str:
        """Differs when anything does: a part of the definitions' revisions."""
        return f"{self.calls_per_second}.{self.max_concurrent}.{self.max_conversation_ms}"


@dataclass(frozen=True, slots=True)
class DialPlan:
    """The outplan as a dialer works by it: every default filled in. Milliseconds of domain time."""

    outplan_id: UUID
    source: Address | None
    dial_timeout_ms: int
    try_interval_ms: int
    max_try_counts: tuple[int, ...]
    calls_per_second: float
    max_concurrent: int
    headers: Mapping[str, str]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunDefinition:
    """All a dialer needs to know to run a campaign."""

    campaign: Campaign
    plan: DialPlan
    actions: tuple[Action, ...]
    max_conversation_ms: int
    on_complete_flow_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as the holder sees it; without the definition when it knows that already."""

    state: LeaseState
    is_new: bool
    definition: RunDefinition | None


def run_definition(found: LeaseDefinition, limits: RunLimits) -> RunDefinition:
    """The definition with everything filled in."""
    return RunDefinition(
        campaign=found.campaign,
        plan=dial_plan(found.campaign, found.outplan, limits),
        actions=dialed_actions(found.campaign, found.flow_actions),
        on_complete_flow_id=None if found.campaign.actions else found.on_complete_flow_id,
        max_conversation_ms=limits.max_conversation_ms,
    )


def dial_plan(campaign: Campaign, plan: Outplan, limits: RunLimits) -> DialPlan:
    """The plan for this campaign.

    With a queue its agents set the pace, so an absent limit is the largest allowed, not the
    deployment's default: that one is for campaigns nothing else would hold back.
    """
    has_queue = campaign.queue_id is not None
    rate = MAX_CALLS_PER_SECOND if has_queue else limits.calls_per_second
    concurrent = MAX_CONCURRENT if has_queue else limits.max_concurrent
    return DialPlan(
        outplan_id=plan.id,
        source=campaign.source or plan.source,
        dial_timeout_ms=plan.ring_ms,
        try_interval_ms=plan.try_interval,
        max_try_counts=plan.max_try_counts,
        calls_per_second=rate if plan.calls_per_second is None else plan.calls_per_second,
        max_concurrent=concurrent if plan.max_concurrent is None else plan.max_concurrent,
        headers=plan.headers,
        variables=plan.variables,
    )
