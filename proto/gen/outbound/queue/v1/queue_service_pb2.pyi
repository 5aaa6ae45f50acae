import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.common.v1 import address_pb2 as _address_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Queue(_message.Message):
    __slots__ = ("id", "customer_id", "name", "detail", "routing_method", "tag_ids", "wait_flow_id", "wait_timeout", "service_timeout", "wrapup_time", "ring_timeout", "wait_queuecall_ids", "service_queuecall_ids", "total_incoming_count", "total_serviced_count", "total_abandoned_count", "revision", "tm_create", "tm_update", "tm_delete", "recording")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ROUTING_METHOD_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WRAPUP_TIME_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WAIT_QUEUECALL_IDS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_QUEUECALL_IDS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_INCOMING_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SERVICED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ABANDONED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    name: str
    detail: str
    routing_method: str
    tag_ids: _containers.RepeatedScalarFieldContainer[str]
    wait_flow_id: str
    wait_timeout: int
    service_timeout: int
    wrapup_time: int
    ring_timeout: int
    wait_queuecall_ids: _containers.RepeatedScalarFieldContainer[str]
    service_queuecall_ids: _containers.RepeatedScalarFieldContainer[str]
    total_incoming_count: int
    total_serviced_count: int
    total_abandoned_count: int
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    recording: bool
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., routing_method: _Optional[str] = ..., tag_ids: _Optional[_Iterable[str]] = ..., wait_flow_id: _Optional[str] = ..., wait_timeout: _Optional[int] = ..., service_timeout: _Optional[int] = ..., wrapup_time: _Optional[int] = ..., ring_timeout: _Optional[int] = ..., wait_queuecall_ids: _Optional[_Iterable[str]] = ..., service_queuecall_ids: _Optional[_Iterable[str]] = ..., total_incoming_count: _Optional[int] = ..., total_serviced_count: _Optional[int] = ..., total_abandoned_count: _Optional[int] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording: _Optional[bool] = ...) -> None: ...

class CreateQueueRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "routing_method", "tag_ids", "wait_flow_id", "wait_timeout", "service_timeout", "wrapup_time", "ring_timeout", "recording")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ROUTING_METHOD_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WRAPUP_TIME_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    routing_method: str
    tag_ids: _containers.RepeatedScalarFieldContainer[str]
    wait_flow_id: str
    wait_timeout: int
    service_timeout: int
    wrapup_time: int
    ring_timeout: int
    recording: bool
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., routing_method: _Optional[str] = ..., tag_ids: _Optional[_Iterable[str]] = ..., wait_flow_id: _Optional[str] = ..., wait_timeout: _Optional[int] = ..., service_timeout: _Optional[int] = ..., wrapup_time: _Optional[int] = ..., ring_timeout: _Optional[int] = ..., recording: _Optional[bool] = ...) -> None: ...

class GetQueueRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListQueuesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListQueuesResponse(_message.Message):
    __slots__ = ("queues", "next_page_token")
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    queues: _containers.RepeatedCompositeFieldContainer[Queue]
    next_page_token: str
    def __init__(self, queues: _Optional[_Iterable[_Union[Queue, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class IdList(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateQueueRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "routing_method", "tag_ids", "wait_flow_id", "wait_timeout", "service_timeout", "wrapup_time", "ring_timeout", "recording")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ROUTING_METHOD_FIELD_NUMBER: _ClassVar[int]
    TAG_IDS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WRAPUP_TIME_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    routing_method: str
    tag_ids: IdList
    wait_flow_id: str
    wait_timeout: int
    service_timeout: int
    wrapup_time: int
    ring_timeout: int
    recording: bool
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., routing_method: _Optional[str] = ..., tag_ids: _Optional[_Union[IdList, _Mapping]] = ..., wait_flow_id: _Optional[str] = ..., wait_timeout: _Optional[int] = ..., service_timeout: _Optional[int] = ..., wrapup_time: _Optional[int] = ..., ring_timeout: _Optional[int] = ..., recording: _Optional[bool] = ...) -> None: ...

class GetQueueStatsRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class QueueStats(_message.Message):
    __slots__ = ("queue_id", "waiting_count", "service_count", "longest_waiting_ms", "average_waiting_ms", "total_incoming_count", "total_serviced_count", "total_abandoned_count", "agent_counts")
    class AgentCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LONGEST_WAITING_MS_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_WAITING_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_INCOMING_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SERVICED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ABANDONED_COUNT_FIELD_NUMBER: _ClassVar[int]
    AGENT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    queue_id: str
    waiting_count: int
    service_count: int
    longest_waiting_ms: int
    average_waiting_ms: int
    total_incoming_count: int
    total_serviced_count: int
    total_abandoned_count: int
    agent_counts: _containers.ScalarMap[str, int]
    def __init__(self, queue_id: _Optional[str] = ..., waiting_count: _Optional[int] = ..., service_count: _Optional[int] = ..., longest_waiting_ms: _Optional[int] = ..., average_waiting_ms: _Optional[int] = ..., total_incoming_count: _Optional[int] = ..., total_serviced_count: _Optional[int] = ..., total_abandoned_count: _Optional[int] = ..., agent_counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class DeleteQueueRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class Queuecall(_message.Message):
    __slots__ = ("id", "customer_id", "queue_id", "reference_type", "reference_id", "campaign_id", "status", "service_agent_id", "duration_waiting", "duration_service", "revision", "tm_create", "tm_service", "tm_update", "tm_end", "tm_delete")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Queuecall.Status]
        STATUS_INITIATING: _ClassVar[Queuecall.Status]
        STATUS_WAITING: _ClassVar[Queuecall.Status]
        STATUS_CONNECTING: _ClassVar[Queuecall.Status]
        STATUS_SERVICE: _ClassVar[Queuecall.Status]
        STATUS_DONE: _ClassVar[Queuecall.Status]
        STATUS_ABANDONED: _ClassVar[Queuecall.Status]
    STATUS_UNSPECIFIED: Queuecall.Status
    STATUS_INITIATING: Queuecall.Status
    STATUS_WAITING: Queuecall.Status
    STATUS_CONNECTING: Queuecall.Status
    STATUS_SERVICE: Queuecall.Status
    STATUS_DONE: Queuecall.Status
    STATUS_ABANDONED: Queuecall.Status
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    DURATION_WAITING_FIELD_NUMBER: _ClassVar[int]
    DURATION_SERVICE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_SERVICE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    queue_id: str
    reference_type: str
    reference_id: str
    campaign_id: str
    status: Queuecall.Status
    service_agent_id: str
    duration_waiting: int
    duration_service: int
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_service: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_end: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., reference_type: _Optional[str] = ..., reference_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., status: _Optional[_Union[Queuecall.Status, str]] = ..., service_agent_id: _Optional[str] = ..., duration_waiting: _Optional[int] = ..., duration_service: _Optional[int] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_service: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetQueuecallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListQueuecallsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListQueuecallsResponse(_message.Message):
    __slots__ = ("queuecalls", "next_page_token")
    QUEUECALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    queuecalls: _containers.RepeatedCompositeFieldContainer[Queuecall]
    next_page_token: str
    def __init__(self, queuecalls: _Optional[_Iterable[_Union[Queuecall, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteQueuecallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class KickQueuecallRequest(_message.Message):
    __slots__ = ("id", "reference_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    reference_id: str
    def __init__(self, id: _Optional[str] = ..., reference_id: _Optional[str] = ...) -> None: ...

class CapacityAsk(_message.Message):
    __slots__ = ("queue_id", "campaign_id")
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    queue_id: str
    campaign_id: str
    def __init__(self, queue_id: _Optional[str] = ..., campaign_id: _Optional[str] = ...) -> None: ...

class GetCapacityRequest(_message.Message):
    __slots__ = ("asks",)
    ASKS_FIELD_NUMBER: _ClassVar[int]
    asks: _containers.RepeatedCompositeFieldContainer[CapacityAsk]
    def __init__(self, asks: _Optional[_Iterable[_Union[CapacityAsk, _Mapping]]] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("queue_id", "campaign_id", "available_count", "queue_available_count", "staffed_count")
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_AVAILABLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STAFFED_COUNT_FIELD_NUMBER: _ClassVar[int]
    queue_id: str
    campaign_id: str
    available_count: int
    queue_available_count: int
    staffed_count: int
    def __init__(self, queue_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., available_count: _Optional[int] = ..., queue_available_count: _Optional[int] = ..., staffed_count: _Optional[int] = ...) -> None: ...

class GetCapacityResponse(_message.Message):
    __slots__ = ("capacities",)
    CAPACITIES_FIELD_NUMBER: _ClassVar[int]
    capacities: _containers.RepeatedCompositeFieldContainer[Capacity]
    def __init__(self, capacities: _Optional[_Iterable[_Union[Capacity, _Mapping]]] = ...) -> None: ...

class Joining(_message.Message):
    __slots__ = ("queuecall_id", "queue_id", "customer_id", "campaign_id", "call_id", "tm")
    QUEUECALL_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    queuecall_id: str
    queue_id: str
    customer_id: str
    campaign_id: str
    call_id: str
    tm: _timestamp_pb2.Timestamp
    def __init__(self, queuecall_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., call_id: _Optional[str] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class JoinQueueRequest(_message.Message):
    __slots__ = ("dialer_id", "joinings")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    JOININGS_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    joinings: _containers.RepeatedCompositeFieldContainer[Joining]
    def __init__(self, dialer_id: _Optional[str] = ..., joinings: _Optional[_Iterable[_Union[Joining, _Mapping]]] = ...) -> None: ...

class JoinQueueResponse(_message.Message):
    __slots__ = ("refused_ids", "queues")
    REFUSED_IDS_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    refused_ids: _containers.RepeatedScalarFieldContainer[str]
    queues: _containers.RepeatedCompositeFieldContainer[JoinedQueue]
    def __init__(self, refused_ids: _Optional[_Iterable[str]] = ..., queues: _Optional[_Iterable[_Union[JoinedQueue, _Mapping]]] = ...) -> None: ...

class JoinedQueue(_message.Message):
    __slots__ = ("id", "name", "detail", "wait_timeout", "service_timeout", "wait_flow_id", "recording")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    WAIT_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    wait_timeout: int
    service_timeout: int
    wait_flow_id: str
    recording: bool
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., wait_timeout: _Optional[int] = ..., service_timeout: _Optional[int] = ..., wait_flow_id: _Optional[str] = ..., recording: _Optional[bool] = ...) -> None: ...

class AssignAgentsRequest(_message.Message):
    __slots__ = ("dialer_id", "waiting_ids", "connecting_ids", "service_ids")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_IDS_FIELD_NUMBER: _ClassVar[int]
    CONNECTING_IDS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_IDS_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    waiting_ids: _containers.RepeatedScalarFieldContainer[str]
    connecting_ids: _containers.RepeatedScalarFieldContainer[str]
    service_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dialer_id: _Optional[str] = ..., waiting_ids: _Optional[_Iterable[str]] = ..., connecting_ids: _Optional[_Iterable[str]] = ..., service_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("queuecall_id", "agent_id", "addresses", "ring_method", "ring_timeout_ms")
    QUEUECALL_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    RING_METHOD_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    queuecall_id: str
    agent_id: str
    addresses: _containers.RepeatedCompositeFieldContainer[_address_pb2.Address]
    ring_method: str
    ring_timeout_ms: int
    def __init__(self, queuecall_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., addresses: _Optional[_Iterable[_Union[_address_pb2.Address, _Mapping]]] = ..., ring_method: _Optional[str] = ..., ring_timeout_ms: _Optional[int] = ...) -> None: ...

class QueuecallEnd(_message.Message):
    __slots__ = ("queuecall_id", "reason")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[QueuecallEnd.Reason]
        REASON_KICKED: _ClassVar[QueuecallEnd.Reason]
        REASON_WAIT_TIMEOUT: _ClassVar[QueuecallEnd.Reason]
        REASON_SERVICE_TIMEOUT: _ClassVar[QueuecallEnd.Reason]
        REASON_UNKNOWN: _ClassVar[QueuecallEnd.Reason]
    REASON_UNSPECIFIED: QueuecallEnd.Reason
    REASON_KICKED: QueuecallEnd.Reason
    REASON_WAIT_TIMEOUT: QueuecallEnd.Reason
    REASON_SERVICE_TIMEOUT: QueuecallEnd.Reason
    REASON_UNKNOWN: QueuecallEnd.Reason
    QUEUECALL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    queuecall_id: str
    reason: QueuecallEnd.Reason
    def __init__(self, queuecall_id: _Optional[str] = ..., reason: _Optional[_Union[QueuecallEnd.Reason, str]] = ...) -> None: ...

class AssignAgentsResponse(_message.Message):
    __slots__ = ("assignments", "ends", "lost_ids")
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    LOST_IDS_FIELD_NUMBER: _ClassVar[int]
    assignments: _containers.RepeatedCompositeFieldContainer[Assignment]
    ends: _containers.RepeatedCompositeFieldContainer[QueuecallEnd]
    lost_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, assignments: _Optional[_Iterable[_Union[Assignment, _Mapping]]] = ..., ends: _Optional[_Iterable[_Union[QueuecallEnd, _Mapping]]] = ..., lost_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class QueuecallReport(_message.Message):
    __slots__ = ("queuecall_id", "kind", "agent_id", "tm")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[QueuecallReport.Kind]
        KIND_RINGING: _ClassVar[QueuecallReport.Kind]
        KIND_CONNECTED: _ClassVar[QueuecallReport.Kind]
        KIND_NO_ANSWER: _ClassVar[QueuecallReport.Kind]
        KIND_UNREACHABLE: _ClassVar[QueuecallReport.Kind]
        KIND_ENDED: _ClassVar[QueuecallReport.Kind]
    KIND_UNSPECIFIED: QueuecallReport.Kind
    KIND_RINGING: QueuecallReport.Kind
    KIND_CONNECTED: QueuecallReport.Kind
    KIND_NO_ANSWER: QueuecallReport.Kind
    KIND_UNREACHABLE: QueuecallReport.Kind
    KIND_ENDED: QueuecallReport.Kind
    QUEUECALL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    queuecall_id: str
    kind: QueuecallReport.Kind
    agent_id: str
    tm: _timestamp_pb2.Timestamp
    def __init__(self, queuecall_id: _Optional[str] = ..., kind: _Optional[_Union[QueuecallReport.Kind, str]] = ..., agent_id: _Optional[str] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReportQueuecallsRequest(_message.Message):
    __slots__ = ("dialer_id", "reports")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    reports: _containers.RepeatedCompositeFieldContainer[QueuecallReport]
    def __init__(self, dialer_id: _Optional[str] = ..., reports: _Optional[_Iterable[_Union[QueuecallReport, _Mapping]]] = ...) -> None: ...

class ReportQueuecallsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
