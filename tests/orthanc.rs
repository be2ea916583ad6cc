//! A study that lies in an archive is fetched, labelled, and its report comes back, with a real archive (Orthanc).

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::receiver::{Receiving, data_set};
use support::{Running, dicom_files, echolabel, run, small_studies};
use test_support::installed_file;

/// Time after which something that should happen has not.
const HANG: Duration = Duration::from_secs(120);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Orthanc {
    address: String,
    dicom_port: u16,
    _process: Running,
}

impl Orthanc {
    /// Starts one with DICOMweb, where both are installed.
    fn start(folder: &Path) -> Option<Self> {
        let program = test_support::program("Orthanc")?;
        let plugin = installed_file("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")?;
        fs::create_dir(folder).unwrap();
        let (http_port, dicom_port) = (free_port(), free_port());
        let config = json!({
            "StorageDirectory": folder, "IndexDirectory": folder, "HttpPort": http_port, "DicomPort": dicom_port,
            "DicomAet": "ORTHANC", "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
            "Plugins": [plugin], "DicomWeb": { "Enable": true, "Root": "/dicom-web/" },
            "DicomAlwaysAllowStore": true, "DicomCheckCalledAet": false
        });
        let file = folder.join("orthanc.json");
        fs::write(&file, config.to_string()).unwrap();
        let child = Command::new(program).arg(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let orthanc = Self { address: format!("http://127.0.0.1:{http_port}"), dicom_port, _process: Running(child) };
        let start = Instant::now();
        while ureq::get(format!("{}/system", orthanc.address)).call().is_err() {
            assert!(start.elapsed() < HANG, "Orthanc does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(orthanc)
    }

    fn get(&self, path: &str) -> Value {
        let text = ureq::get(format!("{}{path}", self.address)).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn upload(&self, bytes: &[u8]) {
        ureq::post(format!("{}/instances", self.address)).send(bytes).unwrap();
    }

    fn put(&self, path: &str, value: &Value) {
        ureq::put(format!("{}{path}", self.address)).send(value.to_string()).unwrap();
    }

    /// Asks for something and returns the answer.
    fn post(&self, path: &str, value: &Value) -> Value {
        let mut response = ureq::post(format!("{}{path}", self.address)).send(value.to_string()).unwrap();
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Returns the modalities of the one study's series.
    fn modalities(&self) -> Vec<String> {
        let series = self.get("/series?expand");
        let modality = |series: &Value| series["MainDicomTags"]["Modality"].as_str().unwrap_or_default().to_owned();
        let mut modalities: Vec<String> = series.as_array().unwrap().iter().map(modality).collect();
        modalities.sort();
        modalities
    }
}

#[test]
fn a_study_is_fetched_labelled_and_reported_back_into_the_same_study() {
    let folder = tempfile::tempdir().unwrap();
    let Some(orthanc) = Orthanc::start(&folder.path().join("store")) else { return };
    let (study, truth) = small_studies(&folder.path().join("away"), 1, 5).remove(0);
    let files = dicom_files(&study);
    files.iter().for_each(|file| orthanc.upload(&fs::read(file).unwrap()));

    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let config = folder.path().join("echolabel.toml");
    let text = format!(
        "database = \"lab.sqlite\"\n[inbox]\nfolders = [\"inbox\"]\nstability_seconds = 0.1\nrescan_seconds = 1\n\
         [study]\nquiet_minutes = 0.05\n[send]\nallow_unvalidated = true\n\
         [[send.destinations]]\nname = \"pacs\"\ndicom = \"ORTHANC@127.0.0.1:{}\"\n\
         [[send.destinations]]\nname = \"web\"\nstow = \"{}/dicom-web/studies\"\n",
        orthanc.dicom_port, orthanc.address
    );
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let archive = format!("{}/dicom-web", orthanc.address);
    let (code, stdout, stderr) =
        run(&["fetch", "--archive", &archive, "--since", "2024-03-14", "--until", "2024-03-16", "--config", config]);
    assert_eq!(
        (code, stdout.trim()),
        (0, format!("{} objects fetched, 0 were there, 0 failed", files.len()).as_str()),
        "{stderr}"
    );

    let log = fs::File::create(folder.path().join("log")).unwrap();
    let child = echolabel().args(["watch", "--config", config]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let _daemon = Running(child);
    let start = Instant::now();
    let database = folder.path().join("lab.sqlite");
    let outbox = || run(&["jobs", "outbox", "--state", "sent", "--json", "--db", database.to_str().unwrap()]).1;
    while outbox().lines().count() < 4 {
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        assert!(start.elapsed() < HANG, "{}{log}", outbox());
        std::thread::sleep(Duration::from_millis(300));
    }
    let studies = orthanc.get("/studies?expand");
    assert_eq!(studies.as_array().unwrap().len(), 1, "in the same study, of the same patient");
    assert_eq!(studies[0]["MainDicomTags"]["StudyInstanceUID"], truth["study_instance_uid"]);
    assert_eq!(orthanc.modalities(), ["KO", "SR", "US"], "both ways, stored once");
    assert_eq!(orthanc.get("/instances").as_array().unwrap().len(), files.len() + 2);
}

#[test]
fn orthanc_sends_a_study_by_c_store_and_by_stow() {
    let folder = tempfile::tempdir().unwrap();
    let Some(orthanc) = Orthanc::start(&folder.path().join("store")) else { return };
    let files = dicom_files(&small_studies(&folder.path().join("away"), 1, 65).remove(0).0);
    files.iter().for_each(|file| orthanc.upload(&fs::read(file).unwrap()));
    let studies = orthanc.get("/studies");
    fs::write(folder.path().join("token"), "token of Orthanc\n").unwrap();
    let receiving = Receiving::start(
        folder.path(),
        "[receive.stow]\nlisten = \"127.0.0.1:0\"\nsenders = [{ name = \"ORTHANC\", token_file = \"token\" }]",
    );

    let url = format!("http://127.0.0.1:{}/dicom-web/", receiving.stow_port());
    let server = json!({ "Url": url, "HttpHeaders": { "Authorization": "Bearer token of Orthanc" } });
    orthanc.put("/dicom-web/servers/lab", &server);
    let answer = orthanc.post("/dicom-web/servers/lab/stow", &json!({ "Resources": studies, "Synchronous": true }));
    assert_eq!(receiving.logged("object received"), files.len(), "{answer} {}", receiving.log());
    let sent = |file: &std::path::PathBuf| data_set(&fs::read(file).unwrap());
    let (mut stored, mut expected): (Vec<_>, Vec<_>) =
        (receiving.stored().iter().map(sent).collect(), files.iter().map(sent).collect());
    stored.sort();
    expected.sort();
    assert!(stored == expected, "byte for byte");

    let modality = json!({ "AET": "ECHOLABEL", "Host": "127.0.0.1", "Port": receiving.port });
    orthanc.put("/modalities/lab", &modality);
    let request = json!({ "Resources": studies, "LocalAet": "US7", "Synchronous": true });
    let answer = orthanc.post("/modalities/lab/store", &request);
    assert_eq!(answer["FailedInstancesCount"], 0, "{answer} {}", receiving.log());
    let (new, again) =
        (receiving.logged("object received"), receiving.logged("object received again, with the same bytes"));
    assert_eq!(new + again, 2 * files.len(), "{}", receiving.log());
}
