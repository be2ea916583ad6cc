//! The reference files that come with the program, by the part of a model that they are about.

use zoo::{AnyEncoderName, Architecture, EncoderName, FusionName, HeadName, VideoEncoderName};

macro_rules! reference {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../fixtures/golden/", $name, ".json")).as_slice())
    };
}

/// A reference file's name and content.
pub(crate) type Embedded = (&'static str, &'static [u8]);

/// The files about the parts of `architecture`, each once; a part that only other sizes are known of has those.
pub(crate) fn for_architecture(architecture: &Architecture) -> Vec<Embedded> {
    let encoder = match architecture.encoder {
        AnyEncoderName::Frames(name) => for_encoder(name),
        AnyEncoderName::Clips(name) => for_video_encoder(name),
    };
    let mut files = vec![encoder];
    files.extend(for_head(architecture.head));
    files.extend(for_fusion(architecture.fusion));
    files.sort_by_key(|(name, _)| *name);
    files.dedup_by_key(|(name, _)| *name);
    files
}

fn for_encoder(name: EncoderName) -> Embedded {
    match name {
        EncoderName::EfficientNetB2 | EncoderName::EfficientNetTiny => reference!("thesis_conv1d_k3"),
        EncoderName::EfficientNetB2ImageNet => reference!("thesis_image"),
        EncoderName::EfficientNetLite0 | EncoderName::EfficientNetLiteMiniature => reference!("efficientnet_lite0"),
        EncoderName::EfficientNetLite1 => reference!("efficientnet_lite1"),
        EncoderName::EfficientNetLite2 => reference!("efficientnet_lite2"),
        EncoderName::EfficientNetV2S => reference!("baseline_torch_efficientnet_v2_s"),
        EncoderName::EfficientNetV2SKeras | EncoderName::EfficientNetV2Miniature => {
            reference!("baseline_keras_efficientnetv2_s")
        }
        EncoderName::ConvNextTiny => reference!("baseline_torch_convnext_tiny"),
        EncoderName::ConvNextBase => reference!("echo_prime_view_classifier"),
        EncoderName::ConvNextTinyKeras | EncoderName::ConvNextBaseKeras | EncoderName::ConvNextMiniature => {
            reference!("baseline_keras_convnext_tiny")
        }
        EncoderName::VitB16 | EncoderName::VitS16 | EncoderName::VitMiniature => reference!("baseline_torch_vit_b_16"),
        EncoderName::SwinV2Tiny | EncoderName::SwinV2Base | EncoderName::SwinV2Miniature => {
            reference!("baseline_torch_swin_v2_t")
        }
        EncoderName::DenseNet121 => reference!("baseline_torch_densenet121"),
        EncoderName::DenseNet121Keras | EncoderName::DenseNetMiniature => reference!("baseline_keras_densenet121"),
        EncoderName::Xception | EncoderName::XceptionMiniature => reference!("echoview47_classifier"),
        EncoderName::ResNet50 => reference!("baseline_torch_resnet50"),
        EncoderName::ResNet101 => reference!("baseline_torch_resnet101"),
        EncoderName::ResNet50Keras | EncoderName::ResNetMiniature => reference!("baseline_keras_resnet50"),
        EncoderName::ResNet101Keras => reference!("baseline_keras_resnet101"),
    }
}

fn for_video_encoder(name: VideoEncoderName) -> Embedded {
    match name {
        VideoEncoderName::R2Plus1d18 | VideoEncoderName::R2Plus1dMiniature => reference!("thesis_r2plus1d_18"),
        VideoEncoderName::SlowR50 | VideoEncoderName::SlowR50Kinetics | VideoEncoderName::SlowResNetMiniature => {
            reference!("thesis_slow_r50")
        }
    }
}

/// Returns the file about a head; no original framework's numbers of the transformer are known.
fn for_head(name: HeadName) -> Option<Embedded> {
    Some(match name {
        HeadName::None | HeadName::Transformer => return None,
        HeadName::Conv1d => reference!("thesis_conv1d_k3"),
        HeadName::Conv1dDilation2 => reference!("conv1d_k3_d2"),
        HeadName::Conv1dDilation4 => reference!("conv1d_k3_d4"),
        HeadName::Dilated => reference!("conv1d_dilated_stack"),
        HeadName::Lstm1
        | HeadName::Lstm2
        | HeadName::Lstm3
        | HeadName::BiLstm1
        | HeadName::BiLstm2
        | HeadName::BiLstm3 => reference!("thesis_cnn_lstm"),
        HeadName::Attention => reference!("attention_residual"),
        HeadName::Conv3d => reference!("conv3d_stack_frames"),
        HeadName::R2Plus1d => reference!("r2plus1d_block_maps"),
    })
}

fn for_fusion(name: FusionName) -> Option<Embedded> {
    Some(match name {
        FusionName::Spatial | FusionName::Temporal => return None,
        FusionName::Sum => reference!("thesis_conv1d_k3"),
        FusionName::AlphaScalar => reference!("alpha_scalar"),
        FusionName::AlphaVector => reference!("alpha_vector"),
        FusionName::Gate | FusionName::GateStacked => reference!("attention_gated"),
        FusionName::GateClassified => reference!("thesis_attention_gate"),
    })
}
