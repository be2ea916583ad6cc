//! Paths of files in the form that the lab wants them kept.

use std::path::PathBuf;

use super::{Result, Session, SessionExt as _, params};
use crate::PathForm;
use crate::path_form::{encrypted_range, path_bytes, path_from};

/// Returns an encrypted path, if there is one.
pub(crate) fn find_encrypted(session: &dyn Session) -> Result<Option<PathBuf>> {
    let [first, end] = encrypted_range();
    session.query_optional("SELECT path FROM job WHERE path >= ?1 AND path < ?2 LIMIT 1", params![first, end], |row| {
        Ok(path_from(row.get("path")?))
    })
}

/// Returns the paths that are not in the form.
pub(crate) fn of_another_form(session: &dyn Session, form: &PathForm) -> Result<Vec<PathBuf>> {
    let [first, end] = encrypted_range();
    let condition = match form.encrypts() {
        true => "path < ?1 OR path >= ?2",
        false => "path >= ?1 AND path < ?2",
    };
    let sql = format!("SELECT DISTINCT path FROM job WHERE {condition}");
    session.query_all(&sql, params![first, end], |row| Ok(path_from(row.get("path")?)))
}

/// Brings paths into the form.
pub(crate) fn rewrite(session: &dyn Session, form: &PathForm, stored: &[PathBuf]) -> Result<()> {
    stored.iter().try_for_each(|path| {
        let kept = form.kept(&form.revealed(path.clone()));
        session
            .execute("UPDATE job SET path = ?2 WHERE path = ?1", params![path_bytes(path), path_bytes(&kept)])
            .map(drop)
    })
}
