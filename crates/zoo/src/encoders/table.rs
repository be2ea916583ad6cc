//! Every encoder: its name in files and its sizes. A new one is a line here, or a file and a line if its family is new.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::framework::Framework;
use super::{
    ConvNextConfig, DenseNetConfig, EfficientNetConfig, EfficientNetLiteConfig, FrameConfig, ImageNetLogitsConfig,
    KineticsLogitsConfig, R2Plus1dConfig, ResNetConfig, SlowResNetConfig, SwinV2Config, VideoConfig, VitConfig,
    XceptionConfig,
};
use crate::ZooError;
use crate::names::named;

/// Declares an enum of named encoders, each with the sizes that read it.
macro_rules! encoders {
    ($(#[$doc:meta])* $enum:ident, $kind:literal, $config:ty {
        $($(#[$variant_doc:meta])* $variant:ident = $name:literal => $sizes:expr),+ $(,)?
    }) => {
        named! { $(#[$doc])* $enum, $kind { $($(#[$variant_doc])* $variant = $name),+ } }

        impl $enum {
            /// Returns the sizes of the encoder, which read its network.
            pub(super) fn config(self) -> Box<$config> {
                match self { $(Self::$variant => Box::new($sizes)),+ }
            }
        }
    };
}

encoders! {
    /// The encoders: frame to feature map.
    EncoderName, "encoder", dyn FrameConfig {
        /// EfficientNet-B2 as in torchvision.
        EfficientNetB2 = "efficientnet_b2" => EfficientNetConfig::b2(),
        /// EfficientNet-B2 with its layer of a thousand ImageNet classes, whose logits are the vector.
        EfficientNetB2ImageNet = "efficientnet_b2_imagenet" => ImageNetLogitsConfig,
        /// A narrow EfficientNet of the same blocks, for tests and small machines.
        EfficientNetTiny = "efficientnet_tiny" => EfficientNetConfig::tiny(),
        /// EfficientNet-Lite0.
        EfficientNetLite0 = "efficientnet_lite0" => EfficientNetLiteConfig::lite0(),
        /// EfficientNet-Lite1.
        EfficientNetLite1 = "efficientnet_lite1" => EfficientNetLiteConfig::lite1(),
        /// EfficientNet-Lite2.
        EfficientNetLite2 = "efficientnet_lite2" => EfficientNetLiteConfig::lite2(),
        /// EfficientNetV2-S as in torchvision.
        EfficientNetV2S = "efficientnet_v2_s" => EfficientNetConfig::v2_s(Framework::Torch),
        /// EfficientNetV2-S as in Keras.
        EfficientNetV2SKeras = "efficientnet_v2_s_keras" => EfficientNetConfig::v2_s(Framework::Keras),
        /// ConvNeXt-Tiny as in torchvision.
        ConvNextTiny = "convnext_tiny" => ConvNextConfig::tiny(Framework::Torch),
        /// ConvNeXt-Tiny as in Keras.
        ConvNextTinyKeras = "convnext_tiny_keras" => ConvNextConfig::tiny(Framework::Keras),
        /// ConvNeXt-Base as in torchvision.
        ConvNextBase = "convnext_base" => ConvNextConfig::base(Framework::Torch),
        /// ConvNeXt-Base as in Keras.
        ConvNextBaseKeras = "convnext_base_keras" => ConvNextConfig::base(Framework::Keras),
        /// ViT-B/16 as in torchvision, for images of 224 x 224.
        VitB16 = "vit_b_16" => VitConfig::base16(),
        /// ViT-S/16 with torchvision's names, for images of 224 x 224.
        VitS16 = "vit_s_16" => VitConfig::small16(),
        /// Swin V2 Tiny as in torchvision.
        SwinV2Tiny = "swin_v2_t" => SwinV2Config::tiny(),
        /// Swin V2 Base as in torchvision.
        SwinV2Base = "swin_v2_b" => SwinV2Config::base(),
        /// DenseNet121 as in torchvision.
        DenseNet121 = "densenet121" => DenseNetConfig::densenet121(Framework::Torch),
        /// DenseNet121 as in Keras.
        DenseNet121Keras = "densenet121_keras" => DenseNetConfig::densenet121(Framework::Keras),
        /// Xception as in Keras.
        Xception = "xception" => XceptionConfig::paper(),
        /// ResNet50 as in torchvision.
        ResNet50 = "resnet50" => ResNetConfig::resnet50(Framework::Torch),
        /// ResNet101 as in torchvision.
        ResNet101 = "resnet101" => ResNetConfig::resnet101(Framework::Torch),
        /// ResNet50 as in Keras.
        ResNet50Keras = "resnet50_keras" => ResNetConfig::resnet50(Framework::Keras),
        /// ResNet101 as in Keras.
        ResNet101Keras = "resnet101_keras" => ResNetConfig::resnet101(Framework::Keras),
        /// Keras' EfficientNetV2 with few and narrow blocks of each kind; as all miniatures, for tests of learning.
        EfficientNetV2Miniature = "efficientnet_v2_miniature" => EfficientNetConfig::v2_miniature(Framework::Keras),
        /// EfficientNet-Lite with few and narrow blocks.
        EfficientNetLiteMiniature = "efficientnet_lite_miniature" => EfficientNetLiteConfig::miniature(),
        /// Keras' ConvNeXt with few and narrow blocks.
        ConvNextMiniature = "convnext_miniature" => ConvNextConfig::miniature(Framework::Keras),
        /// torchvision's Vision Transformer with few and narrow blocks, for images of 32 x 32.
        VitMiniature = "vit_miniature" => VitConfig::miniature(),
        /// torchvision's Swin V2 with few and narrow blocks.
        SwinV2Miniature = "swin_v2_miniature" => SwinV2Config::miniature(),
        /// Keras' DenseNet with few and narrow layers.
        DenseNetMiniature = "densenet_miniature" => DenseNetConfig::miniature(Framework::Keras),
        /// Xception with few and narrow blocks.
        XceptionMiniature = "xception_miniature" => XceptionConfig::miniature(),
        /// Keras' ResNet with few and narrow blocks.
        ResNetMiniature = "resnet_miniature" => ResNetConfig::miniature(Framework::Keras),
    }
}

encoders! {
    /// The video encoders: clip to vector.
    VideoEncoderName, "video encoder", dyn VideoConfig {
        /// R(2+1)D with 18 layers as in torchvision.
        R2Plus1d18 = "r2plus1d_18" => R2Plus1dConfig::layers18(),
        /// The slow pathway with 50 layers as in PyTorchVideo.
        SlowR50 = "slow_r50" => SlowResNetConfig::slow_r50(),
        /// The same with its layer of 400 Kinetics classes, whose logits are the vector.
        SlowR50Kinetics = "slow_r50_kinetics" => KineticsLogitsConfig,
        /// R(2+1)D with few and narrow blocks; as all miniatures, for tests of learning.
        R2Plus1dMiniature = "r2plus1d_miniature" => R2Plus1dConfig::miniature(),
        /// The slow pathway with few and narrow blocks, for clips of four frames of about 32 x 32 pixels.
        SlowResNetMiniature = "slow_resnet_miniature" => SlowResNetConfig::miniature(),
    }
}
