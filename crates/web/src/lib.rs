//! The page of a lab: its studies, loops that play, reviews by one key, jobs; the same as JSON; metrics and health.
//!
//! No rule of the lab is in here: each action is a method of the store, or of the program ([`Learning`]). The server listens where it is told, asks everybody
//! for a token, and answers only requests that name it as their host and come from its own pages.

mod api;
mod app;
mod assets;
mod blocking;
mod error;
mod frames;
mod guard;
mod learning;
mod loop_facts;
mod loop_record;
mod metrics;
mod names;
mod pages;
mod program;
mod reviewing;
mod router;
mod server;
mod session;
mod settings;

pub use error::PageError;
pub use learning::{
    AdaptationReport, AdaptedModel, Learning, LearningAction, LearningEnd, LearningState, LearningTask,
};
pub use program::{Explain, Program, Reports};
pub use server::Server;
pub use session::Token;
pub use settings::{ServerSettings, Stores};
