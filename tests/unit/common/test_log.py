import json

import pytest

from services.common import log


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
