"""The scenario of the tests' phones for SIPp: what a phone does is in the number that is called.

`+1555CCCnnnn`, CCC is one of BEHAVIOURS or the SIP status to be answered with. Pitfalls of SIPp: status
codes must be literals, so there is a block for each; a phone that plays needs `rtpstream_audio_port` in
its SDP; playing captured packets needs root, so digits come as tones or as SIP INFO.
"""

from __future__ import annotations

import itertools

STATUSES = [
    "300",
    "301",
    "302",
    "400",
    "403",
    "404",
    "405",
    "406",
    "408",
    "410",
    "415",
    "480",
    "484",
    "486",
    "487",
    "488",
    "491",
    "500",
    "501",
    "502",
    "503",
    "504",
    "513",
    "600",
    "603",
    "604",
    "606",
    "607",
    "608",
]
BEHAVIOURS = {
    "000": "rings for ever",
    "001": "says nothing at all",
    "002": "says trying, and no more",
    "200": "rings, answers, says hello",
    "201": "answers and hangs up after a second",
    "203": "answers at once and plays back what it hears",
    "205": "rings, answers, has a long greeting",
    "206": "early media, then answers",
    "207": "answers and presses 7 (SIP INFO)",
    "209": "480 at once, without ringing",
    "210": "answers and is silent",
    "211": "answers and presses 1 5 # (tones)",
    "212": "answers and hums at 1000 Hz",
    "213": "answers and hums at 600 Hz",
    "214": "answers, hums at 1000 Hz and presses 1 (SIP INFO)",
    "215": "answers, hums at 600 Hz and hangs up after two seconds",
}
STREAMS = {
    "200": "hello",
    "205": "greeting",
    "210": "silence",
    "211": "digits",
    "212": "hum1000",
    "213": "hum600",
    "214": "hum1000",
    "215": "hum600",
}
TALK_MS = {"201": 1000, "215": 2000}
RING_MS = 300
_LABELS = {code: 100 + index for index, code in enumerate([*BEHAVIOURS, *STATUSES])}
_fresh_labels = itertools.count(1000)
_TALK, _CANCELED, _END, _CHOICE, _BYE = 1, 2, 3, 4, 5


def scenario() -> str:
    """The whole file."""
    codes = [*BEHAVIOURS, *STATUSES]
    compares = "".join(_compare(code) for code in codes)
    jumps = "".join(f'<nop next="{_LABELS[code]}" test="is{code}"/>\n' for code in codes)
    used = ",".join(["1", *(f"c{code}" for code in codes)])
    blocks = "".join(_behaviour(code) for code in BEHAVIOURS)
    blocks += "".join(_status(code) for code in STATUSES)
    return f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="phones">
<recv request="INVITE"><action>
<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="contact"/>
<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>
<ereg regexp="sip:([+]1555[0-9]*)" search_in="msg" check_it="true" assign_to="1,number"/>
<ereg regexp="sip:[+]1555([0-9][0-9][0-9])" search_in="msg" check_it="true" assign_to="1,code"/>
<ereg regexp="[[:cntrl:]][Xx]-.*" search_in="msg" assign_to="extensions"/>
<log message="INVITE [$number] From:[$from][$extensions]"/>
{compares}</action></recv>
{jumps}<nop next="{_END}"/>
{blocks}{_common()}<Reference variables="{used}"/>
</scenario>
"""


def _compare(code: str) -> str:
    return (
        f'<strcmp assign_to="c{code}" variable="code" value="{code}"/>'
        f'<test assign_to="is{code}" variable="c{code}" compare="equal" value="0"/>\n'
    )


def _label(code: str) -> str:
    return f'<label id="{_LABELS[code]}"/>\n'


def _status(code: str) -> str:
    extra = "Contact: <sip:+15550009999@[local_ip]:[local_port]>\n" if code[0] == "3" else ""
    return f"""{_label(code)}{_ring(100)}<send retrans="500">{_response(f"{code} Test", extra)}</send>
