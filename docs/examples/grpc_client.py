"""Create a campaign over gRPC, run it and print what came of it.

Each service believes tokens made for it. With the stack of `outbound up` running:

    customer=...                 # the id that GET /customer shows
    export OUTBOUND_CAMPAIGN_TOKEN=$(outbound token --customer $customer --audience campaign)
    export OUTBOUND_OUTDIAL_TOKEN=$(outbound token --customer $customer --audience outdial)
    export OUTBOUND_QUEUE_TOKEN=$(outbound token --customer $customer --audience queue)
    python docs/examples/grpc_client.py --campaign 127.0.0.1:21001 --outdial 127.0.0.1:21002 \
        --queue 127.0.0.1:21003 +15550100001 +15550100002

The addresses are in `run.json` of the data folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid

import grpc
from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.common.v1 import action_pb2, address_pb2
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

DEADLINE = 10.0
"""Every call carries one, real seconds; servers refuse to work for callers that have gone."""


class Service:
    """One server: its channel, and the token that is sent with each call."""

    def __init__(self, address: str, token_variable: str) -> None:
        token = os.environ.get(token_variable, "")
        if not token:
            sys.exit(f"{token_variable} is not set; make one with `outbound token`")
        self.channel = grpc.aio.insecure_channel(address)
        self.metadata = (("authorization", f"Bearer {token}"),)


async def create(outdials: Service, queues: Service, campaigns: Service, people: list[str]) -> str:
    """Make everything a campaign needs, then the campaign; its id."""
    word = f"grpc example {uuid.uuid4().hex[:8]}"
    outdial_id = await create_list(outdials, word, people)
    queue_id = await create_queue(queues, word)
    outplan = await outplan_grpc.OutplanServiceStub(campaigns.channel).CreateOutplan(
        outplan_pb.CreateOutplanRequest(
            name=word,
            source=address_pb2.Address(type="tel", target="+15550100000"),
            dial_timeout=20_000,  # milliseconds
            try_interval=1_000,
            max_try_counts=outplan_pb.MaxTryCounts(slot_0=2),
        ),
        metadata=campaigns.metadata,
        timeout=DEADLINE,
    )
    greeting = action_pb2.Action(type="talk", option_json='{"text": "Hello.", "language": "en-US"}')
    campaign = await campaign_grpc.CampaignServiceStub(campaigns.channel).CreateCampaign(
        campaign_pb.CreateCampaignRequest(
            name=word,
            service_level=100,
            actions=[greeting],
            outplan_id=outplan.id,
            outdial_id=outdial_id,
            queue_id=queue_id,
        ),
        metadata=campaigns.metadata,
        timeout=DEADLINE,
    )
    return campaign.id


async def create_list(outdials: Service, word: str, people: list[str]) -> str:
    """A list of the people to reach; its id."""
    stub = outdial_grpc.OutdialServiceStub(outdials.channel)
    outdial = await stub.CreateOutdial(
        outdial_pb.CreateOutdialRequest(name=word), metadata=outdials.metadata, timeout=DEADLINE
    )
    targets = [
        outdial_pb.NewTarget(
            name=number, destinations=[address_pb2.Address(type="tel", target=number)]
        )
        for number in people
    ]
    await stub.AddTargets(
        outdial_pb.AddTargetsRequest(outdial_id=outdial.id, targets=targets),
        metadata=outdials.metadata,
        timeout=DEADLINE,
    )
    return outdial.id


async def create_queue(queues: Service, word: str) -> str:
    """A queue with one available agent; its id."""
    # Queue and agents live in one process, so one token serves both.
    agent_stub = agent_grpc.AgentServiceStub(queues.channel)
    tag = await agent_stub.CreateTag(
        agent_pb.CreateTagRequest(name=word), metadata=queues.metadata, timeout=DEADLINE
    )
    username = f"agent@{uuid.uuid4().hex[:8]}.example"
    agent = await agent_stub.CreateAgent(
        agent_pb.CreateAgentRequest(
            username=username,
            password=uuid.uuid4().hex,
            name="example agent",
            tag_ids=[tag.id],
            addresses=[address_pb2.Address(type="sip", target=username)],
        ),
        metadata=queues.metadata,
        timeout=DEADLINE,
    )
    await agent_stub.UpdateAgent(
        agent_pb.UpdateAgentRequest(id=agent.id, status="available"),
        metadata=queues.metadata,
        timeout=DEADLINE,
    )
    queue = await queue_grpc.QueueServiceStub(queues.channel).CreateQueue(
        queue_pb.CreateQueueRequest(name=word, tag_ids=[tag.id]),
        metadata=queues.metadata,
        timeout=DEADLINE,
    )
    return queue.id


async def run(campaigns: Service, campaign_id: str, seconds: float) -> campaign_pb.CampaignStats:
    """Start the campaign and wait for its end, at most that long; its counters."""
    stub = campaign_grpc.CampaignServiceStub(campaigns.channel)
    await stub.SetCampaignStatus(
        campaign_pb.SetCampaignStatusRequest(
            id=campaign_id, status=campaign_pb.Campaign.STATUS_RUN
        ),
        metadata=campaigns.metadata,
        timeout=DEADLINE,
    )
    until = time.monotonic() + seconds
    attempts = -1
    while True:
        # Counters are kept as things happen: asking often costs little.
        stats = await stub.GetCampaignStats(
            campaign_pb.GetCampaignStatsRequest(id=campaign_id),
            metadata=campaigns.metadata,
            timeout=DEADLINE,
        )
        if stats.status == campaign_pb.Campaign.STATUS_STOP:
            return stats
        if stats.attempt_count != attempts:
            attempts = stats.attempt_count
            print(f"running, {attempts} attempts so far", file=sys.stderr)
        if time.monotonic() > until:
            sys.exit(f"campaign {campaign_id} still runs after {seconds:.0f} s")
        await asyncio.sleep(0.5)


async def show(campaigns: Service, campaign_id: str, stats: campaign_pb.CampaignStats) -> None:
    """Print the counters and every attempt."""
    state = campaign_pb.Campaign.State.Name(stats.state).removeprefix("STATE_").lower()
    print(f"campaign {campaign_id}: {state}")
    print(f"attempts {stats.attempt_count}, success {stats.success_count}, fail {stats.fail_count}")
    page = await campaign_grpc.CampaignServiceStub(campaigns.channel).ListCampaigncalls(
        campaign_pb.ListCampaigncallsRequest(campaign_id=campaign_id, page_size=100),
        metadata=campaigns.metadata,
        timeout=DEADLINE,
    )
    for call in page.campaigncalls:
        print(f"{call.destination.target} try {call.try_count}: {call.hangup_reason}")


async def main() -> None:
    """Do what the module's text says."""
    parser = argparse.ArgumentParser(description="A campaign over gRPC, from creation to its end.")
    parser.add_argument("--campaign", default=os.environ.get("OUTBOUND_CAMPAIGN_ADDRESS"))
    parser.add_argument("--outdial", default=os.environ.get("OUTBOUND_OUTDIAL_ADDRESS"))
    parser.add_argument("--queue", default=os.environ.get("OUTBOUND_QUEUE_ADDRESS"))
    parser.add_argument("--seconds", type=float, default=900.0, help="longest wait for the end")
    parser.add_argument("people", nargs="+", metavar="NUMBER", help="numbers such as +15550100001")
    arguments = parser.parse_args()
    campaigns = Service(arguments.campaign, "OUTBOUND_CAMPAIGN_TOKEN")
    outdials = Service(arguments.outdial, "OUTBOUND_OUTDIAL_TOKEN")
    queues = Service(arguments.queue, "OUTBOUND_QUEUE_TOKEN")
    try:
        campaign_id = await create(outdials, queues, campaigns, arguments.people)
        stats = await run(campaigns, campaign_id, arguments.seconds)
        await show(campaigns, campaign_id, stats)
    except grpc.aio.AioRpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    finally:
        for service in (campaigns, outdials, queues):
            await service.channel.close()


if __name__ == "__main__":
    asyncio.run(main())
