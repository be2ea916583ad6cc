//! The part of `echolabel jobs` about what is sent.

use store::{Outbox as _, OutboxRow, OutboxState, Store};

use super::Outcome;
use crate::output;

/// Lists reports and messages.
pub fn list(store: &Store, state: Option<OutboxState>, json: bool) -> Outcome {
    let mut rows = store.outbox()?;
    rows.retain(|row| state.is_none_or(|state| row.state == state));
    if json {
        return rows.iter().try_for_each(output::json_line);
    }
    if rows.is_empty() {
        return output::line("nothing was to be sent");
    }
    rows.iter().try_for_each(print)
}

/// Queues what failed or waits again.
pub fn retry(store: &Store) -> Outcome {
    for id in store.retry_outbox()? {
        output::line(format_args!("outbox {id} is sent again"))?;
    }
    Ok(())
}

fn print(row: &OutboxRow) -> Outcome {
    let OutboxRow { outbox_id, destination, kind, state, object_uid, attempts, .. } = row;
    let status = row.status.as_deref().map(|status| format!("  ({status})")).unwrap_or_default();
    let next = row.not_before.map(|time| format!(", next try {time:.0}")).unwrap_or_default();
    output::line(format_args!(
        "{outbox_id:>6}  {state:<8} {kind:<11} to {destination}  {object_uid}  {attempts} tries{next}{status}"
    ))
}
