"""Settings of the queue process: those every process has; see services/common/config.py."""

from __future__ import annotations

from services.common.config import ServiceSettings


class QueueSettings(ServiceSettings):
    """What the queue process is told by its environment."""

    campaign_address: str = ""
    """Where the campaign service listens, host:port; empty: neither wait flows are looked up,
    nor campaigns that run when a queue is deleted."""
