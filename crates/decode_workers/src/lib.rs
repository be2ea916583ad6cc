//! Runs decoders in worker processes, so that a file can end a decoder and no more.
//!
//! [`WorkerPool`] is a [`cine::FrameDecoder`] that sends compressed frames to processes which it starts when they are needed
//! and uses again; [`serve`] is what such a process does. A worker has limits of memory and of time, and on Linux may
//! open no file, no socket and no program. Frames whose decoder is safe and bounded are decoded by the caller.

mod confinement;
mod exchange;
mod pool;
mod protocol;
mod server;
mod video;
mod watchdog;
mod worker;
mod workers;

pub use confinement::WorkerSetupError;
pub use pool::WorkerPool;
pub use server::serve;
