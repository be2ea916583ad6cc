//! Learning for the page: `adapt` and `relabel` in processes of their own, the model in use.

use std::process::Command;

use anyhow::{Context as _, ensure};
use daemon::Settings;
use pipeline::Pipeline;
use web::{AdaptationReport, AdaptedModel, Learning, LearningAction, LearningEnd, LearningState};
use zoo::Registry;

use super::background::{Background, Ended};
use crate::active_model::ActiveModel;
use crate::cli::Common;
use crate::commands::models::switch::switch;

/// The actions on models that the page offers; work in the background ends with it.
pub struct Learner {
    common: Common,
    settings: Settings,
    background: Background,
}

impl Learner {
    /// Returns the actions on the models and the database of the settings.
    pub fn new(common: &Common, settings: &Settings) -> Self {
        Self { common: common.clone(), settings: settings.clone(), background: Background::default() }
    }

    fn read(&self) -> anyhow::Result<LearningState> {
        let models = &self.settings.models;
        let active = ActiveModel::read(models)?;
        let fixed = self.settings.labelling.pipeline.as_deref();
        let (_, card) = Pipeline::check(&crate::commands::pipeline_source(&self.settings)?, models)?;
        let adapted = Registry::open(models)?
            .models()
            .iter()
            .filter(|card| card.adapted_from.is_some())
            .map(|card| AdaptedModel { name: card.name.clone(), origin: card.origin.clone() })
            .collect();
        Ok(LearningState {
            in_use: fixed.unwrap_or(active.name()).to_owned(),
            used_before: active.before().map(str::to_owned),
            is_fixed: fixed.is_some(),
            views: card.views()?.map(|views| views.view_names()).unwrap_or_default(),
            min_loops: adapt::MIN_LOOPS_PER_VIEW,
            min_patients: adapt::MIN_PATIENTS_PER_VIEW,
            adapted,
            task: self.background.task(),
        })
    }

    fn perform(&self, action: LearningAction) -> anyhow::Result<()> {
        match action {
            LearningAction::Adapt { name } => {
                let mut command = self.command("adapt")?;
                // One argument, so that no name is taken for a flag.
                command.arg(format!("--as={name}")).arg("--json");
                self.background.start(format!("Adapting {name}"), command, move |ended| end_of_adaptation(&name, ended))
            }
            LearningAction::Relabel => {
                let name = self.read()?.in_use;
                let mut command = self.command("relabel")?;
                command.arg("--all");
                self.background.start(format!("Labelling stored studies with {name}"), command, end_of_relabelling)
            }
            LearningAction::Use { name } => self.switch(Some(&name)),
            LearningAction::Back => self.switch(None),
            LearningAction::Cancel => {
                self.background.cancel();
                Ok(())
            }
        }
    }

    fn switch(&self, name: Option<&str>) -> anyhow::Result<()> {
        ensure!(
            self.settings.labelling.pipeline.is_none(),
            "the configuration or the command line names the model, so it cannot be switched here"
        );
        switch(&self.settings, name).map(drop)
    }

    /// Returns a command of this program on the same database, models and pipeline.
    fn command(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("the path of this program")?);
        command.arg(name).args(self.common.as_flags()).arg("--db").arg(self.settings.database.to_string());
        // Not on the command line, which everybody on the computer can read.
        crate::database_password::pass_on(&self.settings.database, &mut command);
        Ok(command)
    }
}

impl Learning for Learner {
    fn state(&self) -> Result<LearningState, String> {
        self.read().map_err(|error| crate::output::error_text(&error))
    }

    fn act(&self, action: LearningAction) -> Result<(), String> {
        self.perform(action).map_err(|error| crate::output::error_text(&error))
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.background.cancel();
    }
}

fn end_of_adaptation(name: &str, ended: Ended) -> LearningEnd {
    match serde_json::from_str::<AdaptationReport>(&ended.stdout) {
        Ok(report) => LearningEnd {
            succeeded: report.accepted,
            words: match report.accepted {
                true => format!("{name} labels patients that were left out better: it was kept, and is not in use yet."),
                false => "Not clearly better on patients left out: nothing was kept. More loops of the weakest views help most."
                    .to_owned(),
            },
            notes: ended.notes,
            report: Some(report),
        },
        Err(_) => refused(ended),
    }
}

fn end_of_relabelling(mut ended: Ended) -> LearningEnd {
    // The lines before it name files by their paths.
    let summary = ended.stdout.lines().last().map(str::to_owned);
    match (summary, ended.code) {
        (Some(words), Some(0 | 1)) => LearningEnd {
            succeeded: ended.code == Some(0),
            words,
            notes: std::mem::take(&mut ended.notes),
            report: None,
        },
        _ => refused(ended),
    }
}

/// Returns the end of a process that gave no result.
fn refused(mut ended: Ended) -> LearningEnd {
    let last = if ended.code.is_some() { ended.notes.pop() } else { None };
    let words = match &last {
        Some(line) => line.strip_prefix("error: ").unwrap_or(line).to_owned(),
        None => "It was stopped.".to_owned(),
    };
    LearningEnd { succeeded: false, words, notes: ended.notes, report: None }
}
