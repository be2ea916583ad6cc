use candle_core::{Result, Tensor, Var};

use super::settings::{NormSettings, RunningVariance};

/// Batch norm that is trained; every tensor is [C].
#[derive(Debug, Clone)]
pub struct TrainableNorm {
    /// Scale (gamma).
    pub weight: Tensor,
    /// Shift (beta).
    pub bias: Tensor,
    /// Running mean; not training, updated by each batch in [`TrainingMode::Train`].
    pub running_mean: Var,
    /// Running variance; no parameter either.
    pub running_variance: Var,
    /// Constants of the source that it follows.
    pub settings: NormSettings,
}

impl TrainableNorm {
    /// Moves the running statistics towards those of a batch of `count` rows, both [C]; the variance is the biased one.
    pub(super) fn update_running_statistics(&self, mean: &Tensor, variance: &Tensor, count: usize) -> Result<()> {
        if count < 2 {
            candle_core::bail!("a batch norm cannot learn from {count} row");
        }
        let correction = match self.settings.running_variance {
            RunningVariance::Unbiased => count as f64 / (count - 1) as f64,
            RunningVariance::Biased => 1.0,
        };
        let share = self.settings.batch_share;
        for (running, batch, factor) in
            [(&self.running_mean, mean, 1.0), (&self.running_variance, variance, correction)]
        {
            let batch = batch.to_dtype(running.dtype())?;
            running.set(&((running.as_detached_tensor() * (1.0 - share))? + (batch * (factor * share))?)?)?;
        }
        Ok(())
    }
}
