"""What the fake services behind a gateway share: their rows, and what a test wants to go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.queue.v1 import queue_service_pb2 as queue_pb

from services.common.errors import AppError
from tests.support.shelf import Shelf


class Backends:
    """The fakes' state, shared by all of them."""

    def __init__(self) -> None:
        self.campaigns = Shelf(campaign_pb.Campaign, "CAMPAIGN")
        self.campaigncalls = Shelf(campaign_pb.Campaigncall, "CAMPAIGNCALL")
        self.outplans = Shelf(outplan_pb.Outplan, "OUTPLAN")
        self.flows = Shelf(flow_pb.Flow, "FLOW")
        self.outdials = Shelf(outdial_pb.Outdial, "OUTDIAL")
        self.targets = Shelf(outdial_pb.Target, "OUTDIAL_TARGET")
        self.target_lists: dict[str, bytes] = {}
        self.queues = Shelf(queue_pb.Queue, "QUEUE")
        self.queuecalls = Shelf(queue_pb.Queuecall, "QUEUECALL")
        self.agents = Shelf(agent_pb.Agent, "AGENT")
        self.tags = Shelf(agent_pb.Tag, "TAG")
        self.calls = Shelf(dialer_pb.Call, "CALL")
        self.activeflows = Shelf(dialer_pb.Activeflow, "ACTIVEFLOW")
        self.recordings = Shelf(dialer_pb.Recording, "RECORDING")
        self.files: dict[str, bytes] = {}
        """Recordings' files, by recording id."""
        self.imports: dict[str, outdial_pb.ImportResult] = {}
        self.headers: list[outdial_pb.ImportHeader] = []
        self.passwords: dict[str, tuple[str, str]] = {}
        self.stats: dict[str, campaign_pb.CampaignStats] = {}
        self.fail: dict[str, Callable[[], AppError]] = {}
        """Method name -> the error it raises."""
        self.asked: list[str] = []
        """Method names in the order in which they were called."""

    def enter(self, method: str) -> None:
        """Note a call, and fail as the test wishes."""
        self.asked.append(method)
        if method in self.fail:
            raise self.fail[method]()


def crud(shelf: str, word: str, plural: str, many: type[Any]) -> dict[str, Any]:
    """The five standard methods of a servicer for a shelf."""

    async def create(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Create{word}")
        return getattr(self.b, shelf).create(request)

    async def get(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Get{word}")
        return getattr(self.b, shelf).get(request.id)

    async def listed(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"List{word}s")
        rows, token = getattr(self.b, shelf).list(request)
        return many(**{plural: rows, "next_page_token": token})

    async def updated(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Update{word}")
        return getattr(self.b, shelf).update(request)

    async def deleted(self: Any, request: Any, context: Any) -> Any:
        self.b.enter(f"Delete{word}")
        return getattr(self.b, shelf).delete(request.id)

    return {
        f"Create{word}": create,
        f"Get{word}": get,
        f"List{word}s": listed,
        f"Update{word}": updated,
        f"Delete{word}": deleted,
    }


class Fake:
    def __init__(self, backends: Backends) -> None:
        self.b = backends


def fake(*bases: type[Any], methods: dict[str, Any]) -> type[Any]:
    return type("Fake", bases, methods)
