from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb

from gateway.members import enum_of, enum_words
from gateway.resources.campaigns import CAMPAIGN
from gateway.resources.outplans import OUTPLAN
from gateway.resources.targets import TARGET
from gateway.stats import STATS
from gateway.timeforms import SENTINEL, TimeForm, write_datetime, write_timestamp, write_token

NIL = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("written", "guide", "rfc3339"),
    [
        (
            "2022-04-28T02:16:39.712142Z",
            "2022-04-28 02:16:39.712142",
            "2022-04-28T02:16:39.712142Z",
        ),
        ("2022-04-28T02:16:39Z", "2022-04-28 02:16:39.000000", "2022-04-28T02:16:39Z"),
        ("2022-04-28T02:16:39.5Z", "2022-04-28 02:16:39.500000", "2022-04-28T02:16:39.5Z"),
        ("1969-12-31T23:59:59.25Z", "1969-12-31 23:59:59.250000", "1969-12-31T23:59:59.25Z"),
    ],
)
def test_both_forms_of_a_time(written: str, guide: str, rfc3339: str) -> None:
    stamp = Timestamp()
    stamp.FromJsonString(written)
    instant = stamp.ToDatetime(tzinfo=UTC)
    for form, expected in ((TimeForm.GUIDE, guide), (TimeForm.RFC3339, rfc3339)):
        assert write_timestamp(stamp, form) == expected
        assert write_datetime(instant, form) == expected


def test_unset_times() -> None:
    assert write_datetime(None, TimeForm.GUIDE) == SENTINEL
    assert write_timestamp(None, TimeForm.RFC3339) is None


def test_tokens_follow_the_form_and_keep_their_row() -> None:
    token = "2022-04-28T02:16:39.712142Z~183c0d5c-691e-42f3-af2b-9bffc2740f83"
    assert write_token(token, TimeForm.RFC3339) == token
    assert write_token(token, TimeForm.GUIDE) == (
        "2022-04-28 02:16:39.712142~183c0d5c-691e-42f3-af2b-9bffc2740f83"
    )
    assert write_token("", TimeForm.GUIDE) == ""


def test_an_empty_campaign_has_every_member_with_its_zero() -> None:
    shown = CAMPAIGN.present(campaign_pb.Campaign(), TimeForm.GUIDE)
    assert shown["outdial_id"] == shown["flow_id"] == NIL
    assert (shown["source"], shown["actions"], shown["stop_reason"]) == (None, [], "")
    assert shown["tm_create"] == SENTINEL


def test_a_message_of_an_older_service_still_has_five_slots() -> None:
    shown = OUTPLAN.present(outplan_pb.Outplan(max_try_counts=[3]), TimeForm.GUIDE)
    assert [shown[f"max_try_count_{index}"] for index in range(5)] == [3, 0, 0, 0, 0]


def test_addresses_have_five_members_or_are_null() -> None:
    target = outdial_pb.Target()
    target.destination_1.target = "+15551234567"
    shown = TARGET.present(target, TimeForm.GUIDE)
    assert shown["destination_0"] is None
    assert shown["destination_1"] == {
        "type": "",
        "target": "+15551234567",
        "target_name": "",
        "name": "",
        "detail": "",
    }


def test_own_times_are_written_like_the_services() -> None:
    instant = datetime(2022, 4, 28, 2, 16, 39, 712142, tzinfo=UTC)
    assert write_datetime(instant, TimeForm.GUIDE) == "2022-04-28 02:16:39.712142"


def test_the_words_of_an_enum_are_those_of_its_values() -> None:
    assert enum_words(campaign_pb.Campaign.EndHandle) == {1: "stop", 2: "continue"}
    kind = enum_of(campaign_pb.Campaign.StopReason, is_optional=True)
    read = kind.reader("stop_reason")
    chained = campaign_pb.Campaign(stop_reason=campaign_pb.Campaign.STOP_REASON_CHAINED)
    assert read(chained, TimeForm.GUIDE) == "chained"
    assert read(campaign_pb.Campaign(), TimeForm.GUIDE) == ""
    assert "" in kind.schema["enum"]
    assert "" not in enum_of(campaign_pb.Campaign.StopReason).schema["enum"]


def test_a_shape_knows_the_shapes_within_it() -> None:
    assert {shape.name for shape in CAMPAIGN.parts} == {"Campaign", "Action", "Address"}
    parts = [shape.name for shape in STATS.parts]
    assert parts == ["CampaignStats", "AttemptCounts", "TargetCounts", "QueueCounts"]
