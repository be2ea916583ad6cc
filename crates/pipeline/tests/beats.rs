//! The beat of whole loops, from file to R peaks: simulated ones over every style, color and rhythm, and real ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cine::Loop;
use domain::EcgSource;
use ecg::PlanSettings;
use phantom::{LoopIdentity, LoopSpec, write_loop};
use pipeline::{Inspection, inspect};
use test_support::shared_data;

/// A found R peak is right when a true one is within one frame or 40 ms, whichever is longer.
const TOLERANCE_MS: f64 = 40.0;
const LOOPS: u64 = 200;
const FIRST_SEED: u64 = 9000;

fn look(path: &Path) -> Inspection {
    let mut source = Loop::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    inspect(&mut source, &PlanSettings::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display())).0
}

#[derive(Default)]
struct Score {
    right: usize,
    missed: usize,
    invented: usize,
    wrong_source: usize,
    loops: usize,
    decoded: u32,
}

impl Score {
    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (2 * self.right + self.missed + self.invented).max(1) as f64
    }

    fn add(&mut self, truth: &[f64], found: &[f64], frame_time_ms: f64) -> usize {
        let tolerance = (TOLERANCE_MS / frame_time_ms).max(1.0);
        let mut free: Vec<f64> = found.to_vec();
        let mut right = 0;
        for peak in truth {
            let nearest = free.iter().position(|found| (found - peak).abs() <= tolerance);
            if let Some(position) = nearest {
                free.remove(position);
                right += 1;
            }
        }
        self.right += right;
        self.missed += truth.len() - right;
        self.invented += free.len();
        self.loops += 1;
        truth.len() - right + free.len()
    }
}

/// The result of one loop.
struct Told {
    group: String,
    truth: phantom::LoopTruth,
    found: Inspection,
}

/// Simulates the loop of `seed`, writes it as `path` and looks at it.
fn simulate_and_look(seed: u64, path: &Path) -> Told {
    let mut spec = LoopSpec::random(seed);
    // Some show the whole heart, most a cheap background: the ECG is what is looked at.
    spec.anatomy = seed.is_multiple_of(8);
    spec.size = if seed.is_multiple_of(4) { (800, 600) } else { (640, 480) };
    let truth = write_loop(&spec, &LoopIdentity::new(seed, 1), path).unwrap();
    let group = match (truth.ecg_source, &truth.trace) {
        (EcgSource::BurnedInTrace, Some(trace)) => format!("burned in, {:?}", trace.style),
        (source, _) => text_of(&source),
    };
    Told { group, found: look(path), truth }
}

fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn r_peaks_of_two_hundred_simulated_loops() {
    let folder = tempfile::tempdir().unwrap();
    let seeds: Vec<u64> = (FIRST_SEED..FIRST_SEED + LOOPS).collect();
    let told: Vec<Told> = std::thread::scope(|scope| {
        let halves: Vec<_> = seeds
            .chunks(seeds.len().div_ceil(2))
            .enumerate()
            .map(|(half, seeds)| {
                let path = folder.path().join(format!("{half}.dcm"));
                scope.spawn(move || seeds.iter().map(|&seed| simulate_and_look(seed, &path)).collect::<Vec<_>>())
            })
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut all = Score::default();
    let mut groups: BTreeMap<String, Score> = BTreeMap::new();
    for Told { group, truth, found } in &told {
        let source = text_of(&truth.ecg_source);
        let right_source = found.ecg.source.as_str() == source;
        let mut wrong = 0;
        for score in [&mut all, groups.entry(group.clone()).or_default()] {
            wrong = score.add(&truth.r_peaks, &found.ecg.r_peaks, truth.frame_time_ms);
            score.decoded += found.ecg.frames_decoded;
            score.wrong_source += usize::from(!right_source);
        }
        if wrong > 0 || !right_source {
            println!(
                "seed {}: {group} read as {} {:?}, {} frames of {:.1} ms, {:?} {:.0}/min, {:?}: true {:.1?}, found {:.1?}",
                truth.seed,
                found.ecg.source,
                found.ecg.trace_style,
                truth.frames,
                truth.frame_time_ms,
                truth.rhythm,
                truth.heart_rate_bpm,
                truth.trace.as_ref().map(|trace| (trace.color, trace.thickness_px, trace.r_marks, trace.window_s)),
                truth.r_peaks,
                found.ecg.r_peaks
            );
        }
    }
    for (name, score) in groups.iter().chain([(&"all".to_owned(), &all)]) {
        println!(
            "{name:<24} {:>3} loops  F1 {:.3}  right {} missed {} invented {}  wrong source {}  {:.1} frames decoded a loop",
            score.loops,
            score.f1(),
            score.right,
            score.missed,
            score.invented,
            score.wrong_source,
            f64::from(score.decoded) / score.loops as f64
        );
    }
    assert!(all.f1() >= 0.97, "F1 {:.4}", all.f1());
    assert_eq!(all.wrong_source, 0);
}

/// R peaks by hand: from the R wave vector, or from the cursor's and the peaks' columns that the manifest states.
const REAL: [(&str, &str, &[f64]); 6] = [
    ("cine-echo/acuson_sequoia_a4c_65f_jpeg.dcm", "burned_in_trace", &[7.2, 59.9]),
    ("derived/acuson_sequoia_a4c_65f_jpeg_repaired.dcm", "burned_in_trace", &[7.2, 59.9]),
    ("derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", "r_wave_time_vector", &[1.0, 23.8]),
    ("derived/ge_vivid_e95_a3c_h264_mp4.dcm", "r_wave_time_vector", &[1.0, 23.8]),
    ("cine-echo/sonosite_apical_30f_jpeg.dcm", "none", &[]),
    ("cine-echo/acuson_stress_color_8f_implicit_rgb.dcm", "none", &[]),
];

#[test]
fn beats_of_real_clips_are_those_that_the_manifest_states() {
    let Some(data) = shared_data() else { return };
    for (name, source, peaks) in REAL {
        if cfg!(not(feature = "video")) && name.contains("h264") {
            continue;
        }
        let found = look(&data.join("dicom").join(name));
        let ecg = &found.ecg;
        println!("{name}: {} {:?} {:.1?} {:?}", ecg.source, ecg.trace_style, ecg.r_peaks, ecg.heart_rate_bpm);
        assert_eq!(ecg.source.as_str(), source, "{name}");
        assert_eq!(ecg.r_peaks.len(), peaks.len(), "{name}: {:?}", ecg.r_peaks);
        for (found, true_peak) in ecg.r_peaks.iter().zip(peaks) {
            assert!((found - true_peak).abs() <= 1.5, "{name}: {found} for {true_peak}");
        }
    }
    let angiogram = look(&data.join("dicom/angio-curve-ecg/rubo_xa_96f_jpeg_curve_ecg.dcm"));
    println!("angiogram: {} {:.1?}", angiogram.ecg.source, angiogram.ecg.r_peaks);
    assert_eq!(angiogram.ecg.source.as_str(), "curve");
    assert!(angiogram.ecg.r_peaks.len() >= 3, "{:?}", angiogram.ecg.r_peaks);
}

#[test]
fn what_is_no_heart_has_no_beat() {
    let Some(data) = shared_data() else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(data.join("dicom/us-other")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let found = look(&file);
        assert_eq!(found.ecg.source.as_str(), "none", "{}", file.display());
    }
}
