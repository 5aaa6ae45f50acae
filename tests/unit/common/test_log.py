import json

import pytest

from services.common import log


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+15551234567", "+1555•••4567"),
        ("+442071234567", "+4420•••4567"),
        ("+1234567", "•••67"),
        ("12", "•••"),
        ("", "•••"),
        ("ada@example.com", "a•••@example.com"),
    ],
)
def test_numbers_are_masked(number: str, masked: str) -> None:
    assert log.mask_number(number) == masked


def test_lines_are_json_with_the_process_name(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("campaign", "info")
    log.get_logger().debug("hidden")
    log.get_logger().info("started", port=7)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["process"], line["level"], line["port"]) == (
        "started",
        "campaign",
        "info",
        7,
    )


def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("campaign")
    number = "+15551234567"
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        log.get_logger().exception("failed")
    err = capsys.readouterr().err
    assert "RuntimeError: broken" in json.loads(err)["exception"]
    assert number not in err
