//! The frames that a model was made for, as settings of a plan.

use domain::SamplingStrategy;
use ecg::PlanSettings;
use zoo::ModelCard;

/// Clips of a loop: two beats, as in the shipped pipelines; windows are shorter than a beat.
const MAX_CLIPS: usize = 2;
const MAX_WINDOWS: usize = 4;

/// Returns the plan of the frames that the card names, of at most two beats or four windows.
pub fn plan_settings(card: &ModelCard) -> PlanSettings {
    let strategy = card.clip.choice;
    let max_clips = if strategy == SamplingStrategy::Windowed { MAX_WINDOWS } else { MAX_CLIPS };
    PlanSettings { strategy, frames_per_clip: card.clip.frames, max_clips: Some(max_clips) }
}
