//! Every head with every fusion, and every width as stated.

use candle_core::{Device, Tensor};
use zoo::weights::{DeterministicInit, noise};
use zoo::{Architecture, EncoderName, FusionName, Head, HeadName, Model, VideoEncoderName, ZooError};

fn formula() -> DeterministicInit {
    DeterministicInit { seed: "combinations".to_owned(), gain: 1.3, stem_gain: 10.0, stem: None }
}

fn read(head: HeadName, fusion: FusionName) -> Result<Model, ZooError> {
    let architecture = Architecture::classifying(EncoderName::EfficientNetTiny, head, fusion, 11);
    Model::read(&architecture, &formula(), &Device::Cpu)
}

#[test]
fn every_combination_classifies_or_says_that_the_widths_differ() {
    let frames = noise("combinations", (8, 3, 128, 128)).unwrap();
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
fn a_video_encoder_classifies_whole_clips_and_takes_no_head() {
    let video = |head, fusion| {
        let architecture = Architecture::classifying(VideoEncoderName::R2Plus1d18, head, fusion, 11);
        Model::read(&architecture, &formula(), &Device::Cpu)
    };
    let model = video(HeadName::None, FusionName::Spatial).unwrap();
    assert!(model.sees_whole_clips());
    let clips = noise("combinations", (2, 4, 3, 32, 32)).unwrap();
    let encoded = model.encode(&clips).unwrap();
    assert_eq!(encoded.dims(), [2, 1, 512]);
    assert_eq!(model.classify(&encoded).unwrap().logits.dims(), [2, 11]);
    assert!(matches!(model.encode(&clips.get(0).unwrap()), Err(ZooError::InputShape { .. })));
    for (head, fusion) in [(HeadName::Conv1d, FusionName::Spatial), (HeadName::None, FusionName::Sum)] {
        assert!(matches!(video(head, fusion), Err(ZooError::ClipEncoder { .. })), "{head} {fusion}");
    }
}

#[test]
fn a_model_without_classes_gives_vectors_alone() {
    let architecture = Architecture {
        bottleneck: None,
        classes: None,
        ..Architecture::classifying(EncoderName::EfficientNetTiny, HeadName::None, FusionName::Spatial, 11)
    };
    let model = Model::read(&architecture, &formula(), &Device::Cpu).unwrap();
    let frames = noise("combinations", (4, 3, 96, 96)).unwrap();
    let clip = model.encode(&frames).unwrap().unsqueeze(0).unwrap();
    assert!(!model.has_classes());
    assert_eq!(model.embed(&clip).unwrap().dims(), [1, 96]);
    assert!(matches!(model.classify(&clip), Err(ZooError::NoClasses)));
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
