//! Runs of a tiny model on clips whose classes are easy to tell: it learns them, and an interrupted run goes on bit
//! for bit.

mod shared {
    pub mod easy_clips;
}

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::easy_clips::{ClipShape, EasyClip, Pattern, easy_data};
use train::{DataSet, Outcome, Progress, Recipe, Snapshot, Split, Trainer, Validation};
use zoo::{AnyEncoderName, FusionName, HeadName, ModelCard, Registry, VideoEncoderName};

const SIZE: usize = 32;

/// A small card of a model that the registry has.
fn card() -> ModelCard {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let mut card = registry.card("tte11-tiny").unwrap().clone();
    card.prepare.size = SIZE;
    card.bottleneck = Some(16);
    card.clip.frames = 3;
    card
}

/// Clips of 3 classes: stripes across, stripes down, a bright corner; each with noise of its own.
fn data(folder: &Path) -> DataSet {
    let patterns = [Pattern::StripesAcross, Pattern::StripesDown, Pattern::BrightCorner];
    let clip = |number: usize| EasyClip {
        pattern: patterns[number % 3],
        class: Some(number % 3),
        noise: number,
        split: if number < 36 { Split::Train } else { Split::Validation },
    };
    let shape = ClipShape { frames: 3, planes: 1, size: SIZE };
    easy_data(folder, shape, &(0..48).map(clip).collect::<Vec<_>>())
}

fn recipe(rest: &str) -> Recipe {
    let text = format!(
        "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = 5\n\
         data = {{ layout = \"phantom\", seed = 1, train_studies = 1, validation_studies = 1 }}\n{rest}"
    );
    Recipe::parse(&text, Path::new("test.toml")).unwrap()
}

/// Trains by the recipe; returns the last validation and the weights.
fn trained(recipe: &Recipe) -> (Validation, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    trained_on(recipe, &card(), &data(folder.path()), folder.path())
}

fn trained_on(recipe: &Recipe, card: &ModelCard, data: &DataSet, folder: &Path) -> (Validation, Snapshot) {
    let mut trainer = Trainer::open(recipe, card, data, &folder.join("run"), &candle_core::Device::Cpu).unwrap();
    let mut last = None;
    let outcome = trainer
        .run(&AtomicBool::new(false), &mut |progress| {
            if let Progress::Validation { validation, .. } = progress {
                last = Some(validation);
            }
        })
        .unwrap();
    assert_eq!(outcome, Outcome::Finished);
    (last.unwrap(), trainer.best_weights().unwrap())
}

#[test]
fn cross_entropy_through_all_layers_learns_what_is_easy() {
    let (validation, _) = trained(&recipe(
        "batch = { clips = 12, balanced = true }\nstop = { steps = 60, validate_every = 60 }\n\
         optimizer = { learning_rate = 0.004, weight_decay = 0.01, clip_norm = 5.0, average_share = 0.9 }\n\
         schedule = { warm_up_steps = 5, cosine = true }\n",
    ));
    assert!(validation.accuracy >= 11.0 / 12.0, "{validation:?}");
}

#[test]
fn a_linear_probe_reads_what_each_contrastive_loss_has_taught_the_encoder() {
    for form in ["log_sum", "sup_con"] {
        let (_, weights) = trained(&recipe(&format!(
            "batch = {{ clips = 12, balanced = true }}\nstop = {{ steps = 40, validate_every = 40 }}\n\
             objective = {{ kind = \"contrastive\", form = \"{form}\", temperature = 0.2, projection = 16 }}\n\
             optimizer = {{ learning_rate = 0.004 }}\naugment = {{ brightness = 0.1, speckle = 0.1 }}\n"
        )));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        weights.only(|name| !name.starts_with("classifier")).write(&path, candle_core::DType::F32).unwrap();
        let mut probe = recipe(
            "trainable = \"last_layer\"\nbatch = { clips = 12 }\nstop = { steps = 60, validate_every = 60 }\n\
             optimizer = { learning_rate = 0.05 }\n",
        );
        probe.start = Some(path);
        let (validation, _) = trained(&probe);
        assert!(validation.accuracy >= 11.0 / 12.0, "{form}: {validation:?}");
    }
}

