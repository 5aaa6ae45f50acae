import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.common.v1 import address_pb2 as _address_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outplan(_message.Message):
    __slots__ = ("id", "customer_id", "name", "detail", "source", "dial_timeout", "try_interval", "max_try_counts", "calls_per_second", "max_concurrent", "revision", "tm_create", "tm_update", "tm_delete", "headers", "variables")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    name: str
    detail: str
    source: _address_pb2.Address
    dial_timeout: int
    try_interval: int
    max_try_counts: _containers.RepeatedScalarFieldContainer[int]
    calls_per_second: float
    max_concurrent: int
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    headers: _containers.ScalarMap[str, str]
    variables: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., dial_timeout: _Optional[int] = ..., try_interval: _Optional[int] = ..., max_try_counts: _Optional[_Iterable[int]] = ..., calls_per_second: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., headers: _Optional[_Mapping[str, str]] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Texts(_message.Message):
    __slots__ = ("values",)
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.ScalarMap[str, str]
    def __init__(self, values: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MaxTryCounts(_message.Message):
    __slots__ = ("slot_0", "slot_1", "slot_2", "slot_3", "slot_4")
    SLOT_0_FIELD_NUMBER: _ClassVar[int]
    SLOT_1_FIELD_NUMBER: _ClassVar[int]
    SLOT_2_FIELD_NUMBER: _ClassVar[int]
    SLOT_3_FIELD_NUMBER: _ClassVar[int]
    SLOT_4_FIELD_NUMBER: _ClassVar[int]
    slot_0: int
    slot_1: int
    slot_2: int
    slot_3: int
    slot_4: int
    def __init__(self, slot_0: _Optional[int] = ..., slot_1: _Optional[int] = ..., slot_2: _Optional[int] = ..., slot_3: _Optional[int] = ..., slot_4: _Optional[int] = ...) -> None: ...

class CreateOutplanRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "source", "dial_timeout", "try_interval", "max_try_counts", "calls_per_second", "max_concurrent", "headers", "variables")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    source: _address_pb2.Address
    dial_timeout: int
    try_interval: int
    max_try_counts: MaxTryCounts
    calls_per_second: float
    max_concurrent: int
    headers: Texts
    variables: Texts
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., dial_timeout: _Optional[int] = ..., try_interval: _Optional[int] = ..., max_try_counts: _Optional[_Union[MaxTryCounts, _Mapping]] = ..., calls_per_second: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., headers: _Optional[_Union[Texts, _Mapping]] = ..., variables: _Optional[_Union[Texts, _Mapping]] = ...) -> None: ...

class GetOutplanRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListOutplansRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOutplansResponse(_message.Message):
    __slots__ = ("outplans", "next_page_token")
    OUTPLANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    outplans: _containers.RepeatedCompositeFieldContainer[Outplan]
    next_page_token: str
    def __init__(self, outplans: _Optional[_Iterable[_Union[Outplan, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateOutplanRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "source", "dial_timeout", "try_interval", "max_try_counts", "calls_per_second", "max_concurrent", "headers", "variables")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    source: _address_pb2.Address
    dial_timeout: int
    try_interval: int
    max_try_counts: MaxTryCounts
    calls_per_second: float
    max_concurrent: int
    headers: Texts
    variables: Texts
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., dial_timeout: _Optional[int] = ..., try_interval: _Optional[int] = ..., max_try_counts: _Optional[_Union[MaxTryCounts, _Mapping]] = ..., calls_per_second: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., headers: _Optional[_Union[Texts, _Mapping]] = ..., variables: _Optional[_Union[Texts, _Mapping]] = ...) -> None: ...

class DeleteOutplanRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...
