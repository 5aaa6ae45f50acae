import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outbound.common.v1 import action_pb2 as _action_pb2
from outbound.common.v1 import address_pb2 as _address_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StopMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STOP_MODE_UNSPECIFIED: _ClassVar[StopMode]
    STOP_MODE_HANGUP: _ClassVar[StopMode]
    STOP_MODE_DRAIN: _ClassVar[StopMode]
STOP_MODE_UNSPECIFIED: StopMode
STOP_MODE_HANGUP: StopMode
STOP_MODE_DRAIN: StopMode

class Campaign(_message.Message):
    __slots__ = ("id", "customer_id", "type", "name", "detail", "status", "state", "stop_reason", "stop_detail", "service_level", "end_handle", "actions", "flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id", "source", "run_number", "revision", "tm_create", "tm_update", "tm_delete", "agent_wait_limit", "abandonment_actions")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TYPE_UNSPECIFIED: _ClassVar[Campaign.Type]
        TYPE_CALL: _ClassVar[Campaign.Type]
        TYPE_FLOW: _ClassVar[Campaign.Type]
        TYPE_MESSAGE: _ClassVar[Campaign.Type]
        TYPE_EMAIL: _ClassVar[Campaign.Type]
    TYPE_UNSPECIFIED: Campaign.Type
    TYPE_CALL: Campaign.Type
    TYPE_FLOW: Campaign.Type
    TYPE_MESSAGE: Campaign.Type
    TYPE_EMAIL: Campaign.Type
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Campaign.Status]
        STATUS_STOP: _ClassVar[Campaign.Status]
        STATUS_RUN: _ClassVar[Campaign.Status]
        STATUS_STOPPING: _ClassVar[Campaign.Status]
    STATUS_UNSPECIFIED: Campaign.Status
    STATUS_STOP: Campaign.Status
    STATUS_RUN: Campaign.Status
    STATUS_STOPPING: Campaign.Status
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Campaign.State]
        STATE_STOP: _ClassVar[Campaign.State]
        STATE_RUNNING: _ClassVar[Campaign.State]
        STATE_STOPPING: _ClassVar[Campaign.State]
        STATE_FINISHED: _ClassVar[Campaign.State]
    STATE_UNSPECIFIED: Campaign.State
    STATE_STOP: Campaign.State
    STATE_RUNNING: Campaign.State
    STATE_STOPPING: Campaign.State
    STATE_FINISHED: Campaign.State
    class EndHandle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        END_HANDLE_UNSPECIFIED: _ClassVar[Campaign.EndHandle]
        END_HANDLE_STOP: _ClassVar[Campaign.EndHandle]
        END_HANDLE_CONTINUE: _ClassVar[Campaign.EndHandle]
    END_HANDLE_UNSPECIFIED: Campaign.EndHandle
    END_HANDLE_STOP: Campaign.EndHandle
    END_HANDLE_CONTINUE: Campaign.EndHandle
    class StopReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STOP_REASON_UNSPECIFIED: _ClassVar[Campaign.StopReason]
        STOP_REASON_USER: _ClassVar[Campaign.StopReason]
        STOP_REASON_FINISHED: _ClassVar[Campaign.StopReason]
        STOP_REASON_ERROR: _ClassVar[Campaign.StopReason]
        STOP_REASON_CHAINED: _ClassVar[Campaign.StopReason]
    STOP_REASON_UNSPECIFIED: Campaign.StopReason
    STOP_REASON_USER: Campaign.StopReason
    STOP_REASON_FINISHED: Campaign.StopReason
    STOP_REASON_ERROR: Campaign.StopReason
    STOP_REASON_CHAINED: Campaign.StopReason
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STOP_REASON_FIELD_NUMBER: _ClassVar[int]
    STOP_DETAIL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    END_HANDLE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPLAN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    AGENT_WAIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ABANDONMENT_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    type: Campaign.Type
    name: str
    detail: str
    status: Campaign.Status
    state: Campaign.State
    stop_reason: Campaign.StopReason
    stop_detail: str
    service_level: int
    end_handle: Campaign.EndHandle
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    flow_id: str
    outplan_id: str
    outdial_id: str
    queue_id: str
    next_campaign_id: str
    source: _address_pb2.Address
    run_number: int
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    agent_wait_limit: int
    abandonment_actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., type: _Optional[_Union[Campaign.Type, str]] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., status: _Optional[_Union[Campaign.Status, str]] = ..., state: _Optional[_Union[Campaign.State, str]] = ..., stop_reason: _Optional[_Union[Campaign.StopReason, str]] = ..., stop_detail: _Optional[str] = ..., service_level: _Optional[int] = ..., end_handle: _Optional[_Union[Campaign.EndHandle, str]] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., flow_id: _Optional[str] = ..., outplan_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., next_campaign_id: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., run_number: _Optional[int] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agent_wait_limit: _Optional[int] = ..., abandonment_actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ...) -> None: ...

