"""Fixtures for every test, in an environment without settings of the developer's own."""

import os

import structlog

pytest_plugins = [
    "tests.fixtures.asterisk",
    "tests.fixtures.nats",
    "tests.fixtures.postgres",
    "tests.fixtures.simnet",
    "tests.fixtures.stack",
    "tests.fixtures.real_stack",
]

# See cli/__init__.py, which a test may import later than grpc.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# The default draws a traceback with all local variables, which takes seconds that tests have not got.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

for _name in [name for name in os.environ if name.startswith("OUTBOUND_")]:
    # OUTBOUND_TEST_* choose the servers the tests run on.
    if not _name.startswith("OUTBOUND_TEST_"):
        del os.environ[_name]
