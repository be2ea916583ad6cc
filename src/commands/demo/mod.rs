//! `echolabel demo`: the whole way on simulated studies, with nothing to bring.

mod folders;
mod pacs;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use daemon::{Overrides, ReceivedFiles, Shutdown};
use store::export::{self, ExportOptions, FORMATS};
use store::{LabelStore as _, Store};

use folders::{Folders, simulate};

use super::Outcome;
use super::inventory::JudgedStudy;
use crate::cli::{Common, DemoOptions};
use crate::labeller::PipelineLabeller;
use crate::{output, picture};

/// Loops of the first study that get a picture.
const PICTURES: usize = 6;

/// Simulates, watches, labels, and says where everything is.
pub fn run(common: &Common, options: &DemoOptions) -> Outcome {
    let folders = Folders::make(&options.out)?;
    if options.pacs {
        return pacs::run(common, options, &folders);
    }
    let overrides = Overrides {
        folders: vec![folders.inbox.clone()],
        database: Some(folders.database.clone()),
        ..Overrides::default()
    };
    let mut settings = super::settings(common, overrides)?;
    settings.inbox.stability = jiff::SignedDuration::from_millis(500);
    settings.inbox.rescan = jiff::SignedDuration::from_secs(2);
    let pipeline = super::open_view_pipeline(&settings)?;
    let labeller = PipelineLabeller::new(pipeline, common)?;

    output::note(format_args!(
        "1. simulating {} studies; the daemon labels their loops as they arrive in {}",
        options.studies,
        folders.inbox.display()
    ));
    let received = ReceivedFiles::default();
    let simulated = std::thread::scope(|scope| {
        let shutdown = Shutdown::new();
        let simulation = scope.spawn({
            let shutdown = shutdown.clone();
            let inbox = &folders.inbox;
            move || {
                let simulated = simulate(options, inbox);
                // The last files must have been stable for a while to be taken.
                std::thread::sleep(Duration::from_secs(1));
                shutdown.request();
                simulated
            }
        });
        let watched = super::watch::watch(&settings, &labeller, &received, false, &shutdown);
        shutdown.request();
        let simulated = simulation.join().map_err(|_| anyhow::anyhow!("the simulation failed"))?;
        watched.and(simulated)
    });
    simulated?;
    output::note(format_args!("2. the scanner is done; labelling what still waits"));
    super::watch::watch(&settings, &labeller, &received, true, &Shutdown::new())?;

    let store = Store::open(&folders.database).context("cannot open the database")?;
    let protocol = crate::protocols::named(&settings.study_protocol, &settings.models)?;
    for study in store.studies()? {
        let inventory = store.inventory(&study.study_instance_uid)?;
        super::inventory::print(&JudgedStudy::new(&store, inventory, &protocol)?, false)?;
    }
    let choice = ExportOptions::default();
    for format in FORMATS {
        export::export(&store, *format, &folders.exports, &choice)?;
    }
    let drawn = draw(&folders)?;
    output::line("Where to look:")?;
    output::line(format_args!(
        "  studies    {} (truth.json in each says what the loops show)",
        folders.inbox.display()
    ))?;
    output::line(format_args!("  database   {} (SQLite)", folders.database.display()))?;
    output::line(format_args!("  exports    {} (CSV, JSON and Parquet)", folders.exports.display()))?;
    output::line(format_args!(
        "  pictures   {} ({drawn} loops with sector, ECG and sampled frames)",
        folders.pictures.display()
    ))?;
    let database = folders.database.display();
    output::line(format_args!(
        "Next: echolabel inventory --db {database}, or echolabel watch YOUR-FOLDER --once --db lab.sqlite"
    ))
}

/// Draws the first loops of the first study.
fn draw(folders: &Folders) -> anyhow::Result<usize> {
    let mut studies: Vec<PathBuf> =
        std::fs::read_dir(&folders.inbox)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    studies.sort();
    let Some(study) = studies.first() else { return Ok(0) };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(study)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dcm"));
    files.sort();
    let mut drawn = 0;
    for file in files.iter().take(PICTURES) {
        let mut source = cine::Loop::open(file)?;
        let (inspection, found) = pipeline::inspect(&mut source, &ecg::PlanSettings::default())?;
        let canvas =
            picture::loop_picture(&mut source, &inspection, found.trace.as_ref(), picture::BurnedInText::Masked, None)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files::write(&folders.pictures.join(format!("{name}.png")), &canvas.to_png()?, files::Access::Umask)?;
        drawn += 1;
    }
    Ok(drawn)
}
