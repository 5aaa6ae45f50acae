"""What a request for a consumer may say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from services.common.natsguard import RefusedError, pull_consumer


def ask(config: dict[str, Any], **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(
        pull_consumer(orjson.dumps({"stream_name": "X", "config": config, **members}))
    )
    return made


@pytest.mark.parametrize(
    "setting",
    [
        {"deliver_subject": "$JS.API.STREAM.DELETE.OUTBOUND"},
        {"DELIVER_SUBJECT": "x"},
        {"deliver_group": "g"},
        {"idle_heartbeat": 100_000_000},
        {"flow_control": True},
        {"sample_freq": "100"},
        {"num_replicas": 3},
        {"mem_storage": True},
        {"metadata": {"a": "b"}},
        {"filter_subjects": ["a"]},
        {"unheard_of": 1},
    ],
)
def test_what_pulling_does_not_need_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=f"{next(iter(setting))} is set; accepted"):
        ask({"name": "c", **setting})


def test_a_clients_pull_consumer_is_passed_on_as_it_is() -> None:
    config = ConsumerConfig(
        name="c_1",
        filter_subject="outbound.v1.x.>",
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=7,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=5.0,
    ).as_dict()
    plain = orjson.loads(orjson.dumps(config))
    unset = {"deliver_subject": "", "flow_control": False, "num_replicas": 0, "metadata": None}
    assert ask({**config, **unset}, action="create") == {
        "stream_name": "OUTBOUND",
        "config": {name: value for name, value in plain.items() if value},
        "action": "create",
    }


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b"1", b'{"config": []}', b'{"config": {}, "action": 1}']
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        pull_consumer(body)
