"""Run a dialer: `python -m services.dialer`."""

from services.common.config import load
from services.common.process import run
from services.dialer.app import run as run_dialer
from services.dialer.config import DialerSettings

if __name__ == "__main__":
    run(run_dialer(load(DialerSettings)))
