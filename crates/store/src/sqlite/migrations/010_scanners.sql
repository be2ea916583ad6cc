-- The scanner of each loop, and loops in the order of their arrival: drift is told by week and scanner. Studies are found by
-- day, and by failures, without reading all of them.

ALTER TABLE loop ADD COLUMN scanner_model TEXT;

CREATE INDEX loop_by_arrival ON loop (created_at);
CREATE INDEX loop_by_day ON loop (acquired, study_id);
CREATE INDEX job_by_failure ON job (study_instance_uid) WHERE file_state = 'failed';
