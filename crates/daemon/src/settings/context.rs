//! Single values of the configuration file.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::polling::Polling;
use crate::DaemonError;

/// Turns single values into settings, and knows where they come from when one makes no sense.
pub(super) struct Context<'a> {
    pub origin: &'a str,
}

impl Context<'_> {
    pub fn problem(&self, key: &'static str, problem: String) -> DaemonError {
        DaemonError::Setting { origin: self.origin.to_owned(), key, problem }
    }

    pub fn seconds(&self, key: &'static str, seconds: f64, least: f64) -> Result<SignedDuration, DaemonError> {
        let year = 366.0 * 86_400.0;
        if !(least..=year).contains(&seconds) {
            return Err(self.problem(key, format!("{seconds} is not between {least} seconds and a year")));
        }
        SignedDuration::try_from_secs_f64(seconds).map_err(|error| self.problem(key, error.to_string()))
    }

    pub fn minutes(&self, key: &'static str, minutes: f64) -> Result<SignedDuration, DaemonError> {
        self.seconds(key, minutes * 60.0, 0.0)
    }

    pub fn at_least_one<N: PartialOrd + From<u8>>(&self, key: &'static str, number: N) -> Result<N, DaemonError> {
        if number < N::from(1) { Err(self.problem(key, "must be 1 or more".to_owned())) } else { Ok(number) }
    }

    pub fn polling(&self, name: &str) -> Result<Polling, DaemonError> {
        match name {
            "auto" => Ok(Polling::Auto),
            "always" => Ok(Polling::Always),
            "never" => Ok(Polling::Never),
            other => {
                Err(self.problem("inbox.polling", format!("{other:?} is none of \"auto\", \"always\", \"never\"")))
            }
        }
    }

    pub fn time_zone(&self, name: Option<&str>) -> Result<TimeZone, DaemonError> {
        match name {
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name).map_err(|error| self.problem("labelling.time_zone", error.to_string())),
        }
    }
}
