//! From tissue on beams to a gray sector: scatterers, point spread, attenuation, noise, log compression.

mod color_flow;
mod gain;
mod grid;
mod invented;
mod polar;
mod scan_convert;
mod scene;
mod speckle;
mod unevenness;

pub use color_flow::FlowBox;
pub use gain::Gain;
pub use grid::PolarGrid;
pub use invented::InventedOrgan;
pub use polar::{Beamformer, PolarFrame};
pub use scan_convert::{ScanConverter, SectorGeometry};
pub use scene::{NonCardiac, Scene};
pub use unevenness::from_db;
