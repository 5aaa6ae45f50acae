-- What the gateway owns: customers, their access keys, and the hashes of direct links.
CREATE TABLE customers (
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    detail       text        NOT NULL,
    email        text        NOT NULL,
    phone_number text        NOT NULL,
    address      text        NOT NULL,
    tm_create    timestamptz NOT NULL,
    tm_update    timestamptz,
    tm_delete    timestamptz,
    CONSTRAINT customers_pkey PRIMARY KEY (id)
);

-- Only the SHA-256 of a key is stored; token_prefix is what lists show.
CREATE TABLE access_keys (
    id           uuid        NOT NULL,
    customer_id  uuid        NOT NULL,
    name         text        NOT NULL,
    detail       text        NOT NULL,
    token_prefix text        NOT NULL,
    token_hash   text        NOT NULL,
    -- Digest of the request that made it, to tell a repeated request from another one.
    digest       text        NOT NULL,
    -- Real time, unlike the other three: scaled time must not shorten or lengthen a credential.
    tm_expire    timestamptz NOT NULL,
    tm_create    timestamptz NOT NULL,
    tm_update    timestamptz,
    tm_delete    timestamptz,
    CONSTRAINT access_keys_pkey PRIMARY KEY (id),
    CONSTRAINT access_keys_token_hash_key UNIQUE (token_hash),
    CONSTRAINT access_keys_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE INDEX access_keys_list ON access_keys (customer_id, tm_create DESC, id DESC)
    WHERE tm_delete IS NULL;

CREATE TABLE direct_hashes (
    resource_id uuid        NOT NULL,
    customer_id uuid        NOT NULL,
    resource    text        NOT NULL,
    direct_hash text        NOT NULL,
    tm_update   timestamptz NOT NULL,
    CONSTRAINT direct_hashes_pkey PRIMARY KEY (resource_id),
    CONSTRAINT direct_hashes_hash_key UNIQUE (direct_hash),
    CONSTRAINT direct_hashes_resource_known CHECK (resource IN ('agent', 'flow', 'queue'))
);

-- One row: the first customer of the deployment, and how far its making has come.
CREATE TABLE bootstrap (
    singleton        boolean NOT NULL DEFAULT true,
    customer_id      uuid    NOT NULL,
    agent_id         uuid    NOT NULL,
    is_announced     boolean NOT NULL DEFAULT false,
    is_agent_created boolean NOT NULL DEFAULT false,
    CONSTRAINT bootstrap_pkey PRIMARY KEY (singleton),
    CONSTRAINT bootstrap_singleton CHECK (singleton)
);
