//! The largest difference allowed between an output and the original framework's.

/// The facts that decide the tolerance of an output.
pub(crate) struct Facts<'a> {
    pub model: &'a str,
    pub seed: &'a str,
    pub output: &'a str,
    /// Side of the input images, where the input is images.
    pub image_side: Option<usize>,
    /// The framework's own rounding error: its float32 output against its float64 output.
    pub drift: Option<f64>,
}

/// The seed, image sizes and clip lengths for which the references' README states tolerances.
const SHIPPED_SEED: &str = "echolabel-golden-v1";
const SHIPPED_LENGTHS: [&str; 3] = ["T6/", "T10/", "T16/"];

/// For all else: times the framework's own rounding error.
const TIMES_DRIFT: f64 = 20.0;

/// The references' README's table: a model's name or the beginning of it, side of its images (0: no images), output, tolerance.
/// The first row that fits counts.
const TABLE: &[(&str, usize, &str, f64)] = &[
    ("echoview47_", 224, "features", 5e-5),
    ("echoview47_", 224, "logits", 5e-5),
    ("echoview47_", 224, "softmax", 2e-6),
    ("baseline_keras_resnet101", 224, "logits", 7e-4),
    ("baseline_torch_resnet101", 224, "logits", 3e-4),
    ("baseline_keras_efficientnetv2_s", 224, "logits", 1e-4),
    ("baseline_torch_efficientnet_v2_s", 224, "logits", 1e-4),
    ("baseline_", 224, "logits", 5e-5),
    ("thesis_image", 288, "pooled", 1e-3),
    ("thesis_image", 288, "logits", 1e-3),
    ("thesis_cnn_lstm", 288, "logits", 5e-5),
    ("thesis_conv1d_k3", 288, "logits", 2e-4),
    ("thesis_attention_gate", 288, "logits", 2e-5),
    ("thesis_r2plus1d_18", 112, "logits", 5e-6),
    ("thesis_slow_r50", 224, "logits", 3e-5),
    ("conv1d_dilated_stack", 0, "logits", 4e-5),
    ("conv3d_stack_frames", 0, "logits", 4e-5),
    ("", 0, "logits", 1e-5),
];

/// For a file without float64 outputs: the table's rows of its family, whatever the seed.
const WITHOUT_DRIFT: f64 = 5e-5;
const WITHOUT_DRIFT_SOFTMAX: f64 = 2e-6;

/// The tolerance; `None` for a file that does not give the framework's own rounding error of the output.
pub(crate) fn for_output(facts: &Facts<'_>) -> Option<f64> {
    let (length, output) = match facts.output.split_once('/') {
        Some((tag, output)) => (Some(format!("{tag}/")), output),
        None => (None, facts.output),
    };
    let shipped_length = length.is_none_or(|length| SHIPPED_LENGTHS.contains(&length.as_str()));
    let row = TABLE.iter().find(|(model, side, row_output, _)| {
        facts.model.starts_with(model) && *side == facts.image_side.unwrap_or(0) && *row_output == output
    });
    match row {
        Some((_, _, _, tolerance)) if facts.seed == SHIPPED_SEED && shipped_length => Some(*tolerance),
        // keras.applications' ConvNeXt was not run in float64: too slow.
        _ if facts.drift.is_none() && facts.model.starts_with("baseline_keras_convnext") => {
            Some(if output == "softmax" { WITHOUT_DRIFT_SOFTMAX } else { WITHOUT_DRIFT })
        }
        _ => facts.drift.map(|drift| TIMES_DRIFT * drift),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_for_the_shipped_seed_and_size_alone() {
        let facts = |seed, output, image_side, drift| Facts { model: "thesis_image", seed, output, image_side, drift };
        assert_eq!(for_output(&facts(SHIPPED_SEED, "logits", Some(288), Some(0.5))), Some(1e-3));
        assert_eq!(for_output(&facts(SHIPPED_SEED, "logits", Some(256), Some(0.5))), Some(10.0));
        assert_eq!(for_output(&facts("another", "logits", Some(288), Some(0.5))), Some(10.0));
        assert_eq!(for_output(&facts(SHIPPED_SEED, "thousand", Some(288), Some(0.5))), Some(10.0));
        assert_eq!(for_output(&facts("another", "logits", Some(288), None)), None);
    }

    #[test]
    fn heads_have_a_row_for_the_shipped_lengths() {
        let facts =
            |output| Facts { model: "lstm_1408", seed: SHIPPED_SEED, output, image_side: None, drift: Some(0.5) };
        assert_eq!(for_output(&facts("T6/logits")), Some(1e-5));
        assert_eq!(for_output(&facts("T7/logits")), Some(10.0));
    }
}
