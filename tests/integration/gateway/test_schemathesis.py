"""Generated requests, good and bad ones, against the document: never a 5xx, always the truth."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway.conftest import ACCESS_KEY, System

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
# The stream of events has no end to wait for.
ENDLESS = "get_campaigns_id_events"


@pytest.fixture
def changes() -> dict[str, Any]:
    return {"rate_preset": "off"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", ["guide", "rfc3339"])
async def test_generated_requests_find_no_lie(system: System, form: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{system.gateway.http.port}"
    # OUTBOUND_TEST_EXAMPLES=20 looks longer, and also at every boundary of every field.
    examples = os.environ.get("OUTBOUND_TEST_EXAMPLES")
    phases = "examples,coverage,fuzzing" if examples else "fuzzing"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--url", f"{url}/v1.0", "--checks", CHECKS, "--max-examples", examples or "2"),
        *("--header", f"Authorization: Bearer {ACCESS_KEY}"),
        *("--header", f"Accept-Profile: {form}", "--exclude-operation-id", ENDLESS),
        *("--phases", phases, "--generation-deterministic", "--no-color"),
        *("--suppress-health-check", "all"),
        *("--continue-on-failure", "--max-failures", "20", "--warnings", "off"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
