-- Times are UTC, ISO 8601 with six decimals, so that text order is time order.

CREATE TABLE study (
    study_id           INTEGER PRIMARY KEY,
    study_instance_uid TEXT NOT NULL UNIQUE,
    first_seen         TEXT NOT NULL,
    last_activity      TEXT NOT NULL,
    closed_at          TEXT
) STRICT;

CREATE TABLE loop (
    loop_id             INTEGER PRIMARY KEY,
    study_id            INTEGER NOT NULL REFERENCES study (study_id),
    sop_instance_uid    TEXT NOT NULL UNIQUE,
    series_instance_uid TEXT NOT NULL,
    content_sha256      TEXT NOT NULL,
    transfer_syntax     TEXT,
    manufacturer        TEXT,
    mode                TEXT NOT NULL,
    rows                INTEGER,
    columns             INTEGER,
    frames              INTEGER,
    frame_time_ms       REAL,
    acquired            TEXT,
    skip_reason         TEXT,
    created_at          TEXT NOT NULL
) STRICT;

CREATE INDEX loop_by_study ON loop (study_id);
CREATE INDEX loop_by_content ON loop (content_sha256);

-- One row a version of a file. The path is the bytes the system gave: it need not be UTF-8.
CREATE TABLE job (
    job_id             INTEGER PRIMARY KEY,
    path               BLOB NOT NULL,
    size_bytes         INTEGER NOT NULL,
    modified_unix_ns   INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    attempts           INTEGER NOT NULL DEFAULT 0,
    interruptions      INTEGER NOT NULL DEFAULT 0,
    worker             TEXT,
    lease_until        TEXT,
    not_before         TEXT,
    error_kind         TEXT,
    error_message      TEXT,
    content_sha256     TEXT,
    duplicate          INTEGER NOT NULL DEFAULT 0 CHECK (duplicate IN (0, 1)),
    loop_id            INTEGER REFERENCES loop (loop_id),
    sop_instance_uid   TEXT,
    study_instance_uid TEXT,
    enqueued_at        TEXT NOT NULL,
    finished_at        TEXT,
    UNIQUE (path, size_bytes, modified_unix_ns)
) STRICT;

CREATE INDEX job_by_turn ON job (state, interruptions, job_id);
CREATE INDEX job_by_study ON job (study_instance_uid, state);
CREATE INDEX job_by_loop ON job (loop_id);

CREATE TABLE prediction (
    prediction_id  INTEGER PRIMARY KEY,
    loop_id        INTEGER NOT NULL REFERENCES loop (loop_id),
    pipeline       TEXT NOT NULL,
    weights_sha256 TEXT NOT NULL,
    weights_note   TEXT,
    view           TEXT,
    confidence     REAL NOT NULL,
    abstained      INTEGER NOT NULL CHECK (abstained IN (0, 1)),
    reason         TEXT,
    probabilities  TEXT NOT NULL,
    clips          INTEGER NOT NULL,
    frames_used    INTEGER NOT NULL,
    ecg_source     TEXT NOT NULL,
    timings_ms     TEXT NOT NULL,
    created_at     TEXT NOT NULL,
    UNIQUE (loop_id, pipeline, weights_sha256)
) STRICT;

CREATE TRIGGER prediction_is_never_overwritten BEFORE UPDATE ON prediction
BEGIN
    SELECT RAISE(ABORT, 'a prediction is never overwritten');
END;
