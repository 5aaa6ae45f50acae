"""Wires the process together, serves, and ends it in order."""

from __future__ import annotations

import asyncio
import signal
from uuid import uuid4

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from outbound.simnet.v1 import simnet_pb2 as simnet_pb
from outbound.simnet.v1 import simnet_pb2_grpc as simnet_grpc

from simnet import clock as clocks
from simnet import log, metrics, profile
from simnet.config import Config
from simnet.engine import Engine
from simnet.journal import Journal
from simnet.ledger import Ledger
from simnet.network import Network
from simnet.people import Luck
from simnet.rpc import SimulatedNetworkServicer

_SERVICE = simnet_pb.DESCRIPTOR.services_by_name["SimulatedNetworkService"].full_name
_OPTIONS: list[tuple[str, int]] = [
    # A second network on the same port must fail, not share its callers.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 32 << 20),
    ("grpc.max_send_message_length", 32 << 20),
    # Notice a dialer whose host vanished, and let dialers do the same with us.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
]
# Streams end by themselves once the last events are sent; this is for a dialer that does not read.
_STOP_SECONDS = 3.0


async def run(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. The ledger is complete when this returns."""
    people = profile.load(config.profile)
    ledger = Ledger(config.ledger)
    try:
        recovered = ledger.recover(config.clock.now_us(), clocks.real_us())
        log.write(
            "ledger_read",
            calls=len(recovered.seen),
            cut_off=len(recovered.cut_off),
            truncated_bytes=recovered.truncated_bytes,
        )
        journal = Journal()
        network = Network(
            profile=people,
            luck=Luck(config.seed),
            seen=recovered.seen,
            counts=recovered.counts,
            journal=journal,
        )
        engine = Engine(
            network=network,
            journal=journal,
            ledger=ledger,
            clock=config.clock,
            gather_seconds=config.gather_seconds,
            retention_seconds=config.retention_seconds,
        )
        await _serve(config, engine, SimulatedNetworkServicer(engine, people, str(uuid4())))
    finally:
        ledger.close()


async def _serve(config: Config, engine: Engine, servicer: SimulatedNetworkServicer) -> None:
    server = grpc.aio.server(options=_OPTIONS)
    simnet_grpc.add_SimulatedNetworkServiceServicer_to_server(servicer, server)
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection(
        [_SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name], server
    )
    port = server.add_insecure_port(config.listen)
    await server.start()
    metrics_port, stop_metrics = 0, None
    if config.metrics_listen:
        metrics_port, stop_metrics = metrics.start(config.metrics_listen, engine)
    for name in ("", _SERVICE):
        await health.set(name, health_pb2.HealthCheckResponse.SERVING)
    host = config.listen.rpartition(":")[0]
    log.write(
        "serving",
        address=f"{host}:{port}",
        port=port,
        metrics_port=metrics_port,
        stepped=config.clock.is_stepped,
    )
    try:
        await _until_stopped(engine)
    finally:
        # Also after a crash: dialers must hear that their calls are gone, if the ledger can be had.
        servicer.is_stopping = True
        await health.enter_graceful_shutdown()
        try:
            engine.stop()
        finally:
            await server.stop(_STOP_SECONDS)
            if stop_metrics is not None:
                stop_metrics()
    log.write("stopped")


async def _until_stopped(engine: Engine) -> None:
    """Run the network until a signal comes; raises what makes the network fail."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(engine.run(), name="engine")
        await stopped.wait()
        log.write("stopping", live_calls=len(engine.network.live))
        running.cancel()
