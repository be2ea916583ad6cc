//! Screens of many looks as secondary captures show them: a picture, a strip or both, without regions in the header.
//!
//! They are drawn from simple shapes, not from the heart of the other modules: what counts is how a screen is arranged, not
//! what the organ does. Detectors of the mode are tuned and tested on them.

mod duplex;
mod file;
mod labels;
mod m_mode;
mod noise;
mod picture;
mod spectrum;
mod still;
mod tone;

pub use file::{StillTruth, write_stills};
pub use still::{SimulatedStill, StillLook, simulated_still};
