"""One execution of actions in memory, and its stored form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from services.common.actions import Action
from services.common.address import TYPES
from services.common.ids import text
from services.dialer.domain import cursors
from services.dialer.domain.calls import MAX_DETAIL, Activeflow, ReferenceType, Step, StepOutcome
from services.dialer.domain.cursors import AgentWait, Cursor, Detection, Keys, OpenRecording
from services.dialer.domain.variables import completes, of_follower, of_recording
from services.dialer.domain.webhooks import Webhook
from services.dialer.telephony import Capability

MAX_EXECUTIONS = 100
"""Actions begun in one activeflow; one more ends it."""
MAX_HOPS = 1000
"""Actions passed in one search for the next that waits."""
MAX_CHAIN = 5
"""Activeflows in a row, each started by the end of the one before."""
MAX_FRAMES = 5
"""Fetched lists of actions within one another, besides the flow itself."""


@dataclass(slots=True)
class Frame:
    """A list of actions and where it stands: the flow itself, or what a fetch has brought."""

    actions: tuple[Action, ...]
    position: int = 0
    loops: dict[str, int] = field(default_factory=dict)

    @property
    def current(self) -> Action | None:
        """The action it stands at; None behind the last."""
        return self.actions[self.position] if self.position < len(self.actions) else None

    def index_of(self, action_id: UUID) -> int | None:
        """Where the action with this id is."""
        for index, action in enumerate(self.actions):
            if action.id == action_id:
                return index
        return None


@dataclass(slots=True)
class FlowRun:
    """Where an execution stands. Only the interpreter moves it; the one who drives it reads it."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    flow_id: UUID | None
    reference_type: ReferenceType
    reference_id: UUID | None
    frames: list[Frame]  # the flow itself first; the last one is being executed
    variables: dict[str, str]
    dialer_id: str
    tm_create: datetime
    executions: int = 0
    history: list[Step] = field(default_factory=list)
    wake_at: datetime | None = None
    queue_id: UUID | None = None
    queuecall_id: UUID | None = None
    agent_id: UUID | None = None
    agent_legs: tuple[UUID, ...] = ()
    keys: Keys = field(default_factory=Keys)
    recordings: tuple[OpenRecording, ...] = ()
    detection: Detection | None = None
    agent_wait: AgentWait | None = None
    records_service: bool = False
    given_variables: Mapping[str, str] = field(default_factory=dict)
    create_digest: str = ""
    capabilities: frozenset[Capability] = frozenset(Capability)
    """What the network can do for it. Not stored: another dialer may have another network."""
    address_types: frozenset[str] = TYPES
    """Kinds of address that the network can call. Not stored either."""
    on_complete_flow_id: UUID | None = None
    reference_activeflow_id: UUID | None = None
    follower: FlowRun | None = None
    """What starts because this one has ended. To be stored with the end, so that it is never lost."""
    is_followed: bool = False
    """Somebody executes the follower."""
    webhooks: list[Webhook] = field(default_factory=list)
    """To be stored with the next state of the run, and sent by whoever finds them."""
    revision: int = 0
    tm_update: datetime | None = None
    tm_end: datetime | None = None

    @property
    def key(self) -> UUID:
        """What it is held under: its call, or itself when there is none."""
        return self.reference_id or self.id

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.tm_end is not None

    @property
    def has_call(self) -> bool:
        """Whether there is somebody to hear it."""
        return self.reference_type is ReferenceType.CALL

    @property
    def top(self) -> Frame:
        """The list being executed."""
        return self.frames[-1]

    @property
    def current(self) -> Action | None:
        """The action being executed."""
        return None if self.is_ended else self.top.current

    @property
    def play_id(self) -> str:
        """Names the current execution's play: the same after a take-over, another in each round."""
        return f"step-{self.executions}"

    def step_id(self, part: str) -> UUID:
        """An id for something the current execution makes: the same after a take-over."""
        return uuid5(self.id, f"{self.executions}/{part}")

    @property
    def fetches_itself(self) -> bool:
        """Whether the current action fetches the run's own flow: a follower begins with that, see
        `_follower_of`. What is fetched later is another flow, which says nothing of the run's end.
        """
        return self.reference_activeflow_id is not None and self.executions == 1

    def end(self, now: datetime) -> None:
        """Stop here. Ending twice changes nothing."""
        if self.tm_end is None:
            self.tm_end = now
            self.wake_at = None
            self.agent_legs = ()
            self.detection = None
            self.follower = _follower_of(self, now)

    def replace_rest(self, actions: tuple[Action, ...]) -> None:
        """Execute these, and then nothing more of what the flow had still before it."""
        self.wake_at = None
        self.frames[1:] = []
        self.top.position = len(self.top.actions)
        self.frames.append(Frame(actions))

    @property
    def recording(self) -> OpenRecording | None:
        """The one that is on; those told to end are not."""
        return next((each for each in self.recordings if not each.is_stopping), None)

    def open_recording(self, recording: OpenRecording) -> None:
        """The call is recorded from now on, and later actions know by which recording."""
        self.recordings += (recording,)
        self.variables.update(of_recording(recording.id, self.key, recording.format))

    def stop_recording(self) -> None:
        """The one that is on is told to end: another may begin before the network has said it is over."""
        self.recordings = tuple(replace(each, is_stopping=True) for each in self.recordings)

    def close_recording(self, recording_id: UUID) -> OpenRecording | None:
        """It is over; what was known of it."""
        found = next((each for each in self.recordings if each.id == recording_id), None)
        self.recordings = tuple(each for each in self.recordings if each.id != recording_id)
        return found

    def note_step(
        self, detail: str, *, outcome: StepOutcome | None = None, execution: int | None = None
    ) -> None:
        """Say what became of an action begun before: of the current one, unless another is named."""
        wanted = self.executions if execution is None else execution
        for index in range(len(self.history) - 1, -1, -1):
            if self.history[index].execution == wanted:
                step = self.history[index]
                self.history[index] = replace(
                    step, outcome=outcome or step.outcome, detail=detail[:MAX_DETAIL]
                )
                return

    def fail_step(self, detail: str, execution: int | None = None) -> None:
        """An action begun before could not be carried out after all."""
        self.note_step(detail, outcome=StepOutcome.FAILED, execution=execution)

    def changed(self, now: datetime) -> None:
        """Count a change that others may see."""
        self.revision += 1
        self.tm_update = now

    def stored(self) -> Activeflow:
        """The row it is now."""
        base, *above = self.frames
        return Activeflow(
            id=self.id,
            customer_id=self.customer_id,
            campaign_id=self.campaign_id,
            flow_id=self.flow_id,
            reference_type=self.reference_type,
            reference_id=self.reference_id,
            is_ended=self.is_ended,
            actions=base.actions,
            cursor=Cursor(
                position=None if self.is_ended else base.position,
                executions=self.executions,
                loops=dict(base.loops),
                frames=()
                if self.is_ended
                else tuple(
                    cursors.Frame(each.actions, each.position, dict(each.loops)) for each in above
                ),
                wake_at=self.wake_at,
                queuecall_id=self.queuecall_id,
                queue_id=self.queue_id,
                agent_id=self.agent_id,
                agent_legs=self.agent_legs,
                keys=self.keys,
                recordings=self.recordings,
                detection=self.detection,
                agent_wait=self.agent_wait,
                records_service=self.records_service,
            ),
            history=tuple(self.history),
            variables=dict(self.variables),
            given_variables=self.given_variables,
            create_digest=self.create_digest,
            on_complete_flow_id=self.on_complete_flow_id,
            reference_activeflow_id=self.reference_activeflow_id,
            dialer_id=self.dialer_id,
            revision=self.revision,
            tm_create=self.tm_create,
            tm_update=self.tm_update or self.tm_create,
            tm_end=self.tm_end,
        )


