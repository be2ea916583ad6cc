//! The specifications drawn at random reach every carrier, style, encoding and rhythm.

use std::collections::BTreeSet;

use domain::EcgSource;
use phantom::{LoopIdentity, LoopMode, LoopSpec, PixelEncoding, Rhythm, TraceStyle, View, simulate_loop, write_loop};

#[test]
fn random_loops_reach_everything() {
    let specs: Vec<LoopSpec> = (0..200).map(LoopSpec::random).collect();
    let of = |name: &dyn Fn(&LoopSpec) -> String| specs.iter().map(name).collect::<BTreeSet<_>>();
    assert_eq!(of(&|spec| format!("{:?}", spec.encoding)).len(), PixelEncoding::ALL.len());
    assert_eq!(of(&|spec| format!("{:?}", spec.rhythm)).len(), Rhythm::ALL.len());
    assert_eq!(of(&|spec| format!("{:?}", spec.subject)).len(), View::ALL.len());
    assert_eq!(of(&|spec| format!("{:?}", spec.trace.map(|trace| trace.style))).len(), TraceStyle::ALL.len() + 1);
    assert!(specs.iter().all(|spec| (40.0..=180.0).contains(&spec.heart_rate_bpm)));
    assert!(specs.iter().all(|spec| (11.0..=50.1).contains(&spec.frame_time_ms)));
}

#[test]
fn every_source_and_style_can_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sources = BTreeSet::new();
    for seed in 0..24 {
        let mut spec = LoopSpec::random(seed);
        spec.size = (160, 120);
        spec.frames = spec.frames.min(3);
        spec.anatomy = false;
        let path = folder.path().join(format!("{seed}.dcm"));
        let truth = write_loop(&spec, &LoopIdentity::new(seed, 1), &path).expect("a loop");
        sources.insert(format!("{:?}", truth.ecg_source));
        dicom_object::open_file(&path).expect("the file parses");
    }
    let all =
        [EcgSource::Waveform, EcgSource::RWaveTimeVector, EcgSource::Curve, EcgSource::BurnedInTrace, EcgSource::None];
    assert_eq!(sources.len(), all.len(), "{sources:?}");
}

/// Pixels that are clearly red and clearly blue.
fn flow_pixels(data: &[u8]) -> (usize, usize) {
    let count = |strong: usize, weak: usize| {
        data.chunks_exact(3).filter(|rgb| rgb[strong] > 80 && rgb[weak] < rgb[strong] / 3).count()
    };
    (count(0, 2), count(2, 0))
}

#[test]
fn flow_is_red_while_the_ventricle_fills_and_blue_while_it_empties() {
    let mut spec = LoopSpec::plain(View::Apical4, 3);
    spec.mode = LoopMode::Color;
    spec.size = (400, 300);
    let simulated = simulate_loop(&spec);
    let phases = simulated.phases();
    let at = |frame: f64| flow_pixels(simulated.frame(frame.round() as u32).pixels());
    let (filling, ejecting) = (at(phases.early_filling[0]), at(phases.aortic_opening[0] + 4.0));
    assert!(filling.0 > filling.1 + 500, "filling {filling:?}");
    assert!(ejecting.1 > ejecting.0 + 300, "ejecting {ejecting:?}");
}
