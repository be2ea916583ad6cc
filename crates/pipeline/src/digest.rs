//! The digest of a resolved pipeline: what decides a label besides the weights.

use domain::Sha256;
use serde::Serialize;
use sha2::Digest as _;
use zoo::{Preparation, ProbabilityCalibration, QuantizationRanges};

use crate::{AggregateSection, EncoderSection, FusionSection, HeadSection, PipelineFile, SamplingSection};

/// Everything that decides a label besides the loop, the weights and the precision, which are kept beside the digest.
///
/// A key that a file leaves out stands here as the value that it takes, so two ways of writing a pipeline have one digest.
#[derive(Serialize)]
struct Resolved<'a> {
    label_set: Option<&'a str>,
    sampling: &'a SamplingSection,
    prepare: Preparation,
    encoder: EncoderSection,
    head: HeadSection,
    fusion: FusionSection,
    aggregate: AggregateSection,
    calibration: ProbabilityCalibration,
    int8_ranges: Option<&'a [[f32; 2]]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    companions: &'a [ResolvedCompanion],
}

/// The parts of a further model that decide its answer.
#[derive(Serialize)]
pub(crate) struct ResolvedCompanion {
    pub(crate) weights: Sha256,
    pub(crate) prepare: Preparation,
    pub(crate) calibration: ProbabilityCalibration,
}

/// Returns the SHA-256 of the pipeline's canonical form: JSON without spaces, keys in the order of `Resolved`.
pub(crate) fn digest(
    file: &PipelineFile,
    prepare: Preparation,
    calibration: ProbabilityCalibration,
    int8: Option<&QuantizationRanges>,
    companions: &[ResolvedCompanion],
) -> Sha256 {
    let resolved = Resolved {
        label_set: file.label_set.as_deref(),
        sampling: &file.sampling,
        prepare,
        encoder: file.encoder,
        head: file.head,
        fusion: file.fusion,
        aggregate: file.aggregate,
        calibration,
        int8_ranges: int8.map(|calibrated| calibrated.ranges.as_slice()),
        companions,
    };
    // Names, numbers and lists: nothing in it can fail to become JSON.
    let canonical = serde_json::to_vec(&resolved).unwrap_or_default();
    <[u8; 32]>::from(sha2::Sha256::digest(canonical)).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::PipelineSource;

    fn preparation() -> Preparation {
        zoo::Registry::open(Path::new("nowhere")).unwrap().card("tte11-tiny").unwrap().prepare
    }

    fn shipped() -> PipelineFile {
        PipelineSource::named("tte11-tiny", Path::new("nowhere")).unwrap().read(Path::new("nowhere")).unwrap()
    }

    fn plain(file: &PipelineFile) -> Sha256 {
        digest(file, preparation(), ProbabilityCalibration::UNFITTED, None, &[])
    }

    #[test]
    fn only_what_decides_a_label_changes_the_digest() {
        let file = shipped();
        let first = plain(&file);
        let mut renamed = file.clone();
        renamed.name = "another name".to_owned();
        renamed.prepare.crop = Some(preparation().crop);
        assert_eq!(plain(&renamed), first, "a name, and a key that says what holds anyway, decide nothing");

        let mut others = vec![];
        for change in [
            (|file| file.aggregate.abstain_below += 0.01) as fn(&mut PipelineFile),
            |file| file.aggregate.max_set_size = Some(2),
            |file| file.aggregate.first_clip_suffices = Some(0.9),
            |file| file.aggregate.prior = crate::ViewPrior::Recorded,
            |file| file.sampling.max_clips += 1,
            |file| file.sampling.strategy = domain::SamplingStrategy::Uniform,
            |file| file.label_set = None,
        ] {
            let mut changed = file.clone();
            change(&mut changed);
            others.push(plain(&changed));
        }
        let mut prepare = preparation();
        prepare.mask_static = !prepare.mask_static;
        others.push(digest(&file, prepare, ProbabilityCalibration::UNFITTED, None, &[]));
        let fitted = ProbabilityCalibration { temperature: 1.5, ..ProbabilityCalibration::UNFITTED };
        others.push(digest(&file, preparation(), fitted, None, &[]));
        let companion =
            ResolvedCompanion { weights: first, prepare: preparation(), calibration: ProbabilityCalibration::UNFITTED };
        others.push(digest(&file, preparation(), ProbabilityCalibration::UNFITTED, None, &[companion]));
        others.push(first);
        let different: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(different.len(), others.len());
    }
}
