-- Reviews by two readers, taken back or not sure; order of the studies on the page.

ALTER TABLE review ADD COLUMN role TEXT NOT NULL DEFAULT 'reader'
    CHECK (role IN ('reader', 'second_reader', 'adjudicator'));
ALTER TABLE review ADD COLUMN not_sure INTEGER NOT NULL DEFAULT 0 CHECK (not_sure IN (0, 1));
ALTER TABLE review ADD COLUMN withdrawn_at TEXT;

CREATE INDEX study_by_activity ON study (last_activity);

DROP VIEW loop_label;

-- One row a loop: its view by the newest review that counts, else by the newest prediction. What a second reader says does
-- not count: where it differs, an adjudicator decides.
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
        WHEN review.not_sure THEN 'unsure'
        WHEN review.review_id IS NOT NULL THEN iif(review.view IS NULL, 'without_view', 'labelled')
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
    (SELECT max(newest.prediction_id) FROM prediction AS newest
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256)
LEFT JOIN review ON review.review_id =
    (SELECT max(newest.review_id) FROM review AS newest
     WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
     AND newest.withdrawn_at IS NULL AND newest.role <> 'second_reader');
