//! Messages to systemd, which starts the daemon as a service of `Type=notify` and restarts it when it hangs.

use std::time::Duration;

use daemon::DaemonEvent;

/// Time that systemd is asked to wait on for a start that waits for the database.
const MORE_TIME: Duration = Duration::from_secs(60);

/// Tells systemd what matters to it of an event; does nothing where systemd did not start the program.
pub fn notice(event: &DaemonEvent) {
    match event {
        DaemonEvent::Started { .. } => send("READY=1\nSTATUS=watching"),
        DaemonEvent::Alive => send("WATCHDOG=1"),
        DaemonEvent::DatabaseUnusable { reason } => send(&format!("STATUS=waiting for the database: {reason}")),
        DaemonEvent::DatabaseUsable => send("STATUS=watching"),
        _ => {}
    }
}

/// Tells systemd that the program ends. A run that ends because another model was put in use goes on and is no end.
pub fn stop() {
    send("STOPPING=1\nSTATUS=finishing the files in hand");
}

/// Tells systemd that the daemon waits for its database before it is ready.
pub fn wait_for_database(trouble: &str) {
    let micros = MORE_TIME.as_micros();
    send(&format!("WATCHDOG=1\nEXTEND_TIMEOUT_USEC={micros}\nSTATUS=waiting for the database: {trouble}"));
}

#[cfg(target_os = "linux")]
fn send(message: &str) {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Custom(message)]) {
        tracing::debug!(%error, "no message to systemd");
    }
}

#[cfg(not(target_os = "linux"))]
fn send(_message: &str) {}
