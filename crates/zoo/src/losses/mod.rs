//! Losses of training: contrastive losses on embeddings, cross-entropies on logits.
//!
//! All take Candle tensors of float32 or float64 and give values that Candle can differentiate. Formulas and symbols are
//! those of the reference `fixtures/golden/losses.json`, with which the crate `parity` compares values and gradients.

mod contrastive;
mod cross_entropy;
mod labels;
mod log_sum_exp;
mod partial_label;
mod similarity;

pub use contrastive::{ContrastiveForm, ContrastiveLoss, ContrastiveValue};
pub use cross_entropy::{ClassLoss, CrossEntropy};
pub use partial_label::PartialLabelLoss;
