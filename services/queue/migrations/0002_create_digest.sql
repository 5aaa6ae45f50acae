-- What tells a repeated create request from another one with the same id: a digest of the first.
-- Empty for rows made before it was kept.
ALTER TABLE queues ADD COLUMN create_digest text NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN create_digest text NOT NULL DEFAULT '';
ALTER TABLE tags ADD COLUMN create_digest text NOT NULL DEFAULT '';
