//! Half precision is for GPUs, but Candle has products in f16 on a CPU too: so the types of every layer are tested here, and
//! about how far off its sums are. (In bf16 Candle has none on a CPU.)

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use domain::Precision;
use nn::KernelChoice;
use zoo::weights::{DeterministicInit, Weights, noise};
use zoo::{Encoder, EncoderName, Registry};

fn largest(tensor: &Tensor) -> f32 {
    tensor.to_dtype(DType::F32).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

/// The largest difference as a share of the largest number.
fn difference(half: &Tensor, single: &Tensor) -> f32 {
    assert_eq!(half.dims(), single.dims());
    largest(&(half.to_dtype(DType::F32).unwrap() - single).unwrap()) / largest(single)
}

#[test]
fn networks_of_every_kind_of_layer_run_in_half_precision() {
    let formula = DeterministicInit { seed: "half".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    for (name, side) in [
        (EncoderName::EfficientNetTiny, 47),
        (EncoderName::EfficientNetB2ImageNet, 33),
        (EncoderName::Xception, 75),
        (EncoderName::DenseNet121, 33),
        (EncoderName::ResNet50Keras, 33),
        (EncoderName::ConvNextTiny, 33),
        (EncoderName::VitS16, 224),
        (EncoderName::SwinV2Tiny, 33),
    ] {
        let encoder = Weights::read_all(&formula, &Device::Cpu, '.', |weights| Encoder::read(name, weights));
        let encoder = encoder.unwrap().with_kernels(KernelChoice::Plain);
        let frames = noise("half", (1, 3, side, side)).unwrap();
        let single = encoder.forward(&frames).unwrap();
        let half = encoder.forward(&frames.to_dtype(DType::F16).unwrap()).unwrap();
        assert_eq!(half.dtype(), DType::F16, "{name}");
        let difference = difference(&half, &single);
        println!("{name:<24} {difference:.1e}");
        assert!(difference > 0.0 && difference < 0.05, "{name}: {difference}");
    }
}

#[test]
fn what_comes_out_of_an_encoder_in_half_precision_is_in_single_precision_again() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let model = || registry.make_untrained_model("tte11-tiny", &Device::Cpu).unwrap();
    let frames = noise("half", (4, 3, 64, 64)).unwrap();
    let (half, single) = (model().in_half(Precision::F16).unwrap(), model());
    assert_eq!((half.precision(), single.precision()), (Precision::F16, Precision::F32));
    let (encoded, expected) = (half.encode(&frames).unwrap(), single.encode(&frames).unwrap());
    assert_eq!(encoded.dtype(), DType::F32);
    let off = difference(&encoded, &expected);
    assert!(off > 0.0 && off < 0.01, "{off}");
    let logits = |encoded: &Tensor| single.classify(&encoded.unsqueeze(0).unwrap()).unwrap().logits;
    let off = difference(&logits(&encoded), &logits(&expected));
    assert!(off < 0.01, "{off}");
}

#[test]
fn a_model_of_whole_clips_has_no_half_precision_and_says_so() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let model = registry.make_untrained_model("tte11-r2plus1d", &Device::Cpu).unwrap();
    let error = model.in_half(Precision::Bf16).err().unwrap().to_string();
    assert!(error.contains("whole clips") && error.contains("bf16"), "{error}");
}
