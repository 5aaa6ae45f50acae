-- Recordings of calls. The file is in the recordings folder of the dialer named, under `location`.
CREATE TABLE recordings (
    id            uuid        NOT NULL,
    customer_id   uuid        NOT NULL,
    campaign_id   uuid,
    activeflow_id uuid,
    call_id       uuid        NOT NULL,
    format        text        NOT NULL,
    status        text        NOT NULL,
    location      text        NOT NULL,
    duration_ms   bigint      NOT NULL,
    size_bytes    bigint      NOT NULL,
    detail        text        NOT NULL,
    dialer_id     text        NOT NULL,
    revision      bigint      NOT NULL,
    tm_create     timestamptz NOT NULL,
    tm_start      timestamptz,
    tm_update     timestamptz NOT NULL,
    tm_end        timestamptz,
    tm_delete     timestamptz,
    CONSTRAINT recordings_pkey PRIMARY KEY (id),
    CONSTRAINT recordings_status_known
        CHECK (status IN ('initiating', 'recording', 'ended', 'failed')),
    CONSTRAINT recordings_sizes_not_negative CHECK (duration_ms >= 0 AND size_bytes >= 0)
);

CREATE INDEX recordings_listed ON recordings (customer_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;
CREATE INDEX recordings_of_call ON recordings (call_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;
CREATE INDEX recordings_of_campaign ON recordings (campaign_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;
-- What the sweep of old recordings asks for.
CREATE INDEX recordings_ended ON recordings (tm_end) WHERE tm_delete IS NULL;
-- Deleted, and the file not known to be gone: few, whatever the size of the table.
CREATE INDEX recordings_files_left ON recordings (tm_delete, id)
    WHERE tm_delete IS NOT NULL AND location <> '';
