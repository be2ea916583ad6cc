-- Reports of studies, and what waits to be sent to other systems.

-- Studies whose report is to be made: they were closed, or a closed one got another label.
CREATE TABLE report_due (
    study_id INTEGER PRIMARY KEY REFERENCES study (study_id),
    since    TEXT NOT NULL
) STRICT;

-- The versions of a study's report. Its documents are functions of the labels and of these rows. `content_sha256` does not
-- change with number and time: a report of the same digest is no new version.
CREATE TABLE report (
    report_id              INTEGER PRIMARY KEY,
    study_id               INTEGER NOT NULL REFERENCES study (study_id),
    revision               INTEGER NOT NULL CHECK (revision > 0),
    content_sha256         TEXT NOT NULL,
    content_time           TEXT NOT NULL,
    report_uid             TEXT NOT NULL,
    report_series_uid      TEXT NOT NULL,
    key_objects_uid        TEXT NOT NULL,
    key_objects_series_uid TEXT NOT NULL,
    created_at             TEXT NOT NULL,
    UNIQUE (study_id, revision)
) STRICT;

-- One row an object or message and destination. `payload` is what is sent; it names the patient where it is a document, and
-- is removed when it has arrived.
CREATE TABLE outbox (
    outbox_id          INTEGER PRIMARY KEY,
    destination        TEXT NOT NULL,
    kind               TEXT NOT NULL CHECK (kind IN ('report', 'key_objects', 'message')),
    study_instance_uid TEXT,
    object_uid         TEXT NOT NULL,
    payload            BLOB,
    state              TEXT NOT NULL CHECK (state IN ('pending', 'held', 'sent', 'failed')),
    attempts           INTEGER NOT NULL DEFAULT 0,
    not_before         TEXT,
    status             TEXT,
    queued_at          TEXT NOT NULL,
    finished_at        TEXT,
    UNIQUE (destination, object_uid)
) STRICT;

CREATE INDEX outbox_by_turn ON outbox (state, outbox_id);
