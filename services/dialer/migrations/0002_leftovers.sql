-- What the sweep asks for: executions on calls that have not ended, few whatever the size of the table.
CREATE INDEX activeflows_unfinished ON activeflows (reference_id) WHERE NOT is_ended;
