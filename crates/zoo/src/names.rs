use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{EncoderName, VideoEncoderName, ZooError};

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

pub(crate) use named;

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
