//! Records with known beats, and the score of a detector on them.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::PathBuf;

use serde_json::Value;

use domain::EcgSamples;

/// An ECG with the times of its beats.
pub struct Record {
    pub name: String,
    pub samples: EcgSamples,
    pub beats_ms: Vec<f64>,
    /// Labelled by experts, not by another detector.
    pub is_expert: bool,
}

/// Hits, misses and false beats.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score {
    pub hits: usize,
    pub missed: usize,
    pub false_beats: usize,
}

impl Score {
    pub fn sensitivity(&self) -> f64 {
        ratio(self.hits, self.hits + self.missed)
    }

    pub fn positive_predictivity(&self) -> f64 {
        ratio(self.hits, self.hits + self.false_beats)
    }

    pub fn add(&mut self, other: Score) {
        self.hits += other.hits;
        self.missed += other.missed;
        self.false_beats += other.false_beats;
    }

    pub fn row(&self, name: &str) -> String {
        format!(
            "{name:<28} {:>6} {:>6} {:>6}   Se {:.4}  PPV {:.4}",
            self.hits,
            self.missed,
            self.false_beats,
            self.sensitivity(),
            self.positive_predictivity()
        )
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 1.0;
    }
    part as f64 / whole as f64
}

/// One-to-one matching of two rising lists within a tolerance, earliest first.
pub fn score(found_ms: &[f64], beats_ms: &[f64], tolerance_ms: f64) -> Score {
    let mut score = Score::default();
    let (mut f, mut b) = (0, 0);
    while f < found_ms.len() && b < beats_ms.len() {
        let offset_ms = found_ms[f] - beats_ms[b];
        if offset_ms.abs() <= tolerance_ms {
            score.hits += 1;
            f += 1;
            b += 1;
        } else if offset_ms < 0.0 {
            score.false_beats += 1;
            f += 1;
        } else {
            score.missed += 1;
            b += 1;
        }
    }
    score.false_beats += found_ms.len() - f;
    score.missed += beats_ms.len() - b;
    score
}

/// Every channel of every record in `data/ecg`.
pub fn records() -> Vec<Record> {
    let Some(root) = test_support::shared_data() else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join("ecg"))
        .expect("ecg folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    paths.iter().flat_map(records_of).collect()
}

fn records_of(path: &PathBuf) -> Vec<Record> {
    let head: Value = serde_json::from_slice(&std::fs::read(path).expect("json")).expect("json");
    let bytes = std::fs::read(path.with_extension("i16")).expect("i16");
    let interval_ms = 1000.0 / head["fs_hz"].as_f64().expect("rate");
    let names = head["channels"].as_array().expect("channels");
    let beats_ms: Vec<f64> = head["beats"]
        .as_array()
        .expect("beats")
        .iter()
        .map(|beat| beat[0].as_f64().expect("sample") * interval_ms)
        .collect();
    let origin = head["annotation_origin"].as_str().unwrap_or_default();
    let values: Vec<f32> =
        bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]]))).collect();
    (0..names.len())
        .map(|channel| Record {
            name: match names.len() {
                1 => head["name"].as_str().expect("name").to_owned(),
                _ => format!("{}:{channel}", head["name"].as_str().expect("name")),
            },
            samples: EcgSamples::new(
                values.iter().skip(channel).step_by(names.len()).copied().collect(),
                interval_ms,
                0.0,
            )
            .expect("samples"),
            beats_ms: beats_ms.clone(),
            is_expert: origin.starts_with("expert"),
        })
        .collect()
}

/// Records of a file that ships with the project.
pub fn fixture(name: &str) -> Vec<Record> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/ecg");
    golden(&folder.join(name))
}

/// Records of a golden file beside the shared data, where this machine has it.
pub fn shared_golden(name: &str) -> Vec<Record> {
    test_support::shared_reference().map_or_else(Vec::new, |root| golden(&root.join("golden/ecg").join(name)))
}

/// Records of a golden file; none where there is no such file.
fn golden(path: &std::path::Path) -> Vec<Record> {
    let Ok(bytes) = std::fs::read(path) else {
        return Vec::new();
    };
    let file: Value = serde_json::from_slice(&bytes).expect("golden json");
    let cases = match file["cases"].as_array() {
        Some(cases) => cases.clone(),
        None => vec![file],
    };
    cases.iter().map(golden_case).collect()
}

fn golden_case(case: &Value) -> Record {
    let numbers = |value: &Value| -> Vec<f64> {
        let list = value.as_array().cloned().unwrap_or_default();
        list.iter().map(|v| v.as_f64().expect("number")).collect()
    };
    let interval_ms = 1000.0 / case["fs"].as_f64().expect("rate");
    let beats_ms = match case["beats_s"].is_array() {
        true => numbers(&case["beats_s"]).iter().map(|s| s * 1000.0).collect(),
        false => numbers(&case["beats"]).iter().map(|sample| sample * interval_ms).collect(),
    };
    let values = numbers(&case["signal"]).iter().map(|v| *v as f32).collect();
    Record {
        name: case["id"].as_str().unwrap_or("mitdb100").to_owned(),
        samples: EcgSamples::new(values, interval_ms, 0.0).expect("samples"),
        beats_ms,
        is_expert: true,
    }
}

