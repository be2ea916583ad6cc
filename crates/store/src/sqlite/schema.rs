//! The numbered migrations and how a database file is brought to the newest.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use rusqlite_migration::{M, Migrations};

use crate::StoreError;
use crate::error::is_damage;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/001_jobs_loops_predictions.sql")),
    M::up(include_str!("migrations/002_review_and_audit.sql")),
    M::up(include_str!("migrations/003_prediction_key.sql")),
    M::up(include_str!("migrations/004_study_views.sql")),
    M::up(include_str!("migrations/005_file_states.sql")),
    M::up(include_str!("migrations/006_reports_and_outbox.sql")),
