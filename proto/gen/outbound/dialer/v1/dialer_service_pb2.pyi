import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.common.v1 import action_pb2 as _action_pb2
from outbound.common.v1 import address_pb2 as _address_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Call(_message.Message):
    __slots__ = ("id", "customer_id", "campaign_id", "campaigncall_id", "activeflow_id", "status", "direction", "source", "destination", "hangup_reason", "hangup_by", "queuecall_id", "agent_id", "dialer_id", "revision", "tm_create", "tm_progressing", "tm_hangup", "tm_update")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGNCALL_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVEFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    HANGUP_REASON_FIELD_NUMBER: _ClassVar[int]
    HANGUP_BY_FIELD_NUMBER: _ClassVar[int]
    QUEUECALL_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_PROGRESSING_FIELD_NUMBER: _ClassVar[int]
    TM_HANGUP_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    campaign_id: str
    campaigncall_id: str
    activeflow_id: str
    status: str
    direction: str
    source: _address_pb2.Address
    destination: _address_pb2.Address
    hangup_reason: str
    hangup_by: str
    queuecall_id: str
    agent_id: str
    dialer_id: str
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_progressing: _timestamp_pb2.Timestamp
    tm_hangup: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., campaigncall_id: _Optional[str] = ..., activeflow_id: _Optional[str] = ..., status: _Optional[str] = ..., direction: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., hangup_reason: _Optional[str] = ..., hangup_by: _Optional[str] = ..., queuecall_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., dialer_id: _Optional[str] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_progressing: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_hangup: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetCallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListCallsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCallsResponse(_message.Message):
    __slots__ = ("calls", "next_page_token")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    next_page_token: str
    def __init__(self, calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class HangupCallRequest(_message.Message):
    __slots__ = ("id", "is_forwarded")
    ID_FIELD_NUMBER: _ClassVar[int]
    IS_FORWARDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    is_forwarded: bool
    def __init__(self, id: _Optional[str] = ..., is_forwarded: _Optional[bool] = ...) -> None: ...

class Activeflow(_message.Message):
    __slots__ = ("id", "customer_id", "flow_id", "status", "reference_type", "reference_id", "actions", "current_action", "executed_actions", "variables", "campaign_id", "dialer_id", "revision", "tm_create", "tm_update", "tm_end", "tm_delete", "on_complete_flow_id", "reference_activeflow_id")
    class Step(_message.Message):
        __slots__ = ("action_id", "type", "outcome", "detail", "tm")
        ACTION_ID_FIELD_NUMBER: _ClassVar[int]
        TYPE_FIELD_NUMBER: _ClassVar[int]
        OUTCOME_FIELD_NUMBER: _ClassVar[int]
        DETAIL_FIELD_NUMBER: _ClassVar[int]
        TM_FIELD_NUMBER: _ClassVar[int]
        action_id: str
        type: str
        outcome: str
        detail: str
        tm: _timestamp_pb2.Timestamp
        def __init__(self, action_id: _Optional[str] = ..., type: _Optional[str] = ..., outcome: _Optional[str] = ..., detail: _Optional[str] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_ACTION_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    ON_COMPLETE_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ACTIVEFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    flow_id: str
    status: str
    reference_type: str
    reference_id: str
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    current_action: _action_pb2.Action
    executed_actions: _containers.RepeatedCompositeFieldContainer[Activeflow.Step]
    variables: _containers.ScalarMap[str, str]
    campaign_id: str
    dialer_id: str
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_end: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    on_complete_flow_id: str
    reference_activeflow_id: str
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., flow_id: _Optional[str] = ..., status: _Optional[str] = ..., reference_type: _Optional[str] = ..., reference_id: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., current_action: _Optional[_Union[_action_pb2.Action, _Mapping]] = ..., executed_actions: _Optional[_Iterable[_Union[Activeflow.Step, _Mapping]]] = ..., variables: _Optional[_Mapping[str, str]] = ..., campaign_id: _Optional[str] = ..., dialer_id: _Optional[str] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., on_complete_flow_id: _Optional[str] = ..., reference_activeflow_id: _Optional[str] = ...) -> None: ...

class CreateActiveflowRequest(_message.Message):
    __slots__ = ("id", "flow_id", "actions", "variables")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    id: str
    flow_id: str
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    variables: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., flow_id: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetActiveflowRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListActiveflowsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListActiveflowsResponse(_message.Message):
    __slots__ = ("activeflows", "next_page_token")
    ACTIVEFLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    activeflows: _containers.RepeatedCompositeFieldContainer[Activeflow]
    next_page_token: str
    def __init__(self, activeflows: _Optional[_Iterable[_Union[Activeflow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StopActiveflowRequest(_message.Message):
    __slots__ = ("id", "is_forwarded")
    ID_FIELD_NUMBER: _ClassVar[int]
    IS_FORWARDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    is_forwarded: bool
    def __init__(self, id: _Optional[str] = ..., is_forwarded: _Optional[bool] = ...) -> None: ...

class DeleteActiveflowRequest(_message.Message):
    __slots__ = ("id", "is_forwarded")
    ID_FIELD_NUMBER: _ClassVar[int]
    IS_FORWARDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    is_forwarded: bool
    def __init__(self, id: _Optional[str] = ..., is_forwarded: _Optional[bool] = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("id", "customer_id", "campaign_id", "activeflow_id", "reference_type", "reference_id", "format", "status", "detail", "duration_ms", "size_bytes", "dialer_id", "revision", "tm_create", "tm_start", "tm_end", "tm_update", "tm_delete")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVEFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_START_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    campaign_id: str
    activeflow_id: str
    reference_type: str
    reference_id: str
    format: str
    status: str
    detail: str
    duration_ms: int
    size_bytes: int
    dialer_id: str
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_start: _timestamp_pb2.Timestamp
    tm_end: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., activeflow_id: _Optional[str] = ..., reference_type: _Optional[str] = ..., reference_id: _Optional[str] = ..., format: _Optional[str] = ..., status: _Optional[str] = ..., detail: _Optional[str] = ..., duration_ms: _Optional[int] = ..., size_bytes: _Optional[int] = ..., dialer_id: _Optional[str] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListRecordingsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "reference_id", "campaign_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    reference_id: str
    campaign_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., reference_id: _Optional[str] = ..., campaign_id: _Optional[str] = ...) -> None: ...

class ListRecordingsResponse(_message.Message):
    __slots__ = ("recordings", "next_page_token")
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recordings: _containers.RepeatedCompositeFieldContainer[Recording]
    next_page_token: str
    def __init__(self, recordings: _Optional[_Iterable[_Union[Recording, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRecordingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ReadRecordingRequest(_message.Message):
    __slots__ = ("id", "offset", "length", "is_forwarded")
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    IS_FORWARDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    offset: int
    length: int
    is_forwarded: bool
    def __init__(self, id: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., is_forwarded: _Optional[bool] = ...) -> None: ...

class ReadRecordingResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class DeleteRecordingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
