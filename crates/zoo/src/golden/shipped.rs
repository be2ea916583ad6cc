//! The golden files that come with the program, by the part of a model that they are about.

use crate::{AnyEncoderName, Architecture, EncoderName, FusionName, HeadName, VideoEncoderName};

macro_rules! golden {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../../fixtures/golden/", $name, ".json")).as_slice())
    };
}

/// A golden file's name and content.
pub(super) type Shipped = (&'static str, &'static [u8]);

/// The files about the parts of `architecture`, each once; a part that only other sizes are known of has those.
pub(super) fn about(architecture: &Architecture) -> Vec<Shipped> {
    let encoder = match architecture.encoder {
        AnyEncoderName::Frames(name) => about_encoder(name),
        AnyEncoderName::Clips(name) => about_video_encoder(name),
    };
    let mut files = vec![encoder];
    files.extend(about_head(architecture.head));
    files.extend(about_fusion(architecture.fusion));
    files.sort_by_key(|(name, _)| *name);
    files.dedup_by_key(|(name, _)| *name);
    files
}

fn about_encoder(name: EncoderName) -> Shipped {
    match name {
        EncoderName::EfficientNetB2 | EncoderName::EfficientNetTiny => golden!("thesis_conv1d_k3"),
        EncoderName::EfficientNetB2ImageNet => golden!("thesis_image"),
        EncoderName::EfficientNetV2S => golden!("baseline_torch_efficientnet_v2_s"),
        EncoderName::EfficientNetV2SKeras | EncoderName::EfficientNetV2Miniature => {
            golden!("baseline_keras_efficientnetv2_s")
        }
        EncoderName::ConvNextTiny | EncoderName::ConvNextBase => golden!("baseline_torch_convnext_tiny"),
        EncoderName::ConvNextTinyKeras | EncoderName::ConvNextBaseKeras | EncoderName::ConvNextMiniature => {
            golden!("baseline_keras_convnext_tiny")
        }
        EncoderName::VitB16 | EncoderName::VitS16 | EncoderName::VitMiniature => golden!("baseline_torch_vit_b_16"),
        EncoderName::SwinV2Tiny | EncoderName::SwinV2Base | EncoderName::SwinV2Miniature => {
            golden!("baseline_torch_swin_v2_t")
        }
        EncoderName::DenseNet121 => golden!("baseline_torch_densenet121"),
        EncoderName::DenseNet121Keras | EncoderName::DenseNetMiniature => golden!("baseline_keras_densenet121"),
        EncoderName::Xception | EncoderName::XceptionMiniature => golden!("echoview47_classifier"),
        EncoderName::ResNet50 => golden!("baseline_torch_resnet50"),
        EncoderName::ResNet101 => golden!("baseline_torch_resnet101"),
        EncoderName::ResNet50Keras | EncoderName::ResNetMiniature => golden!("baseline_keras_resnet50"),
        EncoderName::ResNet101Keras => golden!("baseline_keras_resnet101"),
    }
}

fn about_video_encoder(name: VideoEncoderName) -> Shipped {
    match name {
        VideoEncoderName::R2Plus1d18 | VideoEncoderName::R2Plus1dMiniature => golden!("thesis_r2plus1d_18"),
        VideoEncoderName::SlowR50 | VideoEncoderName::SlowR50Kinetics | VideoEncoderName::SlowResNetMiniature => {
            golden!("thesis_slow_r50")
        }
    }
}

/// Of the transformer no original framework's numbers are known.
fn about_head(name: HeadName) -> Option<Shipped> {
    Some(match name {
        HeadName::None | HeadName::Transformer => return None,
        HeadName::Conv1d => golden!("thesis_conv1d_k3"),
        HeadName::Conv1dDilation2 => golden!("conv1d_k3_d2"),
        HeadName::Conv1dDilation4 => golden!("conv1d_k3_d4"),
        HeadName::Dilated => golden!("conv1d_dilated_stack"),
        HeadName::Lstm1
        | HeadName::Lstm2
        | HeadName::Lstm3
        | HeadName::BiLstm1
        | HeadName::BiLstm2
        | HeadName::BiLstm3 => golden!("thesis_cnn_lstm"),
        HeadName::Attention => golden!("attention_residual"),
        HeadName::Conv3d => golden!("conv3d_stack_frames"),
        HeadName::R2Plus1d => golden!("r2plus1d_block_maps"),
    })
}

fn about_fusion(name: FusionName) -> Option<Shipped> {
    Some(match name {
        FusionName::Spatial | FusionName::Temporal => return None,
        FusionName::Sum => golden!("thesis_conv1d_k3"),
        FusionName::AlphaScalar => golden!("alpha_scalar"),
        FusionName::AlphaVector => golden!("alpha_vector"),
        FusionName::Gate | FusionName::GateStacked => golden!("attention_gated"),
        FusionName::GateClassified => golden!("thesis_attention_gate"),
    })
}
