"""Prometheus metrics and the endpoint they are read from.

Keep labels few and bounded: a method, a code, a name fixed in the source; never a customer or a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import MetricWrapperBase

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MADE: dict[str, MetricWrapperBase] = {}
Metric = TypeVar("Metric", bound=MetricWrapperBase)
_Maker = Callable[[str], Metric]


def counter(name: str, about: str, labels: Sequence[str] = ()) -> Counter:
    """The counter `outbound_<name>`; asking again for the same name gives the same one."""
    return _once(Counter, name, lambda full: Counter(full, about, labels))


def gauge(name: str, about: str, labels: Sequence[str] = ()) -> Gauge:
    """The gauge `outbound_<name>`."""
    return _once(Gauge, name, lambda full: Gauge(full, about, labels))


def histogram(
    name: str, about: str, labels: Sequence[str] = (), buckets: Sequence[float] = _SECONDS
) -> Histogram:
    """The histogram `outbound_<name>`, by default for durations in seconds."""
    return _once(Histogram, name, lambda full: Histogram(full, about, labels, buckets=buckets))


class MetricsEndpoint:
    """A minimal HTTP server that answers `GET /metrics`."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, listen: str) -> None:
        """Listen on `host:port`; port 0 takes a free one, see `port`."""
        host, _, port = listen.rpartition(":")
        self._server = await asyncio.start_server(_answer, host.strip("[]"), int(port))
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()


def _once(kind: type[Metric], name: str, make: _Maker[Metric]) -> Metric:
    full = f"outbound_{name}"
    metric = _MADE.get(full)
    if metric is None:
        metric = _MADE[full] = make(full)
    if not isinstance(metric, kind):
        raise TypeError(f"{full} is already a {type(metric).__name__}")
    return metric


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            found = head.split(b" ", 2)[1:2] == [b"/metrics"]
            body = generate_latest(REGISTRY) if found else b"see /metrics\n"
            status = b"200 OK" if found else b"404 Not Found"
            kind = CONTENT_TYPE_LATEST.encode() if found else b"text/plain"
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                % (status, kind, len(body))
            )
            writer.write(body)
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return
    finally:
        writer.close()
