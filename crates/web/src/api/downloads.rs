//! Files of a study: a table, and a structured report.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use store::export::csv_table;

use crate::PageError;
use crate::app::App;

/// Sends the loops of a study as the rows of a table.
pub(crate) async fn csv(State(app): State<App>, Path(name): Path<String>) -> Result<impl IntoResponse, PageError> {
    let study = app.stores.study(&name).await?;
    let file = format!("study-{name}.csv");
    let bytes = app.stores.read(move |store| csv_table(store, &[&study], false)).await?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), attachment(&file)], bytes))
}

/// Sends the structured report of a study.
pub(crate) async fn report(State(app): State<App>, Path(name): Path<String>) -> Result<impl IntoResponse, PageError> {
    let study = app.stores.study(&name).await?;
    let file = format!("study-{name}.sr.dcm");
    let program = app.program.clone();
    let bytes = crate::blocking::spawn(move || program.reports.structured_report(&study)).await?;
    let bytes = bytes.map_err(PageError::Invalid)?;
    Ok(([(CONTENT_TYPE, "application/dicom".to_owned()), attachment(&file)], bytes))
}

/// Returns the header that has a browser keep an answer as a file; a name of a study is a number or a UID.
fn attachment(file: &str) -> (axum::http::HeaderName, String) {
    (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""))
}
