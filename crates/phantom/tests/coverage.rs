//! The specifications drawn at random reach every carrier, style, encoding and rhythm.

use phantom::{EcgSource, LoopIdentity, LoopSpec, PixelEncoding, Rhythm, TraceStyle, View, write_loop};
use std::collections::BTreeSet;

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
