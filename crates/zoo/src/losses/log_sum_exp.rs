use candle_core::{D, Tensor};

use crate::Result;

/// Added to what must not count in a sum of exponentials. It swallows any sensible logit and, other than an infinity,
/// leaves rows in which nothing counts finite, so that they can be multiplied away.
const EXCLUDED: f64 = -1e30;

/// For each row of `values` [N, M] the logarithm of the sum of exponentials where `counts` [N, M] is 1, not 0, as [N, 1].
///
/// The row's largest value is taken out first, so that nothing overflows. A row in which nothing counts gives a finite
/// number without meaning.
pub(super) fn log_sum_exp(values: &Tensor, counts: &Tensor) -> Result<Tensor> {
    let kept = (values + counts.affine(-EXCLUDED, EXCLUDED)?)?;
    // The result does not depend on what is taken out, so neither does its gradient.
    let largest = kept.detach().max_keepdim(D::Minus1)?;
    let sum = kept.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    Ok((sum.log()? + largest)?)
}
