-- The frames that a model saw, for the reports: a JSON array of indexes from 0.

ALTER TABLE prediction ADD COLUMN frame_indexes TEXT;
