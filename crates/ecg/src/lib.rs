//! Finds the heart beat of an echo loop and plans which frames to look at.
//!
//! The way through this crate: an ECG from any source becomes [`domain::EcgSamples`] or a list of R times; with the
//! loop's [`FrameClock`] those become [`Beats`]; [`plan::plan`] turns the beats into clips of frame indexes with their
//! phases. Everything here is pure: no I/O, no DICOM, no threads.

pub mod beats;
pub mod error;
pub mod frame_clock;
pub mod phase;
pub mod plan;
pub mod r_peaks;
pub mod trace;

pub use beats::{Beat, BeatKind, Beats, beats_from_r_times, beats_from_r_wave_times, beats_from_samples, no_beats};
pub use error::EcgError;
pub use frame_clock::FrameClock;
pub use phase::{FramePhase, Phase, landmarks, phase_of};
pub use plan::{Clip, PlanSettings, PlannedFrame, SamplingPlan, plan};
pub use r_peaks::detect_r_peaks;