def restore(row: Activeflow, dialer_id: str) -> FlowRun:
    """The execution that `row` stores, to be gone on with by `dialer_id`."""
    cursor = row.cursor
    base = Frame(row.actions, cursor.position or 0, _ints(cursor.loops))
    above = [Frame(each.actions, each.position, _ints(each.loops)) for each in cursor.frames]
    return FlowRun(
        id=row.id,
        customer_id=row.customer_id,
        campaign_id=row.campaign_id,
        flow_id=row.flow_id,
        reference_type=row.reference_type,
        reference_id=row.reference_id,
        frames=[base, *above],
        variables=dict(row.variables),
        given_variables=row.given_variables,
        create_digest=row.create_digest,
        on_complete_flow_id=row.on_complete_flow_id,
        reference_activeflow_id=row.reference_activeflow_id,
        dialer_id=dialer_id,
        tm_create=row.tm_create,
        executions=cursor.executions,
        history=list(row.history),
        wake_at=cursor.wake_at,
        queue_id=cursor.queue_id,
        queuecall_id=cursor.queuecall_id,
        agent_id=cursor.agent_id,
        agent_legs=cursor.agent_legs,
        keys=cursor.keys,
        recordings=cursor.recordings,
        detection=cursor.detection,
        agent_wait=cursor.agent_wait,
        records_service=cursor.records_service,
        revision=row.revision,
        tm_update=row.tm_update,
        tm_end=row.tm_end,
    )


def _follower_of(run: FlowRun, now: datetime) -> FlowRun | None:
    """The execution that starts at the end of `run`: it fetches its flow, whoever executes it."""
    flow_id = run.on_complete_flow_id
    if flow_id is None or completes(run.variables) + 1 >= MAX_CHAIN:
        return None
    follower_id = uuid5(run.id, "on_complete")
    told = {
        "id": text(run.id),
        "flow_id": text(run.flow_id),
        "campaign_id": text(run.campaign_id),
        "reference_type": run.reference_type.value,
        "reference_id": text(run.reference_id),
        "tm_create": run.tm_create.isoformat(),
        "tm_end": now.isoformat(),
    }
    return FlowRun(
        id=follower_id,
        customer_id=run.customer_id,
        campaign_id=run.campaign_id,
        flow_id=flow_id,
        reference_type=ReferenceType.API,
        reference_id=None,
        frames=[Frame((Action("fetch_flow", {"flow_id": str(flow_id)}),))],
        variables=of_follower(follower_id, flow_id, run.variables, told),
        dialer_id=run.dialer_id,
        tm_create=now,
        revision=1,
        tm_update=now,
        reference_activeflow_id=run.id,
    )


def _ints(loops: Mapping[str, int]) -> dict[str, int]:
    return {key: int(value) for key, value in loops.items()}
