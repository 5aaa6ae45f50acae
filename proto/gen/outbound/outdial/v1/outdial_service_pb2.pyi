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

class Outdial(_message.Message):
    __slots__ = ("id", "customer_id", "campaign_id", "name", "detail", "data", "revision", "tm_create", "tm_update", "tm_delete")
    ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    customer_id: str
    campaign_id: str
    name: str
    detail: str
    data: str
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., customer_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("id", "outdial_id", "customer_id", "name", "detail", "data", "status", "result", "destination_0", "destination_1", "destination_2", "destination_3", "destination_4", "try_counts", "tm_next_try", "revision", "tm_create", "tm_update", "tm_delete")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Target.Status]
        STATUS_IDLE: _ClassVar[Target.Status]
        STATUS_PROGRESSING: _ClassVar[Target.Status]
        STATUS_DONE: _ClassVar[Target.Status]
    STATUS_UNSPECIFIED: Target.Status
    STATUS_IDLE: Target.Status
    STATUS_PROGRESSING: Target.Status
    STATUS_DONE: Target.Status
    class Result(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RESULT_UNSPECIFIED: _ClassVar[Target.Result]
        RESULT_SUCCESS: _ClassVar[Target.Result]
        RESULT_FAIL: _ClassVar[Target.Result]
    RESULT_UNSPECIFIED: Target.Result
    RESULT_SUCCESS: Target.Result
    RESULT_FAIL: Target.Result
    ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_0_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_1_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_2_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_3_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_4_FIELD_NUMBER: _ClassVar[int]
    TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    TM_NEXT_TRY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TM_DELETE_FIELD_NUMBER: _ClassVar[int]
    id: str
    outdial_id: str
    customer_id: str
    name: str
    detail: str
    data: str
    status: Target.Status
    result: Target.Result
    destination_0: _address_pb2.Address
    destination_1: _address_pb2.Address
    destination_2: _address_pb2.Address
    destination_3: _address_pb2.Address
    destination_4: _address_pb2.Address
    try_counts: _containers.RepeatedScalarFieldContainer[int]
    tm_next_try: _timestamp_pb2.Timestamp
    revision: int
    tm_create: _timestamp_pb2.Timestamp
    tm_update: _timestamp_pb2.Timestamp
    tm_delete: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., status: _Optional[_Union[Target.Status, str]] = ..., result: _Optional[_Union[Target.Result, str]] = ..., destination_0: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_1: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_2: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_3: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_4: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., try_counts: _Optional[_Iterable[int]] = ..., tm_next_try: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_update: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_delete: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateOutdialRequest(_message.Message):
    __slots__ = ("id", "campaign_id", "name", "detail", "data")
    ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    campaign_id: str
    name: str
    detail: str
    data: str
    def __init__(self, id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ...) -> None: ...

class GetOutdialRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListOutdialsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOutdialsResponse(_message.Message):
    __slots__ = ("outdials", "next_page_token")
    OUTDIALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    outdials: _containers.RepeatedCompositeFieldContainer[Outdial]
    next_page_token: str
    def __init__(self, outdials: _Optional[_Iterable[_Union[Outdial, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateOutdialRequest(_message.Message):
    __slots__ = ("id", "name", "detail", "data", "campaign_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    data: str
    campaign_id: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., campaign_id: _Optional[str] = ...) -> None: ...

class DeleteOutdialRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class NewTarget(_message.Message):
    __slots__ = ("id", "name", "detail", "data", "destinations")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    data: str
    destinations: _containers.RepeatedCompositeFieldContainer[_address_pb2.Address]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., destinations: _Optional[_Iterable[_Union[_address_pb2.Address, _Mapping]]] = ...) -> None: ...

class AddTargetsRequest(_message.Message):
    __slots__ = ("outdial_id", "targets", "is_one_request")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    IS_ONE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    targets: _containers.RepeatedCompositeFieldContainer[NewTarget]
    is_one_request: bool
    def __init__(self, outdial_id: _Optional[str] = ..., targets: _Optional[_Iterable[_Union[NewTarget, _Mapping]]] = ..., is_one_request: _Optional[bool] = ...) -> None: ...

class AddTargetsResponse(_message.Message):
    __slots__ = ("targets",)
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ...) -> None: ...

class GetTargetRequest(_message.Message):
    __slots__ = ("outdial_id", "id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    id: str
    def __init__(self, outdial_id: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class ListTargetsRequest(_message.Message):
    __slots__ = ("outdial_id", "page_size", "page_token", "status")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    page_size: int
    page_token: str
    status: Target.Status
    def __init__(self, outdial_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., status: _Optional[_Union[Target.Status, str]] = ...) -> None: ...

class ListTargetsResponse(_message.Message):
    __slots__ = ("targets", "next_page_token")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    next_page_token: str
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateTargetRequest(_message.Message):
    __slots__ = ("outdial_id", "id", "name", "detail", "data", "destinations")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    id: str
    name: str
    detail: str
    data: str
    destinations: _containers.RepeatedCompositeFieldContainer[DestinationChange]
    def __init__(self, outdial_id: _Optional[str] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., destinations: _Optional[_Iterable[_Union[DestinationChange, _Mapping]]] = ...) -> None: ...

class DestinationChange(_message.Message):
    __slots__ = ("index", "destination")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    index: int
    destination: _address_pb2.Address
    def __init__(self, index: _Optional[int] = ..., destination: _Optional[_Union[_address_pb2.Address, _Mapping]] = ...) -> None: ...

class DeleteTargetRequest(_message.Message):
    __slots__ = ("outdial_id", "id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    id: str
    def __init__(self, outdial_id: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class ResetTargetRequest(_message.Message):
    __slots__ = ("outdial_id", "id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    id: str
    def __init__(self, outdial_id: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class GetOutdialProgressRequest(_message.Message):
    __slots__ = ("outdial_id",)
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    def __init__(self, outdial_id: _Optional[str] = ...) -> None: ...

class OutdialProgress(_message.Message):
    __slots__ = ("outdial_id", "total_count", "idle_count", "progressing_count", "success_count", "fail_count", "is_reopening", "tm_next_due")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    IDLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRESSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAIL_COUNT_FIELD_NUMBER: _ClassVar[int]
    IS_REOPENING_FIELD_NUMBER: _ClassVar[int]
    TM_NEXT_DUE_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    total_count: int
    idle_count: int
    progressing_count: int
    success_count: int
    fail_count: int
    is_reopening: bool
    tm_next_due: _timestamp_pb2.Timestamp
    def __init__(self, outdial_id: _Optional[str] = ..., total_count: _Optional[int] = ..., idle_count: _Optional[int] = ..., progressing_count: _Optional[int] = ..., success_count: _Optional[int] = ..., fail_count: _Optional[int] = ..., is_reopening: _Optional[bool] = ..., tm_next_due: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ImportTargetsRequest(_message.Message):
    __slots__ = ("header", "chunk", "end")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    header: ImportHeader
    chunk: bytes
    end: ImportEnd
    def __init__(self, header: _Optional[_Union[ImportHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ..., end: _Optional[_Union[ImportEnd, _Mapping]] = ...) -> None: ...

class ImportEnd(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ImportHeader(_message.Message):
    __slots__ = ("import_id", "outdial_id", "format", "mapping", "default_region", "duplicates", "is_strict")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[ImportHeader.Format]
        FORMAT_CSV: _ClassVar[ImportHeader.Format]
        FORMAT_NDJSON: _ClassVar[ImportHeader.Format]
    FORMAT_UNSPECIFIED: ImportHeader.Format
    FORMAT_CSV: ImportHeader.Format
    FORMAT_NDJSON: ImportHeader.Format
    class Duplicates(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DUPLICATES_UNSPECIFIED: _ClassVar[ImportHeader.Duplicates]
        DUPLICATES_REJECT: _ClassVar[ImportHeader.Duplicates]
        DUPLICATES_SKIP: _ClassVar[ImportHeader.Duplicates]
        DUPLICATES_ALLOW: _ClassVar[ImportHeader.Duplicates]
    DUPLICATES_UNSPECIFIED: ImportHeader.Duplicates
    DUPLICATES_REJECT: ImportHeader.Duplicates
    DUPLICATES_SKIP: ImportHeader.Duplicates
    DUPLICATES_ALLOW: ImportHeader.Duplicates
    class MappingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_REGION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    IS_STRICT_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    outdial_id: str
    format: ImportHeader.Format
    mapping: _containers.ScalarMap[str, str]
    default_region: str
    duplicates: ImportHeader.Duplicates
    is_strict: bool
    def __init__(self, import_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., format: _Optional[_Union[ImportHeader.Format, str]] = ..., mapping: _Optional[_Mapping[str, str]] = ..., default_region: _Optional[str] = ..., duplicates: _Optional[_Union[ImportHeader.Duplicates, str]] = ..., is_strict: _Optional[bool] = ...) -> None: ...

class ImportReject(_message.Message):
    __slots__ = ("line", "field", "value", "reason")
    LINE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    line: int
    field: str
    value: str
    reason: str
    def __init__(self, line: _Optional[int] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportResult(_message.Message):
    __slots__ = ("import_id", "outdial_id", "state", "row_count", "accepted_count", "rejected_count", "duplicate_count", "rejects", "tm_create", "tm_end")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[ImportResult.State]
        STATE_RECEIVING: _ClassVar[ImportResult.State]
        STATE_DONE: _ClassVar[ImportResult.State]
    STATE_UNSPECIFIED: ImportResult.State
    STATE_RECEIVING: ImportResult.State
    STATE_DONE: ImportResult.State
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    TM_CREATE_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    outdial_id: str
    state: ImportResult.State
    row_count: int
    accepted_count: int
    rejected_count: int
    duplicate_count: int
    rejects: _containers.RepeatedCompositeFieldContainer[ImportReject]
    tm_create: _timestamp_pb2.Timestamp
    tm_end: _timestamp_pb2.Timestamp
    def __init__(self, import_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., state: _Optional[_Union[ImportResult.State, str]] = ..., row_count: _Optional[int] = ..., accepted_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., duplicate_count: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[ImportReject, _Mapping]]] = ..., tm_create: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetImportRequest(_message.Message):
    __slots__ = ("outdial_id", "import_id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    import_id: str
    def __init__(self, outdial_id: _Optional[str] = ..., import_id: _Optional[str] = ...) -> None: ...

class ListImportRejectsRequest(_message.Message):
    __slots__ = ("outdial_id", "import_id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    import_id: str
    def __init__(self, outdial_id: _Optional[str] = ..., import_id: _Optional[str] = ...) -> None: ...

class ListImportRejectsResponse(_message.Message):
    __slots__ = ("rejects",)
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    rejects: _containers.RepeatedCompositeFieldContainer[ImportReject]
    def __init__(self, rejects: _Optional[_Iterable[_Union[ImportReject, _Mapping]]] = ...) -> None: ...

class BindOutdialRequest(_message.Message):
    __slots__ = ("outdial_id", "campaign_id", "expected_campaign_id")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    campaign_id: str
    expected_campaign_id: str
    def __init__(self, outdial_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., expected_campaign_id: _Optional[str] = ...) -> None: ...

class ClaimPlan(_message.Message):
    __slots__ = ("max_try_counts", "address_types")
    MAX_TRY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_TYPES_FIELD_NUMBER: _ClassVar[int]
    max_try_counts: _containers.RepeatedScalarFieldContainer[int]
    address_types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, max_try_counts: _Optional[_Iterable[int]] = ..., address_types: _Optional[_Iterable[str]] = ...) -> None: ...

class ClaimTargetsRequest(_message.Message):
    __slots__ = ("claim_id", "outdial_id", "campaign_id", "limit", "plan")
    CLAIM_ID_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    claim_id: str
    outdial_id: str
    campaign_id: str
    limit: int
    plan: ClaimPlan
    def __init__(self, claim_id: _Optional[str] = ..., outdial_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., limit: _Optional[int] = ..., plan: _Optional[_Union[ClaimPlan, _Mapping]] = ...) -> None: ...

class ClaimedTarget(_message.Message):
    __slots__ = ("attempt_id", "target_id", "name", "detail", "data", "destination", "destination_index", "try_count")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_INDEX_FIELD_NUMBER: _ClassVar[int]
    TRY_COUNT_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    target_id: str
    name: str
    detail: str
    data: str
    destination: _address_pb2.Address
    destination_index: int
    try_count: int
    def __init__(self, attempt_id: _Optional[str] = ..., target_id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ..., destination: _Optional[_Union[_address_pb2.Address, _Mapping]] = ..., destination_index: _Optional[int] = ..., try_count: _Optional[int] = ...) -> None: ...

class ClaimTargetsResponse(_message.Message):
    __slots__ = ("targets", "exhausted_count", "progress", "outdial_name", "outdial_data")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    EXHAUSTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_NAME_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_DATA_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[ClaimedTarget]
    exhausted_count: int
    progress: OutdialProgress
    outdial_name: str
    outdial_data: str
    def __init__(self, targets: _Optional[_Iterable[_Union[ClaimedTarget, _Mapping]]] = ..., exhausted_count: _Optional[int] = ..., progress: _Optional[_Union[OutdialProgress, _Mapping]] = ..., outdial_name: _Optional[str] = ..., outdial_data: _Optional[str] = ...) -> None: ...

class ReleaseClaimsRequest(_message.Message):
    __slots__ = ("attempt_ids",)
    ATTEMPT_IDS_FIELD_NUMBER: _ClassVar[int]
    attempt_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, attempt_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReleaseClaimsResponse(_message.Message):
    __slots__ = ("released_count",)
    RELEASED_COUNT_FIELD_NUMBER: _ClassVar[int]
    released_count: int
    def __init__(self, released_count: _Optional[int] = ...) -> None: ...

class DescribeTargetsRequest(_message.Message):
    __slots__ = ("outdial_id", "target_ids")
    OUTDIAL_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_IDS_FIELD_NUMBER: _ClassVar[int]
    outdial_id: str
    target_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, outdial_id: _Optional[str] = ..., target_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribedTarget(_message.Message):
    __slots__ = ("id", "name", "detail", "data")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    detail: str
    data: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., detail: _Optional[str] = ..., data: _Optional[str] = ...) -> None: ...

class DescribeTargetsResponse(_message.Message):
    __slots__ = ("targets", "outdial_name", "outdial_data")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_NAME_FIELD_NUMBER: _ClassVar[int]
    OUTDIAL_DATA_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[DescribedTarget]
    outdial_name: str
    outdial_data: str
    def __init__(self, targets: _Optional[_Iterable[_Union[DescribedTarget, _Mapping]]] = ..., outdial_name: _Optional[str] = ..., outdial_data: _Optional[str] = ...) -> None: ...
