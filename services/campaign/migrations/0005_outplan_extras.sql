-- SIP headers and variables that an outplan gives each of its calls.
-- Constant defaults: adding them rewrites no row.
ALTER TABLE outplans
  ADD COLUMN headers jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN variables jsonb NOT NULL DEFAULT '{}';
