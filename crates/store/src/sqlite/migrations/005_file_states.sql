-- Every file that was taken has one state; a loop is its pixels, whatever header they come with.

DROP VIEW study_summary;
DROP VIEW study_missing_view;
DROP VIEW study_label_set;
DROP VIEW study_view;
DROP VIEW ranked_loop;
DROP VIEW loop_label;

-- A version of a file is told by inode, change time and sample too: a program may replace a file and keep its size and
-- time of writing. NULL in rows of an older program.
CREATE TABLE job_with_state (
    job_id             INTEGER PRIMARY KEY,
    path               BLOB NOT NULL,
    size_bytes         INTEGER NOT NULL,
    modified_unix_ns   INTEGER NOT NULL,
    inode              INTEGER,
    changed_unix_ns    INTEGER,
    sample_sha256      TEXT,
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
    replaces_loop      INTEGER NOT NULL DEFAULT 0 CHECK (replaces_loop IN (0, 1)),
    loop_id            INTEGER REFERENCES loop (loop_id),
    sop_instance_uid   TEXT,
    study_instance_uid TEXT,
    enqueued_at        TEXT NOT NULL,
    finished_at        TEXT,
    -- 'loop': the file of a loop; the state is then that of loop_label.
    file_state         TEXT NOT NULL GENERATED ALWAYS AS (CASE
        WHEN error_kind IS 'superseded' AND state = 'skipped' THEN 'superseded'
        WHEN state IN ('pending', 'running') THEN 'waiting'
        WHEN state = 'failed' THEN iif(error_kind IS 'incomplete', 'incomplete', 'failed')
        WHEN error_kind IS 'conflicting_content' THEN 'conflict'
        WHEN duplicate THEN 'duplicate'
        WHEN error_kind IN ('not_dicom', 'ignored_name', 'archive') THEN 'not_dicom'
        WHEN loop_id IS NULL THEN 'no_image'
        ELSE 'loop'
    END) VIRTUAL,
    UNIQUE (path, size_bytes, modified_unix_ns, sample_sha256)
) STRICT;

INSERT INTO job_with_state (job_id, path, size_bytes, modified_unix_ns, state, attempts, interruptions, worker,
    lease_until, not_before, error_kind, error_message, content_sha256, duplicate, loop_id, sop_instance_uid,
    study_instance_uid, enqueued_at, finished_at)
SELECT job_id, path, size_bytes, modified_unix_ns, state, attempts, interruptions, worker,
    lease_until, not_before, error_kind, error_message, content_sha256, duplicate, loop_id, sop_instance_uid,
    study_instance_uid, enqueued_at, finished_at
FROM job;

DROP TABLE job;
ALTER TABLE job_with_state RENAME TO job;

CREATE INDEX job_by_turn ON job (state, interruptions, job_id);
CREATE INDEX job_by_study ON job (study_instance_uid, file_state);
CREATE INDEX job_by_loop ON job (loop_id);
CREATE INDEX job_by_sop ON job (sop_instance_uid);
CREATE INDEX job_by_end ON job (finished_at);

-- A failure of a study that no other file made known had no row.
INSERT INTO study (study_instance_uid, first_seen, last_activity)
SELECT study_instance_uid, min(enqueued_at), max(enqueued_at) FROM job
WHERE study_instance_uid NOT NULL GROUP BY study_instance_uid
ON CONFLICT DO NOTHING;

-- The digest of a loop's pixel data tells another object from another header; empty in rows of an older program.
-- `facts_job_id` is the job whose header the facts are of, `not_tte` why the loop is no transthoracic echo.
ALTER TABLE loop ADD COLUMN pixel_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE loop ADD COLUMN facts_job_id INTEGER;
ALTER TABLE loop ADD COLUMN not_tte TEXT;

-- Predictions and reviews are about pixels: they do not count for the pixels of a file that a person put in their place.
ALTER TABLE prediction ADD COLUMN pixel_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE prediction ADD COLUMN weights_status TEXT;
ALTER TABLE review ADD COLUMN pixel_sha256 TEXT NOT NULL DEFAULT '';

DROP INDEX prediction_by_key;
CREATE UNIQUE INDEX prediction_by_key
    ON prediction (loop_id, pipeline, weights_sha256, pipeline_sha256, precision, pixel_sha256);

-- One row a loop: its view by the newest review, else by the newest prediction.
CREATE VIEW loop_label AS
SELECT
    study.study_instance_uid,
    loop.sop_instance_uid,
    CASE WHEN review.review_id IS NULL THEN prediction.view ELSE review.view END AS view,
    CASE
        WHEN review.review_id IS NULL OR review.view IS prediction.view THEN coalesce(prediction.confidence, 0.0)
        ELSE coalesce((SELECT value FROM json_each(prediction.probabilities) WHERE key = review.view), 0.0)
    END AS confidence,
    review.review_id IS NOT NULL AS reviewed,
    CASE
        WHEN review.review_id IS NOT NULL THEN iif(review.view IS NULL, 'without_view', 'labelled')
        WHEN prediction.prediction_id IS NULL THEN 'without_view'
        WHEN prediction.view IS NULL THEN 'unsure'
        ELSE 'labelled'
    END AS state,
    CASE
        WHEN review.review_id IS NOT NULL THEN review.comment
        WHEN prediction.prediction_id IS NOT NULL THEN prediction.reason
        ELSE loop.skip_reason
    END AS reason,
    loop.mode,
    loop.frames,
    loop.acquired,
    loop.not_tte,
    prediction.weights_status AS standing,
    loop.loop_id