#[test]
fn encoders_of_clips_learn_which_way_a_thing_moves() {
    let recipe = recipe(
        "batch = { clips = 8, balanced = true }\nstop = { steps = 60, validate_every = 60 }\n\
         optimizer = { learning_rate = 0.003 }\n",
    );
    for encoder in [VideoEncoderName::R2Plus1dMiniature, VideoEncoderName::SlowResNetMiniature] {
        let folder = tempfile::tempdir().unwrap();
        let mut card = card();
        card.encoder = AnyEncoderName::Clips(encoder);
        (card.bottleneck, card.head, card.fusion, card.clip.frames) = (None, HeadName::None, FusionName::Spatial, 4);
        let shape = ClipShape { frames: card.clip.frames, planes: 1, size: SIZE };
        let data = moving_clips(folder.path(), shape, 8);
        let (validation, _) = trained_on(&recipe, &card, &data, folder.path());
        assert!(validation.accuracy == 1.0 && validation.loss < 0.3, "{encoder}: {validation:?}");
    }
}

#[test]
fn a_head_of_maps_learns_which_way_a_thing_moves() {
    let recipe = recipe(
        "batch = { clips = 8, balanced = true }\nstop = { steps = 160, validate_every = 160 }\n\
         optimizer = { learning_rate = 0.003 }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let mut card = card();
    (card.bottleneck, card.head, card.fusion, card.clip.frames) = (None, HeadName::R2Plus1d, FusionName::Temporal, 4);
    // Maps of 2 x 2: one of a single pixel has forgotten where things are.
    card.prepare.size = 2 * SIZE;
    // As many as it takes: it would rather know eight by their noise.
    let shape = ClipShape { frames: card.clip.frames, planes: 1, size: card.prepare.size };
    let data = moving_clips(folder.path(), shape, 120);
    let (validation, _) = trained_on(&recipe, &card, &data, folder.path());
    assert!(validation.accuracy == 1.0 && validation.loss < 0.4, "{validation:?}");
}

/// Clips of two classes that differ in the order of their frames alone.
fn moving_clips(folder: &Path, shape: ClipShape, to_learn: usize) -> DataSet {
    let clip = |number: usize| EasyClip {
        pattern: [Pattern::Sinking, Pattern::Rising][number % 2],
        class: Some(number % 2),
        noise: number,
        split: if number < to_learn { Split::Train } else { Split::Validation },
    };
    easy_data(folder, shape, &(0..to_learn + 8).map(clip).collect::<Vec<_>>())
}

#[test]
fn half_precision_is_refused_where_it_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = recipe("batch = { clips = 6 }\nstop = { steps = 6, validate_every = 4 }\n");
    recipe.precision = domain::Precision::Bf16;
    let error = Trainer::open(&recipe, &card(), &data(folder.path()), folder.path(), &candle_core::Device::Cpu).err();
    assert!(error.unwrap().to_string().contains("a CPU does not learn in bf16"));
    let text = "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = 5\nprecision = \"f16\"\nbatch = { clips = 6 }\n\
                stop = { steps = 6, validate_every = 4 }\n\
                data = { layout = \"phantom\", seed = 1, train_studies = 1, validation_studies = 1 }\n";
    let error = Recipe::parse(text, Path::new("test.toml")).unwrap_err();
    assert!(error.to_string().contains("precision must be f32 or bf16"), "{error}");
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let recipe = recipe(
        "batch = { clips = 6, accumulate = 2, dropout = 0.2 }\nstop = { steps = 6, validate_every = 4 }\n\
         optimizer = { learning_rate = 0.001, average_share = 0.9 }\n\
         augment = { rotate_degrees = 10.0, speckle = 0.1, temporal_roll = 0.5 }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let (data, card) = (data(folder.path()), card());
    let open = |name: &str| {
        Trainer::open(&recipe, &card, &data, &folder.path().join(name), &candle_core::Device::Cpu).unwrap()
    };
    let mut whole = open("whole");
    whole.run(&AtomicBool::new(false), &mut |_| {}).unwrap();
    let stop = AtomicBool::new(false);
    let mut first = open("interrupted");
    let outcome = first
        .run(&stop, &mut |progress| {
            if matches!(progress, Progress::Step { step: 3, .. }) {
                stop.store(true, Ordering::Relaxed);
            }
        })
        .unwrap();
    assert_eq!((outcome, first.step()), (Outcome::Interrupted, 3));
    drop(first);
    let mut second = open("interrupted");
    assert_eq!(second.step(), 3);
    second.run(&AtomicBool::new(false), &mut |_| {}).unwrap();
    let (whole, second) = (whole.weights().unwrap(), second.weights().unwrap());
    assert_eq!(whole.tensors().len(), second.tensors().len());
    for (name, tensor) in whole.tensors() {
        let values = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(tensor), values(&second.tensors()[name]), "{name}");
    }
}
