"""One campaign from its creation to its end, through the use cases."""

from __future__ import annotations

from services.campaign.campaigncalls.domain_opening import Verdict
from services.campaign.campaigns.domain import State, Status, StopReason
from services.campaign.campaigns.domain_runs import RunEnd
from tests.integration.campaign.support import Plant, attempts


async def test_a_run_from_start_to_finish(plant: Plant) -> None:
    campaign = await plant.campaign()
    assert campaign.status is Status.STOP
    assert plant.outdials.holder(campaign.outdial_id) == campaign.id  # type: ignore[arg-type]

    running = await plant.run(campaign.id)
    assert (running.status, running.run.number) == (Status.RUN, 1)

    lease = (await plant.lease())[campaign.id]
    assert lease.is_new
    assert lease.definition is not None
    assert lease.definition.plan.dial_timeout_ms == 30_000
    opener = await plant.opener(campaign.id)

    asked = attempts(3)
    opened = await plant.try_open(opener, asked)
    assert [verdict for _, verdict, _ in opened.verdicts] == [Verdict.OPENED] * 3
    assert opened.place_within_ms == 5000

    answered, busy, unplaced = (each.id for each in asked)
    await plant.report(plant.answered(answered), plant.ended(busy, "busy"))
    await plant.clock.advance(30)
    await plant.report(plant.connected(answered))
    await plant.report(
        plant.ended(answered),
        plant.ended(unplaced, "cancel", hangup_detail="not_placed", is_refunded=True),
    )

    end = RunEnd(campaign.id, opener.run_number, opener.fencing_token)
    assert await plant.services.runs.finish_run(end)
    finished = await plant.get(campaign.id)
    assert finished.status is Status.STOP
    assert finished.run.state is State.FINISHED
    assert finished.run.stop_reason is StopReason.FINISHED

    stats = await plant.services.campaigns.get_campaign_stats(campaign.customer_id, campaign.id)
    assert (stats.attempt_count, stats.success_count, stats.fail_count) == (3, 1, 2)
    assert (stats.answered_count, stats.connected_count, stats.refunded_count) == (1, 1, 1)
    assert stats.talk_ms == 30_000
    assert stats.hangup_reason_counts["busy"] == 1
    assert await plant.event_names(campaign.id) == [
        "campaign.created",
        "campaign.status_run",
        "campaign.status_stop",
    ]
    assert await plant.event_names(answered) == [
        "campaigncall.created",
        "campaigncall.progressing",
        "campaigncall.connected",
        "campaigncall.done",
    ]
