//! The frames of a plan, decoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use cine::CineError;
use domain::{Finding, FindingCode, RgbImage};
use ecg::SamplingPlan;

use crate::{DecodedFrames, PreprocessError, Result};

/// Decodes the frames that the plan names; one that cannot be decoded is left out with a finding, unless its decoder
/// failed: then there is nothing to go on with.
pub(crate) fn decode(
    plan: &SamplingPlan,
    frames: &mut DecodedFrames<'_>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<u32, Arc<RgbImage>>> {
    let indexes = plan.frame_indexes();
    let mut decoded = BTreeMap::new();
    let mut last_error = None;
    for &index in &indexes {
        match frames.get(index) {
            Ok(frame) => {
                decoded.insert(index, Arc::clone(frame));
            }
            Err(error @ CineError::Decoder(_)) => return Err(error.into()),
            Err(error) => {
                findings.push(Finding::new(FindingCode::FrameNotDecoded, error.to_string()));
                last_error = Some(error);
            }
        }
    }
    match last_error {
        Some(source) if decoded.is_empty() => Err(PreprocessError::NoFrame { planned: indexes.len(), source }),
        _ => Ok(decoded),
    }
}

/// Returns the clips of the plan as positions in `decoded`; a missing frame is replaced by the nearest one that is there.
pub(crate) fn clip_positions(plan: &SamplingPlan, decoded: &BTreeMap<u32, Arc<RgbImage>>) -> Vec<Vec<usize>> {
    let there: Vec<u32> = decoded.keys().copied().collect();
    let nearest = |wanted: u32| {
        let distances = there.iter().map(|index| index.abs_diff(wanted));
        distances.enumerate().min_by_key(|(_, distance)| *distance).map_or(0, |(position, _)| position)
    };
    plan.clips.iter().map(|clip| clip.frames.iter().map(|frame| nearest(frame.index)).collect()).collect()
}
