-- Queues that are being deleted, or are: no campaign may start with one. Written by the queue service's
-- request before it deletes, so that no start can slip in between its check and the deletion.
CREATE TABLE retired_queues (
  queue_id uuid NOT NULL,
  CONSTRAINT retired_queues_pkey PRIMARY KEY (queue_id)
);
CREATE INDEX campaigns_queue ON campaigns (queue_id) WHERE tm_delete IS NULL AND queue_id IS NOT NULL;
