//! Every convolutional architecture learns: on the graph it computes what it computes layer by layer, and every variable of
//! it gets a gradient that finite differences confirm.

use candle_core::{Device, Tensor};
use nn::{KernelChoice, Lesson};
use train::{Snapshot, Variables};
use zoo::weights::{FormulaWeights, TensorSource, Weights};
use zoo::{Architecture, Encoder, EncoderName, FusionName, HeadName, Model};

const SIDE: usize = 48;

fn frames() -> Tensor {
    let values = zoo::weights::fill("frames", "learning", 2 * 3 * SIDE * SIDE, 0.5, 0.5);
    Tensor::from_vec(values, (2, 3, SIDE, SIDE), &Device::Cpu).unwrap()
}

fn model(encoder: EncoderName, source: &dyn TensorSource) -> Model {
    let architecture = Architecture::classifying(encoder, HeadName::None, FusionName::Spatial, 5);
    Model::read(&architecture, source, &Device::Cpu).unwrap()
}

/// The weights of the golden references.
fn formula() -> FormulaWeights {
    FormulaWeights { seed: "learning".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None }
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
    ] {
        // Numbers that stay in range from layer to layer; with random ones and unmeasured norms the deepest are chaotic.
        let variables = Variables::random(3).starting_from(Box::new(formula()));
        let learning = model(name, &variables);
        let learned = learning.learn(&frames(), &Lesson::evaluation()).unwrap();
        let snapshot = variables.snapshot().unwrap();
        let plain = plain_vectors(name, &snapshot);
        let difference = largest(&(&learned - &plain).unwrap());
        assert!(difference <= 1e-4 * largest(&plain), "{name}: {difference} of {}", largest(&plain));
        let vectors = learning.learn(&frames(), &Lesson::training(1)).unwrap();
        let logits = learning.classify(&vectors.unsqueeze(1).unwrap()).unwrap().logits;
        let gradients = logits.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let without: Vec<String> = variables
            .learned()
            .into_iter()
            .filter(|(_, variable)| gradients.get(variable).is_none())
            .map(|(name, _)| name)
            .collect();
        assert!(without.is_empty(), "{name}: no gradient for {without:?}");
    }
}

/// The same vectors by Candle's own layers, one by one.
fn plain_vectors(name: EncoderName, source: &Snapshot) -> Tensor {
    let only_encoder = source.clone().only(|tensor| tensor.starts_with("encoder"));
    let encoder = Weights::read_all(&only_encoder, &Device::Cpu, '.', |weights| {
        Ok(Encoder::read(name, &weights.at("encoder"))?.with_kernels(KernelChoice::Plain))
    });
    encoder.unwrap().forward(&frames()).unwrap()
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
                let vectors = model.learn(&frames(), &Lesson::evaluation()).unwrap();
                let clips = vectors.reshape((1, 2, vectors.dim(1).unwrap())).unwrap();
                model.classify(&clips).unwrap().logits.sqr().unwrap().sum_all().unwrap()
            };
            let gradients = loss().backward().unwrap();
            let learned = variables.learned();
            let mut squared = 0.0;
            for (name, variable) in &learned {
                let gradient = gradients.get(variable).unwrap_or_else(|| panic!("{head} {fusion}: none for {name}"));
                squared += f64::from(gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
            }
            // A step along the gradient so short that the loss moves by about a hundredth of itself.
            let value = || f64::from(loss().to_scalar::<f32>().unwrap());
            let length = 0.005 * value() / squared;
            let moved = |by: f64| {
                for (_, variable) in &learned {
                    let gradient = gradients.get(variable).unwrap();
                    variable.set(&(variable.as_tensor() + (gradient * by).unwrap()).unwrap().detach()).unwrap();
                }
                value()
            };
            let (after, before) = (moved(length), moved(-2.0 * length));
            let slope = (after - before) / (2.0 * length);
            assert!((slope / squared - 1.0).abs() < 0.03, "{head} {fusion}: {slope} against {squared}");
        }
    }
}
