//! The part of a model's card that says how its frames are prepared.

use serde::{Deserialize, Serialize};

/// The preparation of frames for a model; a pipeline that does otherwise is refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Side of the square image that the encoder sees, in pixels.
    pub size: usize,
    /// Gray (replicated to three channels) or color.
    pub color: Color,
    /// The part of the screen that is kept.
    pub crop: Crop,
    /// The function that brings the part to that size; its shape is not kept.
    pub resize: Resize,
    /// Sets pixels to zero that never change within a clip (texts, scales).
    pub mask_static: bool,
    /// Changes of up to this many levels (of 255) do not count as motion for the mask; the reference counts every change,
    /// which the noise of lossy compression defeats.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mask_noise_levels: u8,
    /// Sets to zero what lies outside the ultrasound image, which is found from what is lit and changes in the loop, as
    /// EchoPrime's authors find it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mask_surroundings: bool,
    /// The last step, on values 0 to 1; none where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
}

/// (value - mean) / std for each channel, on values 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    /// Subtracted, for each of the three planes in the order of [`Color`].
    pub mean: [f32; 3],
    /// Divided by, for each of the three planes in the order of [`Color`].
    pub std: [f32; 3],
}

impl Normalize {
    /// Leaves values as they are.
    pub const IDENTITY: Self = Self { mean: [0.0; 3], std: [1.0; 3] };
}

/// Gray or color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// Luma (ITU-R 601) as in Pillow, replicated.
    Gray,
    /// Luma as `tf.image.rgb_to_grayscale` makes it of bytes, replicated.
    GrayTensorflow,
    /// Luma as torchvision's `rgb_to_grayscale` makes it of bytes, replicated.
    GrayTorchvision,
    /// Luma as in OpenCV, replicated.
    GrayOpencv,
    /// As decoded.
    Rgb,
    /// Blue, green and red as OpenCV's `COLOR_YUV2BGR` makes them of the planes of YBR_FULL: stronger colors than those
    /// decoded, the same grays.
    BgrOpencvYuv,
}

impl Color {
    /// Returns the number of planes that are kept of a frame; one of gray is made three at the end.
    pub fn planes(self) -> usize {
        match self {
            Self::Rgb | Self::BgrOpencvYuv => 3,
            Self::Gray | Self::GrayTensorflow | Self::GrayTorchvision | Self::GrayOpencv => 1,
        }
    }
}

/// The part of the screen that a model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// The whole screen.
    None,
    /// The box of the ultrasound sector.
    Sector,
    /// That of the 11-view system's image model: left w / 10 and bottom h / 15 are cut off.
    ElevenViewsImage,
    /// That of the 11-view system's video models: left w / 10, top and bottom h / 15 are cut off.
    ElevenViewsVideo,
    /// EchoPrime's: a square from the middle, of which a tenth is cut off at each side.
    EchoPrime,
}

/// The function that brings an image to the encoder's size: always to what the named function gives, whatever the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Pillow's BILINEAR on bytes, whose support grows when shrinking (antialiasing); torchvision's on Pillow images.
    Pillow,
    /// Pillow's NEAREST, which Keras' `load_img` uses.
    PillowNearest,
    /// `tf.image.resize` bilinear without antialiasing: half-pixel centers, not rounded.
    Tensorflow,
    /// `tf.image.resize` bilinear with antialiasing, not rounded.
    TensorflowAntialias,
    /// torchvision's bilinear on a byte tensor with antialiasing.
    Torchvision,
    /// torchvision's bilinear on a byte tensor without antialiasing.
    TorchvisionNoAntialias,
    /// torch's bilinear `interpolate` of floats with antialiasing, not rounded.
    TorchFloat,
    /// torch's bilinear `interpolate` of floats without antialiasing, not rounded.
    TorchFloatNoAntialias,
    /// OpenCV's INTER_LINEAR on bytes.
    Opencv,
    /// OpenCV's INTER_AREA on bytes.
    OpencvArea,
    /// OpenCV's INTER_CUBIC on bytes.
    OpencvCubic,
}

fn is_zero(levels: &u8) -> bool {
    *levels == 0
}
