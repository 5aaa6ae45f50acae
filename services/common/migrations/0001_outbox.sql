-- Events that wait to be published, and those published within the last hour. One row is one NATS
-- message. Written in the transaction of the change it tells of; see services/common/outbox.py.
CREATE TABLE outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    subject         text        NOT NULL,
    payload         bytea       NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at    timestamptz,
    stream_sequence bigint,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);

CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- Rows live for an hour and are updated once: collect them early, and never in slow motion.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- Message ids are made of the row ids. Should this schema be dropped and made again while NATS still
-- remembers the ids of its former life, equal ids would be taken for duplicates: start at the time.
DO $$
BEGIN
    EXECUTE format(
        'ALTER TABLE outbox ALTER COLUMN id RESTART WITH %s',
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    );
END
$$;

-- The stream the rows above were published to: another one means that all of them are to be sent again.
CREATE TABLE outbox_stream (
    singleton  boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_stream_pkey PRIMARY KEY (singleton),
    CONSTRAINT outbox_stream_singleton CHECK (singleton)
);
