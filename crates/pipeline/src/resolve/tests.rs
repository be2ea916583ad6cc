use zoo::ZooError;

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
        let source = PipelineSource::named(name, Path::new("nowhere")).unwrap();
        assert_eq!(source.read(Path::new("nowhere")).unwrap().name, name);
        match Pipeline::check(&source, Path::new("nowhere")) {
            Ok(_) => {}
            Err(PipelineError::Model { source, .. }) if matches!(*source, ZooError::WeightsAbsent { .. }) => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn every_model_of_the_registry_has_a_pipeline_that_fits_it() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    for card in registry.models() {
        let source = PipelineSource::named(&card.name, Path::new("nowhere")).unwrap();
        let parts = Parts::read(&source, Path::new("nowhere")).unwrap();
        assert_eq!((&parts.file.name, &parts.card.name), (&card.name, &card.name));
        let text = toml::to_string(&parts.file).unwrap();
        assert_eq!(toml::from_str::<PipelineFile>(&text).unwrap(), parts.file, "a file can say the same");
    }
    let error = PipelineSource::named("EchoView48", Path::new("nowhere")).unwrap_err().to_string();
    assert!(error.contains("EchoView48") && error.contains("models list"), "{error}");
}

#[test]
fn untrained_weights_are_said_to_be_untrained() {
    let source = PipelineSource::named("tte11-tiny", Path::new("nowhere")).unwrap();
    let pipeline = Pipeline::open_untrained(&source, Path::new("nowhere"), DeviceChoice::Cpu).unwrap();
    assert_eq!(pipeline.status(), WeightStatus::Untrained);
    let absent = PipelineSource::named("EchoSDNet", Path::new("nowhere")).unwrap();
    assert!(Pipeline::open(&absent, Path::new("nowhere"), DeviceChoice::Cpu).is_err());
    let pipeline = Pipeline::open_untrained(&absent, Path::new("nowhere"), DeviceChoice::Cpu).unwrap();
    assert_eq!((pipeline.status(), pipeline.card().status), (WeightStatus::Untrained, WeightStatus::Validated));
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
        ("abstain_below = 0.5", "abstain_below = 0.5\nfirst_clip_suffices = 1.5", "aggregate.first_clip_suffices"),
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
        std::fs::write(&path, text.replace("[sampling]", &format!("precision = \"{precision}\"\n[sampling]"))).unwrap();
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
    observer.observe(&vec![0.5; 3 * size * size]).unwrap();
    let calibration = QuantizationRanges {
        model: card.name.clone(),
        weights_sha256: model.weights_sha256().to_owned(),
        frames: zoo::CalibrationFrames { source: "a gray frame".to_owned(), loops: 0, frames: 1 },
        measured: None,
        ranges: observer.ranges().iter().map(|range| [range.min, range.max]).collect(),
    };
    registry.write_quantization(card, &calibration).unwrap();
    assert_eq!(open().unwrap().precision(), Precision::Int8);
    let other = QuantizationRanges { weights_sha256: "0".repeat(64), ..calibration };
    registry.write_quantization(card, &other).unwrap();
    let error = open().err().unwrap();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("makes a new one"), "{error}");
}

#[test]
fn companions_must_know_the_same_views_and_see_the_same_frames() {
    let (_, good) = SHIPPED[4];
    assert_eq!(checked(good), Ok(()));
    for (from, to, expected) in [
        ("\"tte11-lite0-image\"", "\"tte11-phantom\"", "tte11-phantom is the pipeline's first model"),
        ("\"tte11-lite0-image\"", "\"EchoView47_classifier\"", "has other views"),
        ("frames_per_clip = 6", "frames_per_clip = 8", "was made for other clips"),
        ("\"tte11-lite0-image\"", "\"tte11-huge\"", "companions"),
        ("prior = \"recorded\"", "prior = \"recordd\"", "unknown variant `recordd`"),
    ] {
        let (good, from, to) = match expected.contains("other clips") {
            // A companion of clips, where the first model's card leaves them open to the file.
            true => (good.replace("tte11-lite0-image", "tte11-lite0-clips"), from, to),
            false => (good.to_owned(), from, to),
        };
        let error = checked(&good.replace(from, to)).unwrap_err();
        assert!(error.contains(expected), "{from} as {to}: {error}");
    }
}

#[test]
fn labels_of_several_models_are_worth_what_the_least_trusted_is() {
    let status = least_trusted([WeightStatus::Validated, WeightStatus::Simulated].into_iter());
    assert_eq!(status, Some(WeightStatus::Simulated));
}
