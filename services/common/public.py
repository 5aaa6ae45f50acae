"""Addresses of the public internet, told from those that only this host or its network can reach."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

# IPv4 within IPv6, by a gateway of the network this host is in.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that was ever given out. Beyond it lie forms of IPv4, local and abandoned ranges, of which the
# standard library takes some for global.
_IPV6_UNICAST = ipaddress.ip_network("2000::/3")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NOT_PUBLIC = "is not in the public internet, and may not be reached"
"""What is wrong with a host of which nothing is reachable."""


def reachable(addresses: Iterable[str], *, allows_private: bool) -> list[IpAddress]:
    """Those that may be connected to for a customer, each once, in their order.

    `allows_private` is for networks without strangers. Raises ValueError for what is no address.
    """
    found = [ipaddress.ip_address(each) for each in dict.fromkeys(addresses)]
    return [each for each in found if allows_private or is_public(each)]


def is_public(address: IpAddress) -> bool:
    """Whether the address is one that anybody on the internet could reach, not only this host."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None and not is_public(address.sixtofour):
            return False
        if address.teredo is not None:
            return False
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(address.packed[-4:]))
        if address not in _IPV6_UNICAST:
            return False
    return address.is_global and not address.is_multicast
