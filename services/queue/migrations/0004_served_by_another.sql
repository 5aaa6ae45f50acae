-- A caller may be served by an agent who belongs to another caller by now: nobody is named then.
ALTER TABLE queuecalls DROP CONSTRAINT queuecalls_agent;
ALTER TABLE queuecalls ADD CONSTRAINT queuecalls_agent CHECK (
    status <> 'connecting' OR service_agent_id IS NOT NULL
);
