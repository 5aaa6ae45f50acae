"""Each row of the table of outcomes, with real SIP answers."""

from __future__ import annotations

from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.variables import variables_of
from services.dialer.telephony import Address, Answered, Ended, HungUpBy, Ringing
from tests.fixtures.asterisk import HOST, TIMER_B_MS
from tests.integration.asterisk.stage import Stage
from tests.support.telephony import Ear, driving
from tests.support.waiting import eventually

ROWS = {
    "486": ("busy", ""),
    "600": ("busy", ""),
    "480": ("noanswer", ""),
    "209": ("noanswer", ""),  # 480 without ringing
    "408": ("noanswer", ""),
    "403": ("noanswer", "rejected"),
    "603": ("noanswer", "rejected"),
    "607": ("noanswer", "rejected"),
    "608": ("noanswer", "rejected"),
    "404": ("failed", "invalid"),
    "604": ("failed", "invalid"),
    "410": ("failed", "invalid"),
    "484": ("failed", "invalid"),
    "503": ("failed", "congestion"),
    "513": ("failed", "congestion"),
    "500": ("failed", "network_fault"),
    "502": ("failed", "network_fault"),
    "504": ("failed", "network_fault"),
    "302": ("failed", "redirected"),
    "301": ("failed", "redirected"),
    "400": ("failed", "sip_400"),
    "405": ("failed", "sip_405"),
    "406": ("failed", "sip_406"),
    "415": ("failed", "sip_415"),
    "487": ("failed", "sip_487"),
    "488": ("failed", "sip_488"),
    "491": ("failed", "sip_491"),
    "501": ("failed", "sip_501"),
    "606": ("failed", "sip_606"),
}


async def test_every_sip_answer_has_its_outcome(stage: Stage, ear: Ear) -> None:
    calls = {code: stage.call(code) for code in ROWS}
    ear.telephony.place(list(calls.values()))
    found = {}
    for code, call in calls.items():
        ended = await ear.hear(Ended, call.call_id)
        found[code] = (ended.reason.value, ended.detail)
        assert ended.tm_answer is None
    assert found == ROWS


async def test_the_own_timer_depends_on_what_the_network_said(stage: Stage, ear: Ear) -> None:
    rows = {"000": "noanswer", "001": "dialout", "002": "dialout"}
    calls = {code: stage.call(code, ring_timeout_ms=2_000) for code in rows}
    ear.telephony.place(list(calls.values()))
    ended = {code: await ear.hear(Ended, call.call_id) for code, call in calls.items()}
    assert {code: each.reason.value for code, each in ended.items()} == rows
    assert {each.hung_up_by for each in ended.values()} == {HungUpBy.NETWORK}


async def test_answered_calls_are_normal_and_say_who_hung_up(stage: Stage, ear: Ear) -> None:
    by_them = stage.call("201")
    ear.telephony.place([by_them])
    by_us = await stage.answered(ear, "203")
    early = await stage.answered(ear, "206")
    ear.telephony.hangup([by_us, early])
    for call_id, by in (
        (by_them.call_id, HungUpBy.REMOTE),
        (by_us, HungUpBy.LOCAL),
        (early, HungUpBy.LOCAL),
    ):
        ended = await ear.hear(Ended, call_id)
        assert (ended.reason.value, ended.hung_up_by) == ("normal", by)
        assert ended.tm_answer is not None


async def test_a_trunk_that_says_nothing_is_no_response(stage: Stage, ear: Ear) -> None:
    # Asterisk itself gives up, before the ring timeout.
    call = stage.call("001", ring_timeout_ms=TIMER_B_MS * 3)
    ear.telephony.place([call])
    ended = await ear.hear(Ended, call.call_id)
    assert (ended.reason.value, ended.detail) == ("failed", "no_response")


async def test_a_missing_endpoint_says_so(stage: Stage, ear: Ear) -> None:
    wrong = Stage(stage.pbx, stage.folder, trunk={"dial": "PJSIP/{target}@nosuch"})
    async with driving(wrong) as other:
        call = wrong.call("203")
        other.telephony.place([call])
        ended = await other.hear(Ended, call.call_id)
        assert (ended.reason.value, ended.detail) == ("failed", "allocation_failed")


async def test_an_address_that_says_more_than_a_number_is_invalid(stage: Stage, ear: Ear) -> None:
    call = stage.call("203", destination=Address("tel", f"1&PJSIP/uri/sip:evil@{HOST}"))
    ear.telephony.place([call])
    ended = await ear.hear(Ended, call.call_id)
    assert (ended.reason.value, ended.detail) == ("failed", "invalid")


async def test_the_network_ends_calls_without_any_dialer(stage: Stage) -> None:
    seconds = 2
    async with driving(stage) as ear:
        talking = stage.call("203", max_duration_ms=seconds * 1000)
        ringing = stage.call("000", ring_timeout_ms=seconds * 1000)
        ear.telephony.place([talking, ringing])
        await ear.hear(Answered, talking.call_id)
        await ear.hear(Ringing, ringing.call_id)
    with stage.pbx.client() as client:

        def live() -> set[str]:
            return {channel["id"] for channel in client.get("/channels").json()}

        assert live() >= {str(talking.call_id), str(ringing.call_id)}
        await eventually(lambda: not live() & {str(talking.call_id), str(ringing.call_id)})


async def test_an_answer_that_no_dialer_hears_is_ended_in_time_too(stage: Stage) -> None:
    call = stage.call("203", max_duration_ms=1_500)  # its phone might ring for ten minutes
    trunk = stage.pbx.configuration("nobody").pbxs[0].trunks[0]
    asked = requests.originate(
        str(call.call_id),
        str(trunk.dial_string(call.destination)),
        call.ring_timeout_ms // 1000,
        variables_of(call, "nobody-1", trunk, stage.clock.now()),
    )
    with stage.pbx.client() as client:
        made = client.request(asked.method, asked.path, params=asked.query, json=asked.body)
        assert made.status_code == 200
        channel = f"/channels/{call.call_id}"
        await eventually(lambda: client.get(channel).json().get("state") == "Up", "an answer")
        began = stage.clock.boottime()
        await eventually(lambda: client.get(channel).status_code == 404, "its end", seconds=20)
        # Nothing else ended it.
        assert stage.clock.boottime() - began > 0.5
