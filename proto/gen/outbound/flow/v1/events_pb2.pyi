from outbound.flow.v1 import flow_service_pb2 as _flow_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FlowEvent(_message.Message):
    __slots__ = ("flow",)
    FLOW_FIELD_NUMBER: _ClassVar[int]
    flow: _flow_service_pb2.Flow
    def __init__(self, flow: _Optional[_Union[_flow_service_pb2.Flow, _Mapping]] = ...) -> None: ...
