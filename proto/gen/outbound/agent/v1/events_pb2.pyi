from outbound.agent.v1 import agent_service_pb2 as _agent_service_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgentEvent(_message.Message):
    __slots__ = ("agent",)
    AGENT_FIELD_NUMBER: _ClassVar[int]
    agent: _agent_service_pb2.Agent
    def __init__(self, agent: _Optional[_Union[_agent_service_pb2.Agent, _Mapping]] = ...) -> None: ...
