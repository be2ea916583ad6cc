//! From a pipeline file to a pipeline that can run: every mismatch is found here, before any loop is taken.

use std::path::Path;

use candle_core::Device;
use nn::DeviceChoice;
use zoo::{Calibration, Confidence, LabelSet, Model, ModelCard, Precision, Registry, WeightStatus, ZooError};

use crate::engine::ReadModel;
use crate::{Engine, LoopPreparation, PipelineError, PipelineFile, PipelineSource};

/// A pipeline whose parts fit each other, with its model on an engine thread.
pub struct Pipeline {
    file: PipelineFile,
    loops: LoopPreparation,
    card: ModelCard,
    status: WeightStatus,
    engine: Engine,
}

impl Pipeline {
    /// Checks the pipeline against the registry and its model, without reading weights.
    pub fn check(source: &PipelineSource, models: &Path) -> Result<(PipelineFile, ModelCard), PipelineError> {
        let parts = Parts::with_weights(source, models)?;
        if parts.file.precision == Precision::Int8 {
            parts.registry.read_calibration(&parts.card).map_err(model_error(source))?;
        }
        Ok((parts.file, parts.card))
    }

    /// Checks the pipeline, reads its weights from the folder `models` and starts its engine.
    pub fn open(source: &PipelineSource, models: &Path, device: DeviceChoice) -> Result<Self, PipelineError> {
        let parts = Parts::with_weights(source, models)?;
        let status = parts.card.status;
        Self::open_on(source, parts, device, status, Registry::read_model)
    }

    /// Starts a model of the pipeline that somebody has read, on the CPU: in int8 by `calibration`, or in single precision,
    /// whatever precision the pipeline asks for. For comparing the two.
    pub fn with_model(
        source: &PipelineSource,
        models: &Path,
        (model, status): (Model, WeightStatus),
        calibration: Option<&Calibration>,
    ) -> Result<Self, PipelineError> {
        let mut parts = Parts::read(source, models)?;
        parts.file.precision = if calibration.is_some() { Precision::Int8 } else { Precision::F32 };
        Self::start(source, parts, model, status, calibration, None)
    }

    /// The same with weights made by a formula, whether the model's own are here or not: its labels mean nothing.
    pub fn open_untrained(source: &PipelineSource, models: &Path, device: DeviceChoice) -> Result<Self, PipelineError> {
        let parts = Parts::read(source, models)?;
        Self::open_on(source, parts, device, WeightStatus::Untrained, Registry::make_untrained_model)
    }

    /// Reads the model onto the device; where that has no memory for it, `auto` takes the CPU.
    fn open_on(
        source: &PipelineSource,
        parts: Parts,
        choice: DeviceChoice,
        status: WeightStatus,
        read: fn(&Registry, &str, &Device) -> zoo::Result<Model>,
    ) -> Result<Self, PipelineError> {
        let mut model = read(&parts.registry, &parts.card.name, &choice.open()?);
        if let (Err(error), DeviceChoice::Auto) = (&model, choice)
            && nn::ran_out_of_memory(error)
        {
            tracing::warn!("the gpu has no memory for the model, running on the cpu");
            model = read(&parts.registry, &parts.card.name, &Device::Cpu);
        }
        let model = model.map_err(model_error(source))?;
        let calibration = parts.calibration(source)?;
        let on_cpu: Option<ReadModel> = (!model.device().is_cpu()).then(|| {
            let (registry, card) = (parts.registry.clone(), parts.card.clone());
            Box::new(move || {
                let mut model = read(&registry, &card.name, &Device::Cpu)?;
                model.pack_for_good(card.prepare.size)?;
                Ok(model)
            }) as ReadModel
        });
        Self::start(source, parts, model, status, calibration.as_ref(), on_cpu)
    }

