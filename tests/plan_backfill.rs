//! Forecasts of an archive, by the command line.

mod support;

use std::fs;

use support::{json_lines, run};

#[test]
fn a_forecast_names_the_time_and_the_bottleneck() {
    let folder = tempfile::tempdir().unwrap();
    let times = folder.path().join("times.jsonl");
    let ms = "\"ms\": {\"open\": 1, \"ecg\": 4, \"decode\": 30, \"prepare\": 15, \"encode\": 45, \"head\": 5, \"total\": 100}";
    fs::write(&times, format!("{{\"path\": \"a\", {ms}}}\n{{\"path\": \"b\", \"error\": {{}}}}\n")).unwrap();
    let plan = |arguments: &[&str]| {
        run(&[&["plan-backfill", "--times", times.to_str().unwrap(), "--json"], arguments].concat())
    };

    // 100 ms a loop on 4 cores are 40 loops a second.
    let (code, stdout, stderr) = plan(&["--cores", "4"]);
    assert_eq!(code, 0, "{stderr}");
    let forecasts = json_lines(&stdout);
    assert_eq!(forecasts.len(), 3);
    for (forecast, loops) in forecasts.iter().zip([1e6, 1e7, 1e8]) {
        assert_eq!(forecast["loops"].as_f64(), Some(loops));
        assert!((forecast["seconds"].as_f64().unwrap() / (loops / 40.0) - 1.0).abs() < 0.01, "{forecast}");
        assert_eq!(forecast["bottleneck"], "cores");
    }
    // A GPU takes the model's 50 ms; ten megabytes a loop over a line of 100 are ten loops a second.
    let (_, stdout, _) = plan(&["--cores", "16", "--devices", "1", "--loops", "2000", "--megabytes", "0"]);
    assert_eq!(json_lines(&stdout)[0]["bottleneck"], "devices");
    let (_, stdout, _) = plan(&["--loops", "2000", "--megabytes", "10", "--line-mbps", "100"]);
    assert_eq!(json_lines(&stdout)[0]["bottleneck"], "lines");

    let (code, _, stderr) = plan(&["--cores", "0"]);
    assert_eq!(code, 2, "{stderr}");
    fs::write(&times, "{\"path\": \"a\"}\n").unwrap();
    let (code, _, stderr) = plan(&[]);
    assert!(code == 2 && stderr.contains("no times of stages"), "{stderr}");
}
