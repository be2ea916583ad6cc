-- Which prediction of a loop counts, and which loops a person should read.

-- The pipelines that were preferred, the latest with the highest turn: its predictions count before those of others, whenever they
-- were made. Without a row here the newest prediction counts.
CREATE TABLE preferred_pipeline (
    name TEXT NOT NULL PRIMARY KEY,
    turn INTEGER NOT NULL
) STRICT;

-- Why a person should read a loop that nobody has read: 1 and more where the model is not sure; 0 to 1 where models differ or
-- several views are possible; -1 for one in fifty others. The less sure the model, the larger. NULL for loops that need not be read.
ALTER TABLE loop ADD COLUMN to_read REAL;

UPDATE loop SET to_read = (
    SELECT CASE
        WHEN prediction.view IS NULL THEN 2 - prediction.confidence
        WHEN json_array_length(prediction.prediction_set) > 1
            OR EXISTS (SELECT 1 FROM prediction AS other WHERE other.loop_id = loop.loop_id
                AND other.pixel_sha256 = loop.pixel_sha256 AND other.view <> prediction.view)
        THEN 1 - prediction.confidence
        WHEN loop.loop_id * 2654435761 % 50 = 0 THEN -1
    END
    FROM prediction WHERE prediction.prediction_id =
        (SELECT max(newest.prediction_id) FROM prediction AS newest
         WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256))
WHERE NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
    AND withdrawn_at IS NULL AND review.pixel_sha256 = loop.pixel_sha256);

CREATE INDEX loop_to_read ON loop (to_read, loop_id) WHERE to_read NOT NULL;
CREATE INDEX loop_unsure ON loop (study_id) WHERE to_read >= 1;
