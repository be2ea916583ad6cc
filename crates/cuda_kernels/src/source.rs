use runtime::Activation;

/// The kernels' text, CUDA C++ that nvrtc compiles once [`Definitions`] say for what.
pub const LAYERS: &str = include_str!("layers.cu");

/// Element type of maps and weights; sums are made in single precision whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Number {
    /// Single precision.
    F32,
    /// Half precision of IEEE 754: 5 bits of exponent.
    F16,
    /// The upper half of single precision.
    Bf16,
}

/// The window of a depthwise convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Pixels from one output to the next, in both directions.
    pub stride: usize,
}

/// The layer that [`LAYERS`] are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definitions {
    /// Element type of maps and weights.
    pub number: Number,
    /// Activation that is applied to the output.
    pub activation: Activation,
    /// The window, where the layer is a depthwise convolution.
    pub window: Option<Window>,
}

impl Definitions {
    /// The compiler's options, `-DNAME=VALUE` each.
    pub fn options(&self) -> Vec<String> {
        let number = match self.number {
            Number::F32 => "float",
            Number::F16 => "half_number",
            Number::Bf16 => "bfloat_number",
        };
        let activation = match self.activation {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::Silu => "silu",
            Activation::Gelu => "gelu",
            Activation::Sigmoid => "sigmoid",
        };
        let mut options = vec![format!("-DNUMBER={number}"), format!("-DACTIVATION={activation}")];
        if let Some(Window { height, width, stride }) = self.window {
            options.push(format!("-DKERNEL_HEIGHT={height}"));
            options.push(format!("-DKERNEL_WIDTH={width}"));
            options.push(format!("-DSTRIDE={stride}"));
        }
        options
    }
}
