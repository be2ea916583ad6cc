use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ZooError;

/// Declares an enum whose variants have one name each, used in pipeline files, the registry and messages.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        pub enum $enum { $($(#[$variant_doc])* $variant),+ }

        impl $enum {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in files and messages.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl From<$enum> for &'static str {
            fn from(value: $enum) -> Self { value.name() }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result { formatter.write_str(self.name()) }
        }

        impl FromStr for $enum {
            type Err = ZooError;
            fn from_str(name: &str) -> Result<Self, ZooError> {
                Self::ALL.iter().copied().find(|value| value.name() == name).ok_or_else(|| ZooError::UnknownName {
                    kind: $kind,
                    name: name.to_owned(),
                    known: Self::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl TryFrom<String> for $enum {
            type Error = ZooError;
            fn try_from(name: String) -> Result<Self, ZooError> { name.parse() }
        }
    };
}

named! {
    /// The encoders: frame to feature map.
    EncoderName, "encoder" {
        /// EfficientNet-B2 as in torchvision.
        EfficientNetB2 = "efficientnet_b2",
        /// EfficientNet-B2 with its layer of a thousand ImageNet classes, whose logits are the vector.
        EfficientNetB2ImageNet = "efficientnet_b2_imagenet",
        /// A narrow EfficientNet of the same blocks, for tests and small machines.
        EfficientNetTiny = "efficientnet_tiny",
        /// EfficientNetV2-S as in torchvision.
        EfficientNetV2S = "efficientnet_v2_s",
        /// EfficientNetV2-S as in Keras.
        EfficientNetV2SKeras = "efficientnet_v2_s_keras",
        /// ConvNeXt-Tiny as in torchvision.
        ConvNextTiny = "convnext_tiny",
        /// ConvNeXt-Tiny as in Keras.
        ConvNextTinyKeras = "convnext_tiny_keras",
        /// ConvNeXt-Base as in torchvision.
        ConvNextBase = "convnext_base",
        /// ConvNeXt-Base as in Keras.
        ConvNextBaseKeras = "convnext_base_keras",
        /// ViT-B/16 as in torchvision, for images of 224 x 224.
        VitB16 = "vit_b_16",
        /// ViT-S/16 with torchvision's names, for images of 224 x 224.
        VitS16 = "vit_s_16",
        /// Swin V2 Tiny as in torchvision.
        SwinV2Tiny = "swin_v2_t",
        /// Swin V2 Base as in torchvision.
        SwinV2Base = "swin_v2_b",
        /// DenseNet121 as in torchvision.
        DenseNet121 = "densenet121",
        /// DenseNet121 as in Keras.
        DenseNet121Keras = "densenet121_keras",
        /// Xception as in Keras.
        Xception = "xception",
        /// ResNet50 as in torchvision.
        ResNet50 = "resnet50",
        /// ResNet101 as in torchvision.
        ResNet101 = "resnet101",
        /// ResNet50 as in Keras.
        ResNet50Keras = "resnet50_keras",
        /// ResNet101 as in Keras.
        ResNet101Keras = "resnet101_keras",
        /// Keras' EfficientNetV2 with few and narrow blocks of each kind; as all miniatures, for tests of learning.
        EfficientNetV2Miniature = "efficientnet_v2_miniature",
        /// Keras' ConvNeXt with few and narrow blocks.
        ConvNextMiniature = "convnext_miniature",
        /// torchvision's Vision Transformer with few and narrow blocks, for images of 32 x 32.
        VitMiniature = "vit_miniature",
        /// torchvision's Swin V2 with few and narrow blocks.
        SwinV2Miniature = "swin_v2_miniature",
        /// Keras' DenseNet with few and narrow layers.
        DenseNetMiniature = "densenet_miniature",
        /// Xception with few and narrow blocks.
        XceptionMiniature = "xception_miniature",
        /// Keras' ResNet with few and narrow blocks.
        ResNetMiniature = "resnet_miniature",
    }
}

named! {
    /// The video encoders: clip to vector.
    VideoEncoderName, "video encoder" {
        /// R(2+1)D with 18 layers as in torchvision.
        R2Plus1d18 = "r2plus1d_18",
        /// The slow pathway with 50 layers as in PyTorchVideo.
        SlowR50 = "slow_r50",
        /// The same with its layer of 400 Kinetics classes, whose logits are the vector.
        SlowR50Kinetics = "slow_r50_kinetics",
        /// R(2+1)D with few and narrow blocks; as all miniatures, for tests of learning.
        R2Plus1dMiniature = "r2plus1d_miniature",
        /// The slow pathway with few and narrow blocks, for clips of four frames of about 32 x 32 pixels.
        SlowResNetMiniature = "slow_resnet_miniature",
    }
}

/// An encoder of either kind; the two share one space of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum AnyEncoderName {
    /// Frame to vector.
    Frames(EncoderName),
    /// Clip to vector.
    Clips(VideoEncoderName),
}

impl AnyEncoderName {
    /// Every encoder.
    pub fn all() -> impl Iterator<Item = Self> {
        let frames = EncoderName::ALL.iter().copied().map(Self::Frames);
        frames.chain(VideoEncoderName::ALL.iter().copied().map(Self::Clips))
    }

    /// The name in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames(encoder) => encoder.name(),
            Self::Clips(encoder) => encoder.name(),
        }
    }
}

