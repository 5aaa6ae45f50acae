"""Slots: names under which dialers are known to the PBXs they share.

A PBX holds each call in an application, and an application has one connection at a time. Its name
belongs to a slot, not to a process, so that whoever takes a dead dialer's slot gets its calls.
"""

from __future__ import annotations

from dataclasses import dataclass

LEASE_SECONDS = 8.0
"""A slot is its holder's for so long after each renewal, by the database's clock."""
MOST_SLOTS = 64


@dataclass(frozen=True, slots=True)
class SlotHolder:
    """Who holds, or held last, a slot."""

    slot: int
    dialer_id: str
    is_living: bool  # the lease has not run out


@dataclass(frozen=True, slots=True)
class SlotRenewal:
    """What a renewal found."""

    held: frozenset[int]  # slots that still are this process's
    dialers: int  # dialers with a lease, this one included
