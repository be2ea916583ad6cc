//! Simulates transthoracic echo studies whose truth is known, for demo, tests and training.
//!
//! One 3D heart of implicit surfaces beats to a simulated ECG; the plane of a view cuts it; a simple beamformer makes
//! it look like ultrasound, or a phased array over point scatterers where models are to be measured on images formed otherwise; an invented vendor's screen goes around it; the result is written as DICOM with
//! `truth.json`. Nothing here is clinical data, and no measurement on it means anything. The same seed gives the same
//! bytes.

mod beamform;
mod dicom;
mod ecg;
mod error;
mod heart;
mod lattice_hash;
mod phased_array;
mod probe;
mod rhythm;
mod screen;
mod setup;
mod simulate;
mod space;
mod spec;
mod stills;
mod study;
mod truth;

pub use beamform::{Gain, NonCardiac, SectorGeometry};
pub use dicom::{LoopIdentity, write_loop, write_simulated};
pub use ecg::Electrocardiogram;
pub use error::PhantomError;
pub use heart::{CardiacState, Patient, Tissue};
pub use probe::{Handling, Sway, View};
pub use rhythm::{Beat, Rhythm};
pub use screen::{Canvas, Layout, SpectralSite, TraceSpec, TraceStyle, Vendor};
pub use simulate::{SimulatedLoop, simulate_loop};
pub use spec::{EcgCarriers, ImageFormation, LoopMode, LoopSpec, PixelEncoding, RegionTable, Subject};
pub use stills::{SimulatedStill, StillLook, StillTruth, simulated_still, write_stills};
pub use study::{Progress, StudyOptions, study_folder, study_seed, study_specs, write_study};
pub use truth::{LoopTruth, PhaseFrames, StudyTruth, view_label};
