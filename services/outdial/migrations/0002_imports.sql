-- Imports: begun, received in parts that are kept as they come, and turned into targets at the end in
-- one transaction. The rows received so far lie in a table of the import's own, import_rows_<id>,
-- which is dropped with that transaction: emptying a shared table would leave a million dead rows for
-- every million imported, and an unlogged one would not survive a crash, which resuming needs.
CREATE TABLE imports (
    import_id       uuid        NOT NULL,
    outdial_id      uuid        NOT NULL,
    customer_id     uuid        NOT NULL,
    options         jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'receiving',
    -- Which stream may add to it: the latest.
    session         bigint      NOT NULL DEFAULT 1,
    -- How far it has come: bytes taken (and their SHA-256), the line that follows them, the header.
    byte_count      bigint      NOT NULL DEFAULT 0,
    byte_digest     bytea       NOT NULL,
    next_line       bigint      NOT NULL DEFAULT 1,
    columns         text[],
    row_count       bigint      NOT NULL DEFAULT 0,
    accepted_count  bigint      NOT NULL DEFAULT 0,
    rejected_count  bigint      NOT NULL DEFAULT 0,
    duplicate_count bigint      NOT NULL DEFAULT 0,
    tm_create       timestamptz NOT NULL,
    tm_end          timestamptz,
    -- Real time of the latest progress, by the database's clock: imports nobody goes on with are removed.
    touched_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT imports_pkey PRIMARY KEY (import_id),
    CONSTRAINT imports_state CHECK (state IN ('receiving', 'done'))
);

CREATE INDEX imports_touched ON imports (touched_at);

CREATE TABLE import_rejects (
    import_id uuid   NOT NULL,
    line      bigint NOT NULL,
    field     text   NOT NULL,
    value     text   NOT NULL,
    reason    text   NOT NULL,
    CONSTRAINT import_rejects_pkey PRIMARY KEY (import_id, line)
);

-- What an import's own table is made like: rows that will be targets unless they are duplicates.
CREATE TABLE import_rows (
    line          bigint   NOT NULL,
    id            uuid     NOT NULL,
    -- The first address, by which duplicates are found, and the slot it is in.
    address       text     NOT NULL,
    slot          smallint NOT NULL,
    destination_0 jsonb,
    destination_1 jsonb,
    destination_2 jsonb,
    destination_3 jsonb,
    destination_4 jsonb,
    name          text     NOT NULL,
    detail        text     NOT NULL,
    data          text     NOT NULL
);
