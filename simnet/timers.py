"""When which call has to be looked at next: one heap, one entry that counts per call."""

from __future__ import annotations

import heapq

from simnet.calls import NEVER, Call

# Below this a rebuild costs more than the entries it drops.
_MIN_STALE = 1024


class Timers:
    """The earliest due time of every call.

    An entry that no longer counts stays in the heap until it comes up, or until such entries are
    more than half of it: then the heap is rebuilt, so it never holds calls that ended long ago.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Call]] = []
        self._entries = 0
        self._stale = 0

    def __len__(self) -> int:
        return len(self._heap)

    def schedule(self, call: Call) -> None:
        """Look at the call when the earliest of `call.due` is reached; never, when all are NEVER."""
        if call.timer:
            self._stale += 1
        due = min(call.due)
        if due == NEVER:
            call.timer = 0
        else:
            self._entries += 1
            call.timer = self._entries
            heapq.heappush(self._heap, (due, self._entries, call))
        if self._stale > _MIN_STALE and self._stale * 2 > len(self._heap):
            self._rebuild()

    def next_due(self) -> int:
        """The earliest due time of all; NEVER when there is none."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else NEVER

    def pop(self, now_us: int) -> tuple[int, Call] | None:
        """The call that was due first, with its due time, if any was due by now. It must be scheduled
        again afterwards."""
        self._drop_stale()
        if not self._heap or self._heap[0][0] > now_us:
            return None
        due, _, call = heapq.heappop(self._heap)
        call.timer = 0
        return due, call

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and heap[0][2].timer != heap[0][1]:
            heapq.heappop(heap)
            self._stale -= 1

    def _rebuild(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].timer == entry[1]]
        heapq.heapify(self._heap)
        self._stale = 0