    fn start(
        source: &PipelineSource,
        parts: Parts,
        mut model: Model,
        status: WeightStatus,
        calibration: Option<&Calibration>,
        on_cpu: Option<ReadModel>,
    ) -> Result<Self, PipelineError> {
        check_device(&source.to_string(), parts.file.precision, model.device().is_cpu())?;
        model = match (parts.file.precision, calibration) {
            (Precision::Int8, Some(calibration)) => model.quantised(calibration).map_err(model_error(source))?,
            (half @ (Precision::Bf16 | Precision::F16), _) => model.in_half(half).map_err(model_error(source))?,
            _ => model,
        };
        let Parts { file, card, .. } = parts;
        // The engine meets frames of this size only.
        model.pack_for_good(card.prepare.size).map_err(model_error(source))?;
        let label_set = file.label_set.as_deref().map(LabelSet::named).transpose().map_err(model_error(source))?;
        let loops = LoopPreparation::new(label_set, &file.sampling, card.prepare);
        Ok(Self { engine: Engine::start(model, on_cpu)?, file, loops, card, status })
    }

    /// The pipeline's name, under which its predictions are kept.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The views that it knows; `None` where its model gives only vectors.
    pub fn label_set(&self) -> Option<&LabelSet> {
        self.loops.label_set()
    }

    /// The model's card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// What the weights in use may be trusted for: the card's status, or untrained where that was asked for.
    pub fn status(&self) -> WeightStatus {
        self.status
    }

    /// How its encoder computes.
    pub fn precision(&self) -> Precision {
        self.file.precision
    }

    /// The digest of the weights.
    pub fn weights_sha256(&self) -> &str {
        self.engine.weights_sha256()
    }

    pub(crate) fn file(&self) -> &PipelineFile {
        &self.file
    }

    /// What was fitted to the weights in use; nothing where they are made by a formula.
    pub(crate) fn confidence(&self) -> Confidence {
        let fitted = self.card.confidence.filter(|_| self.status != WeightStatus::Untrained);
        fitted.unwrap_or(Confidence::UNFITTED)
    }

