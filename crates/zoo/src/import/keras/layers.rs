use super::TensorOutline;

/// A layer that a model needs, as Keras would see it.
pub(super) struct NeededLayer<'a> {
    /// Keras' name of the layer; for layers outside the encoder, that of its class.
    pub name: &'a str,
    /// The class that Keras' newer store names it by.
    pub class: Class,
    /// The variables in Keras' order: name and index among the tensors needed.
    pub variables: Vec<(&'static str, usize)>,
    /// True if the model holds the kernel the other way round.
    pub transposed: bool,
}

/// The classes of layers that hold weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Conv2d,
    SeparableConv2d,
    DepthwiseConv2d,
    Dense,
    BatchNormalization,
    LayerNormalization,
    LayerScale,
}

impl Class {
    const ALL: [Self; 7] = [
        Self::Conv2d,
        Self::SeparableConv2d,
        Self::DepthwiseConv2d,
        Self::Dense,
        Self::BatchNormalization,
        Self::LayerNormalization,
        Self::LayerScale,
    ];

    /// The name that Keras gives to a layer of this class, before its number.
    pub fn stem(self) -> &'static str {
        match self {
            Self::Conv2d => "conv2d",
            Self::SeparableConv2d => "separable_conv2d",
            Self::DepthwiseConv2d => "depthwise_conv2d",
            Self::Dense => "dense",
            Self::BatchNormalization => "batch_normalization",
            Self::LayerNormalization => "layer_normalization",
            Self::LayerScale => "layer_scale",
        }
    }

    /// The class and number in a name such as `conv2d_4`; a name without number has number 0.
    pub fn of_numbered(name: &str) -> Option<(Self, usize)> {
        Self::ALL.into_iter().find_map(|class| {
            let rest = name.strip_prefix(class.stem())?;
            match rest.strip_prefix('_') {
                Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    digits.parse().ok().map(|number| (class, number))
                }
                None if rest.is_empty() => Some((class, 0)),
                _ => None,
            }
        })
    }

    /// A layer's variables in the order in which Keras creates them.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Conv2d | Self::Dense => &["kernel", "bias"],
            Self::SeparableConv2d => &["depthwise_kernel", "pointwise_kernel", "bias"],
            Self::DepthwiseConv2d => &["depthwise_kernel", "bias"],
            Self::BatchNormalization => &["gamma", "beta", "moving_mean", "moving_variance"],
            Self::LayerNormalization => &["gamma", "beta"],
            Self::LayerScale => &["layer_scale"],
        }
    }

    /// The class of a layer by what it holds.
    fn of(variables: &[(&str, usize)], needed: &[TensorOutline]) -> Option<Self> {
        let holds = |name: &str| variables.iter().any(|(variable, _)| *variable == name);
        let kernel_sides = variables.iter().find(|(name, _)| *name == "kernel").map(|&(_, at)| needed[at].shape.len());
        Some(match kernel_sides {
            Some(2) => Self::Dense,
            Some(_) => Self::Conv2d,
            None if holds("pointwise_kernel") => Self::SeparableConv2d,
            None if holds("depthwise_kernel") => Self::DepthwiseConv2d,
            None if holds("moving_mean") => Self::BatchNormalization,
            None if holds("gamma") => Self::LayerNormalization,
            None if holds("layer_scale") => Self::LayerScale,
            None => return None,
        })
    }
}

impl<'a> NeededLayer<'a> {
    /// The layers of a model in the order in which it reads them.
    ///
    /// Encoders keep Keras' paths (`encoder/conv1/conv/kernel`); other parts are named as in torch (`classifier.weight`) and
    /// are dense layers. Tensors that no Keras layer holds make no layer; they will be found missing.
    pub fn all(needed: &'a [TensorOutline]) -> Vec<Self> {
        let mut layers: Vec<Tensors<'a>> = Vec::new();
        for (index, tensor) in needed.iter().enumerate() {
            let (layer, variable, outside) = split(&tensor.name);
            match layers.iter_mut().find(|known| known.layer == layer) {
                Some(known) => known.variables.push((variable, index)),
                None => layers.push(Tensors { layer, outside, variables: vec![(variable, index)] }),
            }
        }
        layers.into_iter().filter_map(|tensors| tensors.into_layer(needed)).collect()
    }

    /// Returns true if the layer lies in a small model of its own inside the encoder, as ConvNeXt's stem and downsampling do.
    pub fn is_nested(&self) -> bool {
        self.name.contains("_stem_") || self.name.contains("_downsampling_")
    }

    /// Returns true if Keras numbered the layer instead of naming it.
    pub fn is_numbered(&self) -> bool {
        Class::of_numbered(self.name).is_some_and(|(class, _)| class == self.class)
    }
}

/// The tensors of one layer: variables in Keras' words, with their indexes among the tensors needed.
struct Tensors<'a> {
    layer: &'a str,
    outside: bool,
    variables: Vec<(&'a str, usize)>,
}

impl<'a> Tensors<'a> {
    fn into_layer(self, needed: &[TensorOutline]) -> Option<NeededLayer<'a>> {
        let class = Class::of(&self.variables, needed)?;
        let in_order = class.variables().iter().filter_map(|&expected| {
            self.variables.iter().find(|(name, _)| *name == expected).map(|&(_, index)| (expected, index))
        });
        Some(NeededLayer {
            name: if self.outside { class.stem() } else { self.layer },
            class,
            variables: in_order.collect(),
            transposed: self.outside,
        })
    }
}

/// A tensor's layer, variable in Keras' words, and whether it lies outside the encoder.
fn split(name: &str) -> (&str, &str, bool) {
    if let Some((layer, variable)) = name.rsplit_once('/') {
        return (layer.strip_prefix("encoder/").unwrap_or(layer), variable, false);
    }
    let (layer, variable) = name.rsplit_once('.').unwrap_or(("", name));
    match variable {
        "weight" => (layer, "kernel", true),
        other => (layer, other, true),
    }
}
