//! Numbers of the original frameworks, re-made with our layers from the same formula weights.

use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Verifies one file and fails on the first output that is too far off.
fn verify(path: &Path) {
    let checks = parity::verify(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for check in &checks {
        let parity::Check { model, output, deviation, tolerance } = check;
        println!("{model} {output}: largest deviation {deviation:.1e}, tolerance {tolerance:.1e}");
    }
    for check in &checks {
        assert!(check.passes(), "{check:?}");
    }
    assert!(checks.len() > 1, "{}: no output was compared", path.display());
}

fn verify_fixture(name: &str) {
    verify(&workspace().join("fixtures/golden").join(name));
}

/// Verifies a file that is too large for this repository.
fn verify_shared(name: &str) {
    if let Some(folder) = test_support::shared_reference() {
        verify(&folder.join("golden").join(name));
    }
}

macro_rules! reference_tests {
    ($verify:ident: $($test:ident = $file:literal),+ $(,)?) => { $(#[test] fn $test() { $verify($file); })+ };
}

reference_tests! { verify_fixture:
    echo_prime_view_classifier_equals_torchvision = "echo_prime_view_classifier.json",
    efficientnet_lite0_equals_its_package = "efficientnet_lite0.json",
    efficientnet_lite1_equals_its_package = "efficientnet_lite1.json",
    efficientnet_lite2_equals_its_package = "efficientnet_lite2.json",
    echo_prime_preparation_equals_opencv = "echo_prime_preparation.json",
    xception_with_47_classes_equals_keras = "echoview47_classifier.json",
    xception_with_5_classes_equals_keras = "echoview47_tmed2.json",
    convnext_tiny_equals_keras = "baseline_keras_convnext_tiny.json",
    densenet121_equals_keras = "baseline_keras_densenet121.json",
    efficientnet_v2_s_equals_keras = "baseline_keras_efficientnetv2_s.json",
    resnet50_equals_keras = "baseline_keras_resnet50.json",
    resnet101_equals_keras = "baseline_keras_resnet101.json",
    convnext_tiny_equals_torchvision = "baseline_torch_convnext_tiny.json",
    densenet121_equals_torchvision = "baseline_torch_densenet121.json",
    efficientnet_v2_s_equals_torchvision = "baseline_torch_efficientnet_v2_s.json",
    resnet50_equals_torchvision = "baseline_torch_resnet50.json",
    resnet101_equals_torchvision = "baseline_torch_resnet101.json",
    swin_v2_t_equals_torchvision = "baseline_torch_swin_v2_t.json",
    vit_b_16_equals_torchvision = "baseline_torch_vit_b_16.json",
    image_model_equals_the_reference = "thesis_image.json",
    residual_video_model_equals_the_reference = "thesis_conv1d_k3.json",
    attention_gate_model_equals_the_reference = "thesis_attention_gate.json",
    cnn_lstm_equals_the_reference = "thesis_cnn_lstm.json",
    r2plus1d_18_equals_torchvision = "thesis_r2plus1d_18.json",
    slow_r50_equals_pytorchvideo = "thesis_slow_r50.json",
    conv1d_head_equals_the_reference = "conv1d_k3_d1.json",
    conv1d_head_of_dilation_2_equals_the_definition = "conv1d_k3_d2.json",
    conv1d_head_of_dilation_4_equals_the_definition = "conv1d_k3_d4.json",
    dilated_head_equals_the_definition = "conv1d_dilated_stack.json",
    attention_head_equals_the_definition = "attention_residual.json",
    stacked_gate_equals_the_definition = "attention_gated.json",
    classified_gate_equals_the_reference = "attention_gate_only.json",
    scalar_mix_equals_the_definition = "alpha_scalar.json",
    vector_mix_equals_the_definition = "alpha_vector.json",
    conv3d_head_equals_the_definition = "conv3d_stack_frames.json",
    r2plus1d_head_equals_the_definition = "r2plus1d_block_maps.json",
    losses_equal_torch = "losses.json",
    resizing_equals_tensorflow = "resize/tf.json",
    resizing_equals_pillow_torch_and_opencv = "resize/torch.json",
    formula_gives_the_test_vectors = "vectors.json",
}

reference_tests! { verify_shared:
    lstm_of_1000_features_equals_torch = "heads/lstm_1000.json",
    lstm_of_1408_features_equals_torch = "heads/lstm_1408.json",
    bidirectional_lstm_equals_torch = "heads/bilstm_1408.json",
    whole_images_equal_tensorflow = "resize/tf.json",
    whole_images_equal_pillow_and_opencv = "resize/torch.json",
}

#[test]
fn every_fixture_has_a_test() {
    let source = include_str!("reference_numbers.rs");
    let files = parity::reference_files(&workspace().join("fixtures/golden")).unwrap();
    assert!(files.len() >= 35, "{}", files.len());
    // Weight files are tested beside the code that imports them.
    for file in files.into_iter().filter(|file| !file.components().any(|part| part.as_os_str() == "files")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("{name}\"")), "{name}");
    }
}
