"""Events written in the transaction of the change they tell of, and published by a relay.

Append after the row of the resource has been locked or written: that makes the outbox ids of one
resource grow in commit order.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.clock import Clock
from services.common.db import after_commit, statement
from services.common.envelope import NewEvent, Subject, encode
from services.common.jetstream import subject
from services.common.relay import Relay

__all__ = ["NewEvent", "Outbox", "Pending", "Relay", "append"]

_INSERT = """
INSERT INTO outbox (subject, payload)
SELECT subject, payload
FROM unnest(CAST(:subjects AS text[]), CAST(:payloads AS bytea[])) WITH ORDINALITY
    AS batch (subject, payload, position)
ORDER BY position
"""


async def append(conn: AsyncConnection, clock: Clock, events: Sequence[NewEvent]) -> None:
    """Write the events to the outbox of the connection's schema, in one statement.

    They become one row per subject (more when they are many, or when an event would otherwise
    overtake an earlier one of its resource) and carry the domain time of now.
    """
    if not events:
        return
    batches = encode(events, clock.now())
    await conn.execute(
        statement(_INSERT),
        {
            "subjects": [
                subject(batch.customer_id, batch.resource, batch.event) for batch in batches
            ],
            "payloads": [batch.payload for batch in batches],
        },
    )


class Outbox:
    """append for a process that runs a relay: the relay is woken by the commit.

    Only for connections of `db.transaction`.
    """

    def __init__(self, clock: Clock, relay: Relay) -> None:
        self._clock = clock
        self._relay = relay

    async def append(self, conn: AsyncConnection, events: Sequence[NewEvent]) -> None:
        """See append."""
        if not events:
            return
        await append(conn, self._clock, events)
        after_commit(conn, self._relay, self._relay.wake)


class Pending:
    """The facts of one transaction, in the order told, written in one statement at its end.

    At the end every row is locked or written: so the outbox ids grow in the order of commits.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.events: list[NewEvent] = []

    def tell(self, resource: str, event: str, message: Message, subject: Subject) -> None:
        """See NewEvent.of."""
        self.events.append(NewEvent.of(resource, event, message, subject))

    async def write(self, conn: AsyncConnection) -> None:
        """Write the facts; called once, last."""
        await self._outbox.append(conn, self.events)
