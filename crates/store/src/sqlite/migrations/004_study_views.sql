-- Pipelines that have labelled loops, with the views that a complete study has in the order of the label set.
CREATE TABLE pipeline (
    sha256    TEXT NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    views     TEXT NOT NULL CHECK (json_type(views) = 'array'),
    last_used TEXT NOT NULL
) STRICT;

-- The newest prediction of a loop is found by the loop's key alone.
CREATE INDEX prediction_by_loop ON prediction (loop_id);

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
        WHEN review.review_id IS NOT NULL THEN iif(review.view IS NULL, 'reviewed', 'labelled')
        WHEN prediction.prediction_id IS NULL THEN 'skipped'
        WHEN prediction.view IS NULL THEN 'abstained'
        ELSE 'labelled'
    END AS outcome,
    CASE
        WHEN review.review_id IS NOT NULL THEN review.comment
        WHEN prediction.prediction_id IS NOT NULL THEN prediction.reason
        ELSE loop.skip_reason
    END AS reason,
    loop.mode,
    loop.frames,
    loop.acquired
FROM study
JOIN loop USING (study_id)
LEFT JOIN prediction ON prediction.prediction_id =
    (SELECT max(newest.prediction_id) FROM prediction AS newest WHERE newest.loop_id = loop.loop_id)
LEFT JOIN review ON review.review_id =
    (SELECT max(newest.review_id) FROM review AS newest WHERE newest.loop_id = loop.loop_id);

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

-- One row a study and view of its label set: that of the pipeline which made the study's newest prediction, else that of
-- the pipeline which was used last.
CREATE VIEW study_label_set AS
SELECT study.study_instance_uid, wanted.value AS view, wanted.key AS position
FROM study
JOIN json_each(coalesce(
    (SELECT pipeline.views
     FROM loop
     JOIN prediction USING (loop_id)
     JOIN pipeline ON pipeline.sha256 = prediction.pipeline_sha256
     WHERE loop.study_id = study.study_id
     ORDER BY prediction.prediction_id DESC LIMIT 1),
    (SELECT pipeline.views FROM pipeline ORDER BY pipeline.last_used DESC LIMIT 1)
)) AS wanted;

-- One row a study and view of its label set that was not found in it.
CREATE VIEW study_missing_view AS
SELECT study_instance_uid, view, position
FROM study_label_set
WHERE NOT EXISTS (
    SELECT 1 FROM loop_label
    WHERE loop_label.study_instance_uid = study_label_set.study_instance_uid AND loop_label.view = study_label_set.view
);

-- One row a study.
CREATE VIEW study_summary AS
SELECT
    study.study_instance_uid,
    study.first_seen,
    study.last_activity,
    study.closed_at IS NOT NULL AS closed,
    study.closed_at,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND job.error_kind IS NOT 'superseded') AS files,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND job.state IN ('pending', 'running')) AS waiting,
    (SELECT count(*) FROM job WHERE job.study_instance_uid = study.study_instance_uid
        AND job.state = 'failed') AS failed,
    (SELECT count(*) FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
        AND outcome = 'labelled') AS labelled,
    (SELECT count(*) FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
        AND outcome = 'abstained') AS unsure,
    (SELECT count(*) FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
        AND outcome IN ('skipped', 'reviewed')) AS without_view,
    -- Sorted in a subquery: programs with an SQLite before 3.44 could not read an ORDER BY inside the aggregate.
    (SELECT group_concat(view, ', ') FROM (
        SELECT view FROM study_missing_view AS missing
        WHERE missing.study_instance_uid = study.study_instance_uid ORDER BY missing.position)) AS missing_views
FROM study;
