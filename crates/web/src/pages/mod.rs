//! The pages.

pub(crate) mod drift;
pub(crate) mod jobs;
pub(crate) mod layout;
pub(crate) mod learn;
pub(crate) mod login;
pub(crate) mod loop_page;
pub(crate) mod review;
pub(crate) mod studies;
pub(crate) mod study;
mod words;
