//! Jobs as JSON.

use axum::Json;
use axum::extract::{Query, State};
use domain::{JobId, StudyUid, path_tag};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{FailedJobs, JobFilter, JobRow, JobState};

use crate::PageError;
use crate::app::App;

/// A job without its path, which may hold a name.
#[derive(Debug, Serialize)]
pub(crate) struct JobLine {
    pub(crate) job_id: JobId,
    /// Stands for the file's path, here and in the log.
    pub(crate) path_tag: String,
    pub(crate) state: JobState,
    pub(crate) attempts: u32,
    pub(crate) kind: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) study_instance_uid: Option<StudyUid>,
    pub(crate) enqueued_at: Timestamp,
}

impl From<JobRow> for JobLine {
    fn from(row: JobRow) -> Self {
        Self {
            job_id: row.job_id,
            path_tag: path_tag(&row.file.path),
            state: row.state,
            attempts: row.attempts,
            kind: row.error_kind,
            reason: row.error_message,
            study_instance_uid: row.study_instance_uid,
            enqueued_at: row.enqueued_at,
        }
    }
}

/// Jobs that are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct JobQuery {
    state: Option<String>,
    kind: Option<String>,
}

/// Failed jobs that shall be tried again: one, or all of a kind.
#[derive(Debug, Deserialize)]
pub(crate) struct RetryRequest {
    pub(crate) job_id: Option<i64>,
    pub(crate) kind: Option<String>,
}

impl RetryRequest {
    /// Returns which jobs are meant.
    ///
    /// # Errors
    /// [`PageError::Invalid`] where neither or both are named.
    pub(crate) fn which(self) -> Result<FailedJobs, PageError> {
        match (self.job_id, self.kind) {
            (Some(job_id), None) => Ok(FailedJobs::Id(JobId(job_id))),
            (None, Some(kind)) => Ok(FailedJobs::Kind(kind)),
            _ => Err(PageError::Invalid("name one job by job_id, or a kind".to_owned())),
        }
    }
}

/// Answers with jobs, oldest first.
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<JobQuery>,
) -> Result<Json<Vec<JobLine>>, PageError> {
    let filter = JobFilter { state: query.state.as_deref().and_then(JobState::from_name), kind: query.kind };
    let rows = app.stores.read(move |store| store.jobs(&filter)).await?;
    Ok(Json(rows.into_iter().map(JobLine::from).collect()))
}

/// Puts failed jobs back into the queue.
pub(crate) async fn retry(
    State(app): State<App>,
    Json(request): Json<RetryRequest>,
) -> Result<Json<Vec<JobId>>, PageError> {
    let which = request.which()?;
    Ok(Json(app.stores.write(move |store| store.retry_failed(&which)).await?))
}
