-- How long people wait for an agent, what is done when it is too long, and what came of it.
-- Constant defaults: adding them rewrites no row. Campaigns that exist keep having no limit.
ALTER TABLE campaigns
  ADD COLUMN agent_wait_limit bigint NOT NULL DEFAULT 0,
  ADD COLUMN abandonment_actions json NOT NULL DEFAULT '[]',
  ADD CONSTRAINT campaigns_agent_wait_limit_range CHECK (agent_wait_limit BETWEEN 0 AND 3600000);

ALTER TABLE campaigncalls
  ADD COLUMN tm_abandon timestamptz,
  ADD COLUMN answer_to_agent bigint,
  ADD COLUMN is_machine boolean NOT NULL DEFAULT false;

ALTER TABLE campaign_states
  ADD COLUMN person_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN agent_wait_counts bigint[] NOT NULL DEFAULT '{}',
  ADD COLUMN agent_wait_ms_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN agent_wait_ms_max bigint NOT NULL DEFAULT 0;

-- Until now every machine ended as `amd`.
UPDATE campaign_states SET person_count = greatest(0, answered_count - amd_count) WHERE answered_count > 0;
