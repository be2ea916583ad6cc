use candle_core::{D, Tensor};

use super::labels::indicator;
use super::log_sum_exp::log_sum_exp;
use crate::Result;

/// The similarities of a batch's rows, and the pairs that belong together.
pub(super) struct Similarities {
    /// s_ij = z_i . z_j / temperature, [N, N].
    values: Tensor,
    /// 1 where j is not i, [N, N].
    others: Tensor,
    /// 1 where j is another row of the class of i, [N, N].
    positives: Tensor,
    /// |P(i)| for each row, at least 1, [N, 1].
    positive_counts: Tensor,
    /// 1 for each row that has positives, [N, 1].
    valid: Tensor,
}

impl Similarities {
    /// Of embeddings [N, C] whose rows have these labels.
    pub fn of(embeddings: &Tensor, labels: &[usize], temperature: f64) -> Result<Self> {
        let count = labels.len();
        let same = |i: usize, j: usize| i != j && labels[i] == labels[j];
        let positives = indicator((count, count), embeddings, same)?;
        let counts = positives.sum_keepdim(D::Minus1)?;
        Ok(Self {
            values: (embeddings.matmul(&embeddings.t()?)? * (1.0 / temperature))?,
            others: indicator((count, count), embeddings, |i, j| i != j)?,
            valid: counts.clamp(0.0, 1.0)?,
            positive_counts: counts.clamp(1.0, f64::INFINITY)?,
            positives,
        })
    }

    /// -log( sum over P of e^s / sum over A of e^s ) for each row, [N, 1].
    pub fn log_sum(&self) -> Result<Tensor> {
        Ok((log_sum_exp(&self.values, &self.others)? - log_sum_exp(&self.values, &self.positives)?)?)
    }

    /// -1/|P| sum over P of log( e^s / sum over A of e^s ) for each row, [N, 1].
    pub fn supcon_outside(&self) -> Result<Tensor> {
        let sum = (&self.values * &self.positives)?.sum_keepdim(D::Minus1)?;
        Ok((log_sum_exp(&self.values, &self.others)? - sum.div(&self.positive_counts)?)?)
    }

    /// -log( 1/|P| sum over P of e^s / sum over A of e^s ) for each row, [N, 1].
    pub fn supcon_inside(&self) -> Result<Tensor> {
        Ok((self.log_sum()? + self.positive_counts.log()?)?)
    }

    /// 1 for each row that has positives, else 0, [N, 1].
    pub fn valid(&self) -> &Tensor {
        &self.valid
    }
}

/// Rows [N, C] divided by their lengths; a row of zeros stays one.
pub(super) fn unit_rows(rows: &Tensor) -> Result<Tensor> {
    /// Far below the square of any length that matters, and keeps the root's gradient finite at zero.
    const MIN_SQUARE: f64 = 1e-24;
    let lengths = (rows.sqr()?.sum_keepdim(D::Minus1)? + MIN_SQUARE)?.sqrt()?;
    Ok(rows.broadcast_div(&lengths)?)
}
