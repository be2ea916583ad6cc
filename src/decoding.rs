//! Decoders in worker processes: this program, started again with the hidden command `decode-worker`. Where there are none
//! (Windows), frames are decoded in the program itself.

#[cfg(unix)]
pub use with_workers::{run_worker, start_worker, use_workers};
#[cfg(not(unix))]
pub use without_workers::{run_worker, start_worker, use_workers};

#[cfg(unix)]
mod with_workers {
    use std::fs::File;
    use std::io::{stdin, stdout};
    use std::os::fd::AsFd;
    use std::path::PathBuf;
    use std::sync::OnceLock;

    use anyhow::Context as _;
    use decode_workers::WorkerPool;

    static POOL: OnceLock<WorkerPool> = OnceLock::new();

    /// Has the frames of every loop decoded by workers.
    ///
    /// # Errors
    /// The path of this program cannot be found.
    pub fn use_workers() -> anyhow::Result<()> {
        let pool = WorkerPool::new(this_program()?, vec!["decode-worker".into()]);
        let pool = POOL.get_or_init(|| pool);
        anyhow::ensure!(
            cine::set_frame_decoder(Box::new(pool.clone())),
            "frames were decoded before the workers were set up"
        );
        Ok(())
    }

    /// Starts a worker for the frames to come.
    pub fn start_worker() {
        if let Some(pool) = POOL.get() {
            pool.start_one();
        }
    }

    /// Decodes frames for the process that started this one.
    ///
    /// # Errors
    /// The limits of this process cannot be set, or the other process is gone.
    pub fn run_worker() -> anyhow::Result<()> {
        // Without the buffers of the standard streams, which would copy every frame once more.
        let input = File::from(stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(stdout().as_fd().try_clone_to_owned()?);
        Ok(decode_workers::serve(input, output)?)
    }

    /// Returns a path that starts the same program also after an update has replaced its file.
    fn this_program() -> anyhow::Result<PathBuf> {
        if cfg!(target_os = "linux") {
            return Ok("/proc/self/exe".into());
        }
        std::env::current_exe().context("the path of this program")
    }
}

#[cfg(not(unix))]
mod without_workers {
    /// Leaves decoding to the program itself.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
    pub fn use_workers() -> anyhow::Result<()> {
        Ok(())
    }

    /// Does nothing.
    pub fn start_worker() {}

    /// Refuses: nothing starts workers here.
    pub fn run_worker() -> anyhow::Result<()> {
        anyhow::bail!("there are no decode workers on this system")
    }
}
