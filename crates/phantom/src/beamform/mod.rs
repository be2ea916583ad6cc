//! From tissue on beams to a grey sector: scatterers, point spread, attenuation, noise, log compression.

mod colour_flow;
mod polar;
mod scan_convert;
mod scene;
mod speckle;
mod unevenness;

pub use colour_flow::FlowBox;
pub use polar::{Beamformer, Gain, PolarGrid};
pub use scan_convert::{ScanConverter, SectorGeometry};
pub use scene::{NonCardiac, Scene};
