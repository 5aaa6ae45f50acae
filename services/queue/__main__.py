"""`python -m services.queue`: the process of queues, agents and tags."""

from services.common.foundation import main
from services.queue.app import NAME, build
from services.queue.config import QueueSettings

if __name__ == "__main__":
    main(QueueSettings, NAME, build)
