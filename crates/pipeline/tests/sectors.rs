//! The box of the ultrasound image as it is found in pixels alone, on simulated loops whose header names no region.

use cine::Loop;
use domain::PixelRect;
use phantom::{Gain, LoopIdentity, LoopSpec, RegionTable, write_loop};

const LOOPS: u64 = 66;
const FIRST_SEED: u64 = 5200;

/// Share of the union of two rectangles that both cover.
fn agreement(truth: &PixelRect, found: &PixelRect) -> f64 {
    let both = truth.intersection(found).map_or(0, |shared| shared.area());
    both as f64 / (truth.area() + found.area() - both) as f64
}

/// The agreement of the loops with the smallest, of a twentieth and of half of them, in that order.
fn agreements(look: impl Fn(&mut LoopSpec)) -> (f64, f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let mut agreements = Vec::new();
    for seed in FIRST_SEED..FIRST_SEED + LOOPS {
        let mut spec = LoopSpec::random(seed);
        look(&mut spec);
        spec.regions = RegionTable::Missing;
        spec.frames = spec.frames.min(24);
        let path = folder.path().join("loop.dcm");
        let truth = write_loop(&spec, &LoopIdentity::new(seed, 1), &path).unwrap();
        let found = Loop::open(&path).unwrap().sector();
        let share = found.map_or(0.0, |found| agreement(&truth.sector, &found));
        println!("seed {seed}: {share:.2} {:?} {:?} found {found:?} in {:?}", spec.subject, spec.vendor, truth.sector);
        agreements.push(share);
    }
    agreements.sort_by(f64::total_cmp);
    let (least, twentieth, median) =
        (agreements[0], agreements[agreements.len() / 20], agreements[agreements.len() / 2]);
    println!("{LOOPS} loops: least {least:.2}, a twentieth below {twentieth:.2}, median {median:.2}");
    (least, twentieth, median)
}

#[test]
fn the_sector_of_a_usual_image_is_found_without_a_region() {
    let usual_look = |spec: &mut LoopSpec| {
        let Gain { gain_db, noise_db, clutter_db, dropout, .. } = spec.gain;
        spec.gain = Gain { gain_db, noise_db, clutter_db, dropout: dropout.min(1.0), ..Gain::default() };
    };
    let (least, twentieth, median) = agreements(usual_look);
    assert!(median >= 0.95 && twentieth >= 0.9 && least >= 0.7, "{least} {twentieth} {median}");
}

/// A part of the fan is seldom taken for all of it where a side is dark and compression lossy.
#[test]
fn the_sector_of_an_image_of_mirror_echoes_and_shadows_is_found() {
    let (least, twentieth, median) = agreements(|_| ());
    assert!(median >= 0.95 && twentieth >= 0.9 && least >= 0.55, "{least} {twentieth} {median}");
}