/// Small repeatable random numbers (xorshift), good enough to place snippets.
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 to just below 1.
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A nearly normal number: mean 0, standard deviation 1.
    pub fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.roll() - 0.5).sum()
    }
}

/// A part of a record; its beats are those between its first and last sample.
pub fn cut(record: &Record, start_ms: f64, length_ms: f64) -> Record {
    let interval_ms = record.samples.sample_interval_ms;
    let first = (start_ms / interval_ms) as usize;
    let count = ((length_ms / interval_ms) as usize).max(1);
    let values: Vec<f32> = record.samples.values[first..(first + count).min(record.samples.values.len())].to_vec();
    let start_ms = first as f64 * interval_ms;
    let end_ms = start_ms + values.len() as f64 * interval_ms;
    Record {
        name: record.name.clone(),
        beats_ms: record.beats_ms.iter().copied().filter(|beat_ms| (start_ms..end_ms).contains(beat_ms)).collect(),
        samples: EcgSamples::new(values, interval_ms, start_ms).expect("samples"),
        is_expert: record.is_expert,
    }
}

/// The same ECG as a trace read off pixels would give it: a column has the mean of its samples, in `levels` rows.
pub fn as_drawn(record: &Record, rate_hz: f64, levels: f32) -> Record {
    let step = 1000.0 / rate_hz / record.samples.sample_interval_ms;
    let values = &record.samples.values;
    let columns = (values.len() as f64 / step) as usize;
    let means: Vec<f32> = (0..columns)
        .map(|column| {
            let from = (column as f64 * step) as usize;
            let to = (((column + 1) as f64 * step) as usize).clamp(from + 1, values.len());
            values[from..to].iter().sum::<f32>() / (to - from) as f32
        })
        .collect();
    let low = means.iter().copied().fold(f32::INFINITY, f32::min);
    let high = means.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let height = (high - low).max(f32::MIN_POSITIVE);
    let rows = means.iter().map(|v| ((v - low) / height * (levels - 1.0)).round()).collect();
    let interval_ms = 1000.0 / rate_hz;
    let start_ms = record.samples.start_ms + interval_ms / 2.0;
    Record {
        name: record.name.clone(),
        beats_ms: record.beats_ms.clone(),
        samples: EcgSamples::new(rows, interval_ms, start_ms).expect("samples"),
        is_expert: record.is_expert,
    }
}

/// Shape of a made-up ECG; amplitudes in millivolts.
#[derive(Debug, Clone)]
pub struct MadeUp {
    pub rate_hz: f64,
    pub length_ms: f64,
    pub r_times_ms: Vec<f64>,
    /// The R-R interval that P and T waves are placed by.
    pub rr_ms: f64,
    /// 1 for an upright lead, -1 for an inverted one.
    pub sign: f64,
    pub wander_mv: f64,
    pub mains_mv: f64,
    pub noise_mv: f64,
}

impl MadeUp {
    /// A clean, upright, regular ECG whose first R wave stands at `first_r_ms`.
    pub fn regular(bpm: f64, first_r_ms: f64, length_ms: f64, rate_hz: f64) -> Self {
        let rr_ms = 60_000.0 / bpm;
        let beats = ((length_ms - first_r_ms) / rr_ms).ceil().max(0.0) as usize;
        Self {
            rate_hz,
            length_ms,
            r_times_ms: (0..beats).map(|k| first_r_ms + k as f64 * rr_ms).collect(),
            rr_ms,
            sign: 1.0,
            wander_mv: 0.0,
            mains_mv: 0.0,
            noise_mv: 0.0,
        }
    }

    /// The curve: Gaussian P, Q, R, S and T waves; those of the neighbors outside the strip reach in as well.
    pub fn samples(&self, dice: &mut Dice) -> EcgSamples {
        let stretch = (self.rr_ms / 1000.0).sqrt();
        let waves = [
            (-160.0 * stretch, 22.0 * stretch, 0.12),
            (-24.0, 8.0, -0.10),
            (0.0, 10.0, 1.0),
            (24.0, 9.0, -0.22),
            (290.0 * stretch, 42.0 * stretch, 0.28),
        ];
        let first_ms = self.r_times_ms.first().map(|r| r - self.rr_ms);
        let last_ms = self.r_times_ms.last().map(|r| r + self.rr_ms);
        let all_r_ms: Vec<f64> = first_ms.into_iter().chain(self.r_times_ms.iter().copied()).chain(last_ms).collect();
        let count = (self.length_ms * self.rate_hz / 1000.0) as usize;
        let values = (0..count)
            .map(|n| {
                let t_ms = n as f64 * 1000.0 / self.rate_hz;
                let heart: f64 = all_r_ms
                    .iter()
                    .flat_map(|r_ms| waves.iter().map(move |w| (t_ms - r_ms - w.0, w.1, w.2)))
                    .map(|(off, width, height)| height * (-0.5 * (off / width).powi(2)).exp())
                    .sum();
                let tau = std::f64::consts::TAU;
                let wander = self.wander_mv * (tau * 0.3 * t_ms / 1000.0).sin();
                let mains = self.mains_mv * (tau * 50.0 * t_ms / 1000.0).sin();
                let noise = self.noise_mv * dice.bell();
                (self.sign * heart + wander + mains + noise) as f32
            })
            .collect();
        EcgSamples::new(values, 1000.0 / self.rate_hz, 0.0).expect("samples")
    }
}
