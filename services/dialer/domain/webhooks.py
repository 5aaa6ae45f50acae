"""HTTP requests that flows send: webhooks, and fetches of further actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

MAX_WEBHOOK_TRIES = 5
"""How often a webhook nobody waits for is tried before it is given up."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook of one execution. The id is the same however often it is sent."""

    id: UUID
    customer_id: UUID
    activeflow_id: UUID
    method: str
    uri: str
    data_type: str
    data: str


@dataclass(frozen=True, slots=True)
class TakenWebhook:
    """A stored webhook, to be sent now for the `tries`-th time."""

    webhook: Webhook
    tries: int


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to somewhere else; `key` lets the other side tell a repetition."""

    method: str
    uri: str
    key: UUID
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    body: bytes
    is_too_long: bool = False  # the body was not read

    @property
    def is_success(self) -> bool:
        """Whether the other side has accepted it. Redirections are not followed and count as refused."""
        return 200 <= self.status < 300


class HttpFailedError(Exception):
    """No usable answer; the text says why, for the owner of the flow."""


def request_of(webhook: Webhook) -> HttpRequest:
    """The request that a webhook is."""
    body = b"" if webhook.method == "GET" else webhook.data.encode()
    headers = {"Content-Type": webhook.data_type} if body else {}
    return HttpRequest(webhook.method, webhook.uri, webhook.id, headers, body)
