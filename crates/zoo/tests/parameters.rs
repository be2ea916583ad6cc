//! How many parameters each model reads: the numbers that the reference systems state.

use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use zoo::weights::{TensorSource, Weights};
use zoo::{Architecture, Encoder, EncoderName, FusionName, HeadName, Model, Result, VideoEncoder, VideoEncoderName};

/// Ones of any shape; remembers how many elements each tensor has.
#[derive(Default)]
struct Counting {
    read: RefCell<BTreeMap<String, usize>>,
}

impl Counting {
    /// Elements read, with the statistics of norms (as Keras counts) or without (as torch counts).
    fn count(&self, statistics: bool) -> usize {
        let statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
        let read = self.read.borrow();
        read.iter().filter(|(name, _)| statistics || !statistic(name)).map(|(_, elements)| elements).sum()
    }
}

impl TensorSource for Counting {
    fn description(&self) -> String {
        "ones".to_owned()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.read.borrow_mut().insert(name.to_owned(), shape.iter().product());
        Ok(Tensor::ones(shape, DType::F32, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        None
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

#[test]
fn encoders_read_as_many_parameters_as_the_originals() {
    for (name, expected) in [
        (EncoderName::Xception, 20_861_480),
        (EncoderName::EfficientNetB2, 7_700_994),
        (EncoderName::EfficientNetB2ImageNet, 9_109_994),
        // torchvision's and timm's totals less their thousand classes.
        (EncoderName::ConvNextBase, 88_591_464 - 1_025_000),
        (EncoderName::SwinV2Base, 87_930_848 - 1_025_000),
        (EncoderName::VitS16, 22_050_664 - 385_000),
    ] {
        let source = Counting::default();
        let encoder = Weights::read_all(&source, &Device::Cpu, '.', |weights| Encoder::read(name, weights));
        assert!(encoder.is_ok(), "{name}");
        assert_eq!(source.count(name == EncoderName::Xception), expected, "{name}");
    }
}

#[test]
fn video_encoders_read_as_many_parameters_as_the_originals() {
    // torchvision's and PyTorchVideo's totals less their 400 classes.
    for (name, expected) in [
        (VideoEncoderName::R2Plus1d18, 31_505_325 - (512 + 1) * 400),
        (VideoEncoderName::SlowR50, 32_454_096 - (2048 + 1) * 400),
    ] {
        let source = Counting::default();
        let encoder = Weights::read_all(&source, &Device::Cpu, '.', |weights| VideoEncoder::read(name, weights));
        assert!(encoder.is_ok(), "{name}");
        assert_eq!(source.count(false), expected, "{name}");
    }
}

#[test]
fn models_read_as_many_parameters_as_the_reference_systems() {
    use {EncoderName as E, FusionName as F, HeadName as H};
    for (encoder, head, fusion, classes, expected) in [
        (E::Xception, H::None, F::Spatial, 47, 20_957_783),
        (E::Xception, H::None, F::Spatial, 5, 20_871_725),
        (E::EfficientNetB2ImageNet, H::None, F::Spatial, 11, 9_121_005),
        (E::EfficientNetB2, H::Conv1d, F::Sum, 11, 13_665_293),
        (E::EfficientNetB2ImageNet, H::Lstm2, F::Temporal, 11, 25_137_005),
        (E::EfficientNetB2, H::Attention, F::GateClassified, 11, 17_636_557),
    ] {
        let source = Counting::default();
        let model = Model::read(Architecture { encoder, head, fusion }, classes, &source, &Device::Cpu);
        assert!(model.is_ok(), "{encoder} {head} {fusion}");
        assert_eq!(source.count(encoder == E::Xception), expected, "{encoder} {head} {fusion}");
    }
}
