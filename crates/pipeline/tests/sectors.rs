//! The box of the ultrasound image as it is found in pixels alone, on simulated loops whose header names no region.

use cine::Loop;
use phantom::{LoopIdentity, LoopSpec, PixelRect, RegionTable, write_loop};

const LOOPS: u64 = 66;
const FIRST_SEED: u64 = 5200;

/// Share of the boxes' union that both cover.
fn agreement(truth: &PixelRect, found: &cine::PixelBox) -> f64 {
    let common = |a: (u32, u32), b: (u32, u32)| f64::from((a.1.min(b.1) + 1).saturating_sub(a.0.max(b.0)));
    let both = common((truth.x0, truth.x1), (found.x0, found.x1)) * common((truth.y0, truth.y1), (found.y0, found.y1));
    let area = f64::from(truth.x1 - truth.x0 + 1) * f64::from(truth.y1 - truth.y0 + 1);
    both / (area + found.area() as f64 - both)
}

/// Mirror echoes, dark sides and lossy compression among them: what `LoopSpec::random` draws.
#[test]
fn the_sector_is_found_without_a_region() {
    let folder = tempfile::tempdir().unwrap();
    let mut agreements = Vec::new();
    for seed in FIRST_SEED..FIRST_SEED + LOOPS {
        let random = LoopSpec::random(seed);
        let spec = LoopSpec { regions: RegionTable::Missing, frames: random.frames.min(24), ..random };
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
    assert!(median >= 0.95 && twentieth >= 0.9 && least >= 0.55, "{least} {twentieth} {median}");
}
