-- Campaigns with their runs and leases, campaigncalls (dial attempts), outplans, flows.
--
-- Instants are of two kinds. Domain time (tm_*) is passed in by the process; real time (lease_expires_at,
-- place_before, due_at) is always this database's own clock, so that scaled time cannot loosen a lease.

CREATE TABLE outplans (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  name text NOT NULL,
  detail text NOT NULL,
  source jsonb,
  dial_timeout bigint NOT NULL,
  try_interval bigint NOT NULL,
  max_try_counts integer[] NOT NULL,
  calls_per_second double precision,
  max_concurrent integer,
  revision bigint NOT NULL DEFAULT 1,
  create_digest text NOT NULL,
  tm_create timestamptz NOT NULL,
  tm_update timestamptz,
  tm_delete timestamptz,
  CONSTRAINT outplans_pkey PRIMARY KEY (id),
  CONSTRAINT outplans_name_length CHECK (char_length(name) <= 255),
  CONSTRAINT outplans_dial_timeout_range CHECK (dial_timeout BETWEEN 0 AND 600000),
  CONSTRAINT outplans_try_interval_range CHECK (try_interval BETWEEN 0 AND 2678400000),
  CONSTRAINT outplans_max_try_counts_range
    CHECK (cardinality(max_try_counts) = 5 AND 0 <= ALL (max_try_counts) AND 100 >= ALL (max_try_counts)),
  CONSTRAINT outplans_calls_per_second_range CHECK (calls_per_second > 0 AND calls_per_second <= 10000),
  CONSTRAINT outplans_max_concurrent_range CHECK (max_concurrent BETWEEN 1 AND 100000)
);
CREATE INDEX outplans_customer_list ON outplans (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;

CREATE TABLE flows (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  name text NOT NULL,
  detail text NOT NULL,
  -- json, not jsonb: members keep the order in which the caller wrote them.
  actions json NOT NULL,
  on_complete_flow_id uuid,
  revision bigint NOT NULL DEFAULT 1,
  create_digest text NOT NULL,
  tm_create timestamptz NOT NULL,
  tm_update timestamptz,
  tm_delete timestamptz,
  CONSTRAINT flows_pkey PRIMARY KEY (id),
  CONSTRAINT flows_name_length CHECK (char_length(name) <= 255)
);
CREATE INDEX flows_customer_list ON flows (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;

-- The definition of a campaign: wide, and written by people only.
CREATE TABLE campaigns (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  type text NOT NULL,
  name text NOT NULL,
  detail text NOT NULL,
  service_level integer NOT NULL,
  end_handle text NOT NULL,
  actions json NOT NULL,
  flow_id uuid,
  outplan_id uuid,
  outdial_id uuid,
  queue_id uuid,
  next_campaign_id uuid,
  source jsonb,
  create_digest text NOT NULL,
  tm_create timestamptz NOT NULL,
  tm_delete timestamptz,
  CONSTRAINT campaigns_pkey PRIMARY KEY (id),
  CONSTRAINT campaigns_type_known CHECK (type IN ('call', 'flow', 'message', 'email')),
  CONSTRAINT campaigns_end_handle_known CHECK (end_handle IN ('stop', 'continue')),
  CONSTRAINT campaigns_name_length CHECK (char_length(name) <= 255),
  CONSTRAINT campaigns_service_level_range CHECK (service_level BETWEEN 1 AND 1000),
  CONSTRAINT campaigns_next_is_another CHECK (next_campaign_id <> id)
);
CREATE INDEX campaigns_customer_list ON campaigns (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;
CREATE INDEX campaigns_outplan ON campaigns (outplan_id) WHERE tm_delete IS NULL;
CREATE INDEX campaigns_flow ON campaigns (flow_id) WHERE tm_delete IS NULL;

-- Everything about a campaign that changes while it runs: one narrow row, rewritten once per batch.
-- Its row lock is the lock of the campaign; see README.md for the order of locks. No column that
-- changes per batch is indexed, so those updates stay on the page (fillfactor leaves them the room).
CREATE TABLE campaign_states (
  id uuid NOT NULL,
  status text NOT NULL DEFAULT 'stop',
  run_number bigint NOT NULL DEFAULT 0,
  stop_mode text NOT NULL DEFAULT '',
  stop_reason text NOT NULL DEFAULT '',
  stop_detail text NOT NULL DEFAULT '',
  revision bigint NOT NULL DEFAULT 1,
  tm_update timestamptz,
  tm_run_start timestamptz,
  tm_run_end timestamptz,
  -- Campaigns that ended one after another, chained, without placing an attempt.
  idle_chain_ids uuid[] NOT NULL DEFAULT '{}',
  lease_holder text NOT NULL DEFAULT '',
  lease_expires_at timestamptz,
  fencing_token bigint NOT NULL DEFAULT 0,
  open_count integer NOT NULL DEFAULT 0,
  progressing_count integer NOT NULL DEFAULT 0,
  run_placed_count bigint NOT NULL DEFAULT 0,
  attempt_count bigint NOT NULL DEFAULT 0,
  success_count bigint NOT NULL DEFAULT 0,
  fail_count bigint NOT NULL DEFAULT 0,
  answered_count bigint NOT NULL DEFAULT 0,
  connected_count bigint NOT NULL DEFAULT 0,
  abandoned_count bigint NOT NULL DEFAULT 0,
  refunded_count bigint NOT NULL DEFAULT 0,
  talk_ms_total bigint NOT NULL DEFAULT 0,
  normal_count bigint NOT NULL DEFAULT 0,
  busy_count bigint NOT NULL DEFAULT 0,
  noanswer_count bigint NOT NULL DEFAULT 0,
  failed_count bigint NOT NULL DEFAULT 0,
  cancel_count bigint NOT NULL DEFAULT 0,
  timeout_count bigint NOT NULL DEFAULT 0,
  dialout_count bigint NOT NULL DEFAULT 0,
  amd_count bigint NOT NULL DEFAULT 0,
  CONSTRAINT campaign_states_pkey PRIMARY KEY (id),
  CONSTRAINT campaign_states_campaign FOREIGN KEY (id) REFERENCES campaigns (id),
  CONSTRAINT campaign_states_status_known CHECK (status IN ('stop', 'run', 'stopping')),
  CONSTRAINT campaign_states_stop_mode_known CHECK (stop_mode IN ('', 'hangup', 'drain')),
  CONSTRAINT campaign_states_stop_reason_known
    CHECK (stop_reason IN ('', 'user', 'finished', 'error', 'chained')),
  CONSTRAINT campaign_states_counts_agree
    CHECK (progressing_count >= 0 AND open_count >= progressing_count),
  CONSTRAINT campaign_states_stopped_is_empty CHECK (status <> 'stop' OR open_count = 0)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX campaign_states_active ON campaign_states (id) WHERE status <> 'stop';

CREATE TABLE campaigncalls (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  outplan_id uuid NOT NULL,
  outdial_id uuid NOT NULL,
  outdial_target_id uuid NOT NULL,
  queue_id uuid,
  flow_id uuid,
  activeflow_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'dialing',
  result text NOT NULL DEFAULT '',
  source jsonb,
  destination jsonb NOT NULL,
  destination_index smallint NOT NULL,
  try_count integer NOT NULL,
  hangup_reason text NOT NULL DEFAULT '',
  hangup_detail text NOT NULL DEFAULT '',
  is_refunded boolean NOT NULL DEFAULT false,
  is_abandoned boolean NOT NULL DEFAULT false,
  run_number bigint NOT NULL,
  fencing_token bigint NOT NULL,
  dialer_id text NOT NULL,
  revision integer NOT NULL DEFAULT 1,
  place_before timestamptz NOT NULL,
  tm_deadline timestamptz NOT NULL,
  tm_create timestamptz NOT NULL,
  tm_update timestamptz,
  tm_delete timestamptz,
  tm_answer timestamptz,
  tm_connect timestamptz,
  tm_end timestamptz,
  CONSTRAINT campaigncalls_pkey PRIMARY KEY (id),
  CONSTRAINT campaigncalls_status_known CHECK (status IN ('dialing', 'progressing', 'done')),
  CONSTRAINT campaigncalls_result_known CHECK (result IN ('', 'success', 'fail')),
  CONSTRAINT campaigncalls_result_when_done CHECK ((status = 'done') = (result <> '')),
  CONSTRAINT campaigncalls_end_when_done CHECK ((status = 'done') = (tm_end IS NOT NULL)),
  CONSTRAINT campaigncalls_slot_range CHECK (destination_index BETWEEN 0 AND 4),
  CONSTRAINT campaigncalls_try_count_range CHECK (try_count >= 1),
  CONSTRAINT campaigncalls_refund_unanswered CHECK (NOT (is_refunded AND tm_answer IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX campaigncalls_customer_list
  ON campaigncalls (customer_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;
CREATE INDEX campaigncalls_campaign_list
  ON campaigncalls (campaign_id, tm_create DESC, id DESC) WHERE tm_delete IS NULL;
CREATE INDEX campaigncalls_open ON campaigncalls (campaign_id) WHERE status <> 'done';
CREATE INDEX campaigncalls_deadline ON campaigncalls (tm_deadline) WHERE status <> 'done';

-- Attempt ids that were given back before they were opened, and must never be opened any more.
CREATE TABLE tombstones (
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tombstones_pkey PRIMARY KEY (id)
);
CREATE INDEX tombstones_created ON tombstones (created_at);

-- Bindings of outdials to campaigns that may be left over; each is released when it is due, unless
-- its campaign uses the outdial. Written before a binding is asked for and with every exchange, so
-- that no crash between two services leaves an outdial locked to a campaign that does not use it.
CREATE TABLE binding_checks (
  outdial_id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  CONSTRAINT binding_checks_pkey PRIMARY KEY (outdial_id, campaign_id)
);
