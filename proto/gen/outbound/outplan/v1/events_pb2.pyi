from outbound.outplan.v1 import outplan_service_pb2 as _outplan_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutplanEvent(_message.Message):
    __slots__ = ("outplan", "outdial_ids")
    OUTPLAN_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_IDS_FIELD_NUMBER: _ClassVar[int]
    outplan: _outplan_service_pb2.Outplan
    outdial_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, outplan: _Optional[_Union[_outplan_service_pb2.Outplan, _Mapping]] = ..., outdial_ids: _Optional[_Iterable[str]] = ...) -> None: ...
