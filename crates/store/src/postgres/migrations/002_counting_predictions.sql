-- Which prediction of a loop counts, and which loops a person should read; the migration of SQLite says more. Before the views,
-- which are made of it.

CREATE TABLE IF NOT EXISTS preferred_pipeline (
    name text COLLATE "C" PRIMARY KEY,
    turn bigint NOT NULL
);

ALTER TABLE loop ADD COLUMN IF NOT EXISTS to_read double precision;

CREATE INDEX IF NOT EXISTS loop_to_read ON loop (to_read, loop_id) WHERE to_read IS NOT NULL;
CREATE INDEX IF NOT EXISTS loop_unsure ON loop (study_id) WHERE to_read >= 1;
