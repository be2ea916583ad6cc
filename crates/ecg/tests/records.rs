//! Scores the R-peak detector on labelled records and prints a table: sensitivity, positive predictivity, misses.
//!
//! `cargo test -p ecg --test records -- --nocapture --test-threads 1` shows it. A beat counts as found within 100 ms
//! of its label; the labels themselves sit up to 50 ms beside the R peak. The table is printed for 75 ms as well.

mod common;

use common::{MadeUp, Record, Score, as_drawn, cut, fixture, records, score, shared_golden};
use domain::EcgSamples;
use ecg::detect_r_peaks;

const TOLERANCE_MS: f64 = 100.0;
/// A beat this near the edge of a snippet may be missed: its complex is not in it.
const EDGE_MS: f64 = 40.0;

/// Prints one line a record and gives the sum and the worst of the expert-labelled ones.
fn table(title: &str, records: &[Record], tolerance_ms: f64) -> (Score, f64) {
    println!("\n{title}, within {tolerance_ms} ms:    hits missed  false");
    let mut all = Score::default();
    let mut worst: f64 = 1.0;
    for record in records {
        let found = score(&detect_r_peaks(&record.samples), &record.beats_ms, tolerance_ms);
        let origin = if record.is_expert { "" } else { "  (machine labels)" };
        println!("{}{origin}", found.row(&record.name));
        if record.is_expert {
            all.add(found);
            worst = worst.min(found.sensitivity()).min(found.positive_predictivity());
        }
    }
    println!("{}", all.row("all expert-labelled"));
    (all, worst)
}

/// Scores `count` random snippets of 1.5 to 3 s of each record, as they are or as a drawn trace would show them.
fn snippets(title: &str, records: &[Record], count: usize, drawn: bool) -> Score {
    println!("\n{title}, within {TOLERANCE_MS} ms:    hits missed  false");
    let mut dice = common::Dice(7);
    let mut all = Score::default();
    for record in records.iter().filter(|record| record.is_expert) {
        let whole_ms = record.samples.values.len() as f64 * record.samples.sample_interval_ms;
        let mut of_record = Score::default();
        for _ in 0..count {
            let length_ms = 1500.0 + 1500.0 * dice.roll();
            let start_ms = dice.roll() * (whole_ms - length_ms);
            let snippet = cut(record, start_ms, length_ms);
            let found_ms = match drawn {
                true => detect_r_peaks(&as_drawn(&snippet, 50.0, 30.0).samples),
                false => detect_r_peaks(&snippet.samples),
            };
            of_record.add(score_inside(&found_ms, &record.beats_ms, start_ms, start_ms + length_ms));
        }
        println!("{}", of_record.row(&record.name));
        all.add(of_record);
    }
    println!("{}", all.row("all snippets"));
    all
}

/// A beat just outside may be found without being false, one just inside may be missed.
fn score_inside(found_ms: &[f64], beats_ms: &[f64], start_ms: f64, end_ms: f64) -> Score {
    let between = |from_ms: f64, to_ms: f64| -> Vec<f64> {
        let inside = beats_ms.iter().copied();
        inside.filter(|beat_ms| (from_ms..to_ms).contains(beat_ms)).collect()
    };
    let near = between(start_ms - TOLERANCE_MS, end_ms + TOLERANCE_MS);
    let sure = between(start_ms + EDGE_MS, end_ms - EDGE_MS);
    Score { missed: score(found_ms, &sure, TOLERANCE_MS).missed, ..score(found_ms, &near, TOLERANCE_MS) }
}

#[test]
fn expert_labelled_records_are_found() {
    let records = records();
    if records.is_empty() {
        return;
    }
    table("records", &records, 75.0);
    let (all, worst) = table("records", &records, TOLERANCE_MS);
    assert!(all.sensitivity() >= 0.99 && all.positive_predictivity() >= 0.99);
    assert!(worst >= 0.97, "worst record {worst}");
}

#[test]
fn short_snippets_of_the_records_are_found() {
    let records = records();
    if records.is_empty() {
        return;
    }
    let sampled = snippets("snippets of 1.5 to 3 s", &records, 300, false);
    assert!(sampled.sensitivity() >= 0.97 && sampled.positive_predictivity() >= 0.97);
    let drawn = snippets("the same at 50 Hz in 30 levels", &records, 300, true);
    assert!(drawn.sensitivity() >= 0.97 && drawn.positive_predictivity() >= 0.97);
}

#[test]
fn golden_ecgs_are_found() {
    let mut golden = fixture("synthetic.json");
    golden.extend(fixture("mitdb100_20s.json"));
    assert_eq!(golden.len(), 28);
    golden.extend(shared_golden("mitdb100_60s.json"));
    let (all, _) = table("golden", &golden, TOLERANCE_MS);
    assert_eq!(all.missed, 0);
    assert!(all.false_beats <= 2, "{} false beats", all.false_beats);
}

