use std::rc::Rc;

use candle_core::{D, DType, Device, Tensor};
use nn::{Linear, ObservedNetwork, TrainingContext};

use crate::import::TensorOutline;
use crate::transformer::linear;
use crate::weights::{TensorSource, Weights, outlines};
use crate::{
    AnyEncoderName, Architecture, Classifier, Encoder, Fusion, Head, ModelCard, QuantizationRanges, Result,
    VideoEncoder, ZooError,
};
use domain::Precision;

/// A model ready to run on a device.
pub struct Model {
    encoder: AnyEncoder,
    bottleneck: Option<Linear>,
    head: Head,
    fusion: Fusion,
    classifier: Option<Classifier>,
    takes_maps: bool,
    width: usize,
    sha256: String,
    device: Device,
    precision: Precision,
}

/// The reason why a model of clips has no int8.
const SEES_CLIPS: &str = "its encoder sees whole clips, which they run in single precision only";

enum AnyEncoder {
    Frames(Encoder),
    Clips(VideoEncoder),
}

/// The output of a model for a batch of clips.
pub struct ModelOutput {
    /// [B, classes], before the softmax.
    pub logits: Tensor,
}

impl Model {
    /// Reads a model; its parts are named `encoder`, `bottleneck`, `head`, `fusion` and `classifier`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(architecture: &Architecture, source: &dyn TensorSource, device: &Device) -> Result<Self> {
        let Architecture { encoder, bottleneck, head, fusion, ref hidden, classes } = *architecture;
        architecture.check()?;
        let takes_maps = Head::takes_maps(head);
        let encoded_width = match encoder {
            AnyEncoderName::Frames(encoder) if takes_maps => Encoder::map_width(encoder),
            AnyEncoderName::Frames(encoder) => Encoder::width(encoder),
            AnyEncoderName::Clips(encoder) => VideoEncoder::width(encoder),
        };
        let width = bottleneck.unwrap_or(encoded_width);
        let temporal_width = Head::width(head, width);
        let fused_width = Fusion::width(fusion, width, temporal_width);
        Weights::read_all(source, device, '.', |weights| {
            let classifier = |classes| Classifier::read_deep(fused_width, hidden, classes, &weights.at("classifier"));
            let project = |width| linear(&weights.at("bottleneck"), (encoded_width, width));
            Ok(Self {
                encoder: AnyEncoder::read(encoder, &weights.at("encoder"))?,
                bottleneck: bottleneck.map(project).transpose()?,
                head: Head::read(head, width, &weights.at("head"))?,
                fusion: Fusion::read(fusion, width, temporal_width, &weights.at("fusion"))?,
                classifier: classes.map(classifier).transpose()?,
                takes_maps,
                width: fused_width,
                sha256: source.sha256(),
                device: device.clone(),
                precision: Precision::F32,
            })
        })
    }

    /// The tensors that the registry's entry `card` is read from, in the order of reading: what an import must provide.
    ///
    /// Runs the reading itself on zeros, so it needs as much memory as the model.
    ///
    /// # Errors
    /// The card describes no model that can be built.
    pub fn tensors(card: &ModelCard) -> Result<Vec<TensorOutline>> {
        let architecture = card.architecture()?;
        outlines(|source| Self::read(&architecture, source, &Device::Cpu).map(drop))
    }

    /// Multiply-adds of the convolutions that encode one frame for the registry's entry `card`; `None` where the CPU
    /// kernels do not run its encoder.
    ///
    /// Builds the model of zeros, so it needs as much memory as the model.
    ///
    /// # Errors
    /// The card describes no model that can be built.
    pub fn multiply_adds_of_a_frame(card: &ModelCard) -> Result<Option<u64>> {
        let architecture = card.architecture()?;
        let mut found = None;
        outlines(|source| {
            let model = Self::read(&architecture, source, &Device::Cpu)?;
            if let AnyEncoder::Frames(encoder) = &model.encoder {
                found = encoder.multiply_adds(model.takes_maps, card.prepare.size)?;
            }
            Ok::<_, ZooError>(())
        })?;
        Ok(found)
    }

    /// Gets ready for square frames of `size` pixels a side and no others: on a CPU the encoder is packed for its
    /// kernels, and what it was packed from is let go.
    ///
    /// # Errors
    /// The encoder cannot be run by the CPU kernels, or its weights do not fit.
    pub fn pack_for_good(&mut self, size: usize) -> Result<()> {
        match &mut self.encoder {
            AnyEncoder::Frames(encoder) if self.device.is_cpu() => encoder.pack_for_good(self.takes_maps, size),
            _ => Ok(()),
        }
    }

    /// Encodes frames [N, 3, H, W], values 0 to 1, as vectors [N, C], or as maps [N, C, h, w] where the head takes
    /// maps.
    ///
    /// A model that sees whole clips takes them, [B, T, 3, H, W], and gives one step of time for each, [B, 1, C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn encode(&self, pixels: &Tensor) -> Result<Tensor> {
        let pixels = &pixels.to_dtype(crate::map_dtype(self.precision))?;
        let encoded = match &self.encoder {
            AnyEncoder::Frames(encoder) if self.takes_maps => encoder.maps(pixels)?,
            AnyEncoder::Frames(encoder) => encoder.forward(pixels)?,
            AnyEncoder::Clips(encoder) => encoder.forward(pixels)?.unsqueeze(1)?,
        };
        Ok(encoded.to_dtype(DType::F32)?)
    }

    /// As [`Self::encode`], on Candle's graph: what of the weights are variables gets its gradient.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn encode_training(&self, pixels: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        let encoded = match &self.encoder {
            AnyEncoder::Frames(encoder) => encoder.forward_training(pixels, self.takes_maps, context)?,
            AnyEncoder::Clips(encoder) => encoder.forward_training(pixels, context)?.unsqueeze(1)?,
        };
        Ok(encoded.to_dtype(pixels.dtype())?)
    }

    /// The same model with its encoder in int8; everything after the encoder stays in single precision.
    ///
    /// # Errors
    /// The calibration is of other weights, or the encoder does not run by the CPU kernels.
    pub fn quantized(self, calibration: &QuantizationRanges) -> Result<Self> {
        calibration.check(&self.sha256)?;
        let encoder = match self.encoder {
            AnyEncoder::Frames(encoder) => encoder.quantized(calibration.input_ranges())?,
            AnyEncoder::Clips(_) => return Err(ZooError::NotQuantizable { reason: SEES_CLIPS }),
        };
        Ok(Self { encoder: AnyEncoder::Frames(encoder), precision: Precision::Int8, ..self })
    }

    /// The same model with its encoder in `Bf16` or `F16`; norms are folded in single precision before, and everything
    /// after the encoder stays in it. It is for GPUs: a CPU has no fast products of such numbers, or none at all.
    ///
    /// An error for a model that sees whole clips.
    ///
    /// # Errors
    /// The precision is not one of half, or the encoder has no such form.
    pub fn in_half(self, precision: Precision) -> Result<Self> {
        match &self.encoder {
            AnyEncoder::Frames(_) => Ok(Self { precision, ..self }),
            AnyEncoder::Clips(_) => Err(ZooError::NoHalf { precision }),
        }
    }

    /// Returns the precision of the encoder.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// An observer of the encoder's ranges on prepared frames of `size` x `size` pixels, for a calibration.
    ///
    /// # Errors
    /// The encoder cannot be run by the CPU kernels, or its weights do not fit.
    pub fn observer(&self, size: usize) -> Result<ObservedNetwork> {
        match &self.encoder {
            AnyEncoder::Frames(encoder) => encoder.observer((size, size), self.takes_maps),
            AnyEncoder::Clips(_) => Err(ZooError::NotQuantizable { reason: SEES_CLIPS }),
        }
    }

    /// Returns true if the encoder looks at the frames of a clip together, so that they cannot be encoded one by one.
    pub fn sees_whole_clips(&self) -> bool {
        matches!(self.encoder, AnyEncoder::Clips(_))
    }

    /// One vector a clip, [B, C]: the fused features' mean over time, from clips of encoded frames [B, T, C], or
    /// [B, T, C, h, w] where the head takes maps.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn embed(&self, clips: &Tensor) -> Result<Tensor> {
        Ok(self.fuse(clips, None)?.mean(1)?)
    }

    /// As [`Self::embed`], on Candle's graph: what of the weights are variables gets its gradient.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn embed_training(&self, clips: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        Ok(self.fuse(clips, Some(context))?.mean(1)?)
    }

    /// Classifies clips of encoded frames: [B, T, C], or [B, T, C, h, w] where the head takes maps.
    ///
    /// An error for a model without classes.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn classify(&self, clips: &Tensor) -> Result<ModelOutput> {
        self.logits(clips, None)
    }

    /// As [`Self::classify`], on Candle's graph: what of the weights are variables gets its gradient.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn classify_training(&self, clips: &Tensor, context: &Rc<TrainingContext>) -> Result<ModelOutput> {
        self.logits(clips, Some(context))
    }

    fn logits(&self, clips: &Tensor, context: Option<&Rc<TrainingContext>>) -> Result<ModelOutput> {
        let classifier = self.classifier.as_ref().ok_or(ZooError::NoClasses)?;
        Ok(ModelOutput { logits: classifier.forward(&self.fuse(clips, context)?)? })
    }

    fn fuse(&self, clips: &Tensor, context: Option<&Rc<TrainingContext>>) -> Result<Tensor> {
        let clips = &match &self.bottleneck {
            Some(bottleneck) => bottleneck.forward(clips)?,
            None => clips.clone(),
        };
        let temporal = match context {
            Some(context) => self.head.forward_training(clips, context)?,
            None => self.head.forward(clips)?,
        };
        let spatial = if self.takes_maps { clips.flatten_from(3)?.mean(D::Minus1)? } else { clips.clone() };
        self.fusion.forward(&spatial, &temporal)
    }

    /// Length of the vector that [`Self::embed`] gives.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns weight [classes, C] and bias [classes] of a classifier of one layer; `None` for a model without classes.
    ///
    /// # Errors
    /// The classifier has several layers, or the device fails.
    pub fn last_layer(&self) -> Result<Option<(Tensor, Tensor)>> {
        let Some(classifier) = &self.classifier else { return Ok(None) };
        let layer = classifier.only_layer().ok_or(ZooError::DeepClassifier)?;
        let weight = layer.weight()?;
        let bias = layer.bias().cloned().map_or_else(|| weight.zeros_like()?.sum(1), Ok)?;
        Ok(Some((weight, bias)))
    }

    /// The same model without its classes: it gives vectors.
    pub fn without_classes(self) -> Self {
        Self { classifier: None, ..self }
    }

    /// Returns true if the model ends with a layer of classes; one without gives only vectors.
    pub fn has_classes(&self) -> bool {
        self.classifier.is_some()
    }

    /// The hexadecimal sha256 of the weights.
    pub fn weights_sha256(&self) -> &str {
        &self.sha256
    }

    /// The device that the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl AnyEncoder {
    fn read(name: AnyEncoderName, weights: &Weights<'_>) -> Result<Self> {
        Ok(match name {
            AnyEncoderName::Frames(name) => Self::Frames(Encoder::read(name, weights)?),
            AnyEncoderName::Clips(name) => Self::Clips(VideoEncoder::read(name, weights)?),
        })
    }
}
