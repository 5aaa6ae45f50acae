-- Queues, the callers in them, the agents who serve them, and tags.
--
-- Two kinds of time (see services/common/clock.py): columns whose comment says REAL are compared with
-- this database's clock and never with anything else; every other time is domain time.

CREATE TABLE tags (
    id          uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    name        text        NOT NULL,
    detail      text        NOT NULL,
    tm_create   timestamptz NOT NULL,
    tm_update   timestamptz,
    tm_delete   timestamptz,
    CONSTRAINT tags_pkey PRIMARY KEY (id)
);

CREATE INDEX tags_listed ON tags (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;

CREATE TABLE queues (
    id              uuid        NOT NULL,
    customer_id     uuid        NOT NULL,
    name            text        NOT NULL,
    detail          text        NOT NULL,
    routing_method  text        NOT NULL,
    tag_ids         uuid[]      NOT NULL,
    wait_flow_id    uuid,
    wait_timeout    bigint      NOT NULL,
    service_timeout bigint      NOT NULL,
    wrapup_time     bigint      NOT NULL,
    ring_timeout    bigint      NOT NULL,
    revision        bigint      NOT NULL,
    tm_create       timestamptz NOT NULL,
    tm_update       timestamptz,
    tm_delete       timestamptz,
    CONSTRAINT queues_pkey PRIMARY KEY (id),
    CONSTRAINT queues_routing_method CHECK (
        routing_method IN ('', 'random', 'longest_idle', 'round_robin', 'ringall')
    ),
    CONSTRAINT queues_durations CHECK (
        wait_timeout >= 0 AND service_timeout >= 0 AND wrapup_time >= 0 AND ring_timeout > 0
    )
);

CREATE INDEX queues_listed ON queues (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;

-- Apart from queues, so that counting a caller never waits for somebody who edits the queue.
CREATE TABLE queue_counters (
    queue_id        uuid   NOT NULL,
    incoming_count  bigint NOT NULL DEFAULT 0,
    serviced_count  bigint NOT NULL DEFAULT 0,
    abandoned_count bigint NOT NULL DEFAULT 0,
    last_agent_id   uuid, -- whom round_robin chose last
    CONSTRAINT queue_counters_pkey PRIMARY KEY (queue_id),
    CONSTRAINT queue_counters_queue FOREIGN KEY (queue_id) REFERENCES queues (id)
) WITH (fillfactor = 50);

CREATE TABLE agents (
    id                  uuid        NOT NULL,
    customer_id         uuid        NOT NULL,
    username            text        NOT NULL,
    password_hash       text        NOT NULL,
    name                text        NOT NULL,
    detail              text        NOT NULL,
    ring_method         text        NOT NULL,
    permission          bigint      NOT NULL,
    tag_ids             uuid[]      NOT NULL,
    addresses           jsonb       NOT NULL,
    state               text        NOT NULL,
    next_status         text        NOT NULL,
    tm_state            timestamptz NOT NULL,
    idle_since          timestamptz NOT NULL, -- order of longest_idle
    queuecall_id        uuid,                 -- caller the agent is reserved for, rung for or talks to
    wrapup_until        timestamptz,
    reserved_until      timestamptz,          -- REAL
    rest_until          timestamptz,          -- REAL; not chosen before, after an unreachable phone
    granted_campaign_id uuid,
    granted_until       timestamptz,          -- REAL
    busy_ms_total       bigint      NOT NULL DEFAULT 0,
    available_ms_total  bigint      NOT NULL DEFAULT 0,
    wrapup_ms_total     bigint      NOT NULL DEFAULT 0,
    revision            bigint      NOT NULL,
    tm_create           timestamptz NOT NULL,
    tm_update           timestamptz,
    tm_delete           timestamptz,
    CONSTRAINT agents_pkey PRIMARY KEY (id),
    CONSTRAINT agents_ring_method CHECK (ring_method IN ('ringall', 'linear')),
    CONSTRAINT agents_state CHECK (
        state IN ('available', 'away', 'offline', 'reserved', 'ringing', 'busy', 'wrapup')
    ),
    CONSTRAINT agents_next_status CHECK (next_status IN ('', 'away', 'busy', 'offline')),
    CONSTRAINT agents_reserved CHECK (
        state NOT IN ('reserved', 'ringing') OR (queuecall_id IS NOT NULL AND reserved_until IS NOT NULL)
    ),
    CONSTRAINT agents_unreserved CHECK (
        state IN ('reserved', 'ringing', 'busy') OR (queuecall_id IS NULL AND reserved_until IS NULL)
    ),
    CONSTRAINT agents_wrapup CHECK ((state = 'wrapup') = (wrapup_until IS NOT NULL))
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX agents_username_key ON agents (lower(username)) WHERE tm_delete IS NULL;
-- One caller never holds two agents.
CREATE UNIQUE INDEX agents_queuecall_key ON agents (queuecall_id) WHERE queuecall_id IS NOT NULL;
CREATE INDEX agents_listed ON agents (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;
CREATE INDEX agents_available ON agents (customer_id) WHERE state = 'available' AND tm_delete IS NULL;
CREATE INDEX agents_wrapup_due ON agents (wrapup_until) WHERE wrapup_until IS NOT NULL;
CREATE INDEX agents_reserved_due ON agents (reserved_until) WHERE reserved_until IS NOT NULL;

-- Keeps addresses unique within a customer; agents.addresses is what is read.
CREATE TABLE agent_addresses (
    customer_id uuid NOT NULL,
    type        text NOT NULL,
    target      text NOT NULL,
    agent_id    uuid NOT NULL,
    CONSTRAINT agent_addresses_pkey PRIMARY KEY (customer_id, type, target),
    CONSTRAINT agent_addresses_agent FOREIGN KEY (agent_id) REFERENCES agents (id)
);

CREATE INDEX agent_addresses_by_agent ON agent_addresses (agent_id);

CREATE TABLE queuecalls (
    id               uuid        NOT NULL,
    customer_id      uuid        NOT NULL,
    queue_id         uuid        NOT NULL,
    reference_id     uuid        NOT NULL, -- call
    campaign_id      uuid,
    dialer_id        text        NOT NULL,
    status           text        NOT NULL,
    end_reason       text        NOT NULL,
    service_agent_id uuid,
    lost_agent_id    uuid,                 -- whose reservation lapsed; until the dialer knows
    -- The queue's durations when the caller joined, milliseconds.
    service_timeout  bigint      NOT NULL,
    wrapup_time      bigint      NOT NULL,
    ring_timeout     bigint      NOT NULL,
    wait_deadline    timestamptz,
    service_deadline timestamptz,
    duration_waiting bigint      NOT NULL,
    duration_service bigint      NOT NULL,
    renewed_at       timestamptz NOT NULL, -- REAL
    revision         bigint      NOT NULL,
    tm_create        timestamptz NOT NULL, -- when the caller joined; oldest is served first
    tm_service       timestamptz,
    tm_update        timestamptz,
    tm_end           timestamptz,
    tm_delete        timestamptz,
    CONSTRAINT queuecalls_pkey PRIMARY KEY (id),
    CONSTRAINT queuecalls_queue FOREIGN KEY (queue_id) REFERENCES queues (id),
    CONSTRAINT queuecalls_status CHECK (
        status IN ('initiating', 'waiting', 'connecting', 'service', 'done', 'abandoned')
    ),
    CONSTRAINT queuecalls_end_reason CHECK (
        end_reason IN ('', 'ended', 'kicked', 'wait_timeout', 'service_timeout', 'dialer_lost')
    ),
    CONSTRAINT queuecalls_agent CHECK (
        status NOT IN ('connecting', 'service') OR service_agent_id IS NOT NULL
    ),
    CONSTRAINT queuecalls_ended CHECK ((status IN ('done', 'abandoned')) = (tm_end IS NOT NULL))
) WITH (fillfactor = 70);

-- One agent never serves two callers.
CREATE UNIQUE INDEX queuecalls_agent_key ON queuecalls (service_agent_id)
    WHERE status IN ('connecting', 'service');
CREATE INDEX queuecalls_listed ON queuecalls (customer_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;
CREATE INDEX queuecalls_by_call ON queuecalls (reference_id);
CREATE INDEX queuecalls_live ON queuecalls (queue_id, tm_create, id)
    WHERE status IN ('waiting', 'connecting', 'service');
CREATE INDEX queuecalls_waiting_due ON queuecalls (wait_deadline)
    WHERE status = 'waiting' AND wait_deadline IS NOT NULL;
CREATE INDEX queuecalls_service_due ON queuecalls (service_deadline)
    WHERE status = 'service' AND service_deadline IS NOT NULL;
-- renewed_at has no index on purpose: it changes all the time, and the live ones are few.

-- Which campaigns asked for capacity lately. Means nothing after a crash: every row is older than the
-- two seconds it counts for.
CREATE UNLOGGED TABLE capacity_asks (
    campaign_id uuid        NOT NULL,
    queue_id    uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    asked_at    timestamptz NOT NULL, -- REAL
    CONSTRAINT capacity_asks_pkey PRIMARY KEY (campaign_id, queue_id)
) WITH (fillfactor = 50);

CREATE INDEX capacity_asks_by_customer ON capacity_asks (customer_id);