#[test]
fn the_r_peak_is_placed_within_a_few_milliseconds() {
    let exact = |record: &&Record| !record.beats_ms.is_empty() && !record.name.contains("pvc");
    for record in fixture("synthetic.json").iter().filter(exact) {
        let found_ms = detect_r_peaks(&record.samples);
        let offsets_ms: Vec<f64> = record
            .beats_ms
            .iter()
            .filter_map(|beat_ms| {
                let offsets = found_ms.iter().map(|found_ms| (found_ms - beat_ms).abs());
                offsets.min_by(f64::total_cmp)
            })
            .collect();
        let largest_ms = offsets_ms.iter().copied().fold(0.0, f64::max);
        assert!(largest_ms < 10.0, "{}: {largest_ms:.1} ms", record.name);
    }
}

#[test]
fn one_to_three_beats_are_found_at_any_rate() {
    let mut dice = common::Dice(5);
    for rate_hz in [50.0, 100.0, 500.0] {
        for bpm in [40.0_f64, 60.0, 90.0, 120.0, 150.0, 180.0, 200.0] {
            let mut all = Score::default();
            for length_ms in [800.0, 1200.0, 2000.0, 3000.0] {
                for _ in 0..10 {
                    // The first beat is in the strip: what a strip without any QRS complex shows is anyone's guess.
                    let rr_ms = 60_000.0 / bpm;
                    let first_r_ms = dice.roll() * rr_ms.min(length_ms - 50.0);
                    let mut ecg = MadeUp::regular(bpm, first_r_ms, length_ms, rate_hz);
                    ecg.sign = if dice.roll() < 0.5 { 1.0 } else { -1.0 };
                    ecg.wander_mv = 0.5 * dice.roll();
                    ecg.mains_mv = 0.05 * dice.roll();
                    ecg.noise_mv = 0.03 * dice.roll();
                    let found_ms = detect_r_peaks(&ecg.samples(&mut dice));
                    let mut beats_ms = vec![first_r_ms - rr_ms];
                    beats_ms.extend(&ecg.r_times_ms);
                    beats_ms.push(beats_ms[beats_ms.len() - 1] + rr_ms);
                    all.add(score_inside(&found_ms, &beats_ms, 0.0, length_ms));
                }
            }
            println!("{}", all.row(&format!("{rate_hz} Hz, {bpm} per minute")));
            assert!(all.missed * 100 <= all.hits, "{rate_hz} Hz, {bpm} per minute");
            assert!(all.false_beats * 50 <= all.hits, "{rate_hz} Hz, {bpm} per minute");
        }
    }
}

#[test]
fn an_r_wave_at_the_first_or_last_sample_counts() {
    let mut dice = common::Dice(3);
    for rate_hz in [50.0, 200.0, 500.0] {
        for sign in [1.0, -1.0] {
            // R waves at 0, 800 and 1600 ms: the strip begins and ends on the top of one.
            let mut ecg = MadeUp::regular(75.0, 0.0, 1600.0 + 1000.0 / rate_hz, rate_hz);
            ecg.sign = sign;
            let found_ms = detect_r_peaks(&ecg.samples(&mut dice));
            assert_eq!(found_ms.len(), 3, "{rate_hz} Hz: {found_ms:?}");
            assert!((found_ms[0]).abs() < 15.0 && (found_ms[2] - 1600.0).abs() < 15.0, "{rate_hz} Hz: {found_ms:?}");
        }
    }
}

#[test]
fn noise_has_no_beats() {
    let mut dice = common::Dice(99);
    let mut strips_with_beats = 0;
    let mut strips = 0;
    for rate_hz in [50.0, 100.0, 250.0, 500.0] {
        for length_s in [1.0, 2.0, 3.0, 10.0] {
            for _ in 0..25 {
                let count = (rate_hz * length_s) as usize;
                let values = (0..count).map(|_| dice.bell() as f32).collect();
                let samples = EcgSamples::new(values, 1000.0 / rate_hz, 0.0).expect("samples");
                strips_with_beats += usize::from(!detect_r_peaks(&samples).is_empty());
                strips += 1;
            }
        }
    }
    println!("white noise: beats in {strips_with_beats} of {strips} strips");
    assert!(strips_with_beats * 20 <= strips);
}

#[test]
fn a_trace_that_only_jitters_by_a_pixel_has_no_beats() {
    let values: Vec<f32> = (0..150).map(|n| if n % 40 == 7 { 41.0 } else { 40.0 }).collect();
    let samples = EcgSamples::new(values, 20.0, 0.0).expect("samples");
    assert_eq!(detect_r_peaks(&samples), Vec::<f64>::new());
}
