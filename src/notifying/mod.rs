//! Messages to people: what they say, when they are due, and how they are sent.

mod daily;
mod email;
mod message;
mod study;
mod webhook;

use daemon::NotifySettings;
use store::{NewOutboxItem, OutboxItem, OutboxKind};

pub use daily::queue_daily;
pub use message::Message;
pub use study::of_study;

use crate::sending::Delivery;

/// Name of the webhook in the outbox; no destination of reports has it, as theirs have no colon.
pub const WEBHOOK: &str = "notify:webhook";

/// Name of the mail server in the outbox.
pub const EMAIL: &str = "notify:email";

/// Returns the names of those who are told.
pub fn destinations(settings: &NotifySettings) -> Vec<String> {
    let webhook = settings.webhook.as_ref().map(|_| WEBHOOK.to_owned());
    webhook.into_iter().chain(settings.email.as_ref().map(|_| EMAIL.to_owned())).collect()
}

/// Returns a message for each of those who are told, if its event is among those to tell.
pub fn items(settings: &NotifySettings, message: &Message) -> Vec<NewOutboxItem> {
    if !settings.events.contains(&message.event) {
        return Vec::new();
    }
    let item = |destination: String| NewOutboxItem {
        destination,
        kind: OutboxKind::Message,
        object_uid: message.key.clone(),
        payload: message.json().into_bytes(),
        held: None,
    };
    destinations(settings).into_iter().map(item).collect()
}

/// Sends a message.
pub fn deliver(settings: &NotifySettings, item: &OutboxItem) -> Delivery {
    match (item.destination.as_str(), &settings.webhook, &settings.email) {
        (WEBHOOK, Some(webhook), _) => webhook::send(webhook, &item.payload),
        (EMAIL, _, Some(email)) => email::send(email, &item.payload),
        _ => Delivery::Later("the configuration does not name it any more".to_owned()),
    }
}
