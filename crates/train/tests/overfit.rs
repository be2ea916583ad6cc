//! Every recipe in `pipelines/train` overfits a tiny batch.
//!
//! All that a recipe says is kept: objective, what is trained, optimizer, kind of schedule, balance, dropout,
//! augmentation, head, fusion and views. Another are, for time alone: - the encoder: a miniature of the same family
//! and framework, with images of 32 x 32 pixels and a bottleneck of at most   32; clips of four frames where the data
//! have clips - the data: two clips of each of three classes, and two that show none of the views where the recipe's
//! data may have such - steps, warm-up and learning rate; the batch is all clips - the weights to begin with: those
//! that this test's run of the recipe they come from has left
//!
//! Synthetic outliers are left out: they are drawn anew in every step, so no model can memorize them.

mod shared {
    pub mod easy_clips;
    pub mod recipe_paths;
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use candle_core::DType;
use evaluate::Truth;
use rayon::prelude::*;
use shared::easy_clips::{ClipShape, EasyClip, Pattern, easy_data};
use shared::recipe_paths::recipe_paths;
use train::{
    Contrast, DataRecipe, DataSet, Objective, Progress, Recipe, Snapshot, Split, TrainableParts, Trainer, predict,
};
use zoo::{AnyEncoderName, EncoderName, LabelSet, ModelCard, Registry, VideoEncoderName};

/// Steps of the optimizer. The running statistics of Keras' norms follow those of the batch by a hundredth a step, so
/// that a deep network says what it has learned only after some hundred.
fn steps(encoder: AnyEncoderName) -> usize {
    use EncoderName::*;
    match encoder {
        AnyEncoderName::Frames(EfficientNetV2Miniature | DenseNetMiniature | ResNetMiniature) => 300,
        _ => 120,
    }
}

/// Excess of the loss over its minimum at the end, as a share of what it was at the beginning.
const LEFT: f64 = 0.2;

const PATTERNS: [Pattern; 3] = [Pattern::StripesAcross, Pattern::StripesDown, Pattern::BrightCorner];

/// The clips of a class.
const CLIPS_OF_CLASS: usize = 2;

/// The smallest network of the same family.
fn miniature(encoder: AnyEncoderName) -> AnyEncoderName {
    use EncoderName::*;
    use VideoEncoderName::*;
    match encoder {
        AnyEncoderName::Frames(name) => AnyEncoderName::Frames(match name {
            EfficientNetB2 | EfficientNetB2ImageNet | EfficientNetTiny => EfficientNetTiny,
            EfficientNetLite0 | EfficientNetLite1 | EfficientNetLite2 | EfficientNetLiteMiniature => {
                EfficientNetLiteMiniature
            }
            EfficientNetV2S | EfficientNetV2SKeras | EfficientNetV2Miniature => EfficientNetV2Miniature,
            ConvNextTiny | ConvNextTinyKeras | ConvNextBase | ConvNextBaseKeras | ConvNextMiniature => {
                ConvNextMiniature
            }
            VitB16 | VitS16 | VitMiniature => VitMiniature,
            SwinV2Tiny | SwinV2Base | SwinV2Miniature => SwinV2Miniature,
            DenseNet121 | DenseNet121Keras | DenseNetMiniature => DenseNetMiniature,
            Xception | XceptionMiniature => XceptionMiniature,
            ResNet50 | ResNet101 | ResNet50Keras | ResNet101Keras | ResNetMiniature => ResNetMiniature,
        }),
        AnyEncoderName::Clips(name) => AnyEncoderName::Clips(match name {
            R2Plus1d18 | R2Plus1dMiniature => R2Plus1dMiniature,
            SlowR50 | SlowR50Kinetics | SlowResNetMiniature => SlowResNetMiniature,
        }),
    }
}

fn small_card(recipe: &Recipe, registry: &Registry) -> ModelCard {
    let mut card = recipe.card(registry.card(&recipe.model).unwrap());
    card.encoder = miniature(card.encoder);
    card.prepare.size = 32;
    card.bottleneck = card.bottleneck.map(|width| width.min(32));
    card.clip.frames = match recipe.data {
        DataRecipe::Tte47 { .. } | DataRecipe::Tmed2 { .. } => 1,
        DataRecipe::Phantom(_) | DataRecipe::Loops(_) | DataRecipe::ElevenViews { .. } => 4,
    };
    card
}

/// The recipe with what this test changes, beginning with the weights of `start`.
fn small_recipe(recipe: &Recipe, steps: usize, clips: usize, start: Option<PathBuf>) -> Recipe {
    let mut small = recipe.clone();
    small.start = start;
    small.optimizer.learning_rate = if recipe.trainable == TrainableParts::LastLayer { 0.03 } else { 0.003 };
    small.schedule.warm_up_steps = recipe.schedule.warm_up_steps.min(steps / 10);
    small.batch.clips = clips;
    small.batch.synthetic_outliers = 0.0;
    small.stop.steps = steps;
    small.stop.validate_every = steps;
    small
}

/// Two clips of each of three classes, of which one is the last, and the same again for validation.
fn clips(recipe: &Recipe, views: &LabelSet) -> Vec<EasyClip> {
    let classes = [0, 1, views.views.len() - 1].map(Some);
    let mut shown: Vec<_> = PATTERNS.into_iter().zip(classes).collect();
    let may_have_others = match &recipe.data {
        DataRecipe::Phantom(data) => data.strips || data.non_cardiac_loops > 0,
        DataRecipe::Loops(_) => true,
        DataRecipe::Tte47 { .. } | DataRecipe::Tmed2 { .. } | DataRecipe::ElevenViews { .. } => false,
    };
    if may_have_others {
        shown.push((Pattern::Dark, None));
    }
    let of_class =
        |split, (pattern, class)| (0..CLIPS_OF_CLASS).map(move |noise| EasyClip { pattern, class, noise, split });
    let once = |split| shown.iter().flat_map(move |&shown| of_class(split, shown));
    once(Split::Train).chain(once(Split::Validation)).collect()
}

/// The least that the objective can be on `clips`, all in one batch.
fn least_loss(recipe: &Recipe, views: &LabelSet, clips: &[EasyClip]) -> f64 {
    let count = views.views.len() as f64;
    match &recipe.objective {
        Objective::CrossEntropy { label_smoothing } => {
            let entropy = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
            let spread = label_smoothing / count;
            let of_view = entropy(1.0 - label_smoothing + spread) + (count - 1.0) * entropy(spread);
            let of_others = recipe.batch.others_weight * count.ln();
            let sum: f64 = clips.iter().map(|clip| if clip.class.is_some() { of_view } else { of_others }).sum();
            sum / clips.len() as f64
        }
        Objective::PartialLabel | Objective::Contrastive { form: Contrast::LogSum, .. } => 0.0,
        // All others of the class are equally near, and nothing else is.
        Objective::Contrastive { form: Contrast::SupCon, temperature, .. } => {
            temperature * ((2 * CLIPS_OF_CLASS - 1) as f64).ln()
        }
    }
}

/// The share of what a model sees whose likeliest view is one of those that its label means.
fn learned_share(card: &ModelCard, weights: &Snapshot, data: &DataSet, views: &LabelSet) -> f64 {
    let predictions = predict(card, weights, data, Split::Validation, &candle_core::Device::Cpu).unwrap();
    let (mut right, mut all) = (0, 0);
    for row in predictions.rows() {
        let Truth::Class(class) = row.truth else { continue };
        let likeliest = (0..views.views.len()).max_by(|&a, &b| row.probabilities[a].total_cmp(&row.probabilities[b]));
        let is_meant =
            likeliest.is_some_and(|view| view == class || views.views[class].may_be.contains(&views.views[view].name));
        (right, all) = (right + usize::from(is_meant), all + 1);
    }
    right as f64 / f64::from(all)
}

/// Runs `recipe` in small and keeps its weights in `folder`; says what went wrong.
fn overfits(recipe: &Recipe, registry: &Registry, start: Option<PathBuf>, folder: &Path) -> Result<PathBuf, String> {
    let started = Instant::now();
    let card = small_card(recipe, registry);
    let views = recipe.views(&card).unwrap();
    let clips = clips(recipe, &views);
    let planes = if card.prepare.color == zoo::Color::Gray { 1 } else { 3 };
    let shape = ClipShape { frames: card.clip.frames, planes, size: card.prepare.size };
    let data = easy_data(&folder.join("data").join(&recipe.name), shape, &clips);
    let has_start = start.is_some();
    let small = small_recipe(recipe, steps(card.encoder), data.of(Split::Train).len(), start);
    let mut trainer =
        Trainer::open(&small, &card, &data, &folder.join("runs").join(&recipe.name), &candle_core::Device::Cpu)
            .unwrap();
    let (mut losses, mut nearest_right) = (Vec::new(), 0.0);
    trainer
        .run(&AtomicBool::new(false), &mut |progress| match progress {
            Progress::Step { loss, .. } => losses.push(loss),
            Progress::Validation { validation, .. } => nearest_right = validation.accuracy,
        })
        .unwrap();
    let weights = trainer.best_weights().unwrap();
    let right = match recipe.objective {
        Objective::Contrastive { .. } => nearest_right,
        _ => learned_share(&card, &weights, &data, &views),
    };
    let least = least_loss(recipe, &views, &clips);
    let end = losses[losses.len() - 5..].iter().sum::<f64>() / 5.0;
    let left = (end - least) / (losses[0] - least);
    println!(
        "{:<28} {:<24} start {has_start:<5} loss {:.3} -> {end:.3}, least {least:.3}, {left:.3} left, {right:.2} right, {:.1} s",
        recipe.name,
        card.encoder.name(),
        losses[0],
        started.elapsed().as_secs_f64()
    );
    if left > LEFT || right < 1.0 {
        return Err(format!("{}: {left:.3} of the loss left, {right:.2} right", recipe.name));
    }
    let path = folder.join(format!("{}.safetensors", recipe.name));
    weights.write(&path, DType::F32).unwrap();
    Ok(path)
}

/// The recipe among `recipes` whose weights `recipe` begins with: `runs/NAME/...` or `.../NAME.safetensors`.
fn start<'a>(recipe: &Recipe, recipes: &'a BTreeMap<String, Recipe>) -> Option<&'a str> {
    let path = recipe.start.as_ref()?;
    let parts = path.with_extension("");
    let mut names = parts.iter().filter_map(|part| part.to_str());
    names.find_map(|name| recipes.get_key_value(name)).map(|(name, _)| name.as_str())
}

