"""The lines of the ledger: one JSON object each, always beginning {"event":"...","id":"...","tm":".

The beginning is fixed so that millions of lines can be read back by position, without parsing.
"""

from __future__ import annotations

import calendar
import json
import re
import time

from simnet.calls import Call, Ended, EndedCall, Kind, Order, Outcome, Refused, Side, Taker
from simnet.clock import MICROSECONDS

_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f-\uffff]*')


class Instant:
    """Writes microseconds since 1970 as `2026-11-23T10:00:00.000000Z`, quickly."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, instant_us: int) -> str:
        """27 characters, UTC."""
        second, micro = divmod(instant_us, MICROSECONDS)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{micro:06d}Z"


class Journal:
    """Gathers lines until they are taken to be written. All carry real and domain time."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._domain = Instant()
        self._real = Instant()
        self._answer = Instant()
        self._real_text = self._real.text(0)

    def set_real(self, real_us: int) -> None:
        """The real time of the lines that follow."""
        self._real_text = self._real.text(real_us)

    def take(self) -> list[str]:
        """The lines since the last take."""
        lines, self._lines = self._lines, []
        return lines

    def started(self, call: Call, variables: dict[str, str]) -> None:
        """A phone rings (`ring`), or the network works on a call that will not ring (`place`)."""
        extra = f',"variables":{json.dumps(variables)}' if variables else ""
        self._add(
            "ring" if call.rang else "place",
            call.call_id,
            call.placed_us,
            f'"kind":"{call.kind}","number":{_quoted(call.number)},'
            f'"dialer":{_quoted(call.owner)}{extra}',
        )

    def answered(self, call: Call) -> None:
        """Somebody or something took the phone."""
        self._add("answer", call.call_id, call.answered_us, f'"by":"{call.taker}"')

    def ended(self, call: EndedCall) -> None:
        """A call is over."""
        end = call.end
        answered = f'"{self._answer.text(end.answered_us)}"' if end.answered_us else "null"
        self._add(
            "end",
            call.call_id,
            call.ended_us,
            f'"outcome":"{end.outcome}","hung_up_by":"{end.by}","ring_ms":{end.ring_ms},'
            f'"talk_ms":{end.talk_ms},"by":"{end.taker}","tm_answer":{answered},'
            f'"kind":"{call.kind}","number":{_quoted(call.number)},"rang":{_bool(call.rang)},'
            f'"dialer":{_quoted(call.dialer)}',
        )

    def refused(self, order: Order, dialer: str, at_us: int, refusal: Refused) -> None:
        """A call was not started."""
        self._add(
            "refused",
            order.call_id,
            at_us,
            f'"reason":"{refusal.reason}","kind":"{order.kind}",'
            f'"number":{_quoted(order.number)},"dialer":{_quoted(dialer)}',
        )

    def _add(self, event: str, call_id: str, at_us: int, rest: str) -> None:
        self._lines.append(
            f'{{"event":"{event}","id":{_quoted(call_id)},"tm":"{self._real_text}",'
            f'"tm_domain":"{self._domain.text(at_us)}",{rest}}}\n'
        )


def ended_call(line: bytes) -> EndedCall:
    """The call that an `end` line tells of."""
    fields = json.loads(line)
    ended_us = instant_us(fields["tm_domain"])
    answer = fields["tm_answer"]
    end = Ended(
        Outcome(fields["outcome"]),
        Side(fields["hung_up_by"]),
        fields["ring_ms"],
        fields["talk_ms"],
        Taker(fields["by"]),
        instant_us(answer) if answer else 0,
    )
    return EndedCall(
        fields["id"],
        Kind(fields["kind"]),
        fields["number"],
        fields["dialer"],
        fields["rang"],
        ended_us - (end.ring_ms + end.talk_ms) * 1000,
        ended_us,
        end,
    )


def instant_us(text: str) -> int:
    """The reverse of Instant.text."""
    seconds = _seconds(text[:19])
    return seconds * MICROSECONDS + int(text[20:26])


def _seconds(text: str) -> int:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def _quoted(text: str) -> str:
    return f'"{text}"' if _PLAIN.fullmatch(text) else json.dumps(text)


def _bool(value: bool) -> str:
    return "true" if value else "false"
