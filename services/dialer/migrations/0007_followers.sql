-- Which activeflow starts when one has ended, and which one it followed.
ALTER TABLE activeflows
  ADD COLUMN on_complete_flow_id uuid,
  ADD COLUMN reference_activeflow_id uuid;
