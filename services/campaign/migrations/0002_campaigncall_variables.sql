-- What the flow of an attempt has found out: the variables it set, and the keys that were pressed.
-- Constant defaults: adding them rewrites no row.
ALTER TABLE campaigncalls
  ADD COLUMN variables jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN digits text NOT NULL DEFAULT '';
