-- Webhooks that no execution waits for, until they have arrived. `due_at` is real time, by this
-- database's clock; one that is being sent is not due for a while.
CREATE TABLE webhooks (
    id            uuid        NOT NULL,
    customer_id   uuid        NOT NULL,
    activeflow_id uuid        NOT NULL,
    method        text        NOT NULL,
    uri           text        NOT NULL,
    data_type     text        NOT NULL,
    data          text        NOT NULL,
    tries         integer     NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT webhooks_pkey PRIMARY KEY (id)
);

CREATE INDEX webhooks_due ON webhooks (due_at);
