//! Every encoder gives the same numbers by the CPU kernels of every instruction set as layer by layer.

use std::path::Path;

use candle_core::{Device, Tensor};
use nn::KernelChoice;
use zoo::weights::{DeterministicInit, Weights, noise};
use zoo::{Encoder, EncoderName, Model, Registry, VideoEncoder, VideoEncoderName};

/// Sizes of the same networks that would only take longer.
const LARGER_SIZES: [EncoderName; 6] = [
    EncoderName::ResNet101,
    EncoderName::ResNet101Keras,
    EncoderName::ConvNextBase,
    EncoderName::ConvNextBaseKeras,
    EncoderName::VitB16,
    EncoderName::SwinV2Base,
];

/// The largest difference allowed, as a share of the largest number.
const TOLERANCE: f32 = 1e-4;

/// An encoder with weights that neither fade nor grow: with larger ones deep networks amplify rounding at will.
fn read(name: EncoderName, choice: KernelChoice) -> Encoder {
    let formula = DeterministicInit { seed: "kernels".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let encoder = Weights::read_all(&formula, &Device::Cpu, '.', |weights| Encoder::read(name, weights));
    encoder.unwrap().with_kernels(choice)
}

fn compare(ours: &Tensor, plain: &Tensor) -> f32 {
    assert_eq!(ours.dims(), plain.dims());
    let largest = |tensor: &Tensor| tensor.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    largest(&(ours - plain).unwrap()) / largest(plain)
}

#[test]
fn every_encoder_gives_the_same_by_kernels_as_layer_by_layer() {
    // Odd sides, so that padding is not the same on all sides; three frames, so that threads get unequal shares.
    let odd = noise("kernels", (3, 3, 75, 97)).unwrap();
    let only = noise("kernels", (3, 3, 224, 224)).unwrap();
    let small = noise("kernels", (3, 3, 32, 32)).unwrap();
    let sets: Vec<_> = runtime::InstructionSet::available().collect();
    println!("instruction sets here: {sets:?}");
    for &name in EncoderName::ALL {
        if LARGER_SIZES.contains(&name) {
            continue;
        }
        let frames = match name {
            EncoderName::VitS16 => &only,
            EncoderName::VitMiniature => &small,
            _ => &odd,
        };
        let plain = read(name, KernelChoice::Plain);
        let (vectors, maps) = (plain.forward(frames).unwrap(), plain.maps(frames).unwrap());
        for &set in &sets {
            let encoder = read(name, KernelChoice::Kernels(set));
            let of_vectors = compare(&encoder.forward(frames).unwrap(), &vectors);
            let of_maps = compare(&encoder.maps(frames).unwrap(), &maps);
            println!("{name:<24} {set:?}: vectors {of_vectors:.1e}, maps {of_maps:.1e}");
            assert!(of_vectors < TOLERANCE && of_maps < TOLERANCE, "{name} {set:?}: {of_vectors} {of_maps}");
        }
    }
}

#[test]
fn one_frame_and_frames_of_another_size_are_encoded_too() {
    let plain = read(EncoderName::EfficientNetTiny, KernelChoice::Plain);
    for set in runtime::InstructionSet::available() {
        let encoder = read(EncoderName::EfficientNetTiny, KernelChoice::Kernels(set));
        for shape in [(1, 3, 64, 64), (5, 3, 33, 40), (1, 3, 96, 32), (1, 3, 64, 64)] {
            let frames = noise("kernels", shape).unwrap();
            let difference = compare(&encoder.forward(&frames).unwrap(), &plain.forward(&frames).unwrap());
            assert!(difference < TOLERANCE, "{set:?} {shape:?}: {difference}");
        }
    }
}

#[test]
fn a_model_packed_for_good_says_the_same_and_takes_no_other_frames() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let mut model = registry.make_untrained_model("tte11-tiny", &Device::Cpu).unwrap();
    let frames = noise("kernels", (2, 3, 96, 96)).unwrap();
    let before = model.encode(&frames).unwrap();
    model.pack_for_good(96).unwrap();
    assert_eq!(compare(&model.encode(&frames).unwrap(), &before), 0.0);
    let others = noise("kernels", (2, 3, 64, 96)).unwrap();
    assert!(model.encode(&others).is_err());
}

#[test]
fn multiply_adds_are_those_of_the_literature() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    // 1086 million for EfficientNet-B2 at 288, as hooks in PyTorch count them.
    let counted = Model::multiply_adds_of_a_frame(registry.card("tte11-speed").unwrap()).unwrap();
    assert!(counted.is_some_and(|counted| (1_085_000_000..1_087_000_000).contains(&counted)), "{counted:?}");
}

#[test]
fn video_encoders_give_the_same_by_kernels_as_layer_by_layer() {
    let formula = DeterministicInit { seed: "kernels".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let read = |name, choice| {
        let encoder = Weights::read_all(&formula, &Device::Cpu, '.', |weights| VideoEncoder::read(name, weights));
        encoder.unwrap().with_kernels(choice)
    };
    // Odd sides and an odd number of frames; slow_r50 averages windows of 8 frames and 7 x 7 pixels.
    for (name, shape) in
        [(VideoEncoderName::R2Plus1d18, (2, 5, 3, 45, 59)), (VideoEncoderName::SlowR50, (1, 9, 3, 205, 231))]
    {
        let clips = noise("kernels", shape).unwrap();
        let plain = read(name, KernelChoice::Plain).forward(&clips).unwrap();
        for set in runtime::InstructionSet::available() {
            let difference = compare(&read(name, KernelChoice::Kernels(set)).forward(&clips).unwrap(), &plain);
            println!("{name:<24} {set:?}: {difference:.1e}");
            assert!(difference < TOLERANCE, "{name} {set:?}: {difference}");
        }
    }
}
