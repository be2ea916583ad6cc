//! The report of each morning.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use store::{Queue, StoreError};

use crate::DaemonEvent;

/// Hour of the report: before the first reader comes.
const HOUR: i8 = 7;
/// Time that it looks back upon.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);

/// Time of the next report.
#[derive(Debug)]
pub(crate) struct Morning {
    next: Timestamp,
}

impl Morning {
    /// Returns the first morning after `now`.
    pub fn after(now: Timestamp, time_zone: &TimeZone) -> Self {
        Self { next: next_morning(now, time_zone) }
    }

    /// Returns the report when it is due.
    pub fn report(
        &mut self,
        store: &dyn Queue,
        now: Timestamp,
        time_zone: &TimeZone,
    ) -> Result<Option<DaemonEvent>, StoreError> {
        if now < self.next {
            return Ok(None);
        }
        self.next = next_morning(now, time_zone);
        let since = now.saturating_sub(NIGHT).unwrap_or(Timestamp::MIN);
        let overview = store.overview(since)?;
        Ok(Some(DaemonEvent::Morning {
            studies: overview.studies,
            states: overview.states,
            longest_wait: overview.waiting_since.map(|since| now.duration_since(since)),
        }))
    }
}

fn next_morning(now: Timestamp, time_zone: &TimeZone) -> Timestamp {
    let now = now.to_zoned(time_zone.clone());
    let at_hour = |date: jiff::civil::Date| date.to_datetime(Time::constant(HOUR, 0, 0, 0)).to_zoned(time_zone.clone());
    let today = at_hour(now.date());
    let next = match today {
        Ok(today) if today > now => Ok(today),
        _ => now.date().tomorrow().and_then(at_hour),
    };
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_morning_is_today_or_tomorrow() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, next) in [
            ("2026-01-01T06:59:59Z", "2026-01-01T07:00:00Z"),
            ("2026-01-01T07:00:00Z", "2026-01-02T07:00:00Z"),
            ("2026-01-01T23:00:00Z", "2026-01-02T07:00:00Z"),
        ] {
            assert_eq!(next_morning(at(now), &TimeZone::UTC), at(next));
        }
    }
}
