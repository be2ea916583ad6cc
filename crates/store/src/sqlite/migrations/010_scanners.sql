-- The scanner of each loop, and loops in the order of their arrival: drift is told by week and scanner.

ALTER TABLE loop ADD COLUMN scanner_model TEXT;

CREATE INDEX loop_by_arrival ON loop (created_at);
