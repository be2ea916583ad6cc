//! A strip of velocities or depths over time, where only the pixels show it.
//!
//! Parts of the screen are judged by features that do not depend on the scanner: [`features`] says which. The judgment was
//! fitted to the screens that `phantom` simulates, by `tools/strip_classifier.py`.

mod features;
mod screen;
mod trees;

use domain::RgbImage;

use features::features;
use screen::Screen;
use trees::Trees;

pub use features::NAMES as STRIP_FEATURES;

/// Log-odds from which a part is a strip. Of the real pictures that were looked at, hearts reach 1.9, others 3.6, strips that
/// fill their screen 4.1 and more: a picture that is lost is worse than a strip that is missed.
const MIN_LOG_ODDS: f32 = 3.75;
/// Number of parts that must be strips: each strip holds several parts that overlap, while a picture may look like a strip in
/// a part of it by chance.
const MIN_PARTS: usize = 3;
/// Number of parts, the best first, that tell the kind together.
const KIND_PARTS: usize = 12;

/// Kind of a strip. Whether a spectrum is of pulsed or continuous waves its pixels do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripKind {
    /// Velocities over time.
    Spectrum,
    /// Depths over time.
    MMode,
}

/// The features of one part of a screen, for fitting the classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct StripPart {
    /// Left, top, right and bottom as shares of the screen's width.
    pub place: [f32; 4],
    /// Values in the order of [`STRIP_FEATURES`].
    pub features: [f32; STRIP_FEATURES.len()],
}

/// Returns the features of every part of a screen that may be a strip.
pub fn strip_parts(frame: &RgbImage) -> Vec<StripPart> {
    let Some(screen) = Screen::new(frame) else { return Vec::new() };
    let share = |place: usize| place as f32 / screen.levels.columns as f32;
    let parts = screen.parts().into_iter().map(|part| StripPart {
        place: [share(part.left), share(part.top), share(part.right), share(part.bottom)],
        features: features(&screen, part),
    });
    parts.collect()
}

/// Returns the kind of the strip that the frame shows, if it shows one.
pub(crate) fn strip_kind(frame: &RgbImage) -> Option<StripKind> {
    let trees = Trees::fitted();
    let mut judged: Vec<(f32, f32)> = strip_parts(frame)
        .iter()
        .map(|part| (trees.strip_log_odds(&part.features), trees.m_mode_log_odds(&part.features)))
        .collect();
    judged.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let (last, _) = judged.get(..MIN_PARTS)?.last()?;
    let m_mode: f32 = judged.iter().take(KIND_PARTS).map(|(_, m_mode)| m_mode).sum();
    (*last >= MIN_LOG_ODDS).then_some(if m_mode > 0.0 { StripKind::MMode } else { StripKind::Spectrum })
}
