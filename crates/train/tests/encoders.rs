//! Every architecture learns: on the graph it computes what it computes layer by layer, and every variable of it gets a
//! gradient that finite differences confirm.

use candle_core::{DType, Device, Tensor, Var};
use nn::{KernelChoice, TrainingContext};
use train::{Snapshot, Variables};
use zoo::weights::{DeterministicInit, TensorSource, Weights};
use zoo::{
    AnyEncoderName, Architecture, Encoder, EncoderName, FusionName, HeadName, Model, VideoEncoder, VideoEncoderName,
};

const SIDE: usize = 48;

/// The side of the images that a miniature takes.
const SMALL_SIDE: usize = 32;

fn frames(side: usize) -> Tensor {
    pixels(&[2, 3, side, side])
}

/// Two clips of `frames` frames.
fn clips(frames: usize) -> Tensor {
    pixels(&[2, frames, 3, SMALL_SIDE, SMALL_SIDE])
}

fn pixels(shape: &[usize]) -> Tensor {
    zoo::weights::noise("learning", shape).unwrap()
}

fn model(encoder: impl Into<AnyEncoderName>, source: &dyn TensorSource) -> Model {
    let architecture = Architecture::classifying(encoder, HeadName::None, FusionName::Spatial, 5);
    Model::read(&architecture, source, &Device::Cpu).unwrap()
}

/// The weights of the golden references.
fn formula() -> DeterministicInit {
    DeterministicInit { seed: "learning".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None }
}

