//! The models that reference files describe; the names are those of its checkpoint.

use candle_core::Tensor;
use nn::Linear;
use zoo::weights::Weights;
use zoo::{
    Classifier, EfficientNet, EfficientNetConfig, Encoder, EncoderName, Fusion, FusionName, Head, HeadName,
    ImageNetLogits, VideoEncoder, VideoEncoderName, VisionTransformer, VitConfig,
};

use crate::model_reference::ModelReference;
use crate::{Result, heads};

/// The outputs of a model by name.
pub(crate) type Outputs = Vec<(&'static str, Tensor)>;

/// A model that was read: input to outputs.
pub(crate) type Run = Box<dyn Fn(&Tensor) -> Result<Outputs>>;

/// Reads the model that `file` describes.
pub(crate) fn read(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    match file.model() {
        "thesis_image" => image_model(file, weights),
        "baseline_torch_vit_b_16" => vision_transformer(file, weights),
        "thesis_attention_gate" => attention_gate_model(file, weights),
        "thesis_cnn_lstm" => cnn_lstm(file, weights),
        "thesis_conv1d_k3" => residual_video_model(file, weights),
        "thesis_r2plus1d_18" => r2plus1d_model(file, weights),
        "thesis_slow_r50" => slow_model(file, weights),
        name => {
            if let Some(encoder) = keras_encoder(name) {
                return keras_classifier(file, encoder, weights);
            }
            if let Some((encoder, classifier)) = torch_encoder(name) {
                return torch_classifier(file, encoder, classifier, weights);
            }
            heads::read(file, weights)
        }
    }
}

fn keras_encoder(model: &str) -> Option<EncoderName> {
    Some(match model {
        "echoview47_classifier" | "echoview47_tmed2" => EncoderName::Xception,
        "baseline_keras_convnext_tiny" => EncoderName::ConvNextTinyKeras,
        "baseline_keras_densenet121" => EncoderName::DenseNet121Keras,
        "baseline_keras_efficientnetv2_s" => EncoderName::EfficientNetV2SKeras,
        "baseline_keras_resnet50" => EncoderName::ResNet50Keras,
        "baseline_keras_resnet101" => EncoderName::ResNet101Keras,
        _ => return None,
    })
}

/// The encoder and the place of the last layer.
fn torch_encoder(model: &str) -> Option<(EncoderName, &'static str)> {
    Some(match model {
        "baseline_torch_convnext_tiny" => (EncoderName::ConvNextTiny, "classifier.2"),
        "efficientnet_lite0" => (EncoderName::EfficientNetLite0, "_fc"),
        "efficientnet_lite1" => (EncoderName::EfficientNetLite1, "_fc"),
        "efficientnet_lite2" => (EncoderName::EfficientNetLite2, "_fc"),
        "echo_prime_view_classifier" => (EncoderName::ConvNextBase, "classifier.2"),
        "baseline_torch_swin_v2_t" => (EncoderName::SwinV2Tiny, "head"),
        "baseline_torch_densenet121" => (EncoderName::DenseNet121, "classifier"),
        "baseline_torch_efficientnet_v2_s" => (EncoderName::EfficientNetV2S, "classifier.1"),
        "baseline_torch_resnet50" => (EncoderName::ResNet50, "fc"),
        "baseline_torch_resnet101" => (EncoderName::ResNet101, "fc"),
        _ => return None,
    })
}

/// Encoder, mean of the maps, one dense layer.
fn keras_classifier(file: &ModelReference, encoder: EncoderName, weights: &Weights<'_>) -> Result<Run> {
    let width = Encoder::width(encoder);
    let encoder = Encoder::read(encoder, weights)?;
    let classes = last(file.shape_of("dense/kernel")?);
    let dense = weights.at("dense");
    let kernel = dense.tensor("kernel", &[width, classes])?;
    let dense = Linear::from_input_major(kernel, Some(dense.tensor("bias", &[classes])?));
    Ok(Box::new(move |frames| {
        let features = encoder.forward(frames)?;
        let logits = dense.forward(&features)?;
        Ok(vec![("softmax", softmax(&logits)?), ("features", features), ("logits", logits)])
    }))
}

fn torch_classifier(
    file: &ModelReference,
    encoder: EncoderName,
    last_layer: &str,
    weights: &Weights<'_>,
) -> Result<Run> {
    let network = Encoder::read(encoder, &weights.at("net"))?;
    classify_vectors(file, move |frames| network.forward(frames), (Encoder::width(encoder), last_layer), weights)
}

/// The learned positions make a Vision Transformer's sizes depend on the image's.
fn vision_transformer(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let usual = VitConfig::base16();
    let config = VitConfig { image_side: file.image_side().unwrap_or(usual.image_side), ..usual };
    let encoder = Encoder::new(Box::new(VisionTransformer::read(&config, &weights.at("net"))?))?;
    classify_vectors(file, move |frames| encoder.forward(frames), (config.width, "heads.head"), weights)
}

/// One layer at `net.{last_layer}` on vectors of length `width`.
fn classify_vectors(
    file: &ModelReference,
    vectors: impl Fn(&Tensor) -> zoo::Result<Tensor> + 'static,
    (width, last_layer): (usize, &str),
    weights: &Weights<'_>,
) -> Result<Run> {
    let classes = first(file.shape_of(&format!("net.{last_layer}.weight"))?);
    let classifier = Classifier::read(width, classes, &weights.at("net").at(last_layer))?;
    Ok(Box::new(move |frames| {
        let logits = classifier.forward(&vectors(frames)?.unsqueeze(1)?)?;
        Ok(vec![("softmax", softmax(&logits)?), ("logits", logits)])
    }))
}

/// The reference system's image model: an EfficientNet-B2 with its thousand ImageNet classes, and a layer on top of them.
fn image_model(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let features = EfficientNet::read(&EfficientNetConfig::b2(), &weights.at("conv").at("features"))?;
    let features = Encoder::new(Box::new(features))?;
    let encoder = Encoder::read(EncoderName::EfficientNetB2ImageNet, &weights.at("conv"))?;
    let classes = first(file.shape_of("classifier_layer.0.weight")?);
    let classifier = Classifier::read(ImageNetLogits::WIDTH, classes, &weights.at("classifier_layer").at(0))?;
    Ok(Box::new(move |frames| {
        let pooled = features.forward(frames)?;
        let thousand = encoder.forward(frames)?;
        let logits = classifier.forward(&thousand.unsqueeze(1)?)?;
        Ok(vec![("pooled", pooled), ("thousand", thousand), ("logits", logits)])
    }))
}

/// The reference system's CNN-LSTM: the thousand ImageNet logits of each frame, a memory of two layers, its last step.
fn cnn_lstm(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let encoder = Encoder::read(EncoderName::EfficientNetB2ImageNet, &weights.at("conv"))?;
    let head = Head::read(HeadName::Lstm2, ImageNetLogits::WIDTH, weights)?;
    let classifier = dropout_classifier(file, Head::width(HeadName::Lstm2, ImageNetLogits::WIDTH), weights)?;
    Ok(Box::new(move |clips| {
        let last = head.forward(&encode_clips(&encoder, clips)?)?;
        let logits = classifier.forward(&last)?;
        Ok(vec![("last", last.squeeze(1)?), ("softmax", softmax(&logits)?), ("logits", logits)])
    }))
}

/// The reference system's attention model, which classifies the gate's values.
fn attention_gate_model(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let encoder = video_encoder(weights)?;
    let head = Head::read(HeadName::Attention, 1408, weights)?;
    let fusion = Fusion::read(FusionName::GateClassified, 1408, 1408, &weights.at("residual_combination"))?;
    let classifier = dropout_classifier(file, 1408, weights)?;
    Ok(Box::new(move |clips| {
        let spatial = encode_clips(&encoder, clips)?;
        let gates = fusion.forward(&spatial, &head.forward(&spatial)?)?;
        let logits = classifier.forward(&gates)?;
        Ok(vec![("gate_mean", gates.mean(1)?), ("softmax", softmax(&logits)?), ("logits", logits)])
    }))
}

/// The reference system's residual video model: frames, a convolution over time, their sum.
fn residual_video_model(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let encoder = video_encoder(weights)?;
    let head = Head::read(HeadName::Conv1d, 1408, weights)?;
    let classifier = dropout_classifier(file, 1408, weights)?;
    Ok(Box::new(move |clips| {
        let spatial = encode_clips(&encoder, clips)?;
        let combined = (&spatial + head.forward(&spatial)?)?;
        let logits = classifier.forward(&combined)?;
        let softmax = softmax(&logits)?;
        Ok(vec![("spatial", spatial), ("combined", combined.mean(1)?), ("logits", logits), ("softmax", softmax)])
    }))
}

/// The reference system's (2+1)D model.
fn r2plus1d_model(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    let conv = weights.at("conv");
    let encoder = VideoEncoder::read(VideoEncoderName::R2Plus1d18, &conv)?;
    let classes = first(file.shape_of("conv.fc.0.weight")?);
    let classifier = linear(&conv.at("fc").at(0), (VideoEncoder::width(VideoEncoderName::R2Plus1d18), classes))?;
    Ok(Box::new(move |clips| {
        let logits = |clips: &Tensor| -> Result<Tensor> { Ok(classifier.forward(&encoder.forward(clips)?)?) };
        Ok(vec![("logits", logits(clips)?), ("logits_reshaped_not_permuted", logits(&reshaped(clips)?)?)])
    }))
}

/// The reference system's 3D model, which builds on 400 Kinetics logits.
fn slow_model(file: &ModelReference, weights: &Weights<'_>) -> Result<Run> {
    const KINETICS: usize = 400;
    let conv = weights.at("conv3");
    let encoder = VideoEncoder::read(VideoEncoderName::SlowR50, &conv)?;
    let width = VideoEncoder::width(VideoEncoderName::SlowR50);
    let kinetics = linear(&conv.at("blocks").at(5).at("proj"), (width, KINETICS))?;
    let classes = first(file.shape_of("classifier_layer.0.weight")?);
    let classifier = linear(&weights.at("classifier_layer").at(0), (KINETICS, classes))?;
    Ok(Box::new(move |clips| {
        let kinetics = |clips: &Tensor| -> Result<Tensor> { Ok(kinetics.forward(&encoder.forward(clips)?)?) };
        let (good, odd) = (kinetics(clips)?, kinetics(&reshaped(clips)?)?);
        let logits = classifier.forward(&good)?;
        Ok(vec![("k400", good), ("logits", logits), ("logits_reshaped_not_permuted", classifier.forward(&odd)?)])
    }))
}

/// The reference system's mistake: [B, T, C, H, W] read as if it were [B, C, T, H, W].
fn reshaped(clips: &Tensor) -> Result<Tensor> {
    let (batch, frames, channels, height, width) = clips.dims5()?;
    let misread = clips.reshape((batch, channels, frames, height, width))?;
    Ok(misread.transpose(1, 2)?.contiguous()?)
}

/// The video checkpoints call torchvision's `features` `feature`, without a level above it.
fn video_encoder(weights: &Weights<'_>) -> Result<Encoder> {
    Ok(Encoder::new(Box::new(EfficientNet::read(&EfficientNetConfig::b2(), &weights.at("feature"))?))?)
}

/// Encodes clips [B, T, 3, H, W] as [B, T, C].
fn encode_clips(encoder: &Encoder, clips: &Tensor) -> Result<Tensor> {
    let (batch, frames, _, _, _) = clips.dims5()?;
    let vectors = encoder.forward(&clips.flatten(0, 1)?)?;
    Ok(vectors.reshape((batch, frames, ()))?)
}

/// The last layer of the video checkpoints, at 1 because a dropout is at 0.
pub(crate) fn dropout_classifier(file: &ModelReference, width: usize, weights: &Weights<'_>) -> Result<Classifier> {
    let classes = first(file.shape_of("classifier_layer.1.weight")?);
    Ok(Classifier::read(width, classes, &weights.at("classifier_layer").at(1))?)
}

pub(crate) fn softmax(logits: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::softmax_last_dim(logits)?)
}

pub(crate) fn first(shape: &[usize]) -> usize {
    shape.first().copied().unwrap_or(0)
}

fn last(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(0)
}

/// Reads a fully connected layer in torch's layout.
fn linear(weights: &Weights<'_>, (width_in, width_out): (usize, usize)) -> Result<Linear> {
    let weight = weights.tensor("weight", &[width_out, width_in])?;
    Ok(Linear::new(&weight, Some(weights.tensor("bias", &[width_out])?))?)
}
