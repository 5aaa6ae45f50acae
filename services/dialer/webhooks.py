"""Sends webhooks that no execution waits for, until they have arrived: at least once each.

They are stored with the state of the execution that sends them; any dialer sends any of them. One that
is being sent is hidden from the others for a while, so that a dialer's death only delays it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.common.metrics import counter
from services.dialer.domain.webhooks import (
    MAX_WEBHOOK_TRIES,
    HttpFailedError,
    TakenWebhook,
    request_of,
)
from services.dialer.ports import HttpCalls, Webhooks
from services.dialer.timers import wait_for

LOOK_SECONDS = 2.0
MOST_AT_ONCE = 200
MOST_OF_CUSTOMER = 50
"""One customer's silent server must not keep the others waiting."""
HIDDEN_SECONDS = 60.0
"""Longer than a request may take."""
FIRST_PAUSE_SECONDS = 2.0
PAUSE_GROWTH = 5.0
"""2 s, 10 s, 50 s and 250 s (real) between the tries."""

_sent = counter("dialer_webhooks", "Webhooks that nobody waited for", ("outcome",))


class WebhookSender:
    """See the module. `run` is a background task."""

    def __init__(self, webhooks: Webhooks, http: HttpCalls, clock: Clock) -> None:
        self._webhooks = webhooks
        self._http = http
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._of_customer: Counter[UUID] = Counter()
        self._woken = asyncio.Event()
        self._log = get_logger()

    def wake(self) -> None:
        """Some have just been stored."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; those under way are cancelled too, and are due again later."""
        try:
            while True:
                await wait_for(self._woken, self._clock, real=LOOK_SECONDS)
                self._woken.clear()
                try:
                    while await self._start_due():
                        pass
                except AppError as exc:
                    self._log.warning("webhooks_unknown", error=str(exc))
        finally:
            for task in self._tasks:
                task.cancel()

    async def _start_due(self) -> int:
        """Start to send those that are due, as far as there is room; how many there were."""
        room = min(MOST_AT_ONCE - len(self._tasks), MOST_OF_CUSTOMER)
        if room <= 0:
            return 0
        busy = [each for each, count in self._of_customer.items() if count >= MOST_OF_CUSTOMER]
        taken = await self._webhooks.take(room, HIDDEN_SECONDS, busy)
        for each in taken:
            self._of_customer[each.webhook.customer_id] += 1
            task = asyncio.create_task(self._send(each), name="webhook")
            self._tasks.add(task)
            task.add_done_callback(self._sent)
        return len(taken)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()

    async def _send(self, taken: TakenWebhook) -> None:
        try:
            await self._try(taken)
        except AppError as exc:
            # It is due again when nobody has said what became of it.
            self._log.warning("webhook_unsettled", error=str(exc))
        finally:
            customer_id = taken.webhook.customer_id
            self._of_customer[customer_id] -= 1
            if not self._of_customer[customer_id]:
                del self._of_customer[customer_id]

    async def _try(self, taken: TakenWebhook) -> None:
        webhook = taken.webhook
        try:
            answer = await self._http.send(request_of(webhook))
            failure = "" if answer.is_success else f"answered {answer.status}"
        except HttpFailedError as exc:
            failure = str(exc)
        if not failure:
            _sent.labels("sent").inc()
            await self._webhooks.done([webhook.id])
        elif taken.tries >= MAX_WEBHOOK_TRIES:
            _sent.labels("given_up").inc()
            self._log.warning(
                "webhook_given_up", activeflow=str(webhook.activeflow_id), error=failure
            )
            await self._webhooks.done([webhook.id])
        else:
            pause = FIRST_PAUSE_SECONDS * PAUSE_GROWTH ** (taken.tries - 1)
            await self._webhooks.postpone(webhook.id, pause)
