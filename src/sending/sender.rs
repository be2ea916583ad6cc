//! The thread that sends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use daemon::{Backoff, Clock, ReportDestination, SendProtocol, Settings};
use dicom_net::Destination;
use jiff::Timestamp;
use protocol::Protocol;
use store::{Outbox as _, OutboxItem, OutboxKind, Store, StoreError};

use super::delivery::Delivery;
use super::stow::StowDestination;
use super::{dicom, reports, stow};
use crate::reporting::ReportSource;
use crate::{notifying, protocols};

/// Time between two looks at the database.
const ROUND: Duration = Duration::from_secs(1);

/// Time between two looks at the flag that ends the thread.
const NAP: Duration = Duration::from_millis(200);

/// Makes the reports of closed studies and sends what waits in the outbox.
pub struct Sender<'a> {
    store: &'a Store,
    settings: &'a Settings,
    clock: &'a dyn Clock,
    protocol: Protocol,
    started: Timestamp,
}

impl<'a> Sender<'a> {
    /// Returns a sender, or `None` where the configuration names nobody to send to.
    ///
    /// # Errors
    /// The protocol that the configuration names cannot be read.
    pub fn new(store: &'a Store, settings: &'a Settings, clock: &'a dyn Clock) -> anyhow::Result<Option<Self>> {
        if settings.send.destinations.is_empty() && notifying::destinations(&settings.notify).is_empty() {
            return Ok(None);
        }
        let protocol = protocols::named(&settings.study_protocol, &settings.models).context("study.protocol")?;
        Ok(Some(Self { store, settings, clock, protocol, started: clock.now() }))
    }

    /// Sends until `ended` is true.
    pub fn run(&self, ended: &AtomicBool) {
        self.once(|| self.release());
        while !ended.load(Ordering::SeqCst) {
            self.once(|| self.round(ended));
            let mut waited = Duration::ZERO;
            while waited < ROUND && !ended.load(Ordering::SeqCst) {
                std::thread::sleep(NAP);
                waited += NAP;
            }
        }
    }

    /// Makes the reports that are due and tries each object that waits once.
    pub fn drain(&self) {
        self.once(|| self.release());
        self.once(|| self.round(&AtomicBool::new(false)));
    }

    /// The daemon says what is wrong with the database and waits for it; the next round finds it mended.
    fn once(&self, part: impl FnOnce() -> Result<(), StoreError>) {
        if let Err(error) = part() {
            tracing::debug!(trouble = error.trouble(), "the outbox waits for the database");
        }
    }

    fn release(&self) -> Result<(), StoreError> {
        if self.settings.send.allow_unvalidated {
            self.store.release_held()?;
        }
        Ok(())
    }

    fn round(&self, ended: &AtomicBool) -> Result<(), StoreError> {
        let source = ReportSource { store: self.store, time_zone: &self.settings.labelling.time_zone };
        reports::make_due(source, self.settings, &self.protocol, self.clock.now())?;
        notifying::queue_daily(self.store, self.settings, self.started, self.clock.now())?;
        let mut names = notifying::destinations(&self.settings.notify);
        names.extend(self.settings.send.destinations.iter().map(|destination| destination.name.clone()));
        let backoff = self.settings.retry.backoff;
        while !ended.load(Ordering::SeqCst)
            && let Some(item) = self.store.next_to_send(&names, backoff.longest, self.clock.now())?
        {
            self.send(&item, backoff)?;
        }
        Ok(())
    }

    fn send(&self, item: &OutboxItem, backoff: Backoff) -> Result<(), StoreError> {
        let known = self.settings.send.destinations.iter().find(|known| known.name == item.destination);
        let delivery = match (item.kind, known) {
            (OutboxKind::Message, _) => notifying::deliver(&self.settings.notify, item),
            (OutboxKind::Report | OutboxKind::KeyObjects, Some(destination)) => deliver(destination, item),
            (OutboxKind::Report | OutboxKind::KeyObjects, None) => return Ok(()),
        };
        let (object, destination, now) = (&item.object_uid, &item.destination, self.clock.now());
        match delivery {
            Delivery::Sent(status) => {
                tracing::info!(%object, %destination, %status, "sent");
                self.store.sent(item.outbox_id, &status, now)
            }
            Delivery::Later(reason) => {
                // At least a second, so that one round ends however short the configured waits are.
                let wait = backoff.wait_after(item.attempts + 1).max(jiff::SignedDuration::from_secs(1));
                tracing::warn!(%object, %destination, %reason, "not sent, it is tried again");
                let next = now.saturating_add(wait).unwrap_or(now);
                self.store.not_sent(item.outbox_id, &reason, Some(next), now)
            }
            Delivery::Refused(reason) => {
                tracing::error!(%object, %destination, %reason, "refused for good: see `jobs outbox`");
                self.store.not_sent(item.outbox_id, &reason, None, now)
            }
        }
    }
}

fn deliver(destination: &ReportDestination, item: &OutboxItem) -> Delivery {
    match &destination.protocol {
        SendProtocol::Stow { url, token, tls } => {
            let destination = StowDestination { url, token: token.as_ref(), tls: tls.as_ref() };
            stow::send(&destination, &item.object_uid, &item.payload)
        }
        SendProtocol::Dicom { called_ae, host, port, calling_ae, tls } => {
            let destination = Destination {
                host: host.clone(),
                port: *port,
                called_ae_title: called_ae.clone(),
                calling_ae_title: calling_ae.clone(),
                timeout: dicom::TIMEOUT,
                tls: tls.clone(),
            };
            dicom::send(&destination, &item.payload)
        }
    }
}
