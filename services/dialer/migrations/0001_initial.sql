-- Calls from their answer on; an attempt nobody answered has only its campaigncall.
CREATE TABLE calls (
    id             uuid        NOT NULL,
    customer_id    uuid        NOT NULL,
    campaign_id    uuid,
    activeflow_id  uuid,
    status         text        NOT NULL,
    source         jsonb,
    destination    jsonb       NOT NULL,
    hangup_reason  text        NOT NULL DEFAULT '',
    hangup_by      text        NOT NULL DEFAULT '',
    queuecall_id   uuid,
    agent_id       uuid,
    dialer_id      text        NOT NULL,
    revision       bigint      NOT NULL,
    tm_create      timestamptz NOT NULL,
    tm_progressing timestamptz,
    tm_hangup      timestamptz,
    tm_update      timestamptz NOT NULL,
    CONSTRAINT calls_pkey PRIMARY KEY (id),
    CONSTRAINT calls_status_check
        CHECK (status IN ('dialing', 'progressing', 'terminating', 'canceling', 'hangup'))
);

CREATE INDEX calls_listed ON calls (customer_id, tm_create DESC, id DESC);
-- What a take-over asks for: few rows, whatever the size of the table.
CREATE INDEX calls_unfinished ON calls (campaign_id) WHERE status <> 'hangup';

-- Executions of actions. `cursor` holds what another dialer needs to go on with one.
CREATE TABLE activeflows (
    id             uuid        NOT NULL,
    customer_id    uuid        NOT NULL,
    campaign_id    uuid,
    flow_id        uuid,
    reference_type text        NOT NULL,
    reference_id   uuid,
    is_ended       boolean     NOT NULL,
    actions        jsonb       NOT NULL,
    cursor         jsonb       NOT NULL,
    history        jsonb       NOT NULL,
    variables      jsonb       NOT NULL,
    dialer_id      text        NOT NULL,
    revision       bigint      NOT NULL,
    tm_create      timestamptz NOT NULL,
    tm_update      timestamptz NOT NULL,
    tm_end         timestamptz,
    tm_delete      timestamptz,
    CONSTRAINT activeflows_pkey PRIMARY KEY (id),
    CONSTRAINT activeflows_reference_type_check CHECK (reference_type IN ('call', 'api'))
);

CREATE INDEX activeflows_listed ON activeflows (customer_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;

-- Which dialers live and where they are asked. Real time, by this database's clock.
CREATE TABLE dialers (
    id        text        NOT NULL,
    address   text        NOT NULL,
    beaten_at timestamptz NOT NULL,
    CONSTRAINT dialers_pkey PRIMARY KEY (id)
);

-- Answered calls are written some three times each: leave room for updates in place, and clean early.
ALTER TABLE calls SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE activeflows SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
