//! Meaning of the server's errors.

use postgres::Error;
use postgres::error::SqlState;

/// Returns true when the same statement may succeed later: the server is away, starts, is full, or another transaction is in the
/// way.
pub(crate) fn is_temporary(error: &Error) -> bool {
    let Some(state) = error.code() else {
        // Without a code it is no answer of the server, except where the caller's value has another type.
        return error.is_closed() || has_io_cause(error);
    };
    is_rolled_back_for_another(state)
        || matches!(class(state), CONNECTION | RESOURCES | SYSTEM)
        || [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(state)
}

/// Returns true when the server rolled a transaction back because it and another one cannot both be.
pub(crate) fn is_rolled_back_for_another(state: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
}

/// Returns what keeps the database from being used, in words for logs.
pub(crate) fn trouble(error: &Error) -> &'static str {
    match error.code() {
        None => "its server does not answer",
        Some(state) if *state == SqlState::DISK_FULL => "the disk is full",
        Some(state) if *state == SqlState::LOCK_NOT_AVAILABLE => "another program holds it",
        Some(state) if *state == SqlState::TOO_MANY_CONNECTIONS => "its server has too many connections",
        Some(state) if matches!(class(state), CONNECTION | SHUTDOWN) => "its server does not answer",
        Some(_) => "it refuses",
    }
}

const CONNECTION: &str = "08";
const RESOURCES: &str = "53";
const SHUTDOWN: &str = "57";
const SYSTEM: &str = "58";

/// Returns the class of a code: its first two characters.
fn class(state: &SqlState) -> &str {
    state.code().get(..2).unwrap_or_default()
}

fn has_io_cause(error: &Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .any(|cause| cause.is::<std::io::Error>())
}
