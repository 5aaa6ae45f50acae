CREATE TABLE outdials (
    id            uuid        NOT NULL,
    customer_id   uuid        NOT NULL,
    campaign_id   uuid,
    name          text        NOT NULL,
    detail        text        NOT NULL,
    data          text        NOT NULL,
    -- Digest of the body it was created with, so that the same create can be told from another one.
    create_digest bytea       NOT NULL,
    revision      bigint      NOT NULL DEFAULT 1,
    tm_create     timestamptz NOT NULL,
    tm_update     timestamptz,
    tm_delete     timestamptz,
    CONSTRAINT outdials_pkey PRIMARY KEY (id),
    CONSTRAINT outdials_name_length CHECK (char_length(name) <= 255)
);

CREATE INDEX outdials_list ON outdials (customer_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;

-- One narrow row per outdial, changed by every claim and settlement. Whoever changes targets adds its
-- deltas here LAST, in order of outdial_id; a claim, which waits for no target, locks it FIRST. So no
-- two transactions wait for each other in a ring. (No foreign key to outdials: a second update within
-- a transaction would check it, and wait for whoever has locked the outdial.)
CREATE TABLE outdial_counters (
    outdial_id        uuid        NOT NULL,
    total             bigint      NOT NULL DEFAULT 0,
    idle              bigint      NOT NULL DEFAULT 0,
    progressing       bigint      NOT NULL DEFAULT 0,
    success           bigint      NOT NULL DEFAULT 0,
    fail              bigint      NOT NULL DEFAULT 0,
    -- The watermark: no committed idle target is due before it; null when none is idle. The claim reads
    -- the due index from here on, past the dead entries that earlier claims have left in front of it.
    next_due          timestamptz,
    -- The plan of the latest claim, to notice another one; null before the first.
    max_try_counts    smallint[],
    address_types     text[],
    -- A job that gives exhausted targets back to a more generous plan, and how far it has come.
    is_reopening      boolean     NOT NULL DEFAULT false,
    reopened_until_tm timestamptz,
    reopened_until_id uuid,
    reopening_number  bigint      NOT NULL DEFAULT 0,
    CONSTRAINT outdial_counters_pkey PRIMARY KEY (outdial_id),
    CONSTRAINT outdial_counters_not_negative
        CHECK (idle >= 0 AND progressing >= 0 AND success >= 0 AND fail >= 0),
    CONSTRAINT outdial_counters_sum CHECK (total = idle + progressing + success + fail)
) WITH (
    -- Room for the next versions on the same page: every update stays heap-only.
    fillfactor = 20,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX outdial_counters_reopening ON outdial_counters (outdial_id) WHERE is_reopening;

-- No foreign key to outdials: it would lock the outdial's row for every batch of targets.
CREATE TABLE targets (
    id            uuid        NOT NULL,
    outdial_id    uuid        NOT NULL,
    customer_id   uuid        NOT NULL,
    -- The attempt a progressing target waits for, and the slot it dials.
    attempt_id    uuid,
    next_try_at   timestamptz,
    tm_create     timestamptz NOT NULL,
    tm_update     timestamptz NOT NULL,
    tm_delete     timestamptz,
    revision      bigint      NOT NULL DEFAULT 1,
    attempt_slot  smallint,
    try_count_0   smallint    NOT NULL DEFAULT 0,
    try_count_1   smallint    NOT NULL DEFAULT 0,
    try_count_2   smallint    NOT NULL DEFAULT 0,
    try_count_3   smallint    NOT NULL DEFAULT 0,
    try_count_4   smallint    NOT NULL DEFAULT 0,
    is_final      boolean     NOT NULL DEFAULT false,
    status        text        NOT NULL,
    result        text        NOT NULL DEFAULT '',
    -- Objects with the members of an address that are not empty; null for an absent slot.
    destination_0 jsonb,
    destination_1 jsonb,
    destination_2 jsonb,
    destination_3 jsonb,
    destination_4 jsonb,
    name          text        NOT NULL,
    detail        text        NOT NULL,
    data          text        NOT NULL,
    -- Of targets created with an id of the caller's; see outdials.
    create_digest bytea,
    CONSTRAINT targets_pkey PRIMARY KEY (id),
    CONSTRAINT targets_status CHECK (status IN ('idle', 'progressing', 'done')),
    CONSTRAINT targets_result CHECK (result IN ('', 'success', 'fail')),
    CONSTRAINT targets_result_when_done CHECK ((status = 'done') = (result <> '')),
    CONSTRAINT targets_due_when_idle CHECK ((status = 'idle') = (next_try_at IS NOT NULL)),
    CONSTRAINT targets_attempt_when_progressing CHECK (
        (status = 'progressing') = (attempt_id IS NOT NULL)
        AND (attempt_id IS NULL) = (attempt_slot IS NULL)
    ),
    CONSTRAINT targets_name_length CHECK (char_length(name) <= 255)
) WITH (
    -- Each attempt leaves two dead versions. Free space keeps the next version on the same page, and
    -- vacuum comes early and in full speed, or the due index fills with dead entries at its head.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.05
);

-- What a claim reads: from the watermark on, oldest due time first.
CREATE INDEX targets_due ON targets (outdial_id, next_try_at)
    WHERE status = 'idle' AND tm_delete IS NULL;
-- Lists, of one status or of all three merged.
CREATE INDEX targets_list ON targets (outdial_id, status, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;
-- Holds only what is in flight.
CREATE UNIQUE INDEX targets_attempt_key ON targets (attempt_id) WHERE attempt_id IS NOT NULL;

-- What each claim took, until every attempt of it is settled. Real time, by the database's clock.
CREATE TABLE claims (
    claim_id    uuid        NOT NULL,
    outdial_id  uuid        NOT NULL,
    attempt_ids uuid[]      NOT NULL,
    target_ids  uuid[]      NOT NULL,
    check_at    timestamptz NOT NULL,
    CONSTRAINT claims_pkey PRIMARY KEY (claim_id),
    CONSTRAINT claims_pairs CHECK (cardinality(attempt_ids) = cardinality(target_ids))
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX claims_check ON claims (check_at);
