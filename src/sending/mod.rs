//! Reports out: the thread of `watch` that makes the reports of closed studies and works the outbox off.

mod check;
mod delivery;
mod dicom;
mod reports;
mod sender;
mod stow;
mod tls;

pub use check::problems;
pub use delivery::Delivery;
pub use sender::Sender;
