"""What executions wait for outside of the telephone network: answers over HTTP, and other flows.

Each errand is a task of its own, but only so many at a time, and only so many of one customer: one
whose server is slow must not keep the others' calls silent.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import orjson

from services.common.action_kinds import shown
from services.common.actions import Action, validate_actions
from services.common.clock import Clock
from services.common.errors import AppError, InvalidArgument, Unavailable
from services.common.ids import optional_id, text
from services.common.log import get_logger
from services.common.nesting import DEEP, MAX_DEPTH, is_deep
from services.dialer.conversations.effects import Fetch, FetchFlow, SendWebhook
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.webhooks import HttpFailedError, HttpRequest, request_of
from services.dialer.ports import Flows, HttpCalls

MOST_AT_ONCE = 500
MOST_OF_CUSTOMER = 100
MOST_WAITING = 10_000
"""Errands of one customer that may wait for their turn; further ones fail."""
FLOW_TRIES = 5
FLOW_PAUSE_SECONDS = 0.5
"""A flow that cannot be read is asked for again so often, so much later (real)."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an errand came to: a failure in the words of the history, or what was brought back."""

    failure: str = ""
    detail: str = ""
    actions: tuple[Action, ...] | None = None
    on_complete_flow_id: UUID | None = None  # of the flow they are of


Work = Callable[[], Awaitable[Result]]
Done = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class _Errand:
    work: Work
    done: Done


