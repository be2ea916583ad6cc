//! The trace reader on simulated loops: four ways of drawing, many looks, and screens without beats.

mod trace_simulation;

use ecg::trace::{TraceHints, TraceReading, TraceStyle, read_trace};
use trace_simulation::{Kind, Loop, Scene};

const STYLES: [TraceStyle; 4] = [TraceStyle::Grows, TraceStyle::Sweeps, TraceStyle::Cursor, TraceStyle::Scrolls];

/// Counts over some loops.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    loops: u32,
    found: u32,
    right_style: u32,
    hits: usize,
    misses: usize,
    false_peaks: usize,
    frames_decoded: u32,
}

impl Tally {
    fn f1(&self) -> f64 {
        let both = 2 * self.hits;
        both as f64 / (both + self.misses + self.false_peaks).max(1) as f64
    }

    fn add(&mut self, scene: &Scene, reading: Option<&TraceReading>, asked: u32) {
        self.loops += 1;
        self.frames_decoded += asked;
        let slack = tolerance_frames(scene.frame_time_s);
        let truth = match scene.kind {
            Kind::Trace(_) => scene.true_r_peaks(slack),
            _ => Vec::new(),
        };
        let found = reading.map(|r| r.r_peaks.clone()).unwrap_or_default();
        let style = reading.map(|r| r.style);
        self.found += u32::from(reading.is_some());
        if let Kind::Trace(own) | Kind::Flat(own) = scene.kind {
            self.right_style += u32::from(style == Some(own));
        }
        let (hits, misses, false_peaks) = compare(&truth, &found, scene);
        self.hits += hits;
        self.misses += misses;
        self.false_peaks += false_peaks;
    }
}

/// One frame or 40 ms, whichever is more.
fn tolerance_frames(frame_time_s: f64) -> f64 {
    (0.04 / frame_time_s).max(1.0)
}

/// Hits, misses and false peaks; each true peak counts once. A true peak just outside of the loop may be reported or
/// not.
fn compare(truth: &[f64], found: &[f64], scene: &Scene) -> (usize, usize, usize) {
    let tolerance = tolerance_frames(scene.frame_time_s);
    let last = f64::from(scene.frames - 1);
    let mut free: Vec<f64> = found.to_vec();
    let (mut hits, mut misses) = (0, 0);
    for peak in truth {
        let within = (0.0..=last).contains(peak);
        // At the very ends the reader may place a peak just outside.
        let at_end = *peak < tolerance || *peak > last - tolerance;
        match free.iter().position(|f| (f - peak).abs() <= tolerance) {
            Some(index) => {
                free.remove(index);
                hits += usize::from(within);
            }
            None => misses += usize::from(within && !at_end),
        }
    }
    (hits, misses, free.len())
}

fn hints_of(scene: &Scene, seed: u64) -> TraceHints {
    let frame_time_ms = 1000.0 * scene.frame_time_s;
    TraceHints {
        // One header in five says nothing, one in five is wrong by a factor.
        frame_time_ms: match seed % 5 {
            0 => None,
            1 => Some(1.7 * frame_time_ms),
            _ => Some(frame_time_ms),
        },
        ..TraceHints::default()
    }
}

fn run(kinds: &[Kind], seeds: std::ops::Range<u64>) -> Tally {
    let verbose = std::env::var_os("TRACE_VERBOSE").is_some();
    let mut tally = Tally::default();
    for seed in seeds {
        for kind in kinds {
            let scene = Scene::vary(seed, *kind);
            let mut frames = Loop::new(&scene);
            let reading = read_trace(&mut frames, &hints_of(&scene, seed));
            let before = tally;
            tally.add(&scene, reading.as_ref(), frames.asked);
            let worse = tally.misses + tally.false_peaks > before.misses + before.false_peaks;
            if verbose && worse {
                println!("seed {seed} {kind:?} truth {:.1?} look {:?}", scene.true_r_peaks(0.0), scene.trace);
                println!("   read {reading:?}");
            }
        }
    }
    tally
}

/// Seeds a kind of scene is drawn with; more can be asked for to measure (TRACE_SEEDS), and what went wrong is listed
/// with TRACE_VERBOSE.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("TRACE_SEEDS").ok().and_then(|s| s.parse().ok());
    1..1 + wanted.unwrap_or(usual)
}

#[test]
fn beats_are_found_in_every_way_of_drawing() {
    let mut total = Tally::default();
    for style in STYLES {
        let tally = run(&[Kind::Trace(style)], seeds(8));
        println!("{style:?}: F1 {:.3} {tally:?}", tally.f1());
        total.hits += tally.hits;
        total.misses += tally.misses;
        total.false_peaks += tally.false_peaks;
        assert!(tally.f1() >= 0.85, "{style:?}: {tally:?}");
    }
    println!("all: F1 {:.3}", total.f1());
    assert!(total.f1() >= 0.9, "{total:?}");
}

#[test]
fn screens_without_beats_give_none() {
    let kinds = [
        Kind::Bare,
        Kind::Doppler,
        Kind::Flat(TraceStyle::Grows),
        Kind::Flat(TraceStyle::Cursor),
        Kind::Flat(TraceStyle::Scrolls),
    ];
    for kind in kinds {
        let tally = run(&[kind], seeds(4));
        println!("{kind:?}: {tally:?}");
        // Measured: 0 to 3 in 30 loops of a kind.
        assert!(tally.false_peaks as u32 <= 1 + tally.loops / 10, "{kind:?}: {tally:?}");
    }
}
