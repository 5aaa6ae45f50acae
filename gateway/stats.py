"""How a campaign stands: counters of three services joined into one object, at a constant cost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.dialer.v1 import events_pb2 as dialer_events
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.queue.v1 import queue_service_pb2 as queue_pb

from gateway.identity import Identity
from gateway.members import (
    BOOLEAN,
    COUNTS,
    ID,
    INTEGER,
    NUMBER,
    OPTIONAL_INTEGER,
    TEXT,
    TIME,
    Json,
    Member,
    Shape,
    computed,
    enum_of,
)
from gateway.timeforms import TimeForm
from gateway.upstreams import Rpc, Upstreams

_Campaign = campaign_pb.Campaign
STATUS = enum_of(_Campaign.Status)
STATE = enum_of(_Campaign.State)
STOP_REASON = enum_of(_Campaign.StopReason, is_optional=True)

TARGETS = Shape(
    "TargetCounts",
    "The outdial's targets, counted in one snapshot; deleted ones are left out.",
    [
        Member("outdial_id", ID),
        Member("total_count", INTEGER, "All targets."),
        Member("idle_count", INTEGER, "Waiting to be dialed, or for their interval."),
        Member("progressing_count", INTEGER, "With an attempt open."),
        Member("success_count", INTEGER, "Reached."),
        Member("fail_count", INTEGER, "Out of tries."),
        Member("is_reopening", BOOLEAN, "A changed plan is giving exhausted targets tries again."),
        Member("tm_next_due", TIME, "When the next target is due; unset when none waits."),
    ],
)

QUEUE = Shape(
    "QueueCounts",
    "The campaign's queue, with the callers of all its campaigns.",
    [
        Member("queue_id", ID, attribute="id"),
        Member("name", TEXT),
        Member(
            "waiting_count",
            computed({"type": "integer"}, lambda queue, form: len(queue.wait_queuecall_ids)),
            "Callers waiting for an agent now.",
        ),
        Member(
            "service_count",
            computed({"type": "integer"}, lambda queue, form: len(queue.service_queuecall_ids)),
            "Callers talking to an agent now.",
        ),
        Member("total_incoming_count", INTEGER),
        Member("total_serviced_count", INTEGER),
        Member("total_abandoned_count", INTEGER),
    ],
)

PACING = Shape(
    "Pacing",
    "How many attempts the dialer starts, and what keeps it from more.",
    [
        Member("campaign_id", ID),
        Member("run_number", INTEGER),
        Member("queue_id", ID),
        Member("available_count", OPTIONAL_INTEGER, "Agents for this campaign; null: no queue."),
        Member("dialing_count", INTEGER, "Attempts not yet answered."),
        Member("waiting_count", INTEGER, "Answered, without an agent yet."),
        Member("talking_count", INTEGER, "In conversation."),
        Member("service_level", INTEGER, "Percent."),
        Member("calls_per_second", NUMBER),
        Member("max_concurrent", INTEGER),
        Member("wanted_count", INTEGER, "Attempts asked for since the last such event."),
        Member("started_count", INTEGER, "Attempts started since the last such event."),
        Member(
            "bound",
            enum_of(dialer_events.PacingEvent.Bound, is_optional=True),
            "What limited the number.",
        ),
        Member("tm", TIME),
    ],
)


ATTEMPTS = Shape(
    "AttemptCounts",
    "What the campaign's attempts came to, over all its runs.",
    [
        Member("attempt_count", INTEGER, "Attempts ever made."),
        Member("dialing_count", INTEGER, "Not answered yet."),
        Member("progressing_count", INTEGER, "Answered and not ended."),
        Member("done_count", INTEGER, "Ended."),
        Member("success_count", INTEGER, "Ended with result success."),
        Member("fail_count", INTEGER, "Ended with result fail."),
        Member("answered_count", INTEGER, "Answered by a person or a machine."),
        Member("connected_count", INTEGER, "Connected to an agent."),
        Member("answered_by_person_count", INTEGER, "Answered, but not by a machine."),
        Member(
            "abandoned_count",
            INTEGER,
            "Persons who wanted an agent and had none within the limit, or until the end.",
        ),
        Member("abandoned_rate", NUMBER, "abandoned_count / answered_by_person_count, 0 to 1."),
        Member("answer_to_agent_ms_average", INTEGER, "Persons' wait for their agent."),
        Member("answer_to_agent_ms_p50", INTEGER, "Half waited no longer; out of a histogram."),
        Member("answer_to_agent_ms_p95", INTEGER, "95 of 100 waited no longer."),
        Member("answer_to_agent_ms_max", INTEGER, "The longest wait."),
        Member("refunded_count", INTEGER, "Given back because nothing was sent."),
        Member("hangup_reason_counts", COUNTS, "Ended attempts by hangup reason."),
        Member("talk_ms_total", INTEGER, "Sum of answer to end, milliseconds."),
    ],
)


@dataclass(frozen=True, slots=True)
class CampaignStats:
    """What was read at one time, with the campaign it belongs to."""

    campaign: campaign_pb.Campaign
    stats: campaign_pb.CampaignStats
    targets: outdial_pb.OutdialProgress
    queue: queue_pb.Queue | None

    def shows_the_same(self, other: CampaignStats) -> bool:
        """Whether somebody who has seen the other one would learn nothing from this."""
        return STATS.present(self, TimeForm.GUIDE) == STATS.present(other, TimeForm.GUIDE)


def _of(part: str, member: Member) -> Member:
    """A member whose value is in one part of what was read."""
    read = member.reader

    def reader(joined: CampaignStats, form: TimeForm) -> Json:
        return read(getattr(joined, part), form)

    return Member(member.name, computed(member.schema, reader, *member.kind.shapes))


def _queue(joined: CampaignStats, form: TimeForm) -> Json:
    return None if joined.queue is None else QUEUE.present(joined.queue, form)


STATS = Shape(
    "CampaignStats",
    "How a campaign stands: its attempts, its targets and its queue.",
    [
        _of("stats", Member("campaign_id", ID)),
        _of("stats", Member("status", STATUS)),
        _of("stats", Member("state", STATE)),
        _of("campaign", Member("stop_reason", STOP_REASON)),
        _of("campaign", Member("stop_detail", TEXT)),
        _of("stats", Member("run_number", INTEGER, "Number of the latest run; 0: never run.")),
        _of("stats", Member("tm_run_start", TIME, "First attempt of the latest run.")),
        _of("stats", Member("tm_run_end", TIME, "End of the latest run; unset while it goes on.")),
        _of("stats", Member("lease_holder", TEXT, "Dialer that runs it; empty when none.")),
        Member("attempts", ATTEMPTS.kind(), attribute="stats"),
        Member("targets", TARGETS.kind(), "All zero without an outdial."),
        Member(
            "queue",
            computed({"anyOf": [QUEUE.reference, {"type": "null"}]}, _queue, QUEUE),
            "null without a queue.",
        ),
    ],
)


async def read_campaign(
    upstreams: Upstreams, identity: Identity, campaign_id: str
) -> campaign_pb.Campaign:
    """The campaign; NotFound or PermissionDenied as its service says."""
    campaign: campaign_pb.Campaign = await upstreams.call(
        Rpc("campaign", "GetCampaign"), campaign_pb.GetCampaignRequest(id=campaign_id), identity
    )
    return campaign


async def read_stats(
    upstreams: Upstreams, identity: Identity, campaign: campaign_pb.Campaign
) -> CampaignStats:
    """The campaign's counters with those of its outdial and queue, asked for at the same time."""

    async def ask(service: str, method: str, request: Any) -> Any:
        return await upstreams.call(Rpc(service, method), request, identity)

    async def targets() -> Any:
        if not campaign.outdial_id:
            return outdial_pb.OutdialProgress()
        request = outdial_pb.GetOutdialProgressRequest(outdial_id=campaign.outdial_id)
        return await ask("outdial", "GetOutdialProgress", request)

    async def queue() -> Any:
        if not campaign.queue_id:
            return None
        return await ask("queue", "GetQueue", queue_pb.GetQueueRequest(id=campaign.queue_id))

    stats, found_targets, found_queue = await asyncio.gather(
        ask(
            "campaign",
            "GetCampaignStats",
            campaign_pb.GetCampaignStatsRequest(id=campaign.id),
        ),
        targets(),
        queue(),
    )
    if stats.status != campaign.status:
        # It changed in between; status and stop_reason must not contradict each other.
        campaign = await read_campaign(upstreams, identity, campaign.id)
    return CampaignStats(campaign, stats, found_targets, found_queue)
