from outbound.outdial.v1 import outdial_service_pb2 as _outdial_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutdialEvent(_message.Message):
    __slots__ = ("outdial",)
    OUTDIAL_FIELD_NUMBER: _ClassVar[int]
    IMPORT_FIELD_NUMBER: _ClassVar[int]
    outdial: _outdial_service_pb2.Outdial
    def __init__(self, outdial: _Optional[_Union[_outdial_service_pb2.Outdial, _Mapping]] = ..., **kwargs) -> None: ...

class TargetEvent(_message.Message):
    __slots__ = ("target", "campaigncall_id")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGNCALL_ID_FIELD_NUMBER: _ClassVar[int]
    target: _outdial_service_pb2.Target
    campaigncall_id: str
    def __init__(self, target: _Optional[_Union[_outdial_service_pb2.Target, _Mapping]] = ..., campaigncall_id: _Optional[str] = ...) -> None: ...
