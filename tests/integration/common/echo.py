"""A gRPC service for tests of the machinery: what its methods do is given as plain functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from services.common import auth
from services.common.auth import Role, TokenIssuer, TokenVerifier
from services.common.clients import Channels
from services.common.server import Server, ServerParts

SERVICE = "outbound.test.v1.EchoService"
KEYS = {role: auth.generate_key_pair() for role in Role}
Method = Callable[[str], Awaitable[str]]


class Echo:
    """`one` answers unary calls; `many` yields two answers, then what `one` does."""

    def __init__(self, one: Method) -> None:
        self.one = one

    async def unary(self, request: StringValue, context: Any) -> StringValue:
        return StringValue(value=await self.one(request.value))

    async def unary_stream(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield StringValue(value="1")
        yield StringValue(value="2")
        yield StringValue(value=await self.one(request.value))

    async def stream_unary(self, requests: Any, context: Any) -> StringValue:
        return StringValue(value=await self.one("".join([each.value async for each in requests])))

    async def stream_stream(self, requests: Any, context: Any) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield StringValue(value=await self.one(request.value))

    async def writing(self, request: StringValue, context: Any) -> None:
        await context.write(StringValue(value="1"))
        await context.write(StringValue(value=await self.one(request.value)))


def add_echo(servicer: Any, server: Any) -> None:
    """What generated code does for a service."""
    codec: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(servicer.unary, **codec),
        "UnaryStream": grpc.unary_stream_rpc_method_handler(servicer.unary_stream, **codec),
        "StreamUnary": grpc.stream_unary_rpc_method_handler(servicer.stream_unary, **codec),
        "StreamStream": grpc.stream_stream_rpc_method_handler(servicer.stream_stream, **codec),
        "Writing": grpc.unary_stream_rpc_method_handler(servicer.writing, **codec),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


class Stub:
    """What generated code gives a client."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        codec: dict[str, Any] = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        self.unary: Any = channel.unary_unary(f"/{SERVICE}/Unary", **codec)
        self.unary_stream: Any = channel.unary_stream(f"/{SERVICE}/UnaryStream", **codec)
        self.stream_unary: Any = channel.stream_unary(f"/{SERVICE}/StreamUnary", **codec)
        self.stream_stream: Any = channel.stream_stream(f"/{SERVICE}/StreamStream", **codec)
        self.writing: Any = channel.unary_stream(f"/{SERVICE}/Writing", **codec)
        self.missing: Any = channel.unary_unary(f"/{SERVICE}/Missing", **codec)

    async def say(self, text: str, **options: Any) -> str:
        """One unary call."""
        answer: StringValue = await self.unary(StringValue(value=text), **options)
        return answer.value


def trusted() -> dict[str, tuple[Role, str]]:
    """Every role's own issuer, named like the role."""
    return {str(role): (role, pair.public_key) for role, pair in KEYS.items()}


def verifier(audience: str = "echo") -> TokenVerifier:
    """Believes the issuers of `trusted`."""
    return TokenVerifier(audience, auth.trusted_keys(auth.trusted_keys_document(trusted())))


def issuer(role: Role = Role.GATEWAY) -> TokenIssuer:
    """Signs as the role's issuer."""
    return TokenIssuer(str(role), KEYS[role].private_pem)


def channels(role: Role = Role.GATEWAY, **options: Any) -> Channels:
    """Channels that sign as the role's issuer."""
    return Channels(issuer(role), **options)


def echo_server(one: Method, **parts: Any) -> Server:
    """A server around Echo, on a free port."""
    defaults: dict[str, Any] = {"listen": "127.0.0.1:0", "verifier": verifier()}
    servicers = [(add_echo, Echo(one))]
    return Server(ServerParts(name="echo", servicers=servicers, **(defaults | parts)))