    pub(crate) fn loops(&self) -> &LoopPreparation {
        &self.loops
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// A pipeline file that fits its model.
struct Parts {
    registry: Registry,
    file: PipelineFile,
    card: ModelCard,
}

impl Parts {
    fn read(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let file = source.read()?;
        let registry = Registry::open(models).map_err(model_error(source))?;
        let card = registry.card(&file.weights.model).map_err(model_error(source))?.clone();
        let origin = source.to_string();
        compare(&origin, &file, &card)?;
        check_ranges(&origin, &file)?;
        Ok(Self { registry, file, card })
    }

    /// The calibration that the pipeline's precision needs.
    fn calibration(&self, source: &PipelineSource) -> Result<Option<Calibration>, PipelineError> {
        match self.file.precision {
            Precision::F32 | Precision::Bf16 | Precision::F16 => Ok(None),
            Precision::Int8 => self.registry.read_calibration(&self.card).map(Some).map_err(model_error(source)),
        }
    }

    fn with_weights(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let parts = Self::read(source, models)?;
        if parts.registry.has_weights(&parts.card) {
            return Ok(parts);
        }
        let path = parts.registry.weights_path(&parts.card).unwrap_or_default();
        Err(model_error(source)(ZooError::WeightsAbsent { model: parts.card.name, path }))
    }
}

fn model_error(source: &PipelineSource) -> impl Fn(ZooError) -> PipelineError {
    let origin = source.to_string();
    move |source| PipelineError::Model { origin: origin.clone(), source }
}

/// Refuses a pipeline that says anything else than its model's card.
fn compare(origin: &str, file: &PipelineFile, card: &ModelCard) -> Result<(), PipelineError> {
    fn text(value: impl serde::Serialize) -> String {
        serde_json::to_string(&value).unwrap_or_default()
    }
    let made_for = card.prepare;
    let prepare = file.prepare;
    let pairs = [
        ("label_set", text(&file.label_set), text(&card.label_set)),
        ("encoder.name", text(file.encoder.name), text(card.encoder)),
        ("head.name", text(file.head.name), text(card.head)),
        ("fusion.name", text(file.fusion.name), text(card.fusion)),
        ("prepare.size", text(prepare.size), text(made_for.size)),
        ("prepare.colour", text(prepare.colour.unwrap_or(made_for.colour)), text(made_for.colour)),
        ("prepare.crop", text(prepare.crop.unwrap_or(made_for.crop)), text(made_for.crop)),
        ("prepare.resize", text(prepare.resize.unwrap_or(made_for.resize)), text(made_for.resize)),
        ("prepare.mask_static", text(prepare.mask_static.unwrap_or(made_for.mask_static)), text(made_for.mask_static)),
    ];
    match pairs.into_iter().find(|(_, found, expected)| found != expected) {
        Some((key, found, expected)) => Err(PipelineError::ModelMismatch {
            origin: origin.to_owned(),
            key,
            found,
            model: card.name.clone(),
            expected,
        }),
        None => Ok(()),
    }
}

/// Refuses a precision that the device does not have, rather than to compute in another one.
fn check_device(origin: &str, precision: Precision, is_cpu: bool) -> Result<(), PipelineError> {
    let (runs_on, device) = match (precision, is_cpu) {
        (Precision::Int8, false) => ("the CPU", "cpu"),
        (Precision::Bf16 | Precision::F16, true) => ("a GPU", "cuda"),
        _ => return Ok(()),
    };
    Err(PipelineError::PrecisionDevice { origin: origin.to_owned(), precision, runs_on, device })
}

fn check_ranges(origin: &str, file: &PipelineFile) -> Result<(), PipelineError> {
    let fault = |key: &'static str, found: String, expected: &'static str| {
        Err(PipelineError::OutOfRange { origin: origin.to_owned(), key, found, expected })
    };
    let sampling = &file.sampling;
    if !(1..=ecg::plan::MOST_FRAMES_PER_CLIP).contains(&sampling.frames_per_clip) {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "1 to 64");
    }
    if sampling.strategy == ecg::Strategy::Windowed && sampling.frames_per_clip != 6 {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "6 with windows");
    }
    if sampling.max_clips == 0 {
        return fault("sampling.max_clips", "0".to_owned(), "1 or more");
    }
    if !(0.0..=1.0).contains(&file.aggregate.abstain_below) {
        return fault("aggregate.abstain_below", file.aggregate.abstain_below.to_string(), "0 to 1");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SHIPPED;

    fn checked(text: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        Pipeline::check(&PipelineSource::File(path), folder.path()).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shipped_pipeline_reads_under_its_own_name_and_fits_its_model() {
        for name in PipelineSource::shipped() {
            let source = PipelineSource::named(name).unwrap();
            assert_eq!(source.read().unwrap().name, name);
            match Pipeline::check(&source, Path::new("nowhere")) {
                Ok(_) => {}
                Err(PipelineError::Model { source: ZooError::WeightsAbsent { .. }, .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    #[test]
    fn every_model_of_the_registry_has_a_pipeline_that_fits_it() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        for card in registry.models() {
            let source = PipelineSource::named(&card.name).unwrap();
            let parts = Parts::read(&source, Path::new("nowhere")).unwrap();
            assert_eq!((&parts.file.name, &parts.card.name), (&card.name, &card.name));
            let text = toml::to_string(&parts.file).unwrap();
            assert_eq!(toml::from_str::<PipelineFile>(&text).unwrap(), parts.file, "a file can say the same");
        }
        let error = PipelineSource::named("EchoView48").unwrap_err().to_string();
        assert!(error.contains("EchoView48") && error.contains("models list"), "{error}");
    }

    #[test]
    fn untrained_weights_are_said_to_be_untrained() {
        let source = PipelineSource::named("tte11-tiny").unwrap();
        let pipeline = Pipeline::open_untrained(&source, Path::new("nowhere"), DeviceChoice::Cpu).unwrap();
        assert_eq!(pipeline.status(), WeightStatus::Untrained);
        let absent = PipelineSource::named("EchoSDNet").unwrap();
        assert!(Pipeline::open(&absent, Path::new("nowhere"), DeviceChoice::Cpu).is_err());
        let pipeline = Pipeline::open_untrained(&absent, Path::new("nowhere"), DeviceChoice::Cpu).unwrap();
        assert_eq!((pipeline.status(), pipeline.card().status), (WeightStatus::Untrained, WeightStatus::Clinical));
    }

    #[test]
    fn mistakes_are_named_with_file_and_key() {
        let (_, good) = SHIPPED[3];
        assert_eq!(checked(good), Ok(()));
        for (from, to, expected) in [
            ("size = 96", "size = 288", "prepare.size = 288, but model tte11-tiny was made for 96"),
            ("label_set = \"tte11\"", "label_set = \"tte47\"", "label_set = \"tte47\""),
            ("max_clips", "max_clip", "unknown field `max_clip`"),
            ("abstain_below = 0.5", "abstain_below = 5", "aggregate.abstain_below"),
            ("model = \"tte11-tiny\"", "model = \"tte11-huge\"", "weights.model"),
            ("name = \"gate\"", "name = \"gates\"", "unknown fusion"),
            ("frames_per_clip = 6", "frames_per_clip = 65", "sampling.frames_per_clip = 65"),
            ("[sampling]", "precision = \"int4\"\n[sampling]", "unknown variant `int4`"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = checked(&good.replace(from, to)).unwrap_err();
            assert!(error.contains(expected) && error.contains("mine.toml"), "{to}: {error}");
        }
    }

    #[test]
    fn a_precision_is_refused_where_the_device_does_not_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let (_, text) = SHIPPED[3];
        for precision in ["bf16", "f16"] {
            std::fs::write(&path, text.replace("[sampling]", &format!("precision = \"{precision}\"\n[sampling]")))
                .unwrap();
            let source = PipelineSource::File(path.clone());
            let error = Pipeline::open(&source, folder.path(), DeviceChoice::Cpu).err().unwrap().to_string();
            assert!(error.contains(&format!("{precision}\" runs on a GPU only; use --device cuda")), "{error}");
        }
        for precision in [Precision::F32, Precision::Bf16, Precision::F16] {
            assert!(check_device("", precision, false).is_ok());
        }
        let error = check_device("mine", Precision::Int8, false).unwrap_err().to_string();
        assert!(error.contains("mine: precision = \"int8\" runs on the CPU only; use --device cpu"), "{error}");
        assert!(check_device("", Precision::Int8, true).is_ok() && check_device("", Precision::F32, true).is_ok());
    }

    #[test]
    fn int8_needs_a_calibration_of_these_weights_and_says_how_to_get_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let (_, text) = SHIPPED[3];
        std::fs::write(&path, text.replace("[sampling]", "precision = \"int8\"\n[sampling]")).unwrap();
        let source = PipelineSource::File(path);
        let open = || Pipeline::open(&source, folder.path(), DeviceChoice::Cpu);
        for error in [open().err().unwrap(), Pipeline::check(&source, folder.path()).err().unwrap()] {
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("`echolabel models quantize tte11-tiny` makes one"), "{cause}");
        }
        let registry = Registry::open(folder.path()).unwrap();
        let card = registry.card("tte11-tiny").unwrap();
        let model = registry.read_model("tte11-tiny", &Device::Cpu).unwrap();
        let mut observer = model.observer(card.prepare.size).unwrap();
        let size = card.prepare.size;
        observer.look(&vec![0.5; 3 * size * size]).unwrap();
        let calibration = Calibration {
            model: card.name.clone(),
            weights_sha256: model.weights_sha256().to_owned(),
            frames: zoo::CalibrationFrames { source: "a gray frame".to_owned(), loops: 0, frames: 1 },
            measured: None,
            ranges: observer.ranges().iter().map(|range| [range.least, range.greatest]).collect(),
        };
        registry.write_calibration(card, &calibration).unwrap();
        assert_eq!(open().unwrap().precision(), Precision::Int8);
        let other = Calibration { weights_sha256: "0".repeat(64), ..calibration };
        registry.write_calibration(card, &other).unwrap();
        let error = open().err().unwrap();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("makes a new one"), "{error}");
    }
}