FROM study
JOIN loop USING (study_id)
LEFT JOIN prediction ON prediction.prediction_id =
    (SELECT max(newest.prediction_id) FROM prediction AS newest
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256)
LEFT JOIN review ON review.review_id =
    (SELECT max(newest.review_id) FROM review AS newest
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256);

-- The loops that show a view; `place` is 1 for the best loop of a view in a study.
CREATE VIEW ranked_loop AS
SELECT *,
    row_number() OVER (
        PARTITION BY study_instance_uid, view
        ORDER BY confidence DESC, frames DESC, acquired IS NULL, acquired, sop_instance_uid
    ) AS place,
    count(*) OVER (PARTITION BY study_instance_uid, view) AS loops
FROM loop_label
WHERE view IS NOT NULL;

-- One row a study and view that was found in it, with the best loop of that view.
CREATE VIEW study_view AS
SELECT study_instance_uid, view, loops, sop_instance_uid AS best_loop, confidence, reviewed
FROM ranked_loop
WHERE place = 1;

-- One row a study and view of its label set: that of the pipeline which made the study's newest prediction.
CREATE VIEW study_label_set AS
SELECT study.study_instance_uid, wanted.value AS view, wanted.key AS position
FROM study
JOIN json_each((
    SELECT pipeline.views
    FROM loop
    JOIN prediction USING (loop_id)
    JOIN pipeline ON pipeline.sha256 = prediction.pipeline_sha256
    WHERE loop.study_id = study.study_id
    ORDER BY prediction.prediction_id DESC LIMIT 1
)) AS wanted;

-- One row a study: why no view of it can be called missing; NULL where one can.
CREATE VIEW study_protocol AS
SELECT
    study.study_instance_uid,
    CASE
        WHEN EXISTS (SELECT 1 FROM job WHERE job.study_instance_uid = study.study_instance_uid
            AND (file_state = 'waiting' OR (file_state = 'incomplete' AND finished_at IS NULL)))
        THEN 'files of the study still wait or arrive'
        WHEN NOT EXISTS (SELECT 1 FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
            AND state = 'labelled' AND not_tte IS NULL)
        THEN coalesce(
            (SELECT 'the study is no transthoracic echo: ' || not_tte FROM loop
             WHERE loop.study_id = study.study_id AND not_tte NOT NULL ORDER BY loop_id LIMIT 1),
            iif(NOT EXISTS (SELECT 1 FROM loop JOIN prediction USING (loop_id) WHERE loop.study_id = study.study_id),
                'no model was asked about a loop of the study', NULL))
    END AS missing_withheld
FROM study;

-- One row a study and view of its label set that was not found in it.
CREATE VIEW study_missing_view AS
SELECT study_label_set.study_instance_uid, study_label_set.view, position
FROM study_label_set
JOIN study_protocol USING (study_instance_uid)
WHERE missing_withheld IS NULL AND NOT EXISTS (
    SELECT 1 FROM loop_label
    WHERE loop_label.study_instance_uid = study_label_set.study_instance_uid AND loop_label.view = study_label_set.view
);

-- One row a file: every one that was taken and that no later version of it replaced.
CREATE VIEW file_state AS
SELECT
    job.job_id,
    job.study_instance_uid,
    job.sop_instance_uid,
    CASE job.file_state
        WHEN 'loop' THEN coalesce((SELECT loop_label.state FROM loop_label WHERE loop_label.loop_id = job.loop_id),
            'without_view')
        ELSE job.file_state
    END AS state,
    job.error_kind AS kind,
    job.error_message AS reason,
    job.path,
    job.enqueued_at,
    job.finished_at
FROM job
WHERE job.file_state <> 'superseded';

-- One row a study. The counts from `labelled` to `duplicate` add up to `files`.
CREATE VIEW study_summary AS
SELECT
    study.study_instance_uid,
    study.first_seen,
    study.last_activity,
    study.closed_at IS NOT NULL AS closed,
    study.closed_at,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state <> 'superseded') AS files,
    (SELECT count(*) FROM file_state WHERE file_state.study_instance_uid = study.study_instance_uid
        AND state = 'labelled') AS labelled,
    (SELECT count(*) FROM file_state WHERE file_state.study_instance_uid = study.study_instance_uid
        AND state = 'unsure') AS unsure,
    (SELECT count(*) FROM file_state WHERE file_state.study_instance_uid = study.study_instance_uid
        AND state = 'without_view') AS without_view,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'no_image') AS no_image,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'failed') AS failed,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'incomplete') AS incomplete,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'conflict') AS conflict,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'duplicate') AS duplicate,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND file_state = 'waiting') AS waiting,
    -- Sorted in a subquery: programs with an SQLite before 3.44 could not read an ORDER BY inside the aggregate.
    (SELECT group_concat(view, ', ') FROM (
        SELECT view FROM study_missing_view AS missing
        WHERE missing.study_instance_uid = study.study_instance_uid ORDER BY missing.position)) AS missing_views,
    study_protocol.missing_withheld
FROM study
JOIN study_protocol USING (study_instance_uid);
