use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};

use crate::{CompiledNetwork, Conv2d, FeatureMaps, KernelChoice, NnError, Padding, Result};

/// Duration of a measurement, after warm-up.
const MEASURED: Duration = Duration::from_millis(300);

/// The most multiply-adds a second that the CPU kernels reach here on all threads: the best of many short runs of one
/// large product, which a whole network cannot beat.
///
/// An error where `ECHOLABEL_KERNELS` turns the kernels off.
///
/// # Errors
/// The kernels refuse the layer that is measured.
pub fn multiply_adds_per_second() -> Result<f64> {
    const SIDE: usize = 32;
    const CHANNELS: usize = 512;
    let KernelChoice::Kernels(set) = KernelChoice::detect()? else { return Err(NnError::NotTraceable) };
    let first = Conv2d::new(Tensor::ones((CHANNELS, 3, 1, 1), candle_core::DType::F32, &Device::Cpu)?, None, 1, 1);
    let product = Tensor::ones((CHANNELS, CHANNELS, 1, 1), candle_core::DType::F32, &Device::Cpu)?;
    let product = Conv2d::new((product / CHANNELS as f64)?, None, 1, 1);
    let network = CompiledNetwork::trace::<NnError>((SIDE, SIDE), set, None, |frames: &FeatureMaps| {
        let mut maps = first.over(frames, Padding::symmetric(0))?;
        for _ in 0..4 {
            maps = product.over(&maps, Padding::symmetric(0))?;
        }
        maps.global_average()
    })?;
    let count = 4 * rayon::current_num_threads();
    let frames = Tensor::ones((count, 3, SIDE, SIDE), candle_core::DType::F32, &Device::Cpu)?;
    network.forward(&frames)?;
    let (started, mut best) = (Instant::now(), f64::INFINITY);
    while started.elapsed() < MEASURED {
        let run = Instant::now();
        network.forward(&frames)?;
        best = best.min(run.elapsed().as_secs_f64());
    }
    Ok((count as u64 * network.multiply_adds()) as f64 / best)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_multiplies_and_adds() {
        assert!(super::multiply_adds_per_second().unwrap() > 1e6);
    }
}
