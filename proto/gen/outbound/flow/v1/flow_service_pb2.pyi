import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.common.v1 import action_pb2 as _action_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Flow(_message.Message):
    __slots__ = ("id", "customer_id", "type", "name", "detail", "actions", "on_complete_flow_id", "revision", "tm_create", "tm_update", "tm_delete")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ON_COMPLETE_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    type: str
    name: str
    detail: str
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    on_complete_flow_id: str
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., type: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., on_complete_flow_id: _Optional[str] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateFlowRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "actions", "on_complete_flow_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ON_COMPLETE_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    on_complete_flow_id: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., on_complete_flow_id: _Optional[str] = ...) -> None: ...

class GetFlowRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListFlowsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFlowsResponse(_message.Message):
    __slots__ = ("flows", "next_page_token")
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    flows: _containers.RepeatedCompositeFieldContainer[Flow]
    next_page_token: str
    def __init__(self, flows: _Optional[_Iterable[_Union[Flow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateFlowRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "actions", "on_complete_flow_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ON_COMPLETE_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    actions: _action_pb2.ActionList
    on_complete_flow_id: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., actions: _Optional[_Union[_action_pb2.ActionList, _Mapping]] = ..., on_complete_flow_id: _Optional[str] = ...) -> None: ...

class DeleteFlowRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
