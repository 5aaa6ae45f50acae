"""Start, health, reflection and the orderly end of a process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.common import auth
from services.common.errors import Unavailable
from services.common.server import Server
from tests.integration.common import echo

ROOT = Path(__file__).resolve().parents[3]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def repeat(text: str) -> str:
    return text


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    await server.start()
    serving = asyncio.create_task(server.run())
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield channel
    finally:
        server.stop()
        await asyncio.wait({serving})


async def health(channel: grpc.aio.Channel, service: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    return int(answer.status)


async def test_health_is_off_until_the_checks_pass() -> None:
    ready = asyncio.Event()

    async def check() -> None:
        if not ready.is_set():
            raise Unavailable("not yet")

    server = echo.echo_server(repeat, checks=[check])
    async with running(server) as channel:
        assert await health(channel) == NOT_SERVING
        assert await health(channel, echo.SERVICE) == NOT_SERVING
        ready.set()
        async with asyncio.timeout(5):
            await server.wait_serving()
        assert await health(channel) == SERVING
        assert await health(channel, echo.SERVICE) == SERVING


async def test_health_goes_off_when_a_check_fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.server.CHECK_SECONDS", 0.02)
    well = True

    async def check() -> None:
        if not well:
            raise RuntimeError("ill")

    server = echo.echo_server(repeat, checks=[check])
    async with running(server) as channel:
        await server.wait_serving()
        stub: Any = health_pb2_grpc.HealthStub(channel)
        statuses = stub.Watch(health_pb2.HealthCheckRequest(service=echo.SERVICE))
        seen = []
        async with asyncio.timeout(5):
            async for each in statuses:
                seen.append(each.status)
                well = not well
                if len(seen) == 3:
                    break
        statuses.cancel()
    assert seen == [SERVING, NOT_SERVING, SERVING]


async def test_a_check_that_hangs_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.server.CHECK_SECONDS", 0.02)
    asked = asyncio.Semaphore(0)

    async def check() -> None:
        asked.release()
        await asyncio.Event().wait()

    async with running(echo.echo_server(repeat, checks=[check])) as channel:
        await asked.acquire()
        await asked.acquire()
        assert await health(channel) == NOT_SERVING


async def test_reflection_names_the_services() -> None:
    async with running(echo.echo_server(repeat)) as channel:
        anything: Any = channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(anything)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]))
        answers = [each async for each in call]
    names = {each.name for each in answers[0].list_services_response.service}
    assert {echo.SERVICE, "grpc.health.v1.Health"} <= names


async def test_a_failing_background_task_ends_the_process_after_closing() -> None:
    closed: list[str] = []

    async def crash() -> None:
        raise RuntimeError("lost my mind")

    async def drain() -> None:
        closed.append("drained")

    async def close() -> None:
        closed.append("closed")

    server = echo.echo_server(
        repeat, background=[("worker", crash)], on_drain=[drain], on_close=[close]
    )
    with pytest.raises(ExceptionGroup) as caught:
        await server.run()
    assert caught.group_contains(RuntimeError, match="lost my mind")
    assert closed == ["closed"]


async def test_a_background_task_that_ends_is_a_failure_too() -> None:
    async def finish() -> None:
        return

    with pytest.raises(ExceptionGroup) as caught:
        await echo.echo_server(repeat, background=[("worker", finish)]).run()
    assert caught.group_contains(RuntimeError, match="worker ended by itself")


async def test_a_background_task_that_misses_its_cancellation_ends_all_the_same() -> None:
    cancelled = 0

    async def deaf() -> None:
        # As a driver's `asyncio.wait_for` may be when its result arrives at that moment.
        nonlocal cancelled
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled += 1
                if cancelled > 1:
                    raise

    server = echo.echo_server(repeat, background=[("deaf", deaf)])
    async with asyncio.timeout(10):
        async with running(server):
            await server.wait_serving()
    assert cancelled == 2


async def test_a_crash_ends_the_others_even_if_one_misses_its_cancellation() -> None:
    misses = iter([True])
    ready = asyncio.Event()

    async def deaf() -> None:
        while True:
            try:
                ready.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not next(misses, False):
                    raise

    async def crash() -> None:
        await ready.wait()
        raise ValueError("a bug")

    server = echo.echo_server(repeat, background=[("deaf", deaf), ("crash", crash)])
    async with asyncio.timeout(10):
        with pytest.raises(ExceptionGroup) as caught:
            await server.run()
    assert caught.group_contains(ValueError, match="a bug")


async def test_the_end_comes_in_order() -> None:
    log: list[str] = []
    in_flight, drained = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> str:
        in_flight.set()
        await drained.wait()
        log.append("answered")
        return text

    async def worker() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("worker cancelled")

    async def drain() -> None:
        log.append("drain")
        drained.set()

    async def failing_close() -> None:
        log.append("close 1")
        raise RuntimeError("cannot close")

    async def close() -> None:
        log.append("close 2")

    server = echo.echo_server(
        slow,
        background=[("worker", worker)],
        on_drain=[drain],
        on_close=[failing_close, close],
    )
    channels = echo.channels()
    async with running(server):
        asking = asyncio.create_task(
            echo.Stub(channels.channel(server.address, "echo")).say("a", timeout=10)
        )
        await in_flight.wait()
        server.stop()
        assert await asking == "a"
    await channels.close()
    assert log == ["drain", "answered", "worker cancelled", "close 1", "close 2"]


async def test_a_taken_port_is_a_failure_at_start() -> None:
    first = echo.echo_server(repeat)
    async with running(first):
        with pytest.raises(RuntimeError):
            await echo.echo_server(repeat, listen=first.address).start()


@asynccontextmanager
async def process(mode: str) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.common.echo_process",
        mode,
        auth.trusted_keys_document(echo.trusted()),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            yield child, await line_of(child, "serving")
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
        # Without this the transport is closed by the garbage collector, which warns.
        child._transport.close()  # type: ignore[attr-defined]


async def line_of(child: Process, event: str) -> dict[str, Any]:
    assert child.stderr is not None
    async for text in child.stderr:
        line: dict[str, Any] = json.loads(text)
        if line["event"] == event:
            return line
    raise AssertionError(f"the process ended without saying {event}")


async def test_sigterm_finishes_what_was_asked_and_exits_with_0() -> None:
    async with process("serve") as (child, line):
        channels = echo.channels()
        stub = echo.Stub(channels.channel(line["address"], "echo"))
        asking = asyncio.create_task(stub.say("slow", timeout=20))
        await line_of(child, "asked")
        child.send_signal(signal.SIGTERM)
        assert await asking == "slow"
        assert await child.wait() == 0
        await channels.close()


async def test_a_crash_is_loud_and_exits_with_1() -> None:
    async with process("crash") as (child, line):
        channels = echo.channels()
        stub = echo.Stub(channels.channel(line["address"], "echo"))
        assert await stub.say("quick") == "quick"
        crashed = await line_of(child, "crashed")
        assert "lost my mind" in crashed["exception"]
        assert await child.wait() == 1
        await channels.close()


async def test_metrics_are_served() -> None:
    async with process("serve") as (_, line):
        channels = echo.channels()
        await echo.Stub(channels.channel(line["address"], "echo")).say("quick")
        await channels.close()
        for path, expected in (("/metrics", b"200 OK"), ("/", b"404 Not Found")):
            reader, writer = await asyncio.open_connection("127.0.0.1", line["metrics_port"])
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert expected in answer
            if path == "/metrics":
                assert b'outbound_rpc_server_handled_total{code="OK",method="/' in answer
