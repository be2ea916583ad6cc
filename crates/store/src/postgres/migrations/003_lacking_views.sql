-- Studies whose loops do not show all views of their label set; the migration of SQLite says more. After the views.

ALTER TABLE study ADD COLUMN lacks_views boolean NOT NULL DEFAULT FALSE;

UPDATE study SET lacks_views = TRUE WHERE (
    EXISTS (
        SELECT view FROM study_label_set WHERE study_label_set.study_instance_uid = study.study_instance_uid
        EXCEPT SELECT view FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid)
    AND (
        NOT EXISTS (SELECT 1 FROM loop WHERE loop.study_id = study.study_id AND not_tte IS NOT NULL)
        OR EXISTS (SELECT 1 FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
            AND state = 'labelled' AND not_tte IS NULL)));

CREATE INDEX study_lacking_views ON study (last_activity, study_id) WHERE lacks_views;