#[test]
fn every_recipe_overfits_a_tiny_batch() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let read = |path: PathBuf| Recipe::read(&path).unwrap();
    let recipes: BTreeMap<String, Recipe> =
        recipe_paths().into_iter().map(read).map(|recipe| (recipe.name.clone(), recipe)).collect();
    assert_eq!(recipes.len(), recipe_paths().len(), "two recipes have one name");
    let folder = tempfile::tempdir().unwrap();
    let mut finished = BTreeMap::<&str, Option<PathBuf>>::new();
    let mut faults = Vec::new();
    while finished.len() < recipes.len() {
        // Those whose weights to begin with are there; where they failed to learn, chance has to do.
        let is_ready = |recipe: &&Recipe| {
            let from = start(recipe, &recipes);
            !finished.contains_key(recipe.name.as_str()) && from.is_none_or(|from| finished.contains_key(from))
        };
        let wave: Vec<&Recipe> = recipes.values().filter(is_ready).collect();
        assert!(!wave.is_empty(), "recipes that begin with each other's weights");
        let run = |recipe: &&Recipe| {
            let from = start(recipe, &recipes).and_then(|from| finished[from].clone());
            overfits(recipe, &registry, from, folder.path())
        };
        let results: Vec<_> = wave.par_iter().map(run).collect();
        for (recipe, result) in wave.into_iter().zip(results) {
            faults.extend(result.as_ref().err().cloned());
            finished.insert(&recipe.name, result.ok());
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
