//! The state that every answer may use.

use std::sync::Arc;

use crate::program::Program;
use crate::session::Sessions;
use crate::settings::{ServerSettings, Stores};

/// Settings, connections and sessions of a server.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) settings: Arc<ServerSettings>,
    pub(crate) stores: Stores,
    pub(crate) program: Program,
    pub(crate) sessions: Sessions,
}
