//! Runs of a tiny model on clips whose classes are easy to tell: it learns them, and an interrupted run goes on bit for bit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use train::{Clip, ClipCacheWriter, DataSet, Example, Outcome, Progress, Recipe, Snapshot, Split, Trainer, Validation};
use zoo::{ModelCard, Registry};

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
    let mut writer = ClipCacheWriter::create(folder, "test", (1, SIZE)).unwrap();
    for number in 0..48u32 {
        let class = number as usize % 3;
        let pixel = |frame: u32, row: u32, column: u32| {
            let noise = (number * 7919 + frame * 104_729 + row * 31 + column * 17).wrapping_mul(2_654_435_761) >> 27;
            let bright = match class {
                0 => (row / 4).is_multiple_of(2),
                1 => (column / 4).is_multiple_of(2),
                _ => row + column < 24,
            };
            (if bright { 180 } else { 20 }) + noise as u8
        };
        let pixels = (0..3).flat_map(|frame| {
            (0..SIZE as u32).flat_map(move |row| (0..SIZE as u32).map(move |column| pixel(frame, row, column)))
        });
        let example = Example {
            patient: format!("patient {number}"),
            study: format!("study {number}"),
            source: format!("loop {number}"),
            class: Some(class),
            frames: 0,
            split: if number < 36 { Split::Train } else { Split::Validation },
        };
        let clip = Clip { frames: 3, planes: 1, size: SIZE, pixels: pixels.collect() };
        writer.add(example, &clip).unwrap();
    }
    DataSet::new(writer.finish().unwrap()).unwrap()
}

fn recipe(rest: &str) -> Recipe {
    let text = format!(
        "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = 5\n\
         data = {{ layout = \"phantom\", seed = 1, train_studies = 1, validation_studies = 1 }}\n{rest}"
    );
    Recipe::parse(&text, Path::new("test.toml")).unwrap()
}

/// Trains by the recipe; gives what the last look at the validation set saw, and the weights.
fn trained(recipe: &Recipe) -> (Validation, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let (data, card) = (data(folder.path()), card());
    let mut trainer = Trainer::open(recipe, &card, &data, &folder.path().join("run")).unwrap();
    let mut last = None;
    let outcome = trainer
        .run(&AtomicBool::new(false), &mut |progress| {
            if let Progress::Look { validation, .. } = progress {
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
        "batch = { clips = 12, balanced = true }\nstop = { steps = 60, look_every = 60 }\n\
         optimizer = { learning_rate = 0.004, weight_decay = 0.01, clip_norm = 5.0, average_share = 0.9 }\n\
         schedule = { warm_up_steps = 5, cosine = true }\n",
    ));
    assert!(validation.accuracy >= 11.0 / 12.0, "{validation:?}");
}

#[test]
fn a_linear_probe_reads_what_each_contrastive_loss_has_taught_the_encoder() {
    for form in ["log_sum", "sup_con"] {
        let (_, weights) = trained(&recipe(&format!(
            "batch = {{ clips = 12, balanced = true }}\nstop = {{ steps = 40, look_every = 40 }}\n\
             objective = {{ kind = \"contrastive\", form = \"{form}\", temperature = 0.2, projection = 16 }}\n\
             optimizer = {{ learning_rate = 0.004 }}\naugment = {{ brightness = 0.1, speckle = 0.1 }}\n"
        )));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        weights.only(|name| !name.starts_with("classifier")).write(&path, candle_core::DType::F32).unwrap();
        let mut probe = recipe(
            "trained = \"last_layer\"\nbatch = { clips = 12 }\nstop = { steps = 60, look_every = 60 }\n\
             optimizer = { learning_rate = 0.05 }\n",
        );
        probe.start = Some(path);
        let (validation, _) = trained(&probe);
        assert!(validation.accuracy >= 11.0 / 12.0, "{form}: {validation:?}");
    }
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    let recipe = recipe(
        "batch = { clips = 6, accumulate = 2, dropout = 0.2 }\nstop = { steps = 6, look_every = 4 }\n\
         optimizer = { learning_rate = 0.001, average_share = 0.9 }\n\
         augment = { rotate_degrees = 10.0, speckle = 0.1, temporal_roll = 0.5 }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let (data, card) = (data(folder.path()), card());
    let open = |name: &str| Trainer::open(&recipe, &card, &data, &folder.path().join(name)).unwrap();
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
