//! The tables with their columns, as a copy of a whole database needs them.

use super::Value;

/// A table that both databases have.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    /// Column that tells rows apart.
    pub key: &'static str,
    /// The columns that hold something, those of the key first; computed ones are not among them.
    pub columns: &'static [&'static str],
}

impl Table {
    /// Returns a key that comes before all of the table.
    pub fn before_all(&self) -> Value {
        if self.has_numbers() { Value::Integer(i64::MIN) } else { Value::Text(String::new()) }
    }

    /// Returns whether the key is a number that the database counts up.
    pub fn has_numbers(&self) -> bool {
        !matches!(self.key, "sha256" | "name")
    }
}

/// Each table after those that its rows refer to.
pub(crate) const TABLES: [Table; 11] = [
    Table {
        name: "study",
        key: "study_id",
        columns: &["study_id", "study_instance_uid", "first_seen", "last_activity", "closed_at", "lacks_views"],
    },
    Table {
        name: "loop",
        key: "loop_id",
        columns: &[
            "loop_id",
            "study_id",
            "sop_instance_uid",
            "series_instance_uid",
            "content_sha256",
            "transfer_syntax",
            "manufacturer",
            "mode",
            "rows",
            "columns",
            "frames",
            "frame_time_ms",
            "acquired",
            "skip_reason",
            "created_at",
            "pixel_sha256",
            "facts_job_id",
            "not_tte",
            "scanner_model",
            "to_read",
        ],
    },
    Table {
        name: "job",
        key: "job_id",
        columns: &[
            "job_id",
            "path",
            "size_bytes",
            "modified_unix_ns",
            "inode",
            "changed_unix_ns",
            "sample_sha256",
            "state",
            "attempts",
            "interruptions",
            "worker",
            "lease_until",
            "not_before",
            "error_kind",
            "error_message",
            "content_sha256",
            "duplicate",
            "replaces_loop",
            "loop_id",
            "sop_instance_uid",
            "study_instance_uid",
            "enqueued_at",
            "finished_at",
        ],
    },
    Table {
        name: "prediction",
        key: "prediction_id",
        columns: &[
            "prediction_id",
            "loop_id",
            "pipeline",
            "pipeline_sha256",
            "weights_sha256",
            "precision",
            "weights_note",
            "view",
            "confidence",
            "abstained",
            "reason",
            "probabilities",
            "prediction_set",
            "energy",
            "clips",
            "frames_used",
            "ecg_source",
            "timings_ms",
            "findings",
            "created_at",
            "weights_status",
            "pixel_sha256",
            "frame_indexes",
        ],
    },
    Table {
        name: "review",
        key: "review_id",
        columns: &[
            "review_id",
            "loop_id",
            "view",
            "reviewer",
            "comment",
            "created_at",
            "pixel_sha256",
            "role",
            "not_sure",
            "withdrawn_at",
        ],
    },
    Table {
        name: "audit",
        key: "audit_id",
        columns: &["audit_id", "at", "event", "study_instance_uid", "sop_instance_uid", "details"],
    },
    Table { name: "pipeline", key: "sha256", columns: &["sha256", "name", "views", "last_used"] },
    Table { name: "preferred_pipeline", key: "name", columns: &["name", "turn"] },
    Table { name: "report_due", key: "study_id", columns: &["study_id", "since"] },
    Table {
        name: "report",
        key: "report_id",
        columns: &[
            "report_id",
            "study_id",
            "revision",
            "content_sha256",
            "content_time",
            "report_uid",
            "report_series_uid",
            "key_objects_uid",
            "key_objects_series_uid",
            "created_at",
        ],
    },
    Table {
        name: "outbox",
        key: "outbox_id",
        columns: &[
            "outbox_id",
            "destination",
            "kind",
            "study_instance_uid",
            "object_uid",
            "payload",
            "state",
            "attempts",
            "not_before",
            "status",
            "queued_at",
            "finished_at",
        ],
    },
];
