"""Every method of every service, tried by callers who are nobody, not who they say, or not the one it is for.

The methods are those of the running processes' own descriptors, so a method that is added is tried, too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import grpc
import jwt
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cli.stack.secrets import ISSUERS
from services.common.auth import TokenIssuer, generate_key_pair
from tests.fixtures.stack import RunningStack

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(120)]

SERVICES = {
    "campaign": ("campaign.v1.campaign", "outplan.v1.outplan", "flow.v1.flow"),
    "outdial": ("outdial.v1.outdial",),
    "queue": ("queue.v1.queue", "agent.v1.agent"),
    "dialer": ("dialer.v1.dialer",),
}
"""The modules of the services that each process hosts."""

ONE_CALLER = {
    "CampaignService/AcquireLeases": "dialer",
    "CampaignService/ReleaseLeases": "dialer",
    "CampaignService/OpenCampaigncalls": "dialer",
    "CampaignService/ReportCampaigncalls": "dialer",
    "CampaignService/ListOpenCampaigncalls": "dialer",
    "CampaignService/FinishRun": "dialer",
    "CampaignService/ResolveAttempts": "outdial",
    "CampaignService/RetireQueue": "queue",
    "CampaignService/RestoreQueue": "queue",
    "OutdialService/BindOutdial": "campaign",
    "OutdialService/ClaimTargets": "dialer",
    "OutdialService/ReleaseClaims": "dialer",
    "OutdialService/DescribeTargets": "dialer",
    "QueueService/GetCapacity": "dialer",
    "QueueService/JoinQueue": "dialer",
    "QueueService/AssignAgents": "dialer",
    "QueueService/ReportQueuecalls": "dialer",
    "AgentService/VerifyPassword": "gateway",
}
"""The methods that only one kind of process may call. All others act for the customer of the token."""


@dataclass(frozen=True)
class Method:
    """A method and the process that answers it."""

    process: str
    descriptor: MethodDescriptor

    @property
    def name(self) -> str:
        """`Service/Method`."""
        return f"{self.descriptor.containing_service.name}/{self.descriptor.name}"

    async def code(self, channel: grpc.aio.Channel, *authorization: str) -> grpc.StatusCode:
        """What the process answers to a request for things that are nobody's, with these tokens."""
        each = self.descriptor
        kind = "stream" if each.client_streaming else "unary"
        kind += "_stream" if each.server_streaming else "_unary"
        request = GetMessageClass(each.input_type)
        call: Any = getattr(channel, kind)(
            f"/{each.containing_service.full_name}/{each.name}",
            request_serializer=request.SerializeToString,
            response_deserializer=GetMessageClass(each.output_type).FromString,
        )
        ids = [field.name for field in each.input_type.fields if field.name.split("_")[-1] == "id"]
        asked = request(**dict.fromkeys(ids, str(uuid.uuid4())))
        metadata = [("authorization", each) for each in authorization]
        given = iter([asked]) if each.client_streaming else asked
        try:
            answer = call(given, metadata=metadata, timeout=10)
            if each.server_streaming:
                async for _ in answer:
                    pass
            else:
                await answer
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def methods() -> Iterator[Method]:
    for process, names in SERVICES.items():
        for name in names:
            module = import_module(f"outbound.{name}_service_pb2")
            for service in module.DESCRIPTOR.services_by_name.values():
                for each in service.methods:
                    yield Method(process, each)


ALL = list(methods())
each_method = pytest.mark.parametrize("method", ALL, ids=lambda method: method.name)


@dataclass(frozen=True)
class Callers:
    """The stack's own keys, as if they had been handed out, and a stranger's."""

    stack: RunningStack

    def issuer(self, name: str) -> TokenIssuer:
        """Signs as a process of the stack."""
        return TokenIssuer.from_file(name, self.stack.data_dir / "secrets" / f"{name}_key.pem")

    def channel(self, process: str) -> grpc.aio.Channel:
        """To a process of the stack; of several dialers any will do."""
        addresses = self.stack.facts["grpc"]
        return grpc.aio.insecure_channel(addresses.get(process) or addresses["dialer-1"])


@pytest.fixture
def callers(stack: RunningStack) -> Callers:
    return Callers(stack)


def forged(name: str, audience: str) -> Iterator[str]:
    """Tokens that are nobody's, though they say they are."""
    stranger = TokenIssuer(name, generate_key_pair().private_pem)
    yield stranger.issue(audience, customer_id=uuid.uuid4())
    claims = {"iss": name, "aud": audience, "exp": 2**40, "customer": str(uuid.uuid4())}
    yield jwt.encode(claims, "", algorithm="none")
    yield jwt.encode(claims, "k" * 32, algorithm="HS256")
    yield "nonsense"
    yield ""


@each_method
async def test_nobody_gets_in_without_a_good_token(callers: Callers, method: Method) -> None:
    allowed = ONE_CALLER.get(method.name, "gateway")
    good = callers.issuer(allowed)
    elsewhere = "campaign" if method.process != "campaign" else "queue"
    refused = [
        *forged(allowed, method.process),
        good.issue(method.process, customer_id=uuid.uuid4(), ttl=-60),
        good.issue(elsewhere, customer_id=uuid.uuid4()),
        TokenIssuer("unheard-of", generate_key_pair().private_pem).issue(method.process),
    ]
    async with callers.channel(method.process) as channel:
        codes = [await method.code(channel)]
        codes += [await method.code(channel, f"Bearer {token}") for token in refused]
        codes.append(await method.code(channel, good.issue(method.process)))  # No scheme.
    assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}, codes


@each_method
async def test_only_the_process_it_is_for_may_call(callers: Callers, method: Method) -> None:
    allowed = ONE_CALLER.get(method.name)
    async with callers.channel(method.process) as channel:
        for name in ISSUERS:
            token = callers.issuer(name).issue(method.process, customer_id=uuid.uuid4())
            code = await method.code(channel, f"Bearer {token}")
            is_refused = code is grpc.StatusCode.PERMISSION_DENIED
            assert is_refused is (allowed not in (None, name)), (name, code)


@each_method
async def test_a_customers_method_needs_a_customer(callers: Callers, method: Method) -> None:
    if method.name in ONE_CALLER:
        return  # Those act for the deployment.
    async with callers.channel(method.process) as channel:
        for name in ("gateway", "client", "outdial"):
            token = callers.issuer(name).issue(method.process)
            code = await method.code(channel, f"Bearer {token}")
            assert code is grpc.StatusCode.UNAUTHENTICATED, (name, code)


def test_the_methods_named_here_are_there() -> None:
    assert ONE_CALLER.keys() <= {method.name for method in ALL}


async def test_no_process_answers_a_service_that_is_not_tried_here(callers: Callers) -> None:
    open_to_all = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    for process in SERVICES:
        tried = {
            each.descriptor.containing_service.full_name for each in ALL if each.process == process
        }
        async with callers.channel(process) as channel:
            assert await services_of(channel) == tried | open_to_all


async def services_of(channel: grpc.aio.Channel) -> set[str]:
    """What a process says that it answers."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([asked])):
        return {each.name for each in answer.list_services_response.service}
    raise AssertionError("no answer")
