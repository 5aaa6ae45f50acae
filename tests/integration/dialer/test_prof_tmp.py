"""cProfile of one dialer in the world: services run in the same loop; only dialer frames are shown."""
import asyncio, cProfile, pstats, pathlib, tempfile, time, sys
sys.path.insert(0,"/work/main")
import pytest
from tests.integration.dialer.conftest import *  # noqa
from tests.integration.dialer.props import until

async def test_prof(world):
    await world.start_dialer()
    N=6000
    c=await world.make_campaign([f"+1999{'0' if n%5<2 else '2'}{n:06}" for n in range(N)], calls_per_second=10000, max_concurrent=10000)
    pr=cProfile.Profile(); t=time.monotonic(); p=time.process_time()
    pr.enable()
    await world.start(c)
    st=await world.finished(c, 100)
    pr.disable()
    print("WALL", time.monotonic()-t, "CPU", time.process_time()-p, st.attempt_count)
    t=time.monotonic()
    return
