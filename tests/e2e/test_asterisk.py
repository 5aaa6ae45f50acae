"""`outbound up --carrier asterisk`: a campaign through the public API that rings real SIP phones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.asterisk import HOST, Phones
from tests.fixtures.stack import RunningStack, start_stack
from tests.support.scenario import make_scenario, run, wait_finished
from tests.support.servers import open_folder

pytestmark = pytest.mark.xdist_group("own-stacks")


@pytest.fixture
def phones() -> Iterator[Phones]:
    with open_folder() as folder:
        made = Phones(folder)
        made.start()
        yield made
        made.stop()


@pytest.fixture
def real_stack(tmp_path: Path, phones: Phones) -> Iterator[RunningStack]:
    trunk = ("--carrier", "asterisk", "--trunk", f"sip:{HOST}:{phones.port}")
    running = start_stack(tmp_path / "data", time_scale=1.0, profile=None, arguments=trunk)
    yield running
    assert running.stop() == 0, (running.data_dir / "up.log").read_text()


def test_a_campaign_talks_to_real_phones_and_tries_the_busy_ones_again(
    real_stack: RunningStack, phones: Phones
) -> None:
    answering = [f"+1555203{index:04}" for index in range(10)]
    busy = [f"+1555486{index:04}" for index in range(3)]
    wrong = ["+15554040001"]
    with real_stack.client() as client:
        scenario = make_scenario(
            client, [*answering, *busy, *wrong], tries=(2, 0, 0, 0, 0), try_interval_ms=500
        )
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
        calls = list(client.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls"))
    rang = Counter(phones.rang())
    assert rang == {
        **dict.fromkeys(answering, 1),
        **dict.fromkeys(busy, 2),
        **dict.fromkeys(wrong, 2),
    }
    reasons = Counter(call["hangup_reason"] for call in calls)
    assert reasons == {"normal": 10, "busy": 6, "failed": 2}


def test_a_killed_asterisk_comes_back_and_the_run_ends(
    real_stack: RunningStack, phones: Phones
) -> None:
    answering = [f"+1555203{index:04}" for index in range(20)]
    with real_stack.client() as client:
        scenario = make_scenario(
            client,
            answering,
            tries=(1, 0, 0, 0, 0),
            calls_per_second=10.0,
            actions=[{"type": "talk", "option": {"text": "A text of some length, said to all."}}],
        )
        run(client, scenario)
        real_stack.kill_and_await("asterisk")
        wait_finished(client, scenario.campaign_id)
        calls = list(client.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls"))
    assert max(Counter(phones.rang()).values()) == 1
    assert {call["status"] for call in calls} == {"done"}
