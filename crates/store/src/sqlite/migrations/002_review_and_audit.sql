CREATE TABLE review (
    review_id  INTEGER PRIMARY KEY,
    loop_id    INTEGER NOT NULL REFERENCES loop (loop_id),
    view       TEXT,
    reviewer   TEXT NOT NULL,
    comment    TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX review_by_loop ON review (loop_id);

-- What happened that the other tables do not show: conflicts, duplicates, studies closed and reopened.
CREATE TABLE audit (
    audit_id           INTEGER PRIMARY KEY,
    at                 TEXT NOT NULL,
    event              TEXT NOT NULL,
    study_instance_uid TEXT,
    sop_instance_uid   TEXT,
    details            TEXT NOT NULL
) STRICT;
