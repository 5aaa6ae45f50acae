-- What tells a repeated request from another one with the same id: a digest of the first. Empty for rows
-- made before it was kept, and for those that no request made.
ALTER TABLE activeflows ADD COLUMN create_digest text NOT NULL DEFAULT '';