class Errands:
    """See the module. `run` is a background task."""

    def __init__(self, http: HttpCalls, flows: Flows, clock: Clock) -> None:
        self._http = http
        self._flows = flows
        self._clock = clock
        self._waiting: dict[UUID, deque[_Errand]] = {}
        self._of_customer: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._is_frozen = False

    @property
    def backlog(self) -> int:
        """Errands that are under way or wait for their turn."""
        return len(self._tasks) + sum(map(len, self._waiting.values()))

    def begin(self, run: FlowRun, effect: Fetch | FetchFlow | SendWebhook, done: Done) -> None:
        """Run the errand that the run waits for; `done` is told what came of it."""
        match effect:
            case Fetch():
                request = _fetch_request(run, effect)
                self._add(run.customer_id, lambda: self._fetch(request), done)
            case FetchFlow(flow_id):
                customer_id = run.customer_id
                self._add(customer_id, lambda: self._fetch_flow(customer_id, flow_id), done)
            case SendWebhook(webhook):
                self._add(run.customer_id, lambda: self._send(request_of(webhook)), done)

    def freeze(self) -> None:
        """Tell nobody of results any more: whoever takes the executions over repeats the errands."""
        self._is_frozen = True

    async def run(self) -> None:
        """Start errands until cancelled; those under way are cancelled too."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                self._start()
        finally:
            for task in self._tasks:
                task.cancel()

    def _add(self, customer_id: UUID, work: Work, done: Done) -> None:
        waiting = self._waiting.setdefault(customer_id, deque())
        errand = _Errand(work, done)
        if len(waiting) >= MOST_WAITING:
            errand = _Errand(_refused, done)
        waiting.append(errand)
        self._woken.set()

    def _start(self) -> None:
        # In turn by customer, so that none of them waits for all of another's.
        is_moving = True
        while is_moving and len(self._tasks) < MOST_AT_ONCE:
            is_moving = False
            for customer_id in list(self._waiting):
                if len(self._tasks) >= MOST_AT_ONCE:
                    return
                if self._of_customer[customer_id] < MOST_OF_CUSTOMER:
                    is_moving = True
                    self._start_one(customer_id)

    def _start_one(self, customer_id: UUID) -> None:
        waiting = self._waiting[customer_id]
        errand = waiting.popleft()
        if not waiting:
            del self._waiting[customer_id]
        self._of_customer[customer_id] += 1
        task = asyncio.create_task(self._work(errand), name="errand")
        self._tasks.add(task)

        def over(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            self._of_customer[customer_id] -= 1
            if not self._of_customer[customer_id]:
                del self._of_customer[customer_id]
            self._woken.set()

        task.add_done_callback(over)

    async def _work(self, errand: _Errand) -> None:
        try:
            result = await errand.work()
        except Exception:
            # One errand's bug is that of one call.
            get_logger().exception("errand_failed")
            result = Result("a fault of this service")
        if self._is_frozen:
            return
        try:
            errand.done(result)
        except Exception:
            get_logger().exception("errand_result_failed")

    # ------------------------------------------------------------------------------- the errands

    async def _send(self, request: HttpRequest) -> Result:
        try:
            answer = await self._http.send(request)
        except HttpFailedError as exc:
            return Result(str(exc))
        if not answer.is_success:
            return Result(f"answered {answer.status}")
        return Result(detail=f"answered {answer.status}")

    async def _fetch(self, request: HttpRequest) -> Result:
        try:
            answer = await self._http.send(request)
        except HttpFailedError as exc:
            return Result(str(exc))
        if not answer.is_success:
            return Result(f"answered {answer.status}")
        if answer.is_too_long:
            return Result("the answer is too long")
        return fetched(answer.body)

    async def _fetch_flow(self, customer_id: UUID, flow_id: UUID) -> Result:
        for _ in range(FLOW_TRIES):
            try:
                found = await self._flows.definition(customer_id, flow_id)
                actions = tuple(validate_actions(found.actions))
                return Result(actions=actions, on_complete_flow_id=found.on_complete_flow_id)
            except Unavailable:
                await self._clock.sleep_real(FLOW_PAUSE_SECONDS)
            except AppError as exc:
                return Result(exc.message)
        return Result("the flow service does not answer")


async def _refused() -> Result:
    return Result("too many requests are under way")


def _fetch_request(run: FlowRun, effect: Fetch) -> HttpRequest:
    told = {
        "activeflow_id": str(run.id),
        "reference_type": run.reference_type.value,
        "reference_id": text(run.reference_id),
    }
    if effect.method == "GET":
        separator = "&" if "?" in effect.uri else "?"
        query = "&".join(f"{name}={value}" for name, value in told.items())
        uri, hash_mark, fragment = effect.uri.partition("#")
        whole = f"{uri}{separator}{query}{hash_mark}{fragment}"
        return HttpRequest("GET", whole, effect.request_id)
    headers = {"Content-Type": "application/json"}
    return HttpRequest("POST", effect.uri, effect.request_id, headers, orjson.dumps(told))


def fetched(body: bytes) -> Result:
    """The actions that an answer holds: a list of them, or an object with such a list as `actions`."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Result("the answer is not JSON")
    # A list in an object, its actions, and what an option may have.
    if is_deep(document, MAX_DEPTH + 3):
        return Result(f"the answer is {DEEP}")
    listed = document.get("actions") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        return Result("the answer holds no list of actions")
    try:
        actions = [_action(each, f"actions[{index}]") for index, each in enumerate(listed)]
        return Result(actions=tuple(validate_actions(actions)))
    except InvalidArgument as exc:
        return Result(f"the answer cannot be used: {exc.message}")


def _action(given: object, place: str) -> Action:
    """An action as the API writes it; InvalidArgument when it has not that form."""
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise InvalidArgument(f"{place} is {shown(given)}; accepted: an object with a type")
    option = given.get("option")
    ids = [given.get("id"), given.get("next_id")]
    if not isinstance(option, dict | None) or not all(isinstance(each, str | None) for each in ids):
        accepted = "an object as option, UUIDs as id and next_id"
        raise InvalidArgument(f"{place} is {shown(given)}; accepted: {accepted}")
    own, following = (optional_id(each or "", f"{place}.id") for each in ids)
    return Action(type=given["type"], option=option or {}, id=own, next_id=following)
