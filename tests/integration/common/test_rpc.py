"""Errors, callers and deadlines over a real socket."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import nats.errors
import psycopg
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.common import auth, context, errors, log
from services.common.auth import Role
from services.common.clients import MESSAGE_BYTES
from tests.integration.common import echo

CUSTOMER = uuid.uuid4()


@asynccontextmanager
async def running(one: echo.Method, role: Role = Role.GATEWAY) -> AsyncIterator[echo.Stub]:
    server = echo.echo_server(one)
    await server.start()
    channels = echo.channels(role)
    serving = asyncio.create_task(server.run())
    try:
        yield echo.Stub(channels.channel(server.address, "echo"))
    finally:
        server.stop()
        await serving
        await channels.close()


async def repeat(text: str) -> str:
    return text


def raising(error: Exception) -> echo.Method:
    async def one(text: str) -> str:
        raise error

    return one


async def answers_of(call: Any) -> list[str]:
    return [each.value async for each in call]


def requests(*texts: str) -> Iterator[StringValue]:
    return (StringValue(value=text) for text in texts)


async def test_all_four_kinds_of_method_work() -> None:
    async with running(repeat) as stub:
        assert await stub.say("a") == "a"
        assert await answers_of(stub.unary_stream(StringValue(value="a"))) == ["1", "2", "a"]
        assert (await stub.stream_unary(requests("a", "b"))).value == "ab"
        assert await answers_of(stub.stream_stream(requests("a", "b"))) == ["a", "b"]
        assert await answers_of(stub.writing(StringValue(value="a"))) == ["1", "a"]


async def test_an_error_arrives_as_what_was_raised() -> None:
    error = errors.FailedPrecondition("campaign 7 runs; stop it", violations=[], campaign="7")
    async with running(raising(error)) as stub:
        for call in (
            stub.say("a"),
            stub.stream_unary(requests("a")),
            answers_of(stub.unary_stream(StringValue())),
            answers_of(stub.stream_stream(requests("a"))),
            answers_of(stub.writing(StringValue())),
        ):
            with pytest.raises(errors.FailedPrecondition, match="campaign 7 runs") as caught:
                await call
            assert caught.value.reason == "STATE_INVALID"
            assert caught.value.metadata == {"campaign": "7"}


async def test_answers_sent_before_an_error_arrive() -> None:
    got: list[str] = []

    async def read(call: Any) -> None:
        async for each in call:
            got.append(each.value)

    async with running(raising(errors.NotFound("gone"))) as stub:
        with pytest.raises(errors.NotFound):
            await read(stub.unary_stream(StringValue()))
    assert got == ["1", "2"]


async def test_a_bug_is_for_the_log_only(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("echo")
    async with running(raising(RuntimeError("password=hunter2"))) as stub:
        context.accept_request_id("req_of_the_test")
        with pytest.raises(errors.Internal) as caught:
            await stub.say("a")
    assert caught.value.message == "internal error"
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line["event"] == "internal_error"]
    assert line["request_id"] == "req_of_the_test"
    assert "hunter2" in line["exception"]


async def test_an_internal_error_raised_on_purpose_leaks_nothing_either() -> None:
    async with running(raising(errors.Internal("row 7 of table x is broken"))) as stub:
        with pytest.raises(errors.Internal, match=r"^internal error$"):
            await stub.say("a")


@pytest.mark.parametrize(
    "outage",
    [
        psycopg.OperationalError("server closed the connection"),
        nats.errors.ConnectionClosedError(),
        nats.errors.TimeoutError(),
        ConnectionRefusedError("no"),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_an_outage_behind_the_service_is_unavailable(outage: Exception) -> None:
    async with running(raising(outage)) as stub:
        with pytest.raises(errors.Unavailable) as caught:
            await stub.say("a")
    assert caught.value.reason == "SERVICE_UNAVAILABLE"


async def test_the_caller_and_its_customer_arrive() -> None:
    async def who(text: str) -> str:
        caller = auth.current_caller()
        return f"{caller.role} {caller.customer_id} {caller.permissions}"

    async with running(who) as stub:
        assert await stub.say("") == "gateway None 0"
        with auth.acting_for(CUSTOMER, permissions=64):
            assert await stub.say("") == f"gateway {CUSTOMER} 64"
        assert await answers_of(stub.unary_stream(StringValue())) == ["1", "2", "gateway None 0"]


async def test_the_customer_of_a_request_is_not_passed_on_by_itself() -> None:
    async with running(lambda text: _customer()) as inner:

        async def outer(text: str) -> str:
            return await inner.say(text)

        async with running(outer) as stub:
            with auth.acting_for(CUSTOMER):
                assert await stub.say("") == "None"


async def _customer() -> str:
    return str(auth.current_caller().customer_id)


async def test_nobody_is_anonymous() -> None:
    async with _plain() as channel:
        stub = echo.Stub(channel)
        for metadata in (
            (),
            (("authorization", "Bearer "),),
            (("authorization", "Bearer x.y.z"),),
            (("authorization", "Basic abc"),),
            (("authorization", f"Bearer {echo.issuer().issue('other')}"),),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.unary(StringValue(), metadata=metadata, timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answers_of(stub.stream_stream(requests("a"), metadata=metadata, timeout=5))
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@asynccontextmanager
async def _plain() -> AsyncIterator[grpc.aio.Channel]:
    server = echo.echo_server(repeat)
    await server.start()
    serving = asyncio.create_task(server.run())
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield channel
    finally:
        server.stop()
        await serving


async def test_a_packed_message_is_unpacked_to_the_limit_only() -> None:
    """Before anybody knows who sent it."""
    server = echo.echo_server(repeat)
    await server.start()
    serving = asyncio.create_task(server.run())
    try:
        async with grpc.aio.insecure_channel(
            server.address,
            options=[("grpc.max_send_message_length", -1)],
            compression=grpc.Compression.Gzip,
        ) as channel:
            send: Any = channel.unary_unary(f"/{echo.SERVICE}/Unary")
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await send(StringValue(value="x" * (MESSAGE_BYTES + 1)).SerializeToString())
    finally:
        server.stop()
        await serving
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_an_unknown_method_is_unimplemented() -> None:
    async with running(repeat) as stub:
        with pytest.raises(errors.Internal, match="UNIMPLEMENTED"):
            await stub.missing(StringValue())


async def test_the_request_id_goes_through_all_processes() -> None:
    async def my_id(text: str) -> str:
        return context.request_id()

    async with running(my_id) as inner:

        async def outer(text: str) -> str:
            return await inner.say(text)

        async with running(outer) as stub:
            context.accept_request_id("req_abc")
            assert await stub.say("") == "req_abc"


async def test_an_error_names_the_request() -> None:
    async with _plain() as channel:
        call = echo.Stub(channel).unary(
            StringValue(), metadata=(("x-request-id", "mine"),), timeout=5
        )
        assert dict(await call.trailing_metadata())["x-request-id"] == "mine"
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_a_call_with_too_little_time_is_refused_before_it_is_made() -> None:
    async with running(repeat) as stub:
        context.accept_deadline(0.101)
        try:
            with pytest.raises(errors.Unavailable) as caught:
                await stub.say("a")
        finally:
            context.accept_deadline(None)
    assert caught.value.reason == "REQUEST_TIMEOUT"


async def test_a_request_with_too_little_time_is_refused_by_the_server() -> None:
    asked: list[str] = []

    async def note(text: str) -> str:
        asked.append(text)
        return text

    async with running(note) as stub:
        with pytest.raises(errors.Unavailable) as caught:
            await stub.say("a", timeout=0.09)
    assert caught.value.reason == "REQUEST_TIMEOUT"
    assert asked == []


async def test_a_deadline_shrinks_from_hop_to_hop() -> None:
    lefts: list[float] = []

    async def left(text: str) -> str:
        lefts.append(context.time_left() or 0)
        return text

    async with running(left) as inner:

        async def outer(text: str) -> str:
            await left(text)
            return await inner.say(text)

        async with running(outer) as stub:
            await stub.say("", timeout=2)
    # At each hop 20 ms are shaved off, and gRPC rounds what it sends up by as much as 10 ms.
    assert 1 < lefts[1] < lefts[0] < 2


async def test_a_stream_has_no_deadline_of_its_own() -> None:
    async def left(text: str) -> str:
        return str(context.time_left())

    async with running(left) as stub:
        assert await answers_of(stub.stream_stream(requests("a"))) == ["None"]


async def test_a_slow_service_is_unavailable_and_stops_working() -> None:
    cancelled = asyncio.Event()

    async def slow(text: str) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return text

    async with running(slow) as stub:
        with pytest.raises(errors.Unavailable, match="took too long") as caught:
            await stub.say("a", timeout=0.3)
        async with asyncio.timeout(5):
            await cancelled.wait()
    assert caught.value.reason == "REQUEST_TIMEOUT"


async def test_a_service_that_is_down_is_unavailable_at_once_and_found_again() -> None:
    server = echo.echo_server(repeat)
    await server.start()
    address = server.address
    serving = asyncio.create_task(server.run())
    channels = echo.channels()
    stub = echo.Stub(channels.channel(address, "echo"))
    assert await stub.say("a") == "a"
    server.stop()
    await serving
    with pytest.raises(errors.Unavailable, match="echo is not available"):
        await stub.say("a")
    again = echo.echo_server(repeat, listen=address)
    serving = asyncio.create_task(again.run())
    assert await stub.say("b", wait_for_ready=True, timeout=10) == "b"
    again.stop()
    await serving
    await channels.close()


async def test_a_long_error_still_arrives() -> None:
    violations = [errors.FieldViolation(f"rows[{n}]", "é" * 50) for n in range(2000)]
    error = errors.InvalidArgument("é" * 20_000, violations=violations)
    async with running(raising(error)) as stub:
        with pytest.raises(errors.InvalidArgument) as caught:
            await stub.say("a")
    assert len(caught.value.violations) > 5
