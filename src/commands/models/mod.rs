//! `echolabel models`: the registry.

mod import;
mod pull;
mod quantize;
pub mod switch;
mod verify;
mod views;

use std::path::Path;

use serde::Serialize;
use zoo::{ModelCard, Registry};

use super::Outcome;
use crate::cli::{Common, ModelsCommand, ModelsOptions};
use crate::output;

/// Lists the registry, shows one entry, or compares layers with those of other frameworks.
pub fn run(common: &Common, options: &ModelsOptions) -> Outcome {
    let registry = super::open_registry(common)?;
    match &options.command {
        ModelsCommand::List { json: true } => {
            registry.models().iter().try_for_each(|card| output::json_line(&Entry::of(&registry, card)))
        }
        ModelsCommand::List { json: false } => {
            for card in registry.models() {
                let weights = match (&card.file, registry.has_weights(card)) {
                    (None, _) => "made",
                    (Some(_), true) => "here",
                    (Some(_), false) => "not here",
                };
                output::line(format_args!("{:<32} weights {weights:<9} {}", card.name, card.summary))?;
                if let Some(warning) = registry.weight_status(card).warning() {
                    output::line(format_args!("{:<32} {warning}", ""))?;
                }
            }
            Ok(())
        }
        ModelsCommand::Show { name, json } => {
            let card = registry.card(name)?;
            if *json { output::json_pretty(&Entry::of(&registry, card)) } else { show(&registry, card) }
        }
        ModelsCommand::Use { name, .. } => switch::run(common, name.as_deref()),
        ModelsCommand::Import { file, name, json } => {
            import::run(&registry, &import::Import { name, file, sha256: None, json: *json })
        }
        ModelsCommand::Pull { name, from, sha256 } => {
            pull::run(&registry, &pull::Pull { name, from: from.as_deref(), sha256: sha256.as_deref() })
        }
        ModelsCommand::Quantize { name, loops, simulated, seed, untrained, json } => {
            let loops = match loops {
                Some(folder) => quantize::Loops::Folder(folder),
                None => quantize::Loops::Simulated { studies: *simulated, seed: *seed },
            };
            quantize::run(&registry, &quantize::Quantize { name, loops, untrained: *untrained, json: *json })
        }
        ModelsCommand::Verify { name: Some(name), .. } => verify::model(registry.card(name)?),
        ModelsCommand::Verify { golden, .. } => verify::files(golden.as_deref().unwrap_or(Path::new("."))),
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    card: &'a ModelCard,
    weights_here: bool,
    warning: Option<&'static str>,
}

impl<'a> Entry<'a> {
    fn of(registry: &Registry, card: &'a ModelCard) -> Self {
        Self { card, weights_here: registry.has_weights(card), warning: registry.weight_status(card).warning() }
    }
}

fn show(registry: &Registry, card: &ModelCard) -> Outcome {
    let prepare = serde_json::to_string(&card.prepare)?;
    let name = &card.name;
    output::line(format_args!("{name}\n  {}", card.summary))?;
    output::line(format_args!("  task        {}", card.task))?;
    output::line(format_args!("  label set   {}", card.label_set.as_deref().unwrap_or("none")))?;
    if let Some(label_set) = card.views()? {
        views::show(&label_set)?;
    }
    output::line(format_args!("  parts       encoder {}, head {}, fusion {}", card.encoder, card.head, card.fusion))?;
    if let Some(width) = card.bottleneck {
        output::line(format_args!("              a projection of vectors to {width} numbers before the head"))?;
    }
    if !card.hidden.is_empty() {
        output::line(format_args!("              layers of {:?} before the last one", card.hidden))?;
    }
    output::line(format_args!("  must be fed {prepare}"))?;
    if let Some(fitted) = &card.calibration {
        let (temperature, coverage, from) = (fitted.temperature, 100.0 * fitted.set_coverage, fitted.set_threshold);
        output::line(format_args!(
            "  fitted      temperature {temperature:.2}, sets of {coverage:.0} % from {from:.3}"
        ))?;
    }
    output::line(format_args!("  license     {}", card.license))?;
    output::line(format_args!("  origin      {}", card.origin))?;
    if let Some(warning) = registry.weight_status(card).warning() {
        output::line(format_args!("  status      {warning}"))?;
    }
    let Some(path) = registry.weights_path(card) else {
        return output::line("  weights     none: initialized, never trained");
    };
    if registry.has_weights(card) {
        if let Some(origin) = registry.import_origin(card) {
            output::line(format_args!("  imported    from {}, sha256 {}", origin.file, origin.sha256))?;
        }
        return match path.is_file() {
            true => output::line(format_args!("  weights     {}", path.display())),
            false => output::line("  weights     part of this program"),
        };
    }
    output::line(format_args!("  weights     not here: expected at {} (--models names the folder)", path.display()))?;
    match &card.published {
        Some(published) => output::line(format_args!(
            "  to get them echolabel models pull {name}\n              or download {} from {} and run\n              \
             echolabel models import {} --as {name}",
            published.file, published.repository, published.file
        ))?,
        None => output::line(format_args!("  to get them echolabel models import YOUR-CHECKPOINT --as {name}"))?,
    }
    output::line(format_args!("  without     echolabel label FILE --pipeline {name} --untrained, which means nothing"))
}
