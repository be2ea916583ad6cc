use std::sync::PoisonError;
use std::time::Instant;

use super::{Network, Workspace, check_length};
use crate::Result;
use crate::gemm::Tiles;
use crate::instruction_set::LanesTask;
use crate::layers::Pointer;
use crate::network::lower::Layer;
use crate::network::memory_plan::GROUP_FRAMES;

/// Time of one layer.
#[derive(Debug, Clone)]
pub struct LayerTime {
    /// Kind of layer, and the shapes that it reads and writes.
    pub layer: String,
    /// Multiply-adds of all frames, padding channels included.
    pub multiply_adds: u64,
    /// Duration in seconds.
    pub seconds: f64,
}

impl Network {
    /// Runs one group of at most four frames, or one clip, and returns the time of each layer; only a single frame or clip is
    /// split among `threads`.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub fn time_layers(&self, frames: &[f32], count: usize, threads: usize) -> Result<Vec<LayerTime>> {
        let (clip_numbers, output_numbers) = self.clip_numbers();
        let count = count.min(if self.is_temporal { 1 } else { GROUP_FRAMES });
        check_length("frames", count * clip_numbers, frames.len())?;
        let threads = if count == 1 { threads.max(1) } else { 1 };
        let mut workspace = self.take_workspace(threads);
        let mut output = vec![0.0; count * output_numbers];
        let mut seconds = vec![0.0; self.layers.len()];
        self.set.with_lanes(TimeTask {
            network: self,
            frames,
            count,
            output: &mut output,
            workspace: &mut workspace,
            seconds: &mut seconds,
        });
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        let time = |((_, layer), seconds): (&(usize, Layer), f64)| {
            let multiply_adds = count as u64 * layer.multiply_adds(&self.buffers);
            LayerTime { layer: layer.outline(&self.buffers), multiply_adds, seconds }
        };
        Ok(self.layers.iter().zip(seconds).map(time).collect())
    }
}

struct TimeTask<'a> {
    network: &'a Network,
    frames: &'a [f32],
    count: usize,
    output: &'a mut [f32],
    workspace: &'a mut Workspace,
    seconds: &'a mut [f64],
}

impl LanesTask for TimeTask<'_> {
    type Output = ();

    fn run<L: Tiles>(self, lanes: L) {
        let Self { network, frames, count, output, workspace: Workspace { thread_pool, arenas }, seconds } = self;
        let arena = Pointer::new(arenas[0].as_mut_ptr());
        let thread_pool = (arenas.len() > 1).then_some(&*thread_pool);
        let mut last = Instant::now();
        let after_layer = |position: usize| {
            seconds[position] += last.elapsed().as_secs_f64();
            last = Instant::now();
        };
        let group = (frames.as_ptr(), count, output.as_mut_ptr());
        // SAFETY: the arena is this workspace's, lengths were checked.
        unsafe { network.run_group(lanes, arena, group, thread_pool, after_layer) };
    }
}
