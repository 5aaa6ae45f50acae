from outbound.queue.v1 import queue_service_pb2 as _queue_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueueEvent(_message.Message):
    __slots__ = ("queue",)
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    queue: _queue_service_pb2.Queue
    def __init__(self, queue: _Optional[_Union[_queue_service_pb2.Queue, _Mapping]] = ...) -> None: ...

class QueuecallEvent(_message.Message):
    __slots__ = ("queuecall",)
    QUEUECALL_FIELD_NUMBER: _ClassVar[int]
    queuecall: _queue_service_pb2.Queuecall
    def __init__(self, queuecall: _Optional[_Union[_queue_service_pb2.Queuecall, _Mapping]] = ...) -> None: ...