fn largest(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn every_architecture_learns_through_the_layers_it_is_written_over() {
    use EncoderName::*;
    for name in [
        EfficientNetTiny,
        EfficientNetB2,
        Xception,
        ResNet50,
        ResNet50Keras,
        DenseNet121,
        ConvNextTiny,
        EfficientNetV2S,
        EfficientNetV2SKeras,
        VitMiniature,
        // Its windows of 8 x 8 tokens are larger than the maps: what is beyond the edge learns too.
        SwinV2Tiny,
        SwinV2Miniature,
    ] {
        let frames = frames(if name == VitMiniature { SMALL_SIDE } else { SIDE });
        // Numbers that stay in range from layer to layer; with random ones and unmeasured norms the deepest are
        // chaotic.
        let variables = Variables::random(3).starting_from(Box::new(formula()));
        let learning = model(name, &variables);
        let learned = learning.encode_training(&frames, &TrainingContext::evaluation()).unwrap();
        let snapshot = variables.snapshot().unwrap();
        let plain = plain_vectors(name, &snapshot, &frames);
        let difference = largest(&(&learned - &plain).unwrap());
        assert!(difference <= 1e-4 * largest(&plain), "{name}: {difference} of {}", largest(&plain));
        let vectors = learning.encode_training(&frames, &TrainingContext::training(1)).unwrap();
        assert_all_learn(name.name(), &learning, &vectors.unsqueeze(1).unwrap(), &variables);
    }
}

/// Asserts that every variable gets a gradient from what `model` says of `vectors` [B, T, C].
fn assert_all_learn(name: &str, model: &Model, vectors: &Tensor, variables: &Variables) {
    let logits = model.classify(vectors).unwrap().logits;
    let gradients = logits.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    let without: Vec<String> = variables
        .learned()
        .into_iter()
        .filter(|(_, variable)| gradients.get(variable).is_none())
        .map(|(name, _)| name)
        .collect();
    assert!(without.is_empty(), "{name}: no gradient for {without:?}");
}

#[test]
fn every_encoder_of_clips_learns_through_the_layers_it_is_written_over() {
    use VideoEncoderName::*;
    for name in [R2Plus1d18, R2Plus1dMiniature, SlowResNetMiniature] {
        let clips = clips(4);
        let variables = Variables::random(3).starting_from(Box::new(formula()));
        let learning = model(name, &variables);
        let learned = learning.encode_training(&clips, &TrainingContext::evaluation()).unwrap();
        let only_encoder = variables.snapshot().unwrap().only(|tensor| tensor.starts_with("encoder"));
        for choice in [KernelChoice::Plain, KernelChoice::detect().unwrap()] {
            let encoder = Weights::read_all(&only_encoder, &Device::Cpu, '.', |weights| {
                VideoEncoder::read(name, &weights.at("encoder")).map(|encoder| encoder.with_kernels(choice))
            });
            let plain = encoder.unwrap().forward(&clips).unwrap();
            let difference = largest(&(&learned.squeeze(1).unwrap() - &plain).unwrap());
            assert!(difference <= 1e-4 * largest(&plain), "{name}: {difference} of {}", largest(&plain));
        }
        let vectors = learning.encode_training(&clips, &TrainingContext::training(1)).unwrap();
        assert_all_learn(name.name(), &learning, &vectors, &variables);
    }
}

/// The same vectors by Candle's own layers, one by one.
fn plain_vectors(name: EncoderName, source: &Snapshot, frames: &Tensor) -> Tensor {
    let only_encoder = source.clone().only(|tensor| tensor.starts_with("encoder"));
    let encoder = Weights::read_all(&only_encoder, &Device::Cpu, '.', |weights| {
        Encoder::read(name, &weights.at("encoder")).map(|encoder| encoder.with_kernels(KernelChoice::Plain))
    });
    encoder.unwrap().forward(frames).unwrap()
}

#[test]
fn the_slope_along_the_gradient_is_its_squared_length() {
    for head in [
        HeadName::Conv1d,
        HeadName::Dilated,
        HeadName::Conv1dDilation4,
        HeadName::BiLstm1,
        HeadName::Attention,
        HeadName::Transformer,
    ] {
        for fusion in [FusionName::Gate, FusionName::AlphaVector, FusionName::GateStacked, FusionName::Temporal] {
            if head == HeadName::BiLstm1 && fusion != FusionName::Temporal {
                continue;
            }
            let architecture = Architecture {
                bottleneck: Some(16),
                ..Architecture::classifying(EncoderName::EfficientNetTiny, head, fusion, 5)
            };
            let variables = Variables::random(7);
            let loss = || {
                let model = Model::read(&architecture, &variables, &Device::Cpu).unwrap();
                let vectors = model.encode_training(&frames(SIDE), &TrainingContext::evaluation()).unwrap();
                let clips = vectors.reshape((1, 2, vectors.dim(1).unwrap())).unwrap();
                model.classify(&clips).unwrap().logits.sqr().unwrap().sum_all().unwrap()
            };
            let slopes = slopes(&variables, loss, |variables| vec![variables.to_vec()]);
            assert!(slopes.iter().all(|slope| (slope - 1.0).abs() < 0.03), "{head} {fusion}: {slopes:?}");
        }
    }
}

#[test]
fn the_slope_along_each_tensors_gradient_is_its_squared_length() {
    use {EncoderName::*, VideoEncoderName::*};
    let encoders: [(AnyEncoderName, Tensor); 4] = [
        (VitMiniature.into(), frames(SMALL_SIDE)),
        (SwinV2Miniature.into(), frames(SMALL_SIDE)),
        (R2Plus1dMiniature.into(), clips(5)),
        (SlowResNetMiniature.into(), clips(5)),
    ];
    for (name, pixels) in encoders {
        let variables = Variables::random(7).starting_from(Box::new(formula()));
        let loss = || {
            // Norms measure the batch; a clip has its step of time already.
            let learning = model(name, &variables);
            let vectors = learning.encode_training(&pixels, &TrainingContext::training(1)).unwrap();
            let clips = if vectors.rank() == 2 { vectors.unsqueeze(1).unwrap() } else { vectors };
            learning.classify(&clips).unwrap().logits.sqr().unwrap().sum_all().unwrap()
        };
        let slopes = slopes(&variables, loss, |variables| variables.iter().map(|one| vec![one.clone()]).collect());
        assert!(slopes.iter().all(|slope| (slope - 1.0).abs() < 0.05), "{name}: {slopes:?}");
        assert!(2 * slopes.len() > variables.learned().len(), "{name}: only {} slopes", slopes.len());
    }
}

#[test]
fn heads_of_maps_learn_what_they_compute() {
    for head in [HeadName::Conv3d, HeadName::R2Plus1d] {
        let architecture = Architecture::classifying(EncoderName::EfficientNetTiny, head, FusionName::Temporal, 5);
        let variables = Variables::random(7).starting_from(Box::new(formula())).with_frozen(&["encoder"]);
        let model = || Model::read(&architecture, &variables, &Device::Cpu).unwrap();
        let maps = pixels(&[2, 8, Encoder::map_width(EncoderName::EfficientNetTiny), 8, 8]);
        let learned = model().classify_training(&maps, &TrainingContext::evaluation()).unwrap().logits;
        let plain = {
            let snapshot = variables.snapshot().unwrap();
            Model::read(&architecture, &snapshot, &Device::Cpu).unwrap().classify(&maps).unwrap().logits
        };
        let difference = largest(&(&learned - &plain).unwrap());
        assert!(difference <= 1e-4 * largest(&plain), "{head}: {difference} of {}", largest(&plain));
        let loss = || {
            let logits = model().classify_training(&maps, &TrainingContext::training(1)).unwrap().logits;
            logits.sqr().unwrap().sum_all().unwrap()
        };
        let slopes = slopes(&variables, loss, |variables| variables.iter().map(|one| vec![one.clone()]).collect());
        assert!(slopes.iter().all(|slope| (slope - 1.0).abs() < 0.05), "{head}: {slopes:?}");
        assert!(2 * slopes.len() > variables.learned().len(), "{head}: only {} slopes", slopes.len());
    }
}

#[test]
fn maps_in_half_precision_give_nearly_the_same_gradients() {
    // Norms of few pixels are chaotic.
    let batch = |side: usize| pixels(&[8, 3, side, side]);
    use {EncoderName::*, VideoEncoderName::*};
    let encoders: [(AnyEncoderName, Tensor); 6] = [
        (EfficientNetTiny.into(), batch(SIDE)),
        (ResNetMiniature.into(), batch(SIDE)),
        (DenseNetMiniature.into(), batch(SIDE)),
        (ConvNextMiniature.into(), batch(SIDE)),
        (VitMiniature.into(), batch(SMALL_SIDE)),
        (R2Plus1dMiniature.into(), clips(4)),
    ];
    for (name, pixels) in encoders {
        let gradients = |context: &std::rc::Rc<TrainingContext>| {
            let variables = Variables::random(7);
            let learning = model(name, &variables);
            let vectors = learning.encode_training(&pixels, context).unwrap();
            assert_eq!(vectors.dtype(), DType::F32);
            let clips = if vectors.rank() == 2 { vectors.unsqueeze(1).unwrap() } else { vectors };
            let logits = learning.classify_training(&clips, context).unwrap().logits;
            let gradients = logits.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let of = |(tensor, variable): (String, Var)| {
                let gradient = gradients.get(&variable).unwrap_or_else(|| panic!("{name}: none for {tensor}"));
                assert_eq!(gradient.dtype(), DType::F32, "{name} {tensor}");
                gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            variables.learned().into_iter().flat_map(of).collect::<Vec<f32>>()
        };
        let (single, half) =
            (gradients(&TrainingContext::training(1)), gradients(&TrainingContext::training_in(1, DType::F16)));
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let cosine = product(&single, &half) / (product(&single, &single) * product(&half, &half)).sqrt();
        // Rounding crosses the kinks of rectifiers; smooth networks have none.
        let is_smooth = ["efficientnet", "convnext", "vit"].iter().any(|family| name.name().starts_with(family));
        assert!(cosine > if is_smooth { 0.9999 } else { 0.94 }, "{name}: {cosine}");
    }
}

#[test]
fn black_screens_have_gradients_of_usual_length() {
    use EncoderName::*;
    for name in [VitMiniature, SwinV2Miniature, SwinV2Tiny, XceptionMiniature] {
        let variables = Variables::random(3);
        let learning = model(name, &variables);
        let half = frames(SMALL_SIDE).narrow(2, 0, SMALL_SIDE / 2).unwrap();
        let frames = half.pad_with_zeros(2, 0, SMALL_SIDE / 2).unwrap();
        let vectors = learning.encode_training(&frames, &TrainingContext::training(1)).unwrap();
        let logits = learning.classify(&vectors.unsqueeze(1).unwrap()).unwrap().logits;
        let gradients = logits.sum_all().unwrap().backward().unwrap();
        for (tensor, variable) in variables.learned() {
            let longest = largest(gradients.get(&variable).unwrap());
            assert!(longest < 1e3, "{name}: {longest} for {tensor}");
        }
    }
}

/// Slope of the loss along the gradient, as a share of the gradient's squared length; once for each of the groups that
/// `grouped` makes of the variables, of which the others stand still.
///
/// Groups whose gradient is too short for single precision to tell are left out.
fn slopes(
    variables: &Variables,
    loss: impl Fn() -> Tensor,
    grouped: impl FnOnce(&[(String, Var)]) -> Vec<Vec<(String, Var)>>,
) -> Vec<f64> {
    let gradients = loss().backward().unwrap();
    let gradient =
        |(name, variable): &(String, Var)| gradients.get(variable).unwrap_or_else(|| panic!("none for {name}")).clone();
    let value = || f64::from(loss().to_scalar::<f32>().unwrap());
    let start = value();
    let mut slopes = Vec::new();
    for group in grouped(&variables.learned()) {
        let squared_length =
            |one| f64::from(gradient(one).sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
        let squared: f64 = group.iter().map(squared_length).sum();
        if squared < 1e-6 * start * start {
            continue;
        }
        let before: Vec<Tensor> = group.iter().map(|(_, variable)| variable.as_tensor().copy().unwrap()).collect();
        // A step along the gradient so short that the loss moves by four ten-thousandths of itself: rectifiers have
        // kinks.
        let length = 0.0002 * start / squared;
        let moved = |by: f64| {
            for (one, before) in group.iter().zip(&before) {
                one.1.set(&(before + (gradient(one) * by).unwrap()).unwrap().detach()).unwrap();
            }
            value()
        };
        let (after, before_it) = (moved(length), moved(-length));
        moved(0.0);
        slopes.push((after - before_it) / (2.0 * length) / squared);
    }
    slopes
}
