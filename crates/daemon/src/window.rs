//! The hours of the night in which loops are labelled.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// A daily window in local time; it may cross midnight.
///
/// It opens and closes at instants, not at readings of a wall clock: on the night when an hour repeats it opens and
/// closes once (at the first of two equal readings), and where an hour is missing it does so right after the gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightWindow {
    start: Time,
    end: Time,
}

impl NightWindow {
    /// Returns whether loops are labelled at `now`, for people who live by `time_zone`.
    pub fn is_open(&self, now: Timestamp, time_zone: &TimeZone) -> bool {
        let now = now.to_zoned(time_zone.clone());
        let yesterday = now.date().saturating_sub(1.day());
        [yesterday, now.date()].into_iter().any(|day| {
            let closing_day = if self.start < self.end { day } else { day.saturating_add(1.day()) };
            let opens = day.to_datetime(self.start).to_zoned(time_zone.clone());
            let closes = closing_day.to_datetime(self.end).to_zoned(time_zone.clone());
            is_between(&opens, &now, &closes)
        })
    }
}

/// False also where the calendar ends.
fn is_between(opens: &Result<Zoned, jiff::Error>, now: &Zoned, closes: &Result<Zoned, jiff::Error>) -> bool {
    matches!((opens, closes), (Ok(opens), Ok(closes)) if opens <= now && now < closes)
}

impl FromStr for NightWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || format!("{text:?} is not a window such as \"22:00-06:00\"");
        let (start, end) = text.split_once('-').ok_or_else(problem)?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| problem());
        let window = Self { start: time(start)?, end: time(end)? };
        if window.start == window.end {
            return Err(format!("{text:?} starts when it ends: leave the key out to label at any hour"));
        }
        Ok(window)
    }
}

impl fmt::Display for NightWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start.strftime("%H:%M"), self.end.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central European Time, written out so that the test needs no time zone database.
    fn central_europe() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    /// The instants (UTC) at which the window changes between two instants, looked at every minute.
    fn changes(window: &str, from: &str, to: &str) -> Vec<String> {
        let window: NightWindow = window.parse().unwrap();
        let (mut now, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
        let mut open = window.is_open(now, &central_europe());
        let mut changes = Vec::new();
        while now < to {
            now += 1.minute();
            let is_open = window.is_open(now, &central_europe());
            if is_open != open {
                changes.push(format!("{} {now}", if is_open { "opens" } else { "closes" }));
                open = is_open;
            }
        }
        changes
    }

    #[test]
    fn a_window_may_cross_midnight() {
        let expected = ["opens 2026-01-10T21:00:00Z", "closes 2026-01-11T05:00:00Z"];
        assert_eq!(changes("22:00-06:00", "2026-01-10T12:00:00Z", "2026-01-11T12:00:00Z"), expected);
        let expected = ["opens 2026-01-10T12:00:00Z", "closes 2026-01-10T13:30:00Z"];
        assert_eq!(changes("13:00-14:30", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z"), expected);
    }

    #[test]
    fn in_the_short_night_a_missing_hour_counts_as_passed() {
        // 2026-03-29: 02:00 CET becomes 03:00 CEST at 01:00 UTC.
        let expected = ["opens 2026-03-28T21:00:00Z", "closes 2026-03-29T04:00:00Z"];
        assert_eq!(changes("22:00-06:00", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), expected);
        let expected = ["opens 2026-03-28T21:00:00Z", "closes 2026-03-29T01:30:00Z"];
        assert_eq!(changes("22:00-02:30", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), expected);
    }

    #[test]
    fn in_the_long_night_the_window_closes_once() {
        // 2026-10-25: 03:00 CEST becomes 02:00 CET at 01:00 UTC; 02:30 is read at 00:30 and at 01:30 UTC.
        let expected = ["opens 2026-10-24T20:00:00Z", "closes 2026-10-25T00:30:00Z"];
        assert_eq!(changes("22:00-02:30", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), expected);
        let expected = ["opens 2026-10-24T20:00:00Z", "closes 2026-10-25T05:00:00Z"];
        assert_eq!(changes("22:00-06:00", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "22:00", "22-06", "25:00-06:00", "22:00-22:00", "a-b", "22:00-06:00-07:00"] {
            assert!(text.parse::<NightWindow>().is_err(), "{text:?}");
        }
        assert_eq!("22:00 - 06:00".parse::<NightWindow>().unwrap().to_string(), "22:00-06:00");
    }
}