class CreateCampaignRequest(_message.Message):
    __slots__ = ("id", "type", "name", "detail", "service_level", "end_handle", "actions", "flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id", "source", "agent_wait_limit", "abandonment_actions")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    END_HANDLE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPLAN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AGENT_WAIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ABANDONMENT_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: Campaign.Type
    name: str
    detail: str
    service_level: int
    end_handle: Campaign.EndHandle
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    flow_id: str
    outplan_id: str
    outdial_id: str
    queue_id: str
    next_campaign_id: str
    source: _address_pb2.Address
    agent_wait_limit: int
    abandonment_actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    def __init__(self, id: _Optional[str] = ..., type: _Optional[_Union[Campaign.Type, str]] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., service_level: _Optional[int] = ..., end_handle: _Optional[_Union[Campaign.EndHandle, str]] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., flow_id: _Optional[str] = ..., outplan_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., next_campaign_id: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., agent_wait_limit: _Optional[int] = ..., abandonment_actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ...) -> None: ...

class GetCampaignRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListCampaignsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCampaignsResponse(_message.Message):
    __slots__ = ("campaigns", "next_page_token")
    CAMPAIGNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaigns: _containers.RepeatedCompositeFieldContainer[Campaign]
    next_page_token: str
    def __init__(self, campaigns: _Optional[_Iterable[_Union[Campaign, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateCampaignRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "type", "service_level", "end_handle", "actions", "flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id", "source", "status", "stop_mode", "agent_wait_limit", "abandonment_actions")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    END_HANDLE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPLAN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STOP_MODE_FIELD_NUMBER: _ClassVar[int]
    AGENT_WAIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    ABANDONMENT_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    type: Campaign.Type
    service_level: int
    end_handle: Campaign.EndHandle
    actions: _action_pb2.ActionList
    flow_id: str
    outplan_id: str
    outdial_id: str
    queue_id: str
    next_campaign_id: str
    source: _address_pb2.Address
    status: Campaign.Status
    stop_mode: StopMode
    agent_wait_limit: int
    abandonment_actions: _action_pb2.ActionList
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., type: _Optional[_Union[Campaign.Type, str]] = ..., service_level: _Optional[int] = ..., end_handle: _Optional[_Union[Campaign.EndHandle, str]] = ..., actions: _Optional[_Union[_action_pb2.ActionList, _Mapping]] = ..., flow_id: _Optional[str] = ..., outplan_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., next_campaign_id: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., status: _Optional[_Union[Campaign.Status, str]] = ..., stop_mode: _Optional[_Union[StopMode, str]] = ..., agent_wait_limit: _Optional[int] = ..., abandonment_actions: _Optional[_Union[_action_pb2.ActionList, _Mapping]] = ...) -> None: ...

class DeleteCampaignRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class SetCampaignStatusRequest(_message.Message):
    __slots__ = ("id", "status", "stop_mode")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STOP_MODE_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: Campaign.Status
    stop_mode: StopMode
    def __init__(self, id: _Optional[str] = ..., status: _Optional[_Union[Campaign.Status, str]] = ..., stop_mode: _Optional[_Union[StopMode, str]] = ...) -> None: ...

class GetCampaignStatsRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class CampaignStats(_message.Message):
    __slots__ = ("campaign_id", "status", "state", "run_number", "attempt_count", "dialing_count", "progressing_count", "done_count", "success_count", "fail_count", "answered_count", "connected_count", "abandoned_count", "refunded_count", "hangup_reason_counts", "talk_ms_total", "tm_run_start", "tm_run_end", "lease_holder", "answered_by_person_count", "abandoned_rate", "answer_to_agent_ms_average", "answer_to_agent_ms_p50", "answer_to_agent_ms_p95", "answer_to_agent_ms_max")
    class HangupReasonCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIALING_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRESSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    DONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAIL_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HANGUP_REASON_COUNTS_FIELD_NUMBER: _ClassVar[int]
    TALK_MS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    TM_RUN_START_FIELD_NUMBER: _ClassVar[int]
    TM_RUN_END_FIELD_NUMBER: _ClassVar[int]
    LEASE_HOLDER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_RATE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_MS_AVERAGE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_MS_P50_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_MS_P95_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_MS_MAX_FIELD_NUMBER: _ClassVar[int]
    campaign_id: str
    status: Campaign.Status
    state: Campaign.State
    run_number: int
    attempt_count: int
    dialing_count: int
    progressing_count: int
    done_count: int
    success_count: int
    fail_count: int
    answered_count: int
    connected_count: int
    abandoned_count: int
    refunded_count: int
    hangup_reason_counts: _containers.ScalarMap[str, int]
    talk_ms_total: int
    tm_run_start: _timestamp_pb2.Timestamp
    tm_run_end: _timestamp_pb2.Timestamp
    lease_holder: str
    answered_by_person_count: int
    abandoned_rate: float
    answer_to_agent_ms_average: int
    answer_to_agent_ms_p50: int
    answer_to_agent_ms_p95: int
    answer_to_agent_ms_max: int
    def __init__(self, campaign_id: _Optional[str] = ..., status: _Optional[_Union[Campaign.Status, str]] = ..., state: _Optional[_Union[Campaign.State, str]] = ..., run_number: _Optional[int] = ..., attempt_count: _Optional[int] = ..., dialing_count: _Optional[int] = ..., progressing_count: _Optional[int] = ..., done_count: _Optional[int] = ..., success_count: _Optional[int] = ..., fail_count: _Optional[int] = ..., answered_count: _Optional[int] = ..., connected_count: _Optional[int] = ..., abandoned_count: _Optional[int] = ..., refunded_count: _Optional[int] = ..., hangup_reason_counts: _Optional[_Mapping[str, int]] = ..., talk_ms_total: _Optional[int] = ..., tm_run_start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_run_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease_holder: _Optional[str] = ..., answered_by_person_count: _Optional[int] = ..., abandoned_rate: _Optional[float] = ..., answer_to_agent_ms_average: _Optional[int] = ..., answer_to_agent_ms_p50: _Optional[int] = ..., answer_to_agent_ms_p95: _Optional[int] = ..., answer_to_agent_ms_max: _Optional[int] = ...) -> None: ...

class Campaigncall(_message.Message):
    __slots__ = ("id", "customer_id", "campaign_id", "outplan_id", "outdial_id", "outdial_target_id", "queue_id", "flow_id", "activeflow_id", "reference_type", "reference_id", "status", "result", "source", "destination", "destination_index", "try_count", "hangup_reason", "hangup_detail", "is_refunded", "is_abandoned", "run_number", "revision", "tm_create", "tm_update", "tm_delete", "tm_answer", "tm_connect", "tm_end", "dialer_id", "variables", "digits", "tm_abandon", "answer_to_agent", "is_machine")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Campaigncall.Status]
        STATUS_DIALING: _ClassVar[Campaigncall.Status]
        STATUS_PROGRESSING: _ClassVar[Campaigncall.Status]
        STATUS_DONE: _ClassVar[Campaigncall.Status]
    STATUS_UNSPECIFIED: Campaigncall.Status
    STATUS_DIALING: Campaigncall.Status
    STATUS_PROGRESSING: Campaigncall.Status
    STATUS_DONE: Campaigncall.Status
    class Result(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RESULT_UNSPECIFIED: _ClassVar[Campaigncall.Result]
        RESULT_SUCCESS: _ClassVar[Campaigncall.Result]
        RESULT_FAIL: _ClassVar[Campaigncall.Result]
    RESULT_UNSPECIFIED: Campaigncall.Result
    RESULT_SUCCESS: Campaigncall.Result
    RESULT_FAIL: Campaigncall.Result
    class ReferenceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REFERENCE_TYPE_UNSPECIFIED: _ClassVar[Campaigncall.ReferenceType]
        REFERENCE_TYPE_NONE: _ClassVar[Campaigncall.ReferenceType]
        REFERENCE_TYPE_CALL: _ClassVar[Campaigncall.ReferenceType]
    REFERENCE_TYPE_UNSPECIFIED: Campaigncall.ReferenceType
    REFERENCE_TYPE_NONE: Campaigncall.ReferenceType
    REFERENCE_TYPE_CALL: Campaigncall.ReferenceType
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPLAN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVEFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_INDEX_FIELD_NUMBER: _ClassVar[int]
    TRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    HANGUP_REASON_FIELD_NUMBER: _ClassVar[int]
    HANGUP_DETAIL_FIELD_NUMBER: _ClassVar[int]
    IS_REFUNDED_FIELD_NUMBER: _ClassVar[int]
    IS_ABANDONED_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    TM_ANSWER_FIELD_NUMBER: _ClassVar[int]
    TM_CONNECT_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    TM_ABANDON_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_FIELD_NUMBER: _ClassVar[int]
    IS_MACHINE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    campaign_id: str
    outplan_id: str
    outdial_id: str
    outdial_target_id: str
    queue_id: str
    flow_id: str
    activeflow_id: str
    reference_type: Campaigncall.ReferenceType
    reference_id: str
    status: Campaigncall.Status
    result: Campaigncall.Result
    source: _address_pb2.Address
    destination: _address_pb2.Address
    destination_index: int
    try_count: int
    hangup_reason: str
    hangup_detail: str
    is_refunded: bool
    is_abandoned: bool
    run_number: int
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    tm_answer: _timestamp_pb2.Timestamp
    tm_connect: _timestamp_pb2.Timestamp
    tm_end: _timestamp_pb2.Timestamp
    dialer_id: str
    variables: _containers.ScalarMap[str, str]
    digits: str
    tm_abandon: _timestamp_pb2.Timestamp
    answer_to_agent: int
    is_machine: bool
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., outplan_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., outdial_target_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., flow_id: _Optional[str] = ..., activeflow_id: _Optional[str] = ..., reference_type: _Optional[_Union[Campaigncall.ReferenceType, str]] = ..., reference_id: _Optional[str] = ..., status: _Optional[_Union[Campaigncall.Status, str]] = ..., result: _Optional[_Union[Campaigncall.Result, str]] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_index: _Optional[int] = ..., try_count: _Optional[int] = ..., hangup_reason: _Optional[str] = ..., hangup_detail: _Optional[str] = ..., is_refunded: _Optional[bool] = ..., is_abandoned: _Optional[bool] = ..., run_number: _Optional[int] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_answer: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_connect: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dialer_id: _Optional[str] = ..., variables: _Optional[_Mapping[str, str]] = ..., digits: _Optional[str] = ..., tm_abandon: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answer_to_agent: _Optional[int] = ..., is_machine: _Optional[bool] = ...) -> None: ...

class GetCampaigncallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListCampaigncallsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "campaign_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    campaign_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., campaign_id: _Optional[str] = ...) -> None: ...

class ListCampaigncallsResponse(_message.Message):
    __slots__ = ("campaigncalls", "next_page_token")
    CAMPAIGNCALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaigncalls: _containers.RepeatedCompositeFieldContainer[Campaigncall]
    next_page_token: str
    def __init__(self, campaigncalls: _Optional[_Iterable[_Union[Campaigncall, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteCampaigncallRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DialPlan(_message.Message):
    __slots__ = ("outplan_id", "source", "dial_timeout_ms", "try_interval_ms", "max_try_counts", "calls_per_second", "max_concurrent", "headers", "variables")
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
    OUTPLAN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIAL_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    TRY_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    outplan_id: str
    source: _address_pb2.Address
    dial_timeout_ms: int
    try_interval_ms: int
    max_try_counts: _containers.RepeatedScalarFieldContainer[int]
    calls_per_second: float
    max_concurrent: int
    headers: _containers.ScalarMap[str, str]
    variables: _containers.ScalarMap[str, str]
    def __init__(self, outplan_id: _Optional[str] = ..., source: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., dial_timeout_ms: _Optional[int] = ..., try_interval_ms: _Optional[int] = ..., max_try_counts: _Optional[_Iterable[int]] = ..., calls_per_second: _Optional[float] = ..., max_concurrent: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class LeaseDefinition(_message.Message):
    __slots__ = ("campaign", "plan", "actions", "on_complete_flow_id", "max_conversation_ms")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ON_COMPLETE_FLOW_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_CONVERSATION_MS_FIELD_NUMBER: _ClassVar[int]
    campaign: Campaign
    plan: DialPlan
    actions: _containers.RepeatedCompositeFieldContainer[_action_pb2.Action]
    on_complete_flow_id: str
    max_conversation_ms: int
    def __init__(self, campaign: _Optional[_Union[Campaign, _Mapping]] = ..., plan: _Optional[_Union[DialPlan, _Mapping]] = ..., actions: _Optional[_Iterable[_Union[_action_pb2.Action, _Mapping]]] = ..., on_complete_flow_id: _Optional[str] = ..., max_conversation_ms: _Optional[int] = ...) -> None: ...

class Lease(_message.Message):
    __slots__ = ("campaign_id", "run_number", "fencing_token", "status", "stop_mode", "expires_in_ms", "definition_revision", "definition", "is_new")
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FENCING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STOP_MODE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_REVISION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    campaign_id: str
    run_number: int
    fencing_token: int
    status: Campaign.Status
    stop_mode: StopMode
    expires_in_ms: int
    definition_revision: str
    definition: LeaseDefinition
    is_new: bool
    def __init__(self, campaign_id: _Optional[str] = ..., run_number: _Optional[int] = ..., fencing_token: _Optional[int] = ..., status: _Optional[_Union[Campaign.Status, str]] = ..., stop_mode: _Optional[_Union[StopMode, str]] = ..., expires_in_ms: _Optional[int] = ..., definition_revision: _Optional[str] = ..., definition: _Optional[_Union[LeaseDefinition, _Mapping]] = ..., is_new: _Optional[bool] = ...) -> None: ...

class HeldLease(_message.Message):
    __slots__ = ("campaign_id", "fencing_token", "definition_revision")
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    FENCING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_REVISION_FIELD_NUMBER: _ClassVar[int]
    campaign_id: str
    fencing_token: int
    definition_revision: str
    def __init__(self, campaign_id: _Optional[str] = ..., fencing_token: _Optional[int] = ..., definition_revision: _Optional[str] = ...) -> None: ...

class AcquireLeasesRequest(_message.Message):
    __slots__ = ("dialer_id", "capacity", "held")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    capacity: int
    held: _containers.RepeatedCompositeFieldContainer[HeldLease]
    def __init__(self, dialer_id: _Optional[str] = ..., capacity: _Optional[int] = ..., held: _Optional[_Iterable[_Union[HeldLease, _Mapping]]] = ...) -> None: ...

class AcquireLeasesResponse(_message.Message):
    __slots__ = ("leases",)
    LEASES_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[Lease]
    def __init__(self, leases: _Optional[_Iterable[_Union[Lease, _Mapping]]] = ...) -> None: ...

class ReleaseLeasesRequest(_message.Message):
    __slots__ = ("dialer_id", "held")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    held: _containers.RepeatedCompositeFieldContainer[HeldLease]
    def __init__(self, dialer_id: _Optional[str] = ..., held: _Optional[_Iterable[_Union[HeldLease, _Mapping]]] = ...) -> None: ...

class ReleaseLeasesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OpeningAttempt(_message.Message):
    __slots__ = ("id", "outdial_target_id", "destination", "destination_index", "try_count")
    ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_INDEX_FIELD_NUMBER: _ClassVar[int]
    TRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    id: str
    outdial_target_id: str
    destination: _address_pb2.Address
    destination_index: int
    try_count: int
    def __init__(self, id: _Optional[str] = ..., outdial_target_id: _Optional[str] = ..., destination: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_index: _Optional[int] = ..., try_count: _Optional[int] = ...) -> None: ...

class OpenCampaigncallsRequest(_message.Message):
    __slots__ = ("dialer_id", "campaign_id", "run_number", "fencing_token", "attempts")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FENCING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    campaign_id: str
    run_number: int
    fencing_token: int
    attempts: _containers.RepeatedCompositeFieldContainer[OpeningAttempt]
    def __init__(self, dialer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., run_number: _Optional[int] = ..., fencing_token: _Optional[int] = ..., attempts: _Optional[_Iterable[_Union[OpeningAttempt, _Mapping]]] = ...) -> None: ...

class OpenVerdict(_message.Message):
    __slots__ = ("id", "verdict", "activeflow_id")
    class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VERDICT_UNSPECIFIED: _ClassVar[OpenVerdict.Verdict]
        VERDICT_OPENED: _ClassVar[OpenVerdict.Verdict]
        VERDICT_REFUSED: _ClassVar[OpenVerdict.Verdict]
        VERDICT_DEAD: _ClassVar[OpenVerdict.Verdict]
    VERDICT_UNSPECIFIED: OpenVerdict.Verdict
    VERDICT_OPENED: OpenVerdict.Verdict
    VERDICT_REFUSED: OpenVerdict.Verdict
    VERDICT_DEAD: OpenVerdict.Verdict
    ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    ACTIVEFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    verdict: OpenVerdict.Verdict
    activeflow_id: str
    def __init__(self, id: _Optional[str] = ..., verdict: _Optional[_Union[OpenVerdict.Verdict, str]] = ..., activeflow_id: _Optional[str] = ...) -> None: ...

class OpenCampaigncallsResponse(_message.Message):
    __slots__ = ("verdicts", "place_within_ms")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    PLACE_WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[OpenVerdict]
    place_within_ms: int
    def __init__(self, verdicts: _Optional[_Iterable[_Union[OpenVerdict, _Mapping]]] = ..., place_within_ms: _Optional[int] = ...) -> None: ...

class CampaigncallReport(_message.Message):
    __slots__ = ("id", "kind", "tm", "hangup_reason", "hangup_detail", "is_refunded", "is_abandoned", "tm_answer", "variables", "digits", "answer_to_agent_ms", "is_machine")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[CampaigncallReport.Kind]
        KIND_ANSWERED: _ClassVar[CampaigncallReport.Kind]
        KIND_CONNECTED: _ClassVar[CampaigncallReport.Kind]
        KIND_ENDED: _ClassVar[CampaigncallReport.Kind]
        KIND_ABANDONED: _ClassVar[CampaigncallReport.Kind]
    KIND_UNSPECIFIED: CampaigncallReport.Kind
    KIND_ANSWERED: CampaigncallReport.Kind
    KIND_CONNECTED: CampaigncallReport.Kind
    KIND_ENDED: CampaigncallReport.Kind
    KIND_ABANDONED: CampaigncallReport.Kind
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    HANGUP_REASON_FIELD_NUMBER: _ClassVar[int]
    HANGUP_DETAIL_FIELD_NUMBER: _ClassVar[int]
    IS_REFUNDED_FIELD_NUMBER: _ClassVar[int]
    IS_ABANDONED_FIELD_NUMBER: _ClassVar[int]
    TM_ANSWER_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_TO_AGENT_MS_FIELD_NUMBER: _ClassVar[int]
    IS_MACHINE_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: CampaigncallReport.Kind
    tm: _timestamp_pb2.Timestamp
    hangup_reason: str
    hangup_detail: str
    is_refunded: bool
    is_abandoned: bool
    tm_answer: _timestamp_pb2.Timestamp
    variables: _containers.ScalarMap[str, str]
    digits: str
    answer_to_agent_ms: int
    is_machine: bool
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[CampaigncallReport.Kind, str]] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., hangup_reason: _Optional[str] = ..., hangup_detail: _Optional[str] = ..., is_refunded: _Optional[bool] = ..., is_abandoned: _Optional[bool] = ..., tm_answer: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., variables: _Optional[_Mapping[str, str]] = ..., digits: _Optional[str] = ..., answer_to_agent_ms: _Optional[int] = ..., is_machine: _Optional[bool] = ...) -> None: ...

class ReportCampaigncallsRequest(_message.Message):
    __slots__ = ("dialer_id", "reports")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    reports: _containers.RepeatedCompositeFieldContainer[CampaigncallReport]
    def __init__(self, dialer_id: _Optional[str] = ..., reports: _Optional[_Iterable[_Union[CampaigncallReport, _Mapping]]] = ...) -> None: ...

class ReportCampaigncallsResponse(_message.Message):
    __slots__ = ("unknown_ids",)
    UNKNOWN_IDS_FIELD_NUMBER: _ClassVar[int]
    unknown_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unknown_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListOpenCampaigncallsRequest(_message.Message):
    __slots__ = ("campaign_id", "fencing_token")
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    FENCING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaign_id: str
    fencing_token: int
    def __init__(self, campaign_id: _Optional[str] = ..., fencing_token: _Optional[int] = ...) -> None: ...

class OpenCampaigncall(_message.Message):
    __slots__ = ("campaigncall", "tm_deadline", "place_within_ms")
    CAMPAIGNCALL_FIELD_NUMBER: _ClassVar[int]
    TM_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    PLACE_WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    campaigncall: Campaigncall
    tm_deadline: _timestamp_pb2.Timestamp
    place_within_ms: int
    def __init__(self, campaigncall: _Optional[_Union[Campaigncall, _Mapping]] = ..., tm_deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place_within_ms: _Optional[int] = ...) -> None: ...

class ListOpenCampaigncallsResponse(_message.Message):
    __slots__ = ("campaigncalls",)
    CAMPAIGNCALLS_FIELD_NUMBER: _ClassVar[int]
    campaigncalls: _containers.RepeatedCompositeFieldContainer[OpenCampaigncall]
    def __init__(self, campaigncalls: _Optional[_Iterable[_Union[OpenCampaigncall, _Mapping]]] = ...) -> None: ...

class FinishRunRequest(_message.Message):
    __slots__ = ("dialer_id", "campaign_id", "run_number", "fencing_token", "detail", "is_error")
    DIALER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FENCING_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    IS_ERROR_FIELD_NUMBER: _ClassVar[int]
    dialer_id: str
    campaign_id: str
    run_number: int
    fencing_token: int
    detail: str
    is_error: bool
    def __init__(self, dialer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., run_number: _Optional[int] = ..., fencing_token: _Optional[int] = ..., detail: _Optional[str] = ..., is_error: _Optional[bool] = ...) -> None: ...

class FinishRunResponse(_message.Message):
    __slots__ = ("is_finished",)
    IS_FINISHED_FIELD_NUMBER: _ClassVar[int]
    is_finished: bool
    def __init__(self, is_finished: _Optional[bool] = ...) -> None: ...

class ResolveAttemptsRequest(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AttemptResolution(_message.Message):
    __slots__ = ("id", "state", "settlement")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[AttemptResolution.State]
        STATE_NEVER_OPENED: _ClassVar[AttemptResolution.State]
        STATE_OPEN: _ClassVar[AttemptResolution.State]
        STATE_DONE: _ClassVar[AttemptResolution.State]
    STATE_UNSPECIFIED: AttemptResolution.State
    STATE_NEVER_OPENED: AttemptResolution.State
    STATE_OPEN: AttemptResolution.State
    STATE_DONE: AttemptResolution.State
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: AttemptResolution.State
    settlement: Settlement
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[AttemptResolution.State, str]] = ..., settlement: _Optional[_Union[Settlement, _Mapping]] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ("campaigncall_id", "outdial_id", "outdial_target_id", "destination_index", "result", "is_refunded", "is_final", "tm_end", "try_interval_ms", "max_try_counts")
    CAMPAIGNCALL_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_INDEX_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    IS_REFUNDED_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    TRY_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    campaigncall_id: str
    outdial_id: str
    outdial_target_id: str
    destination_index: int
    result: Campaigncall.Result
    is_refunded: bool
    is_final: bool
    tm_end: _timestamp_pb2.Timestamp
    try_interval_ms: int
    max_try_counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, campaigncall_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., outdial_target_id: _Optional[str] = ..., destination_index: _Optional[int] = ..., result: _Optional[_Union[Campaigncall.Result, str]] = ..., is_refunded: _Optional[bool] = ..., is_final: _Optional[bool] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., try_interval_ms: _Optional[int] = ..., max_try_counts: _Optional[_Iterable[int]] = ...) -> None: ...

class RetireQueueRequest(_message.Message):
    __slots__ = ("queue_id",)
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    queue_id: str
    def __init__(self, queue_id: _Optional[str] = ...) -> None: ...

class RetireQueueResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RestoreQueueRequest(_message.Message):
    __slots__ = ("queue_id",)
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    queue_id: str
    def __init__(self, queue_id: _Optional[str] = ...) -> None: ...

class RestoreQueueResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResolveAttemptsResponse(_message.Message):
    __slots__ = ("resolutions",)
    RESOLUTIONS_FIELD_NUMBER: _ClassVar[int]
    resolutions: _containers.RepeatedCompositeFieldContainer[AttemptResolution]
    def __init__(self, resolutions: _Optional[_Iterable[_Union[AttemptResolution, _Mapping]]] = ...) -> None: ...
