//! The label-noise experiment: wrong labels are put in, and clusters of features should find them (Naidoo et al.,
//! Medical Image Analysis 110, 2026, 104006).

mod cluster;
mod inject;

use serde::Serialize;

use crate::error::{Result, need_size};
use crate::metrics::ratio;

pub use cluster::{ClusterOptions, cluster_labels};
pub use inject::{NoisyLabels, inject_within_groups};

/// Metrics of a correction of labels that were made wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NoiseMetrics {
    /// Rows whose label was made wrong: N.
    pub noisy: usize,
    /// Rows whose proposed label differs from the noisy one: M.
    pub mismatched: usize,
    /// Rows of both.
    pub detected: usize,
    /// Those of them whose proposed label is the original one: C.
    pub corrected: usize,
    /// |N and M| / |N|, 0 to 1.
    pub detection_rate: Option<f64>,
    /// |C| / |N|, 0 to 1: despite its name a recall, over all noise.
    pub label_recovery_precision: Option<f64>,
    /// |C| / |N and M|, 0 to 1.
    pub correction_accuracy: Option<f64>,
    /// |N and M| / |M|, 0 to 1: the share of alarms that are noise; not in the paper, but what a person who must look
    /// at every alarm wants to know.
    pub alarm_precision: Option<f64>,
}

/// Compares `original` labels, the `noisy` ones made of them and the labels `proposed` by a correction.
///
/// # Errors
/// The three lists differ in length.
pub fn noise_metrics(original: &[usize], noisy: &[usize], proposed: &[usize]) -> Result<NoiseMetrics> {
    need_size("noisy labels", original.len(), noisy.len())?;
    need_size("proposed labels", original.len(), proposed.len())?;
    let rows =
        || original.iter().zip(noisy).zip(proposed).map(|((original, noisy), proposed)| (original, noisy, proposed));
    let count_noisy = rows().filter(|(original, noisy, _)| original != noisy).count();
    let mismatched = rows().filter(|(_, noisy, proposed)| noisy != proposed).count();
    let detected = rows().filter(|(original, noisy, proposed)| original != noisy && noisy != proposed).count();
    let corrected = rows().filter(|(original, noisy, proposed)| original != noisy && proposed == original).count();
    let share = |part: usize, whole: usize| ratio(part as f64, whole as f64);
    Ok(NoiseMetrics {
        noisy: count_noisy,
        mismatched,
        detected,
        corrected,
        detection_rate: share(detected, count_noisy),
        label_recovery_precision: share(corrected, count_noisy),
        correction_accuracy: share(corrected, detected),
        alarm_precision: share(detected, mismatched),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use random::Stream;

    #[test]
    fn figures_are_counted_by_hand() {
        // Noise in rows 0 to 3; row 0 corrected, row 1 called a third class, rows 2 and 3 missed; row 4 is a false
        // alarm.
        let original = [0, 0, 1, 2, 2, 1];
        let noisy = [1, 1, 0, 0, 2, 1];
        let proposed = [0, 2, 0, 0, 0, 1];
        let metrics = noise_metrics(&original, &noisy, &proposed).unwrap();
        assert_eq!((metrics.noisy, metrics.mismatched, metrics.detected, metrics.corrected), (4, 3, 2, 1));
        assert_eq!(metrics.detection_rate, Some(0.5));
        assert_eq!(metrics.label_recovery_precision, Some(0.25));
        assert_eq!(metrics.correction_accuracy, Some(0.5));
        assert_eq!(metrics.alarm_precision, Some(2.0 / 3.0));
        assert_eq!(noise_metrics(&[0], &[0], &[0]).unwrap().detection_rate, None);
        assert!(noise_metrics(&[0], &[], &[0]).is_err());
    }

    #[test]
    fn clusters_that_are_apart_find_all_noise() {
        let classes = 6;
        let mut stream = Stream::new(8);
        let original: Vec<usize> = (0..600).map(|row| row % classes).collect();
        let features: Vec<Vec<f32>> = original
            .iter()
            .map(|class| {
                let near = |index: usize| if index == *class { 5.0 } else { 0.0 };
                (0..20).map(|index| (near(index) + 0.3 * stream.normal()) as f32).collect()
            })
            .collect();
        let groups: Vec<Option<usize>> = (0..classes).map(|class| (class < 5).then_some(class / 3)).collect();
        let noisy = inject_within_groups(&original, &groups, 0.3, 5).unwrap();
        let rows: Vec<&[f32]> = features.iter().map(Vec::as_slice).collect();
        let proposed = cluster_labels(&rows, &noisy.labels, ClusterOptions::for_classes(classes)).unwrap();
        let metrics = noise_metrics(&original, &noisy.labels, &proposed).unwrap();
        assert_eq!(metrics.noisy, 150);
        assert_eq!((metrics.detection_rate, metrics.label_recovery_precision), (Some(1.0), Some(1.0)));
        assert_eq!(metrics.mismatched, 150);
    }
}
