-- Names under which dialers are known to the PBXs they share. Real time, by this database's clock.
CREATE TABLE slots (
    slot         integer     NOT NULL,
    dialer_id    text        NOT NULL,
    instance     uuid        NOT NULL,
    is_extra     boolean     NOT NULL,
    leased_until timestamptz NOT NULL,
    CONSTRAINT slots_pkey PRIMARY KEY (slot),
    CONSTRAINT slots_slot_check CHECK (slot >= 1)
);
