"""Fixtures for every test, in an environment without settings of the developer's own."""

import os

pytest_plugins = [
    "tests.fixtures.nats",
    "tests.fixtures.postgres",
    "tests.fixtures.simnet",
    "tests.fixtures.stack",
]

for _name in [name for name in os.environ if name.startswith("OUTBOUND_")]:
    # OUTBOUND_TEST_* choose the servers the tests run on.
    if not _name.startswith("OUTBOUND_TEST_"):
        del os.environ[_name]
