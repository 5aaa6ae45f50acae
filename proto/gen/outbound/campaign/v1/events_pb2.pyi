from outbound.campaign.v1 import campaign_service_pb2 as _campaign_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CampaignEvent(_message.Message):
    __slots__ = ("campaign", "stop_mode")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    STOP_MODE_FIELD_NUMBER: _ClassVar[int]
    campaign: _campaign_service_pb2.Campaign
    stop_mode: _campaign_service_pb2.StopMode
    def __init__(self, campaign: _Optional[_Union[_campaign_service_pb2.Campaign, _Mapping]] = ..., stop_mode: _Optional[_Union[_campaign_service_pb2.StopMode, str]] = ...) -> None: ...

class CampaigncallEvent(_message.Message):
    __slots__ = ("campaigncall", "settlement")
    CAMPAIGNCALL_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    campaigncall: _campaign_service_pb2.Campaigncall
    settlement: _campaign_service_pb2.Settlement
    def __init__(self, campaigncall: _Optional[_Union[_campaign_service_pb2.Campaigncall, _Mapping]] = ..., settlement: _Optional[_Union[_campaign_service_pb2.Settlement, _Mapping]] = ...) -> None: ...
