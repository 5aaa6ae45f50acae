import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_KIND_UNSPECIFIED: _ClassVar[CallKind]
    CALL_KIND_CUSTOMER: _ClassVar[CallKind]
    CALL_KIND_AGENT: _ClassVar[CallKind]

class AnsweredBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWERED_BY_UNSPECIFIED: _ClassVar[AnsweredBy]
    ANSWERED_BY_HUMAN: _ClassVar[AnsweredBy]
    ANSWERED_BY_MACHINE: _ClassVar[AnsweredBy]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_NORMAL: _ClassVar[Outcome]
    OUTCOME_BUSY: _ClassVar[Outcome]
    OUTCOME_NO_ANSWER: _ClassVar[Outcome]
    OUTCOME_INVALID: _ClassVar[Outcome]
    OUTCOME_CONGESTION: _ClassVar[Outcome]
    OUTCOME_CANCELED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_TIMEOUT: _ClassVar[Outcome]
    OUTCOME_NETWORK_RESTART: _ClassVar[Outcome]

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_CALLER: _ClassVar[Side]
    SIDE_CALLEE: _ClassVar[Side]
    SIDE_NETWORK: _ClassVar[Side]

class CallState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_STATE_UNSPECIFIED: _ClassVar[CallState]
    CALL_STATE_DIALING: _ClassVar[CallState]
    CALL_STATE_ANSWERED: _ClassVar[CallState]
    CALL_STATE_ENDED: _ClassVar[CallState]
CALL_KIND_UNSPECIFIED: CallKind
CALL_KIND_CUSTOMER: CallKind
CALL_KIND_AGENT: CallKind
ANSWERED_BY_UNSPECIFIED: AnsweredBy
ANSWERED_BY_HUMAN: AnsweredBy
ANSWERED_BY_MACHINE: AnsweredBy
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_NORMAL: Outcome
OUTCOME_BUSY: Outcome
OUTCOME_NO_ANSWER: Outcome
OUTCOME_INVALID: Outcome
OUTCOME_CONGESTION: Outcome
OUTCOME_CANCELED: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_TIMEOUT: Outcome
OUTCOME_NETWORK_RESTART: Outcome
SIDE_UNSPECIFIED: Side
SIDE_CALLER: Side
SIDE_CALLEE: Side
SIDE_NETWORK: Side
CALL_STATE_UNSPECIFIED: CallState
CALL_STATE_DIALING: CallState
CALL_STATE_ANSWERED: CallState
CALL_STATE_ENDED: CallState

class DriverFrame(_message.Message):
    __slots__ = ("hello", "commands")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    commands: _containers.RepeatedCompositeFieldContainer[Command]
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., commands: _Optional[_Iterable[_Union[Command, _Mapping]]] = ...) -> None: ...

