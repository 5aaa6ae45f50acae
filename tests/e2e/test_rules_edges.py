"""Acceptance rules that need another caller: a late dialer, another customer."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc

from cli.client import Client
from services.common.auth import Acting, TokenIssuer
from tests.fixtures.stack import RunningStack
from tests.support.customers import second_customer
from tests.support.scenario import make_scenario, make_team, run, wait_finished

pytestmark = pytest.mark.xdist_group("stack")

Report = campaign_pb.CampaigncallReport
NOBODY = "0198a000-0000-7000-8000-0000000000ff"


async def test_12_late_and_repeated_reports_change_nothing_after_done(
    stack: RunningStack,
) -> None:
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990001201", "+19992001202"])
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
        before = _everything(client, scenario.campaign_id, scenario.outdial_id)
        ids = [call["id"] for call in before["calls"]]
        issuer = TokenIssuer.from_file("dialer", stack.data_dir / "secrets" / "dialer_key.pem")
        token = issuer.token("campaign", Acting(), seconds=60)
        reports = [
            Report(id=each, kind=kind, hangup_reason=reason)
            for each in ids
            for kind, reason in (
                (Report.KIND_ENDED, "busy"),
                (Report.KIND_ANSWERED, ""),
                (Report.KIND_ENDED, "normal"),
                (Report.KIND_ENDED, "normal"),
            )
        ]
        for report in reports:
            report.tm.GetCurrentTime()
        async with grpc.aio.insecure_channel(stack.facts["grpc"]["campaign"]) as channel:
            await campaign_grpc.CampaignServiceStub(channel).ReportCampaigncalls(
                campaign_pb.ReportCampaigncallsRequest(dialer_id="dialer-1", reports=reports),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=10,
            )
        assert _everything(client, scenario.campaign_id, scenario.outdial_id) == before


def test_16_another_customers_things_are_403_unknown_404_malformed_400(
    stack: RunningStack,
) -> None:
    with stack.client() as own:
        scenario = make_scenario(own, ["+19990001601"])
        run(own, scenario)
        wait_finished(own, scenario.campaign_id)
        call = next(own.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls"))
        target = next(own.pages(f"/outdials/{scenario.outdial_id}/targets"))
        queue, (agent,) = make_team(own, f"t{uuid.uuid4().hex[:8]}", 1)
        tag = own.get(f"/queues/{queue}")["tag_ids"][0]
        flow = own.post("/flows", {"name": "mine", "actions": []})["id"]
    paths = {
        "campaigns": scenario.campaign_id,
        "campaigncalls": call["id"],
        "calls": call["id"],
        "activeflows": call["activeflow_id"],
        "outdials": scenario.outdial_id,
        f"outdials/{scenario.outdial_id}/targets": target["id"],
        "outplans": scenario.outplan_id,
        "queues": queue,
        "agents": agent,
        "tags": tag,
        "flows": flow,
    }
    headers = {"Authorization": f"Bearer {second_customer(stack)}"}
    with stack.http() as http:
        for path, name in paths.items():
            for prefix in ("", "/v1.0"):
                for wanted, status, reason in (
                    (name, 403, "PERMISSION_DENIED"),
                    (NOBODY, 404, "_NOT_FOUND"),
                    ("no-id", 400, "INVALID_ID"),
                ):
                    if wanted != name and "targets" in path:
                        continue  # The outdial itself is refused first.
                    answer = http.get(f"{prefix}/{path}/{wanted}", headers=headers)
                    error = answer.json()["error"]
                    assert answer.status_code == status, (path, wanted, answer.text)
                    assert error["reason"].endswith(reason), (path, wanted, error)
                    assert error["request_id"] == answer.headers["X-Request-Id"]
        for path in ("campaigns", "outdials", "outplans", "queues", "flows", "tags", "calls"):
            assert http.get(f"/{path}", headers=headers).json()["result"] == []
        stolen = {"name": "x", "outdial_id": scenario.outdial_id}
        assert http.post("/campaigns", json=stolen, headers=headers).status_code in (400, 403)
        deletion = http.delete(f"/campaigns/{scenario.campaign_id}", headers=headers)
        assert deletion.status_code == 403
        unsigned = http.get(f"/campaigns/{scenario.campaign_id}")
        assert unsigned.json()["error"]["reason"] == "AUTHENTICATION_REQUIRED"


def _everything(client: Client, campaign_id: str, outdial_id: str) -> dict[str, Any]:
    return {
        "calls": list(client.pages(f"/campaigns/{campaign_id}/campaigncalls")),
        "targets": list(client.pages(f"/outdials/{outdial_id}/targets")),
        "stats": client.get(f"/campaigns/{campaign_id}/stats"),
    }
