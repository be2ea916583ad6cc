//! Messages that are told at most once a day.

use std::path::Path;

use daemon::{NotifyEvent, Settings};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use store::{Outbox as _, Store, StoreError};

use super::{Message, items};

/// Queues what the disks and the hour call for. A message of a day is queued once. That nothing came is told only by a program
/// that was `started` before the hour: one that starts later has not looked yet.
///
/// # Errors
/// The database.
pub fn queue_daily(store: &Store, settings: &Settings, started: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let zone = &settings.labelling.time_zone;
    let local = now.to_zoned(zone.clone());
    let mut messages: Vec<Message> = disk_low(settings, &local, now).into_iter().collect();
    if let Some(by) = settings.notify.nothing_received_by
        && let Ok(hour) = local.date().to_datetime(by).to_zoned(zone.clone())
        && started < hour.timestamp()
        && hour.timestamp() <= now
        && store.newest_arrival()?.is_none_or(|newest| !is_of_day(newest, &local, zone))
    {
        messages.push(Message::new(
            NotifyEvent::NothingReceived,
            format!("nothing_received {}", local.date()),
            format!("No file has come today until {}", by.strftime("%H:%M")),
            now,
        ));
    }
    for message in messages {
        store.queue_messages(None, &items(&settings.notify, &message), now)?;
    }
    Ok(())
}

fn is_of_day(time: Timestamp, day: &Zoned, zone: &TimeZone) -> bool {
    time.to_zoned(zone.clone()).date() == day.date()
}

fn disk_low(settings: &Settings, local: &Zoned, now: Timestamp) -> Option<Message> {
    let places = settings.database.file().into_iter().chain(settings.inbox.folders.iter().map(Path::new));
    let least = places.filter_map(|place| files::free_bytes(place).ok()).min()?;
    (least < settings.notify.min_free_bytes).then(|| {
        Message::new(
            NotifyEvent::DiskLow,
            format!("disk_low {}", local.date()),
            format!("A disk of the database or of a watched folder has {} MB left", least / 1_000_000),
            now,
        )
    })
}
