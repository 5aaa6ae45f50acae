-- What the caller gave, apart from what became of it: the same id with other variables is refused.
ALTER TABLE activeflows ADD COLUMN given_variables jsonb NOT NULL DEFAULT '{}';
