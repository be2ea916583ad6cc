//! Every head with every fusion, and every width as stated.

use candle_core::{Device, Tensor};
use zoo::weights::FormulaWeights;
use zoo::{Architecture, EncoderName, FusionName, Head, HeadName, Model, ZooError};

fn formula() -> FormulaWeights {
    FormulaWeights { seed: "combinations".to_owned(), gain: 1.3, stem_gain: 10.0, stem: None }
}

fn read(head: HeadName, fusion: FusionName) -> Result<Model, ZooError> {
    let architecture = Architecture::classifying(EncoderName::EfficientNetTiny, head, fusion, 11);
    Model::read(&architecture, &formula(), &Device::Cpu)
}

#[test]
fn every_combination_classifies_or_says_that_the_widths_differ() {
    let frames = Tensor::rand(0f32, 1.0, (8, 3, 128, 128), &Device::Cpu).unwrap();
    for &head in HeadName::ALL {
        for &fusion in FusionName::ALL {
            let picks_one = matches!(fusion, FusionName::Spatial | FusionName::Temporal);
            let same_width = Head::width(head, 96) == 96;
            match read(head, fusion) {
                Ok(model) => {
                    let encoded = model.encode(&frames).unwrap();
                    let logits = model.classify(&encoded.unsqueeze(0).unwrap()).unwrap().logits;
                    let logits = logits.to_vec2::<f32>().unwrap();
                    assert_eq!((logits.len(), logits[0].len()), (1, 11), "{head} {fusion}");
                    assert!(logits[0].iter().all(|logit| logit.is_finite()), "{head} {fusion}");
                    assert!(same_width || picks_one, "{head} {fusion}");
                }
                Err(ZooError::Widths { .. }) => assert!(!same_width && !picks_one, "{head} {fusion}"),
                Err(error) => panic!("{head} {fusion}: {error}"),
            }
        }
    }
}

#[test]
fn a_head_that_takes_vectors_refuses_maps_and_the_other_way_round() {
    let maps = Tensor::zeros((1, 8, 96, 8, 8), candle_core::DType::F32, &Device::Cpu).unwrap();
    let vectors = Tensor::zeros((1, 8, 96), candle_core::DType::F32, &Device::Cpu).unwrap();
    for &head in HeadName::ALL {
        let model = read(head, FusionName::Temporal).unwrap();
        assert_eq!(model.classify(&maps).is_ok(), Head::takes_maps(head), "{head}");
        assert_eq!(model.classify(&vectors).is_ok(), !Head::takes_maps(head), "{head}");
    }
}
