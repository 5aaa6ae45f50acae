"""The ledger file: every call the network ever worked on, appended, and read back at the next start."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simnet.calls import Ended, EndedCall, Kind, Outcome, Side, Taker
from simnet.compact import CallCounts, IdSet, id_bytes
from simnet.journal import Instant, Journal, ended_call, instant_us

# Where the id stands in a line, by the line's beginning; see journal.py.
_ID_AT = {
    word: len(b'{"event":"') + len(word) + len(b'","id":"')
    for word in (b"ring", b"place", b"answer", b"end", b"refused")
}
_ID_LENGTH = 36
_TM_OFFSET = _ID_LENGTH + len(b'","tm":"')
_TM_LENGTH = 27
_NUMBER = b'"number":"'
_BLOCK = 4 << 20


class LedgerError(Exception):
    """The ledger cannot be used; the text says why."""


@dataclass(slots=True)
class Recovered:
    """What earlier runs left behind."""

    seen: IdSet = field(default_factory=IdSet)
    counts: CallCounts = field(default_factory=CallCounts)
    cut_off: list[EndedCall] = field(default_factory=list)  # calls that died with the last run
    truncated_bytes: int = 0  # of a line that was being written when it died


class Ledger:
    """The open file. Only one process at a time can have it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerError(f"ledger {path} is in use by another simulated network") from None
        except OSError as error:
            raise LedgerError(f"ledger {path} cannot be opened: {error.strerror}") from error

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._file)

    def write(self, lines: Collection[str]) -> None:
        """Append lines. The operating system has them when this returns: they survive this process,
        though not a power cut."""
        data = memoryview("".join(lines).encode())
        while data:
            data = data[os.write(self._file, data) :]

    def recover(self, now_us: int, real_us: int) -> Recovered:
        """Read everything back, and end the calls that died with the last run, now."""
        recovered = Recovered(truncated_bytes=self._drop_torn_line())
        open_calls: dict[bytes, bytes] = {}
        answers: dict[bytes, bytes] = {}
        with self._path.open("rb", buffering=_BLOCK) as file:
            for line in file:
                word = line[10 : line.find(b'"', 10)]
                at = _ID_AT.get(word)
                if at is None:
                    raise LedgerError(f"ledger {self._path} has a line that is none: {line[:80]!r}")
                call_id = line[at : at + _ID_LENGTH]
                if word == b"answer":
                    answers[call_id] = line
                elif word == b"end":
                    open_calls.pop(call_id, None)
                    answers.pop(call_id, None)
                else:
                    _note_start(recovered, word, call_id, line, open_calls)
        journal = Journal()
        journal.set_real(real_us)
        for call_id, line in open_calls.items():
            ended = _cut_off(line, answers.get(call_id), now_us)
            recovered.cut_off.append(ended)
            journal.ended(ended)
        self.write(journal.take())
        return recovered

    def find(self, call_ids: Collection[str], not_before_us: int) -> dict[str, EndedCall]:
        """The ends of calls, searched backwards; blocking, call it in a thread.

        Stops when all were found, or at lines written before `not_before_us` (real time). A call
        that was refused is not found.
        """
        wanted = {call_id.encode() for call_id in call_ids}
        not_before = Instant().text(not_before_us).encode()
        found: dict[str, EndedCall] = {}
        for line in _lines_backwards(self._path):
            if not wanted:
                break
            word = line[10 : line.find(b'"', 10)]
            at = _ID_AT.get(word, len(line))
            call_id = line[at : at + _ID_LENGTH]
            if call_id in wanted and word in (b"end", b"refused"):
                wanted.discard(call_id)
                if word == b"end":
                    found[call_id.decode()] = ended_call(line)
            # Only `end` lines surely have the time at its place: a refused id may be any text.
            elif (
                line[at + _TM_OFFSET : at + _TM_OFFSET + _TM_LENGTH] < not_before and word == b"end"
            ):
                break
        return found

    def _drop_torn_line(self) -> int:
        """Cut off a last line without its end: its event was never told, so it never happened."""
        size = os.fstat(self._file).st_size
        keep = size
        while keep > 0:
            start = max(0, keep - _BLOCK)
            at = os.pread(self._file, keep - start, start).rfind(b"\n")
            if at >= 0:
                keep = start + at + 1
                break
            keep = start
        if keep < size:
            os.ftruncate(self._file, keep)
        return size - keep


def _note_start(
    recovered: Recovered,
    word: bytes,
    call_id: bytes,
    line: bytes,
    open_calls: dict[bytes, bytes],
) -> None:
    """A `ring`, `place` or `refused` line."""
    try:
        recovered.seen.add(id_bytes(call_id.decode()))
    except ValueError:
        return  # refused because its id was no UUID
    if word != b"refused":
        open_calls[call_id] = line
        recovered.counts.next(_number(line))


def _number(line: bytes) -> str:
    start = line.find(_NUMBER) + len(_NUMBER)
    number = line[start : line.find(b'"', start)]
    return str(json.loads(line)["number"]) if b"\\" in number else number.decode()


def _cut_off(line: bytes, answer: bytes | None, now_us: int) -> EndedCall:
    start = json.loads(line)
    placed_us = instant_us(start["tm_domain"])
    answered_us, taker = 0, Taker.NOBODY
    if answer is not None:
        fields = json.loads(answer)
        answered_us, taker = instant_us(fields["tm_domain"]), Taker(fields["by"])
    # A clock set anew may stand before the call was placed.
    ended_us = max(now_us, placed_us, answered_us)
    end = Ended(
        Outcome.NETWORK_RESTART,
        Side.NETWORK,
        ((answered_us or ended_us) - placed_us) // 1000,
        (ended_us - answered_us) // 1000 if answered_us else 0,
        taker,
        answered_us,
    )
    return EndedCall(
        start["id"],
        Kind(start["kind"]),
        start["number"],
        start["dialer"],
        start["event"] == "ring",
        placed_us,
        ended_us,
        end,
    )


def _lines_backwards(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        while position > 0:
            start = max(0, position - _BLOCK)
            file.seek(start)
            lines = (file.read(position - start) + rest).split(b"\n")
            rest = lines[0]
            yield from reversed(lines[1:])
            position = start
        yield rest