class NetworkFrame(_message.Message):
    __slots__ = ("welcome", "events")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("dialer", "instance", "call_ids")
    DIALER_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    CALL_IDS_FIELD_NUMBER: _ClassVar[int]
    dialer: str
    instance: str
    call_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dialer: _Optional[str] = ..., instance: _Optional[str] = ..., call_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("network_instance", "tm")
    NETWORK_INSTANCE_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    network_instance: str
    tm: _timestamp_pb2.Timestamp
    def __init__(self, network_instance: _Optional[str] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("place", "cancel", "hangup", "play", "stop_play", "bridge", "unbridge", "adopt", "forget")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    HANGUP_FIELD_NUMBER: _ClassVar[int]
    PLAY_FIELD_NUMBER: _ClassVar[int]
    STOP_PLAY_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    UNBRIDGE_FIELD_NUMBER: _ClassVar[int]
    ADOPT_FIELD_NUMBER: _ClassVar[int]
    FORGET_FIELD_NUMBER: _ClassVar[int]
    place: Place
    cancel: Cancel
    hangup: Hangup
    play: Play
    stop_play: StopPlay
    bridge: Bridge
    unbridge: Unbridge
    adopt: Adopt
    forget: Forget
    def __init__(self, place: _Optional[_Union[Place, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., hangup: _Optional[_Union[Hangup, _Mapping]] = ..., play: _Optional[_Union[Play, _Mapping]] = ..., stop_play: _Optional[_Union[StopPlay, _Mapping]] = ..., bridge: _Optional[_Union[Bridge, _Mapping]] = ..., unbridge: _Optional[_Union[Unbridge, _Mapping]] = ..., adopt: _Optional[_Union[Adopt, _Mapping]] = ..., forget: _Optional[_Union[Forget, _Mapping]] = ...) -> None: ...

class Address(_message.Message):
    __slots__ = ("type", "target")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    type: str
    target: str
    def __init__(self, type: _Optional[str] = ..., target: _Optional[str] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("call_id", "kind", "address", "caller_id", "ring_timeout_ms", "max_duration_ms", "place_before_boottime_ns", "variables")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CALLER_ID_FIELD_NUMBER: _ClassVar[int]
    RING_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    PLACE_BEFORE_BOOTTIME_NS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    kind: CallKind
    address: Address
    caller_id: Address
    ring_timeout_ms: int
    max_duration_ms: int
    place_before_boottime_ns: int
    variables: _containers.ScalarMap[str, str]
    def __init__(self, call_id: _Optional[str] = ..., kind: _Optional[_Union[CallKind, str]] = ..., address: _Optional[_Union[Address, _Mapping]] = ..., caller_id: _Optional[_Union[Address, _Mapping]] = ..., ring_timeout_ms: _Optional[int] = ..., max_duration_ms: _Optional[int] = ..., place_before_boottime_ns: _Optional[int] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class Hangup(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class Play(_message.Message):
    __slots__ = ("call_id", "play_id", "text", "recordings", "digits", "duration_hint_ms", "hold")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    PLAY_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    DURATION_HINT_MS_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    play_id: str
    text: str
    recordings: Recordings
    digits: str
    duration_hint_ms: int
    hold: bool
    def __init__(self, call_id: _Optional[str] = ..., play_id: _Optional[str] = ..., text: _Optional[str] = ..., recordings: _Optional[_Union[Recordings, _Mapping]] = ..., digits: _Optional[str] = ..., duration_hint_ms: _Optional[int] = ..., hold: _Optional[bool] = ...) -> None: ...

class Recordings(_message.Message):
    __slots__ = ("media",)
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    media: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, media: _Optional[_Iterable[str]] = ...) -> None: ...

class StopPlay(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class Bridge(_message.Message):
    __slots__ = ("call_id", "other_call_id")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    other_call_id: str
    def __init__(self, call_id: _Optional[str] = ..., other_call_id: _Optional[str] = ...) -> None: ...

class Unbridge(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class Adopt(_message.Message):
    __slots__ = ("call_ids",)
    CALL_IDS_FIELD_NUMBER: _ClassVar[int]
    call_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, call_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Forget(_message.Message):
    __slots__ = ("call_ids",)
    CALL_IDS_FIELD_NUMBER: _ClassVar[int]
    call_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, call_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("call_id", "tm", "place_refused", "ringing", "answered", "ended", "play_finished", "bridged", "unbridged", "digit_pressed", "command_failed", "adopted", "unknown", "taken")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TM_FIELD_NUMBER: _ClassVar[int]
    PLACE_REFUSED_FIELD_NUMBER: _ClassVar[int]
    RINGING_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    PLAY_FINISHED_FIELD_NUMBER: _ClassVar[int]
    BRIDGED_FIELD_NUMBER: _ClassVar[int]
    UNBRIDGED_FIELD_NUMBER: _ClassVar[int]
    DIGIT_PRESSED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FAILED_FIELD_NUMBER: _ClassVar[int]
    ADOPTED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    tm: _timestamp_pb2.Timestamp
    place_refused: PlaceRefused
    ringing: Ringing
    answered: Answered
    ended: Ended
    play_finished: PlayFinished
    bridged: Bridged
    unbridged: Unbridged
    digit_pressed: DigitPressed
    command_failed: CommandFailed
    adopted: Call
    unknown: Unknown
    taken: Taken
    def __init__(self, call_id: _Optional[str] = ..., tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place_refused: _Optional[_Union[PlaceRefused, _Mapping]] = ..., ringing: _Optional[_Union[Ringing, _Mapping]] = ..., answered: _Optional[_Union[Answered, _Mapping]] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ..., play_finished: _Optional[_Union[PlayFinished, _Mapping]] = ..., bridged: _Optional[_Union[Bridged, _Mapping]] = ..., unbridged: _Optional[_Union[Unbridged, _Mapping]] = ..., digit_pressed: _Optional[_Union[DigitPressed, _Mapping]] = ..., command_failed: _Optional[_Union[CommandFailed, _Mapping]] = ..., adopted: _Optional[_Union[Call, _Mapping]] = ..., unknown: _Optional[_Union[Unknown, _Mapping]] = ..., taken: _Optional[_Union[Taken, _Mapping]] = ...) -> None: ...

class PlaceRefused(_message.Message):
    __slots__ = ("reason", "detail")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[PlaceRefused.Reason]
        REASON_DUPLICATE: _ClassVar[PlaceRefused.Reason]
        REASON_LATE: _ClassVar[PlaceRefused.Reason]
        REASON_CONGESTION: _ClassVar[PlaceRefused.Reason]
        REASON_INVALID: _ClassVar[PlaceRefused.Reason]
        REASON_MALFORMED: _ClassVar[PlaceRefused.Reason]
    REASON_UNSPECIFIED: PlaceRefused.Reason
    REASON_DUPLICATE: PlaceRefused.Reason
    REASON_LATE: PlaceRefused.Reason
    REASON_CONGESTION: PlaceRefused.Reason
    REASON_INVALID: PlaceRefused.Reason
    REASON_MALFORMED: PlaceRefused.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: PlaceRefused.Reason
    detail: str
    def __init__(self, reason: _Optional[_Union[PlaceRefused.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class Ringing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Answered(_message.Message):
    __slots__ = ("by",)
    BY_FIELD_NUMBER: _ClassVar[int]
    by: AnsweredBy
    def __init__(self, by: _Optional[_Union[AnsweredBy, str]] = ...) -> None: ...

class Ended(_message.Message):
    __slots__ = ("outcome", "hung_up_by", "ring_ms", "talk_ms", "answered_by", "tm_answer")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    HUNG_UP_BY_FIELD_NUMBER: _ClassVar[int]
    RING_MS_FIELD_NUMBER: _ClassVar[int]
    TALK_MS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    TM_ANSWER_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    hung_up_by: Side
    ring_ms: int
    talk_ms: int
    answered_by: AnsweredBy
    tm_answer: _timestamp_pb2.Timestamp
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., hung_up_by: _Optional[_Union[Side, str]] = ..., ring_ms: _Optional[int] = ..., talk_ms: _Optional[int] = ..., answered_by: _Optional[_Union[AnsweredBy, str]] = ..., tm_answer: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlayFinished(_message.Message):
    __slots__ = ("play_id", "completed")
    PLAY_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    play_id: str
    completed: bool
    def __init__(self, play_id: _Optional[str] = ..., completed: _Optional[bool] = ...) -> None: ...

class Bridged(_message.Message):
    __slots__ = ("other_call_id",)
    OTHER_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    other_call_id: str
    def __init__(self, other_call_id: _Optional[str] = ...) -> None: ...

class Unbridged(_message.Message):
    __slots__ = ("other_call_id",)
    OTHER_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    other_call_id: str
    def __init__(self, other_call_id: _Optional[str] = ...) -> None: ...

class DigitPressed(_message.Message):
    __slots__ = ("digit",)
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    digit: str
    def __init__(self, digit: _Optional[str] = ...) -> None: ...

class CommandFailed(_message.Message):
    __slots__ = ("command", "reason", "reference")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[CommandFailed.Reason]
        REASON_NOT_LIVE: _ClassVar[CommandFailed.Reason]
        REASON_NOT_ANSWERED: _ClassVar[CommandFailed.Reason]
        REASON_NOT_OWNER: _ClassVar[CommandFailed.Reason]
        REASON_BRIDGED: _ClassVar[CommandFailed.Reason]
        REASON_MALFORMED: _ClassVar[CommandFailed.Reason]
    REASON_UNSPECIFIED: CommandFailed.Reason
    REASON_NOT_LIVE: CommandFailed.Reason
    REASON_NOT_ANSWERED: CommandFailed.Reason
    REASON_NOT_OWNER: CommandFailed.Reason
    REASON_BRIDGED: CommandFailed.Reason
    REASON_MALFORMED: CommandFailed.Reason
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    command: str
    reason: CommandFailed.Reason
    reference: str
    def __init__(self, command: _Optional[str] = ..., reason: _Optional[_Union[CommandFailed.Reason, str]] = ..., reference: _Optional[str] = ...) -> None: ...

class Unknown(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Taken(_message.Message):
    __slots__ = ("dialer",)
    DIALER_FIELD_NUMBER: _ClassVar[int]
    dialer: str
    def __init__(self, dialer: _Optional[str] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("call_id", "kind", "state", "address", "dialer", "tm_place", "tm_answer", "answered_by", "rang", "play_id", "finished_play_id", "finished_play_completed", "bridged_with", "tm_end", "ended", "digits_pressed")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DIALER_FIELD_NUMBER: _ClassVar[int]
    TM_PLACE_FIELD_NUMBER: _ClassVar[int]
    TM_ANSWER_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    RANG_FIELD_NUMBER: _ClassVar[int]
    PLAY_ID_FIELD_NUMBER: _ClassVar[int]
    FINISHED_PLAY_ID_FIELD_NUMBER: _ClassVar[int]
    FINISHED_PLAY_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    BRIDGED_WITH_FIELD_NUMBER: _ClassVar[int]
    TM_END_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    DIGITS_PRESSED_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    kind: CallKind
    state: CallState
    address: Address
    dialer: str
    tm_place: _timestamp_pb2.Timestamp
    tm_answer: _timestamp_pb2.Timestamp
    answered_by: AnsweredBy
    rang: bool
    play_id: str
    finished_play_id: str
    finished_play_completed: bool
    bridged_with: str
    tm_end: _timestamp_pb2.Timestamp
    ended: Ended
    digits_pressed: str
    def __init__(self, call_id: _Optional[str] = ..., kind: _Optional[_Union[CallKind, str]] = ..., state: _Optional[_Union[CallState, str]] = ..., address: _Optional[_Union[Address, _Mapping]] = ..., dialer: _Optional[str] = ..., tm_place: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tm_answer: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_by: _Optional[_Union[AnsweredBy, str]] = ..., rang: _Optional[bool] = ..., play_id: _Optional[str] = ..., finished_play_id: _Optional[str] = ..., finished_play_completed: _Optional[bool] = ..., bridged_with: _Optional[str] = ..., tm_end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ..., digits_pressed: _Optional[str] = ...) -> None: ...

class ListLiveCallsRequest(_message.Message):
    __slots__ = ("call_ids",)
    CALL_IDS_FIELD_NUMBER: _ClassVar[int]
    call_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, call_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListLiveCallsResponse(_message.Message):
    __slots__ = ("calls",)
    CALLS_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    def __init__(self, calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ...) -> None: ...

class GetCallsRequest(_message.Message):
    __slots__ = ("call_ids",)
    CALL_IDS_FIELD_NUMBER: _ClassVar[int]
    call_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, call_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetCallsResponse(_message.Message):
    __slots__ = ("calls",)
    CALLS_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    def __init__(self, calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ...) -> None: ...

class StepRequest(_message.Message):
    __slots__ = ("advance_ms",)
    ADVANCE_MS_FIELD_NUMBER: _ClassVar[int]
    advance_ms: int
    def __init__(self, advance_ms: _Optional[int] = ...) -> None: ...

class StepResponse(_message.Message):
    __slots__ = ("tm", "event_count")
    TM_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    tm: _timestamp_pb2.Timestamp
    event_count: int
    def __init__(self, tm: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_count: _Optional[int] = ...) -> None: ...
