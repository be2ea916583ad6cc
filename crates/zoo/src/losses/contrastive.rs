use candle_core::Tensor;

use super::labels::{fault, labelled_rows};
use super::similarity::{Similarities, unit_rows};
use crate::Result;

/// The function of one anchor's similarities s_ij; A are all rows but the anchor, P those of its class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ContrastiveForm {
    /// -log( sum over P of e^s / sum over A of e^s ): the loss of EchoView47.
    LogSum,
    /// Supervised contrastive loss with the sum outside the logarithm (Khosla et al. 2020, L_out).
    SupConOutside,
    /// The same with the mean inside the logarithm (L_in): [`Self::LogSum`] plus log |P|, so of the same gradient.
    SupConInside,
    /// `supcon_weight` times [`Self::SupConOutside`] plus the rest times [`Self::LogSum`]; the reference's weight is
    /// 0.5.
    Hybrid {
        /// 0 to 1.
        supcon_weight: f64,
    },
}

/// A contrastive loss on embeddings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContrastiveLoss {
    /// The formula.
    pub form: ContrastiveForm,
    /// Divisor of similarities; above 0.
    pub temperature: f64,
    /// True if embeddings are divided by their lengths first.
    pub l2_normalize: bool,
    /// True if the values are multiplied by the temperature, as the reference system does.
    pub times_temperature: bool,
}

/// The value of a contrastive loss.
#[derive(Debug, Clone)]
pub struct ContrastiveValue {
    /// Each anchor's value [N]; 0 for one without positives.
    pub per_anchor: Tensor,
    /// True if each anchor has positives.
    pub valid: Vec<bool>,
    /// The mean over the anchors that have positives, 0 if none has; a scalar.
    pub mean: Tensor,
}

const NAME: &str = "contrastive loss";

impl ContrastiveLoss {
    /// Of embeddings [N, C] with a class for each row.
    ///
    /// # Errors
    /// Labels and rows that do not match in number, a type that is not floating point, a temperature that is not above
    /// 0, a weight outside 0 to 1.
    pub fn of(&self, embeddings: &Tensor, labels: &[usize]) -> Result<ContrastiveValue> {
        labelled_rows(NAME, embeddings, labels)?;
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return fault(NAME, format!("a temperature of {}", self.temperature));
        }
        let embeddings = if self.l2_normalize { unit_rows(embeddings)? } else { embeddings.clone() };
        let similarities = Similarities::of(&embeddings, labels, self.temperature)?;
        let scale = if self.times_temperature { self.temperature } else { 1.0 };
        let values = (self.form.values(&similarities)? * scale)?;
        let per_anchor = (values * similarities.valid())?.squeeze(1)?;
        let valid: Vec<bool> =
            labels.iter().map(|label| labels.iter().filter(|other| *other == label).count() > 1).collect();
        let count = valid.iter().filter(|valid| **valid).count().max(1);
        let mean = (per_anchor.sum_all()? * (1.0 / count as f64))?;
        Ok(ContrastiveValue { per_anchor, valid, mean })
    }

    /// Of two views of each image, [B, C] both, with a class for each image.
    ///
    /// The rows of the batch, and so of the value, are all first views, then all second ones.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn of_two_views(&self, first: &Tensor, second: &Tensor, labels: &[usize]) -> Result<ContrastiveValue> {
        if first.dims() != second.dims() {
            return fault(NAME, format!("views of shapes {:?} and {:?}", first.dims(), second.dims()));
        }
        self.of(&Tensor::cat(&[first, second], 0)?, &[labels, labels].concat())
    }
}

impl ContrastiveForm {
    /// One value a row, [N, 1].
    fn values(self, similarities: &Similarities) -> Result<Tensor> {
        match self {
            Self::LogSum => similarities.log_sum(),
            Self::SupConOutside => similarities.supcon_outside(),
            Self::SupConInside => similarities.supcon_inside(),
            Self::Hybrid { supcon_weight } => {
                if !(0.0..=1.0).contains(&supcon_weight) {
                    return fault(NAME, format!("a weight of {supcon_weight}"));
                }
                let supcon = (similarities.supcon_outside()? * supcon_weight)?;
                Ok((supcon + (similarities.log_sum()? * (1.0 - supcon_weight))?)?)
            }
        }
    }
}
