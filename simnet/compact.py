"""Two tables that only grow, kept small: the ids ever seen, and how often each number was called.

A set of a million 16-byte ids takes 100 MB of Python objects, a dict of a million numbers more; these
take about 20 and 12. Entries stand one after the other in many short byte arrays, each searched by
`find`, which compares a kilobyte faster than Python hashes one object.
"""

from __future__ import annotations

from hashlib import blake2b

_PARTS = 1 << 16
_ID_BYTES = 16
_NUMBER_BYTES = 7
_ENTRY_BYTES = _NUMBER_BYTES + 1
_COUNT_MAX = 255


def id_bytes(text: str) -> bytes:
    """The 16 bytes of a UUID written in the usual form; ValueError when it has other digits."""
    return bytes.fromhex(text.replace("-", ""))


def _find(part: bytearray, key: bytes, width: int) -> int:
    """Offset of the entry that starts with `key`, or -1. Entries are `width` bytes."""
    at = part.find(key)
    while at >= 0 and at % width:
        at = part.find(key, at + 1)  # bytes of two neighbours that happen to read like the key
    return at


class IdSet:
    """A set of 16-byte ids."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: bytes) -> bool:
        return _find(self._part(key), key, _ID_BYTES) >= 0

    def add(self, key: bytes) -> bool:
        """Add an id; False when it was there already."""
        part = self._part(key)
        if _find(part, key, _ID_BYTES) >= 0:
            return False
        part += key
        self._size += 1
        return True

    def _part(self, key: bytes) -> bytearray:
        # The tail of a UUID is random (the head of a UUIDv7 is a time).
        return self._parts[key[14] << 8 | key[15]]


class CallCounts:
    """How often each number was called, up to 255 times.

    A number is known by 56 bits of its hash: that two of a million numbers share a count is a chance
    of one in a hundred thousand, and then a person merely behaves as on a later call.
    """

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]

    def next(self, number: str) -> int:
        """Count one more call to the number and return the count: 1 for the first."""
        key = blake2b(number.encode(), digest_size=_NUMBER_BYTES).digest()
        part = self._parts[key[5] << 8 | key[6]]
        at = _find(part, key, _ENTRY_BYTES)
        if at < 0:
            part += key + b"\x01"
            return 1
        count = min(part[at + _NUMBER_BYTES] + 1, _COUNT_MAX)
        part[at + _NUMBER_BYTES] = count
        return count
