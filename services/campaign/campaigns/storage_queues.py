"""Which queues may be used by campaigns that run, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db import statement

# Alone while a queue is retired, shared while a campaign starts: of the two, the later one sees what the
# earlier one wrote, although there may be no row of either to lock.
_KEY = "hashtextextended('campaign.queue:' || CAST(:id AS text), 0)"
_ALONE = f"SELECT pg_advisory_xact_lock({_KEY})"
_SHARED = f"SELECT pg_advisory_xact_lock_shared({_KEY})"
_BUSY = """
SELECT c.id FROM campaigns c JOIN campaign_states s ON s.id = c.id
WHERE c.queue_id = :queue_id AND c.tm_delete IS NULL AND s.status <> 'stop'
ORDER BY c.id LIMIT 10
"""
_RETIRE = """
INSERT INTO retired_queues (queue_id) VALUES (:queue_id)
ON CONFLICT ON CONSTRAINT retired_queues_pkey DO NOTHING
"""
_RESTORE = "DELETE FROM retired_queues WHERE queue_id = :queue_id"
_IS_RETIRED = "SELECT EXISTS (SELECT FROM retired_queues WHERE queue_id = :queue_id)"


class PostgresQueueUses:
    """See ports.QueueUses."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def retire(self, queue_id: UUID) -> Sequence[UUID]:
        """See ports.QueueUses."""
        await self._conn.execute(statement(_ALONE), {"id": str(queue_id)})
        rows = await self._conn.execute(statement(_BUSY), {"queue_id": queue_id})
        busy = rows.scalars().all()
        if not busy:
            await self._conn.execute(statement(_RETIRE), {"queue_id": queue_id})
        return busy

    async def restore(self, queue_id: UUID) -> None:
        """See ports.QueueUses."""
        await self._conn.execute(statement(_RESTORE), {"queue_id": queue_id})

    async def hold(self, queue_id: UUID) -> bool:
        """See ports.QueueUses."""
        await self._conn.execute(statement(_SHARED), {"id": str(queue_id)})
        found = await self._conn.execute(statement(_IS_RETIRED), {"queue_id": queue_id})
        return not found.scalar_one()
