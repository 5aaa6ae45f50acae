"""What two of the `convert.py` of this process share."""

from __future__ import annotations

from outbound.common.v1 import address_pb2 as address_pb

from services.common.address import Address, normalise
from services.common.convert import address_from_proto


def source_from_proto(message: address_pb.Address) -> Address | None:
    """A caller id in normal form, None for an empty one."""
    return normalise(address_from_proto(message), field="source")