<recv request="ACK" next="{_END}"/>
"""


def _behaviour(code: str) -> str:
    begin = _label(code)
    wait = f'<recv request="CANCEL" timeout="120000" ontimeout="{_END}" next="{_CANCELED}"/>\n'
    match code:
        case "000":
            return f"{begin}<send>{_response('180 Ringing')}</send>\n{wait}"
        case "001":
            return f'{begin}<pause milliseconds="60000" next="{_END}"/>\n'
        case "002":
            return f"{begin}<send>{_response('100 Trying', tag=False)}</send>\n{wait}"
        case "209":
            return (
                f'{begin}<send retrans="500">{_response("480 Test")}</send>\n'
                f'<recv request="ACK" next="{_END}"/>\n'
            )
        case "201" | "215":
            return f"{begin}{_answer(code)}{_stream(code)}" + (
                f'<recv request="BYE" timeout="{TALK_MS[code]}" ontimeout="{_BYE}" '
                f'next="{_END}"/>\n'
            )
        case "206":
            early = f"<send>{_response('183 Session Progress', sdp='[media_port]')}</send>\n"
            return f"{begin}{early}{_ring(RING_MS, silent=True)}{_answer(code)}{_go(_TALK)}"
        case "207" | "214":
            digit = "7" if code == "207" else "1"
            return (
                f'{begin}{_answer(code)}{_stream(code)}<pause milliseconds="700"/>\n{_info(digit)}'
                f'<recv response="200" next="{_TALK}"/>\n'
            )
    ring = _ring(RING_MS) if code in ("200", "205") else ""
    return f"{begin}{ring}{_answer(code)}{_stream(code)}{_go(_TALK)}"


def _ring(milliseconds: int, *, silent: bool = False) -> str:
    """Ring for so long, unless the caller gives up."""
    after = next(_fresh_labels)
    ringing = "" if silent else f"<send>{_response('180 Ringing')}</send>\n"
    return (
        f'{ringing}<recv request="CANCEL" timeout="{milliseconds}" ontimeout="{after}" '
        f'next="{_CANCELED}"/>\n<label id="{after}"/>\n'
    )


def _answer(code: str) -> str:
    port = "[rtpstream_audio_port]" if code in STREAMS else "[media_port]"
    response = _response("200 OK", sdp=port, has_events=code != "211")
    return f'<send retrans="500">{response}</send>\n<recv request="ACK"/>\n'


def _stream(code: str) -> str:
    if code not in STREAMS:
        return ""
    return f'<nop><action><exec rtp_stream="{STREAMS[code]}.ulaw,1,0"/></action></nop>\n'


def _go(label: int) -> str:
    return f'<nop next="{label}"/>\n'


def _common() -> str:
    gone = _response("487 Request Terminated", cseq="CSeq: [cseq] INVITE")
    return f"""<label id="{_TALK}"/>
<recv request="BYE"/>
<send>{_response("200 OK", tag=False)}</send>
{_go(_END)}<label id="{_CANCELED}"/>
<send>{_response("200 OK")}</send>
<send retrans="500">{gone}</send>
<recv request="ACK" next="{_END}"/>
<label id="{_BYE}"/>
<send retrans="500">{_own_request("BYE")}</send>
<recv response="200" next="{_END}"/>
<label id="{_END}"/>
"""


def _info(digit: str) -> str:
    body = f"Signal={digit}\nDuration=160\n"
    return f'<send retrans="500">{_own_request("INFO", body)}</send>\n'


def _own_request(method: str, body: str = "") -> str:
    """A request of the phone's: From and To of the INVITE change places."""
    kind = "Content-Type: application/dtmf-relay\n" if body else ""
    return f"""<![CDATA[

{method} [$contact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=[pid]p[call_number]
To:[$from]
[last_Call-ID:]
CSeq: 1 {method}
Max-Forwards: 70
{kind}Content-Length: [len]

{body}]]>"""


def _response(
    line: str,
    extra: str = "",
    *,
    sdp: str = "",
    tag: bool = True,
    cseq: str = "[last_CSeq:]",
    has_events: bool = True,
) -> str:
    own = ";tag=[pid]p[call_number]" if tag else ""
    if sdp:
        extra += "Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>\n"
        extra += "Content-Type: application/sdp\n"
    body = _sdp(sdp, has_events) if sdp else ""
    return f"""<![CDATA[

SIP/2.0 {line}
[last_Via:]
[last_From:]
[last_To:]{own}
[last_Call-ID:]
{cseq}
{extra}Content-Length: [len]

{body}]]>"""


def _sdp(port: str, has_events: bool) -> str:
    events = "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n" if has_events else ""
    formats = "0 101" if has_events else "0"
    return f"""v=0
o=phone 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio {port} RTP/AVP {formats}
a=rtpmap:0 PCMU/8000
{events}a=ptime:20
a=sendrecv
"""