impl From<EncoderName> for AnyEncoderName {
    fn from(encoder: EncoderName) -> Self {
        Self::Frames(encoder)
    }
}

impl From<VideoEncoderName> for AnyEncoderName {
    fn from(encoder: VideoEncoderName) -> Self {
        Self::Clips(encoder)
    }
}

impl From<AnyEncoderName> for &'static str {
    fn from(encoder: AnyEncoderName) -> Self {
        encoder.name()
    }
}

impl fmt::Display for AnyEncoderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl TryFrom<String> for AnyEncoderName {
    type Error = ZooError;
    fn try_from(name: String) -> Result<Self, ZooError> {
        Self::all().find(|encoder| encoder.name() == name).ok_or_else(|| {
            let known = Self::all().map(Self::name).collect::<Vec<_>>().join(", ");
            ZooError::UnknownName { kind: "encoder", name, known }
        })
    }
}

named! {
    /// The temporal heads: clip of vectors to clip of temporal vectors.
    #[derive(Default)]
    HeadName, "head" {
        /// None: every frame stands for itself.
        #[default]
        None = "none",
        /// One convolution over time, the reference system's residual block.
        Conv1d = "conv1d",
        /// The same looking at frames two apart.
        Conv1dDilation2 = "conv1d_dilation2",
        /// The same looking at frames four apart.
        Conv1dDilation4 = "conv1d_dilation4",
        /// Three convolutions over time with dilations 1, 2 and 4, each added to its input.
        Dilated = "dilated",
        /// A long short-term memory of one layer, its last step.
        Lstm1 = "lstm1",
        /// Two layers, the reference system's CNN-LSTM.
        Lstm2 = "lstm2",
        /// Three layers.
        Lstm3 = "lstm3",
        /// A long short-term memory of one layer that reads in both directions, its last step.
        BiLstm1 = "bilstm1",
        /// Two layers in both directions.
        BiLstm2 = "bilstm2",
        /// Three layers in both directions.
        BiLstm3 = "bilstm3",
        /// Self-attention with two heads, the reference system's.
        Attention = "attention",
        /// A transformer encoder of two blocks.
        Transformer = "transformer",
        /// Three convolutions over time and space, on feature maps.
        Conv3d = "conv3d",
        /// A (2+1)D block on feature maps.
        R2Plus1d = "r2plus1d",
    }
}

named! {
    /// The ways to weigh spatial against temporal features.
    #[derive(Default)]
    FusionName, "fusion" {
        /// Spatial features only.
        #[default]
        Spatial = "spatial",
        /// Temporal features only.
        Temporal = "temporal",
        /// Their sum, as in the reference system's residual block.
        Sum = "sum",
        /// A mix by one learned number.
        AlphaScalar = "alpha_scalar",
        /// A mix by one learned number for each feature.
        AlphaVector = "alpha_vector",
        /// A convex mix whose weights depend on both.
        Gate = "gate",
        /// Both in a row, each number times a gate's value.
        GateStacked = "gate_stacked",
        /// The values of that gate instead of the features, as the reference system published it.
        GateClassified = "gate_classified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "efficientnet_b9".parse::<EncoderName>().unwrap_err().to_string();
        assert!(error.contains("efficientnet_b9") && error.contains("xception"), "{error}");
        let error = AnyEncoderName::try_from("slow_r51".to_owned()).unwrap_err().to_string();
        assert!(error.contains("slow_r50") && error.contains("xception"), "{error}");
        assert_eq!("gate".parse::<FusionName>().unwrap(), FusionName::Gate);
    }
}
