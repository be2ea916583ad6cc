//! `echolabel demo --pacs`: a cart sends by DICOM, and the reports come back into the archive, without a person.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use daemon::{Overrides, ReceivedFiles, Settings, Shutdown};
use dicom_net::{Destination, SendOutcome, SentObject};
use store::{LabelStore as _, Outbox as _, OutboxKind, OutboxRow, OutboxState, Store};

use super::folders::{Folders, simulate};
use crate::cli::{Common, DemoOptions};
use crate::commands::archive::{Archive, ArchiveKind, free_port};
use crate::commands::inventory::{self, JudgedStudy};
use crate::commands::{Outcome, watch};
use crate::database::Database;
use crate::labeller::PipelineLabeller;
use crate::{output, receive};

/// Objects that come back for each study: a report and key objects.
const OBJECTS_PER_STUDY: usize = 2;
/// Time for labelling the studies and sending their reports, beside a minute a study.
const MAX_WAIT: Duration = Duration::from_secs(120);
/// Time between two looks at the outbox.
const LOOK: Duration = Duration::from_millis(500);
/// Time that a peer on the same computer has for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs cart, daemon and archive side by side, and says what came back.
pub fn run(common: &Common, options: &DemoOptions, folders: &Folders) -> Outcome {
    let (port, archive_port) = (free_port()?, free_port()?);
    let archive_folder = options.out.join("archive");
    let kind = if ArchiveKind::Orthanc.is_installed() { ArchiveKind::Orthanc } else { ArchiveKind::Own };
    let archive = Archive::start(kind, &archive_folder, archive_port)?;
    let configuration = options.out.join("echolabel.toml");
    std::fs::write(&configuration, configuration_text(port, archive_port)).context("cannot write the configuration")?;
    let settings = Settings::load(
        Some(&configuration),
        Overrides {
            pipeline: common.pipeline.clone(),
            device: common.device.clone(),
            threads: common.threads.map(usize::from),
            models: common.models.clone(),
            ..Overrides::default()
        },
    )?;
    let labeller = PipelineLabeller::new(crate::commands::open_view_pipeline(&settings)?, common)?;
    output::note(format_args!("1. simulating {} studies", options.studies));
    let cart = options.out.join("cart");
    std::fs::create_dir_all(&cart).with_context(|| format!("cannot make {}", cart.display()))?;
    simulate(options, &cart)?;

    let shutdown = Shutdown::new();
    let receive = settings.receive.as_ref().context("the demo has no [receive]")?;
    let received = ReceivedFiles::default();
    let receiving = receive::start(receive, Database::new_or_existing(&settings)?, &received, &shutdown)?;
    let outcome = std::thread::scope(|scope| {
        let daemon = scope.spawn(|| watch::watch(&settings, &labeller, &received, false, &shutdown));
        let came_back = send(&cart, port).and_then(|sent| {
            output::note(format_args!(
                "2. the cart has sent {sent} objects; the daemon labels them, and reports closed studies"
            ));
            wait_for_reports(&folders.database, options.studies)
        });
        shutdown.request();
        let watched = daemon.join().map_err(|_| anyhow::anyhow!("the daemon panicked"))?;
        watched.and(came_back)
    });
    if receiving.join().is_err() {
        tracing::error!("the receiver panicked");
    }
    let reports = outcome?;
    let store = Store::open(&folders.database).context("cannot open the database")?;
    let protocol = crate::protocols::named(&settings.study_protocol, &settings.models)?;
    for study in store.studies()? {
        let found = store.inventory(&study.study_instance_uid)?;
        inventory::print(&JudgedStudy::new(&store, found, &protocol)?, false)?;
    }
    output::line(format_args!("Sent back into the same studies, to {}:", archive.words()))?;
    for row in &reports {
        let what = if row.kind == OutboxKind::Report { "structured report" } else { "key objects" };
        output::line(format_args!("  {what:<18} {} ({})", row.object_uid, row.status.as_deref().unwrap_or_default()))?;
    }
    output::line("Where to look:")?;
    output::line(format_args!("  archive        {}", archive_folder.display()))?;
    output::line(format_args!(
        "  configuration  {} (the same keys serve a real cart and PACS)",
        configuration.display()
    ))?;
    output::line(format_args!("  outbox         echolabel jobs outbox --db {}", folders.database.display()))
}

fn configuration_text(port: u16, archive_port: u16) -> String {
    format!(
        "# The configuration of `echolabel demo --pacs`.\n\
         database = \"echolabel.sqlite\"\n\n\
         [inbox]\nfolders = [\"inbox\"]\nstability_seconds = 0.5\nrescan_seconds = 2\n\n\
         [study]\nquiet_minutes = 0.1\n\n\
         [receive]\nlisten = \"127.0.0.1:{port}\"\npeers = [{{ ae = \"CART\" }}]\nkeep_free = \"100 MiB\"\n\n\
         [send]\n# The demo shows the way of a report; its weights have seen no patient.\nallow_unvalidated = true\n\
         destinations = [{{ name = \"archive\", dicom = \"ARCHIVE@127.0.0.1:{archive_port}\" }}]\n"
    )
}

/// Sends every object of the cart; returns how many were acknowledged.
fn send(cart: &Path, port: u16) -> anyhow::Result<usize> {
    let destination = Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae_title: "ECHOLABEL".parse()?,
        calling_ae_title: "CART".parse()?,
        timeout: TIMEOUT,
        tls: None,
    };
    let objects: Vec<SentObject> = files_below(cart)?.into_iter().map(SentObject::File).collect();
    for outcome in dicom_net::send(&destination, &objects) {
        match outcome {
            SendOutcome::Stored { .. } => {}
            SendOutcome::TryLater { reason, .. } | SendOutcome::Refused { reason, .. } => {
                anyhow::bail!("an object of the cart was not taken: {reason}");
            }
        }
    }
    Ok(objects.len())
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in files::walk(&[folder.to_owned()], files::Links::Follow, |_| true) {
        let path = entry.map_err(|unread| unread.error).context("cannot read the cart's folder")?;
        found.extend(path.extension().is_some_and(|extension| extension == "dcm").then_some(path));
    }
    found.sort();
    Ok(found)
}

/// Waits until the reports of all studies were sent.
fn wait_for_reports(database: &Path, studies: u32) -> anyhow::Result<Vec<OutboxRow>> {
    let start = Instant::now();
    let limit = MAX_WAIT + Duration::from_secs(60) * studies;
    loop {
        std::thread::sleep(LOOK);
        let rows = match Store::open_read_only(database).and_then(|store| store.outbox()) {
            Ok(rows) => rows,
            Err(error) if error.is_temporary() || start.elapsed() < MAX_WAIT => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(failed) = rows.iter().find(|row| row.state == OutboxState::Failed) {
            anyhow::bail!("the archive refused a report: {}", failed.status.as_deref().unwrap_or_default());
        }
        let sent: Vec<OutboxRow> = rows.into_iter().filter(|row| row.state == OutboxState::Sent).collect();
        let reported = sent.iter().filter_map(|row| row.study_instance_uid.as_ref());
        let reported: std::collections::BTreeSet<_> = reported.collect();
        if reported.len() >= studies as usize && sent.len() >= OBJECTS_PER_STUDY * studies as usize {
            return Ok(sent);
        }
        ensure!(start.elapsed() < limit, "no report came back in {} s; see `echolabel jobs outbox`", limit.as_secs());
    }
}
