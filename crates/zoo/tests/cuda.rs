//! Encoders on a CUDA device beside the CPU: parity, and the time of a batch. Nobody has run it yet: no machine that builds
//! this has a GPU, where it is only type-checked (`make check-cuda`). On one that has:
//!
//! `cargo test --release -p zoo --features cuda --test cuda -- --nocapture`
#![cfg(feature = "cuda")]

use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use nn::DeviceChoice;
use zoo::weights::{DeterministicInit, Weights, noise};
use zoo::{Encoder, EncoderName};

fn read(name: EncoderName, device: &Device) -> Encoder {
    let formula = DeterministicInit { seed: "cuda".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    Weights::read_all(&formula, device, '.', |weights| Encoder::read(name, weights)).unwrap()
}

fn largest(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn encoders_say_the_same_on_the_gpu() {
    let device = match DeviceChoice::Cuda(0).open() {
        Ok(device) => device,
        Err(error) => {
            eprintln!("skipped: {error}");
            return;
        }
    };
    for (name, side, count) in [
        (EncoderName::EfficientNetB2, 288, 16),
        (EncoderName::Xception, 224, 16),
        (EncoderName::DenseNet121, 224, 16),
        (EncoderName::ConvNextTiny, 224, 16),
        (EncoderName::VitS16, 224, 16),
        (EncoderName::SwinV2Tiny, 224, 16),
    ] {
        let frames = noise("cuda", (count, 3, side, side)).unwrap();
        let expected = read(name, &Device::Cpu).forward(&frames).unwrap();
        let encoder = read(name, &device);
        for (kind, tolerance) in [(DType::F32, 1e-3), (DType::BF16, 0.1), (DType::F16, 0.02)] {
            let frames = frames.to_device(&device).unwrap().to_dtype(kind).unwrap();
            let encode = || {
                let started = Instant::now();
                let vectors = encoder.forward(&frames).unwrap();
                device.synchronize().unwrap();
                (vectors, started.elapsed().as_secs_f64() * 1000.0)
            };
            let (vectors, first_ms) = encode();
            let best_ms = (0..20).map(|_| encode().1).fold(f64::INFINITY, f64::min);
            let vectors = vectors.to_dtype(DType::F32).unwrap().to_device(&Device::Cpu).unwrap();
            let difference = largest(&(vectors - &expected).unwrap()) / largest(&expected);
            println!(
                "{name:<24} {kind:?}: {difference:.1e} off, {count} frames in {best_ms:.2} ms (first {first_ms:.0} ms)"
            );
            assert!(difference < tolerance, "{name} {kind:?}: {difference}");
        }
    }
}
