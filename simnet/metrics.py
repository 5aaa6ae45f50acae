"""Prometheus figures of the network, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from simnet.engine import Engine


class EngineCollector(Collector):
    """Live calls, attached dialers, ended and refused calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        network = self._engine.network
        live = GaugeMetricFamily("simnet_live_calls", "Calls ringing or answered now.")
        live.add_metric([], len(network.live))
        yield live
        dialers = GaugeMetricFamily("simnet_dialers", "Dialers attached now.")
        dialers.add_metric([], len(self._engine.sessions))
        yield dialers
        ended = CounterMetricFamily("simnet_calls_ended", "Calls over.", labels=["outcome"])
        for outcome, count in network.outcomes.items():
            ended.add_metric([outcome], count)
        yield ended
        refused = CounterMetricFamily("simnet_places_refused", "Places refused.", labels=["reason"])
        for reason, count in network.refusals.items():
            refused.add_metric([reason], count)
        yield refused


def start(listen: str, engine: Engine) -> tuple[int, Callable[[], None]]:
    """Serve the figures over HTTP; the port, and what stops it."""
    registry = CollectorRegistry()
    registry.register(EngineCollector(engine))
    host, _, port = listen.rpartition(":")
    server, thread = start_http_server(int(port), addr=host, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, stop
