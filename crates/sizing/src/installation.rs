//! Values that go into a simulation and come out of it.

use serde::Serialize;

/// Time that one loop needs, as measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopTime {
    /// Opening, finding the beat, decoding and preparing, in milliseconds of one core.
    pub core_ms: f64,
    /// Encoder and head, in milliseconds of a device, or of a core where there is no device.
    pub model_ms: f64,
}

/// Resources that label an archive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Installation {
    /// Number of computers, each with what follows.
    pub computers: u32,
    /// Cores of a computer that label.
    pub cores: u32,
    /// Devices of a computer beside its cores; 0 where the model runs on the cores.
    pub devices: u32,
    /// Loops that a computer has in hand at once.
    pub workers: u32,
    /// Bandwidth of a computer's line, in megabytes a second.
    pub line_mb_per_s: f64,
    /// Bandwidth of the store that all computers read from, in megabytes a second.
    pub store_mb_per_s: f64,
    /// Labels that the database takes a second.
    pub labels_per_s: f64,
}

/// Work to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Archive {
    /// Number of loops.
    pub loops: u64,
    /// Bytes that are read of a loop, in megabytes.
    pub megabytes_per_loop: f64,
}

/// The result of a simulation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Number of loops.
    pub loops: u64,
    /// Time until the last one is labelled, in seconds.
    pub seconds: f64,
    /// Name of the resource that is busy for the largest share of the time.
    pub bottleneck: &'static str,
    /// All resources, in the order in which a loop meets them.
    pub resources: Vec<ResourceUse>,
}

/// Use of a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceUse {
    /// Its name.
    pub name: &'static str,
    /// Share of the time for which it was busy, 0 to 1.
    pub busy: f64,
}
