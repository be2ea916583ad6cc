//! Notices that a person puts another model in use while the daemon runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daemon::{Settings, Shutdown};
use pipeline::Pipeline;

use crate::active_model::ActiveModel;
use crate::systemd;

/// Time from one check of the end of the run to the next.
const POLL: Duration = Duration::from_millis(50);
/// Polls from one reading of the file that names the model in use to the next.
const POLLS_PER_READING: u32 = 20;

/// Waits until the run has ended or shall end, and passes the request on to it.
///
/// Returns the pipeline to go on with where another one was put in use: it is open before the run ends, so a model that
/// does not open changes nothing.
pub fn wait(
    settings: &Settings,
    once: bool,
    shutdown: &Shutdown,
    run: &Shutdown,
    ended: &AtomicBool,
) -> Option<Pipeline> {
    // A pipeline that is named in the settings is used whatever is put in use.
    let is_switchable = !once && settings.labelling.pipeline.is_none();
    let in_use = || ActiveModel::read(&settings.models).ok().map(|active| active.name().to_owned());
    let mut known = in_use();
    let mut next = None;
    let mut polls = 0_u32;
    while !ended.load(Ordering::SeqCst) && next.is_none() && !shutdown.requested() {
        std::thread::sleep(POLL);
        polls += 1;
        if !is_switchable || !polls.is_multiple_of(POLLS_PER_READING) {
            continue;
        }
        let now = in_use();
        if now.is_some() && now != known {
            next = open(settings, now.as_deref());
            known = now;
        }
    }
    if shutdown.requested() {
        systemd::stop();
    }
    run.request();
    next
}

fn open(settings: &Settings, name: Option<&str>) -> Option<Pipeline> {
    match super::open_view_pipeline(settings) {
        Ok(pipeline) => {
            tracing::info!(model = name, "another model is in use from now on");
            Some(pipeline)
        }
        Err(error) => {
            tracing::error!(model = name, error = %crate::output::error_text(&error), "the model put in use does not open, going on with the one before");
            None
        }
    }
}
