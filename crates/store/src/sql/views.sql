-- The views for SQL clients, in the words that SQLite and PostgreSQL have in common: this text is a migration of both. A change
-- is a new file. PostgreSQL gets functions of SQLite's names where it has none of the same meaning.

DROP VIEW IF EXISTS study_summary;
DROP VIEW IF EXISTS file_state;
DROP VIEW IF EXISTS study_missing_view;
DROP VIEW IF EXISTS study_protocol;
DROP VIEW IF EXISTS study_label_set;
DROP VIEW IF EXISTS study_view;
DROP VIEW IF EXISTS ranked_loop;
DROP VIEW IF EXISTS loop_label;

-- One row a loop: its view by the newest review that counts, else by the prediction that counts. What a second reader says does
-- not count: where it differs, an adjudicator decides.
CREATE VIEW loop_label AS
SELECT
    study.study_instance_uid,
    loop.sop_instance_uid,
    CASE WHEN review.review_id IS NULL THEN prediction.view ELSE review.view END AS view,
    CASE
        WHEN review.review_id IS NULL OR coalesce(review.view, '') = coalesce(prediction.view, '') THEN coalesce(prediction.confidence, 0.0)
        ELSE coalesce((SELECT CAST(value AS DOUBLE PRECISION) FROM json_each(prediction.probabilities) WHERE key = review.view), 0.0)
    END AS confidence,
    review.review_id IS NOT NULL AS reviewed,
    CASE
        WHEN review.not_sure THEN 'unsure'
        WHEN review.review_id IS NOT NULL THEN CASE WHEN review.view IS NULL THEN 'without_view' ELSE 'labelled' END
        WHEN prediction.prediction_id IS NULL THEN 'without_view'
        WHEN prediction.view IS NULL THEN 'unsure'
        ELSE 'labelled'
    END AS state,
    CASE
        WHEN review.not_sure THEN coalesce(review.comment, 'a person is not sure')
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
    (SELECT newest.prediction_id FROM prediction AS newest
     LEFT JOIN preferred_pipeline ON preferred_pipeline.name = newest.pipeline
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
     ORDER BY coalesce(preferred_pipeline.turn, 0) DESC, newest.prediction_id DESC LIMIT 1)
LEFT JOIN review ON review.review_id =
    (SELECT max(newest.review_id) FROM review AS newest
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
     AND newest.withdrawn_at IS NULL AND newest.role <> 'second_reader');

-- The loops that show a view; `place` is 1 for the best loop of a view in a study.
CREATE VIEW ranked_loop AS
SELECT *,
    row_number() OVER (
        PARTITION BY study_instance_uid, view
        ORDER BY confidence DESC, coalesce(frames, 0) DESC, acquired IS NULL, acquired, sop_instance_uid
    ) AS place,
    count(*) OVER (PARTITION BY study_instance_uid, view) AS loops
FROM loop_label
WHERE view IS NOT NULL;

-- One row a study and view that was found in it, with the best loop of that view.
CREATE VIEW study_view AS
SELECT study_instance_uid, view, loops, sop_instance_uid AS best_loop, confidence, reviewed
FROM ranked_loop
WHERE place = 1;

-- One row a study and view of its label set: that of the pipeline which made the study's prediction that counts.
CREATE VIEW study_label_set AS
SELECT study.study_instance_uid, wanted.value AS view, CAST(wanted.key AS INTEGER) AS position
FROM study
CROSS JOIN json_each((
    SELECT pipeline.views
    FROM loop
    JOIN prediction USING (loop_id)
    JOIN pipeline ON pipeline.sha256 = prediction.pipeline_sha256
    LEFT JOIN preferred_pipeline ON preferred_pipeline.name = prediction.pipeline
    WHERE loop.study_id = study.study_id
    ORDER BY coalesce(preferred_pipeline.turn, 0) DESC, prediction.prediction_id DESC LIMIT 1
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
             WHERE loop.study_id = study.study_id AND not_tte IS NOT NULL ORDER BY loop_id LIMIT 1),
            CASE
                WHEN NOT EXISTS (SELECT 1 FROM loop JOIN prediction USING (loop_id) WHERE loop.study_id = study.study_id)
                THEN 'no model was asked about a loop of the study'
            END)
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
        WHERE missing.study_instance_uid = study.study_instance_uid ORDER BY missing.position) AS missing) AS missing_views,
    study_protocol.missing_withheld
FROM study
JOIN study_protocol USING (study_instance_uid);
