/// Limits the arithmetic of this process to `threads` threads; only the first call counts, before any tensor is made.
///
/// Candle's products and this crate's own operations all run in the one global pool.
pub fn limit_threads(threads: u16) {
    if rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global().is_err() {
        tracing::debug!("the thread pool is already running, its size stays");
    }
}
