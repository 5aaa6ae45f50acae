"""What `outbound doctor` learns from the metrics of running dialers."""

from __future__ import annotations

import asyncio

from cli.commands import doctor
from services.common.metrics import MetricsEndpoint
from services.dialer.drivers.asterisk.configuration import parse
from services.dialer.drivers.asterisk.trunks import Trunk


async def test_a_resting_trunk_is_a_fault_until_it_works_again() -> None:
    made = {"name": "t", "address_types": ["tel"], "dial": "PJSIP/{target}@t", "rest_after": 2}
    pbx = {"name": "doc", "ari_url": "http://h/ari", "user": "u", "password": "p", "trunks": [made]}
    trunk = Trunk("doc", parse({"pbxs": [pbx]}, "test").pbxs[0].trunks[0], now=0.0)
    endpoint = MetricsEndpoint()
    await endpoint.start("127.0.0.1:0")
    addresses = {
        "campaign-metrics": "127.0.0.1:1",
        "dialer-1-metrics": f"127.0.0.1:{endpoint.port}",
        "dialer-2-metrics": "127.0.0.1:1",  # down
    }

    async def finding() -> doctor.Finding:
        found = await asyncio.to_thread(doctor.trunk_findings, addresses)
        (one,) = [each for each in found if each.name == "trunk doc.t"]
        return one

    assert (await finding()).is_good
    for _ in range(2):
        trunk.take()
        trunk.failed("congestion", now=1.0)
    rests = await finding()
    assert not rests.is_good
    assert "dialer-1" in rests.found
    assert "dialer-2" not in rests.found
    trunk.answered()
    assert (await finding()).is_good
    await endpoint.close()
