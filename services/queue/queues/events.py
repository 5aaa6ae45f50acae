"""What queues and queuecalls publish."""

from __future__ import annotations

from outbound.queue.v1 import events_pb2 as events_pb

from services.common.outbox import NewEvent
from services.queue.queues.convert import queue_to_proto, queuecall_to_proto
from services.queue.queues.domain import Queue
from services.queue.queues.domain_queuecalls import Queuecall


def queue_event(event: str, queue: Queue) -> NewEvent:
    """The fact `queue.<event>`."""
    message = events_pb.QueueEvent(queue=queue_to_proto(queue))
    return NewEvent(
        customer_id=queue.customer_id,
        resource="queue",
        event=event,
        resource_id=queue.id,
        revision=queue.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )


def queuecall_event(event: str, call: Queuecall) -> NewEvent:
    """The fact `queuecall.<event>`."""
    message = events_pb.QueuecallEvent(queuecall=queuecall_to_proto(call))
    return NewEvent(
        customer_id=call.customer_id,
        resource="queuecall",
        event=event,
        resource_id=call.id,
        revision=call.revision,
        data=message.SerializeToString(),
        data_type=message.DESCRIPTOR.full_name,
    )
