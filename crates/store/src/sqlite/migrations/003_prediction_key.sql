-- A prediction keeps everything that decides it and everything that was computed. NULL in a row that an older program
-- wrote, which did not keep it; SQLite counts NULLs as different, and such rows are unique by the key of before.
CREATE TABLE prediction_with_key (
    prediction_id   INTEGER PRIMARY KEY,
    loop_id         INTEGER NOT NULL REFERENCES loop (loop_id),
    pipeline        TEXT NOT NULL,
    pipeline_sha256 TEXT,
    weights_sha256  TEXT NOT NULL,
    precision       TEXT,
    weights_note    TEXT,
    view            TEXT,
    confidence      REAL NOT NULL,
    abstained       INTEGER NOT NULL CHECK (abstained IN (0, 1)),
    reason          TEXT,
    probabilities   TEXT NOT NULL,
    prediction_set  TEXT,
    energy          REAL,
    clips           INTEGER NOT NULL,
    frames_used     INTEGER NOT NULL,
    ecg_source      TEXT NOT NULL,
    timings_ms      TEXT NOT NULL,
    findings        TEXT,
    created_at      TEXT NOT NULL
) STRICT;

INSERT INTO prediction_with_key (prediction_id, loop_id, pipeline, weights_sha256, weights_note, view, confidence,
    abstained, reason, probabilities, clips, frames_used, ecg_source, timings_ms, created_at)
SELECT prediction_id, loop_id, pipeline, weights_sha256, weights_note, view, confidence,
    abstained, reason, probabilities, clips, frames_used, ecg_source, timings_ms, created_at
FROM prediction;

DROP TABLE prediction;
ALTER TABLE prediction_with_key RENAME TO prediction;

CREATE UNIQUE INDEX prediction_by_key
    ON prediction (loop_id, pipeline, weights_sha256, pipeline_sha256, precision);

CREATE TRIGGER prediction_is_never_overwritten BEFORE UPDATE ON prediction
BEGIN
    SELECT RAISE(ABORT, 'a prediction is never overwritten');
END;
