//! Failures of a request, and how they are answered.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use store::StoreError;

use crate::pages::layout;

/// Failure of a request.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is no such study, loop or page.
    #[error("there is no {0}")]
    NotFound(String),
    /// The request cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of a loop is gone or cannot be read.
    #[error("the file of the loop cannot be read: {0}")]
    File(String),
    /// The folder of models cannot be used.
    #[error("the models cannot be used: {0}")]
    Models(String),
    /// The server is being stopped.
    #[error("the server is being stopped")]
    Stopped,
    /// The server cannot listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address and port.
        address: String,
        /// The reason.
        source: std::io::Error,
    },
}

impl PageError {
    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) | Self::Store(StoreError::UnknownLoop(_) | StoreError::UnknownStudy(_)) => {
                StatusCode::NOT_FOUND
            }
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Store(error) if error.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            Self::File(_) => StatusCode::GONE,
            Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Models(_) | Self::Listen { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the words of the answer; what the database says may hold paths and stays in the log.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Store(StoreError::UnknownLoop(uid)) => format!("there is no loop {uid}"),
            Self::Store(StoreError::UnknownStudy(uid)) => format!("there is no study {uid}"),
            Self::Store(error) if error.is_temporary() => "the database cannot be used now; try again".to_owned(),
            Self::Store(_) => "the database failed; the log of the program says more".to_owned(),
            other => other.to_string(),
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Store(error) = &self
            && status.is_server_error()
        {
            tracing::warn!(trouble = error.trouble(), "the page could not use the database");
        }
        (status, layout::message(status, &self.words())).into_response()
    }
}
