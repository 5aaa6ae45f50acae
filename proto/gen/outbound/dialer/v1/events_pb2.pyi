import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.dialer.v1 import dialer_service_pb2 as _dialer_service_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallEvent(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: _dialer_service_pb2.Call
    def __init__(self, call: _Optional[_Union[_dialer_service_pb2.Call, _Mapping]] = ...) -> None: ...

class ActiveflowEvent(_message.Message):
    __slots__ = ("activeflow",)
    ACTIVEFLOW_FIELD_NUMBER: _ClassVar[int]
    activeflow: _dialer_service_pb2.Activeflow
    def __init__(self, activeflow: _Optional[_Union[_dialer_service_pb2.Activeflow, _Mapping]] = ...) -> None: ...

class RecordingEvent(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _dialer_service_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_dialer_service_pb2.Recording, _Mapping]] = ...) -> None: ...

class PacingEvent(_message.Message):
    __slots__ = ("campaign_id", "run_number", "queue_id", "available_count", "dialing_count", "waiting_count", "talking_count", "service_level", "calls_per_second", "max_concurrent", "wanted_count", "started_count", "bound", "tm")
    class Bound(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BOUND_UNSPECIFIED: _ClassVar[PacingEvent.Bound]
        BOUND_AGENTS: _ClassVar[PacingEvent.Bound]
        BOUND_CALLS_PER_SECOND: _ClassVar[PacingEvent.Bound]
        BOUND_MAX_CONCURRENT: _ClassVar[PacingEvent.Bound]
        BOUND_NO_TARGET_DUE: _ClassVar[PacingEvent.Bound]
        BOUND_CARRIER: _ClassVar[PacingEvent.Bound]
        BOUND_CAPACITY_UNKNOWN: _ClassVar[PacingEvent.Bound]
        BOUND_STOPPING: _ClassVar[PacingEvent.Bound]
    BOUND_UNSPECIFIED: PacingEvent.Bound
    BOUND_AGENTS: PacingEvent.Bound
    BOUND_CALLS_PER_SECOND: PacingEvent.Bound
    BOUND_MAX_CONCURRENT: PacingEvent.Bound
    BOUND_NO_TARGET_DUE: PacingEvent.Bound
    BOUND_CARRIER: PacingEvent.Bound
    BOUND_CAPACITY_UNKNOWN: PacingEvent.Bound
    BOUND_STOPPING: PacingEvent.Bound
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIALING_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    TALKING_COUNT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    WANTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    STARTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    campaign_id: str
    run_number: int
    queue_id: str
    available_count: int
    dialing_count: int
    waiting_count: int
    talking_count: int
    service_level: int
    calls_per_second: float
    max_concurrent: int
    wanted_count: int
    started_count: int
    bound: PacingEvent.Bound
    tm: _timestamp_pb2.Timestamp
    def __init__(self, campaign_id: _Optional[str] = ..., run_number: _Optional[int] = ..., queue_id: _Optional[str] = ..., available_count: _Optional[int] = ..., dialing_count: _Optional[int] = ..., waiting_count: _Optional[int] = ..., talking_count: _Optional[int] = ..., service_level: _Optional[int] = ..., calls_per_second: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., wanted_count: _Optional[int] = ..., started_count: _Optional[int] = ..., bound: _Optional[_Union[PacingEvent.Bound, str]] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
