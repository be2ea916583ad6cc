//! The configuration file: strict, and clear about what is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use daemon::settings::check;
use daemon::{DaemonError, Overrides, Polling, Settings};
use jiff::SignedDuration;

fn load(text: &str) -> Result<Settings, DaemonError> {
    load_with(text, Overrides::default())
}

fn load_with(text: &str, overrides: Overrides) -> Result<Settings, DaemonError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    fs::write(&file, text).unwrap();
    Settings::load(Some(&file), overrides)
}

#[test]
fn an_error_names_the_file_and_the_key() {
    for (text, key) in [
        ("watch = 1", "watch"),
        ("[inbox]\nfolder = []", "folder"),
        ("[inbox]\nstability_seconds = \"2\"", "stability_seconds"),
        ("[inbox]\nstability_seconds = -1", "inbox.stability_seconds"),
        ("[inbox]\nrescan_seconds = nan", "inbox.rescan_seconds"),
        ("[inbox]\npolling = \"sometimes\"", "inbox.polling"),
        ("[labelling]\nwindow = \"22-6\"", "labelling.window"),
        ("[labelling]\ntime_zone = \"Mars/Olympus\"", "labelling.time_zone"),
        ("[labelling]\nworkers = 0", "labelling.workers"),
        ("[retry]\nmax_attempts = 0", "retry.max_attempts"),
        ("[study]\nquiet_minutes = inf", "study.quiet_minutes"),
        ("[study", "lab.toml"),
    ] {
        let error = load(text).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(key) && message.contains("lab.toml"), "{text:?}: {message}");
        assert!(matches!(error, DaemonError::ParseConfig { .. } | DaemonError::Setting { .. }), "{error:?}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Settings::load(Some("no/such.toml".as_ref()), Overrides::default()).unwrap_err();
    assert!(error.to_string().contains("no/such.toml") && matches!(error, DaemonError::ReadConfig { .. }));
}

#[test]
fn the_command_line_wins_and_paths_count_from_the_file() {
    let text = "database = \"labels.sqlite\"\n[inbox]\nfolders = [\"in\", \"/abs\"]\npolling = \"never\"\n\
                [labelling]\ndevice = \"cpu\"\nthreads = 3\nwindow = \"22:00-06:00\"\n[study]\nquiet_minutes = 0.5";
    let settings = load(text).unwrap();
    let base = settings.database.file().unwrap().parent().unwrap().to_owned();
    assert!(base.is_absolute() && settings.database.file().unwrap().ends_with("labels.sqlite"));
    assert_eq!(settings.inbox.folders, [base.join("in"), PathBuf::from("/abs")]);
    assert_eq!(settings.inbox.polling, Polling::Never);
    assert_eq!((settings.labelling.device.as_str(), settings.labelling.threads), ("cpu", Some(3)));
    assert_eq!(settings.study_quiet, SignedDuration::from_secs(30));

    let overrides = Overrides {
        folders: vec!["here".into()],
        database: Some("other.sqlite".into()),
        pipeline: Some("p".to_owned()),
        device: Some("cuda:1".to_owned()),
        threads: Some(0),
        models: Some("weights".into()),
    };
    let settings = load_with(text, overrides).unwrap();
    assert_eq!(settings.inbox.folders, [PathBuf::from("here")]);
    assert_eq!(settings.database, Path::new("other.sqlite").into());
    assert_eq!(settings.labelling.pipeline.as_deref(), Some("p"));
    assert_eq!(settings.models, PathBuf::from("weights"));
    assert!(load("").unwrap().models.is_absolute());
    assert_eq!((settings.labelling.device.as_str(), settings.labelling.threads), ("cuda:1", None));
}

#[test]
fn settings_that_are_written_and_read_again_are_the_same() {
    let all = "[inbox]\nfolders = [\"/in\", \"/abs\"]\nstability_seconds = 0.5\npolling = \"never\"\nincomplete_minutes = 1.5\n\
               [labelling]\npipeline = \"p\"\nthreads = 3\nwindow = \"22:00-06:30\"\ntime_zone = \"Europe/Berlin\"\n\
               [retry]\nmax_attempts = 2\nfirst_wait_seconds = 0.25\n[study]\nquiet_minutes = 0.5";
    for text in ["", all] {
        // A relative path would count from the second file's folder.
        let settings = load(&format!("database = \"/labels.sqlite\"\n{text}")).unwrap();
        let written = settings.as_file().unwrap();
        assert_eq!(load(&written).unwrap(), settings, "{written}");
    }
}

#[test]
fn check_tells_what_parses_but_cannot_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("in/side")).unwrap();
    let path = |name: &str| folder.path().join(name);
    let settings = |folders: Vec<PathBuf>, database: PathBuf| {
        let overrides = Overrides { folders, database: Some(database), ..Overrides::default() };
        Settings::load(None, overrides).unwrap()
    };
    assert_eq!(check(&settings(vec![path("in")], path("labels.sqlite"))), []);
    let problems = check(&settings(vec![], path("none/labels.sqlite")));
    let keys: Vec<_> = problems.iter().map(|problem| (problem.key, problem.fatal)).collect();
    assert_eq!(keys, [("inbox.folders", true), ("database", true)]);
    let problems = check(&settings(vec![path("in"), path("in/side"), path("gone")], path("labels.sqlite")));
    let fatal: Vec<_> = problems.iter().map(|problem| (problem.key, problem.fatal)).collect();
    assert_eq!(fatal, [("inbox.folders", false), ("inbox.folders", true)], "{problems:?}");
}
