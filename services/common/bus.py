"""The event bus as the services see it; see jetstream.py, consumer.py and envelope.py."""

from services.common.consumer import Consumer, Handler
from services.common.envelope import Received, ReceivedEvent
from services.common.jetstream import PREFIX, STREAM, Bus, Filter, Outgoing, StreamState, subject

__all__ = [
    "PREFIX",
    "STREAM",
    "Bus",
    "Consumer",
    "Filter",
    "Handler",
    "Outgoing",
    "Received",
    "ReceivedEvent",
    "StreamState",
    "subject",
]
