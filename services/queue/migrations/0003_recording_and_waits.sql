-- Whether conversations are recorded, and how long callers have waited in all.
-- Constant defaults: adding them rewrites no row.
ALTER TABLE queues ADD COLUMN recording boolean NOT NULL DEFAULT false;
ALTER TABLE queue_counters ADD COLUMN waited_ms_total bigint NOT NULL DEFAULT 0;

UPDATE queue_counters c SET waited_ms_total = w.total
FROM (
    SELECT queue_id, sum(duration_waiting) AS total FROM queuecalls
    WHERE status IN ('service', 'done', 'abandoned') GROUP BY queue_id
) w
WHERE c.queue_id = w.queue_id;
