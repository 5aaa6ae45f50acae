import json
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from services.common.actions import Action
from services.common.address import Address
from services.common.convert import MAX_OPTION_CHARACTERS, action_to_proto, actions_from_proto
from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.common.stored import (
    actions_json,
    actions_of,
    address_json,
    address_of,
    addresses_json,
    array,
    optional_address_json,
    optional_address_of,
    text_array,
)

ANN = Address("tel", "+15550000001", "Ann")
ACTIONS = (
    Action("talk", {"text": "é", "b": 1, "a": 2}, id=new_id()),
    Action("stop", next_id=new_id()),
)


def test_of_an_address_only_what_is_set_is_stored() -> None:
    assert address_json(ANN) == '{"type":"tel","target":"+15550000001","target_name":"Ann"}'
    assert json.loads(addresses_json([ANN, Address()])) == [json.loads(address_json(ANN)), {}]
    assert optional_address_json(None) is None


def test_an_address_is_read_as_json_as_text_and_with_empty_members() -> None:
    written = address_json(ANN)
    whole = {**json.loads(written), "name": "", "detail": ""}
    assert [address_of(each) for each in (written, json.loads(written), whole)] == [ANN] * 3
    assert optional_address_of(None) is None


def test_actions_come_back_with_their_options_in_order() -> None:
    assert actions_of(orjson.loads(actions_json(ACTIONS))) == ACTIONS
    assert list(actions_of(orjson.loads(actions_json(ACTIONS)))[0].option) == ["text", "b", "a"]


def test_actions_travel_as_messages() -> None:
    assert actions_from_proto(map(action_to_proto, ACTIONS)) == ACTIONS


@pytest.mark.parametrize("option", ["[]", "{", '"' + "x" * MAX_OPTION_CHARACTERS + '"'])
def test_options_that_are_no_object_or_too_long_are_refused(option: str) -> None:
    message = action_to_proto(Action("talk"))
    message.option_json = option
    with pytest.raises(InvalidArgument, match=r"actions\[0\]\.option"):
        actions_from_proto([message])


def test_arrays_are_written_as_postgresql_reads_them() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert array([UUID(int=1), None, 7, True]) == (
        "{00000000-0000-0000-0000-000000000001,NULL,7,True}"
    )
    assert array([now]) == "{2026-03-02 09:00:00+00:00}"
    assert text_array(['a"b', "c\\d", "e,f"]) == '{"a\\"b","c\\\\d","e,f"}'
    assert (array([]), text_array([])) == ("{}", "{}")
