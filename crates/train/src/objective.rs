use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};
use zoo::LabelSet;
use zoo::losses::{ContrastiveForm, ContrastiveLoss, CrossEntropy, PartialLabelLoss};

use crate::Result;

/// The quantity that training minimizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// Cross-entropy of the views.
    CrossEntropy {
        /// The share of every target that is spread over all classes.
        #[serde(default)]
        label_smoothing: f64,
    },
    /// Cross-entropy where a label may leave open which of several views is meant, as the label set says (TMED2).
    PartialLabel,
    /// Two augmented views of each clip are drawn together with the others of their class (Khosla et al., NeurIPS
    /// 2020; github.com/PreshenNaidoo/EchoView47).
    Contrastive {
        /// The formula of the loss.
        form: Contrast,
        /// The temperature that similarities are divided by.
        temperature: f64,
        /// Width of the projection that the loss sees and that is thrown away afterwards.
        #[serde(default = "usual_projection")]
        projection: usize,
    },
}

/// The contrastive formulas of the reference system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// The sum inside the logarithm: the loss of EchoView47.
    LogSum,
    /// The sum outside the logarithm (Khosla et al. 2020).
    SupCon,
}

fn usual_projection() -> usize {
    128
}

impl Default for Objective {
    fn default() -> Self {
        Self::CrossEntropy { label_smoothing: 0.0 }
    }
}

/// The mean cross-entropy of logits [B, classes]; a clip of none of the classes weighs `others_weight`, and for it all
/// classes should be as likely (outlier exposure: Hendrycks et al., ICLR 2019).
pub(crate) fn cross_entropy(
    logits: &Tensor,
    classes: &[Option<usize>],
    label_smoothing: f64,
    others_weight: f64,
) -> Result<Tensor> {
    let rows = |wanted: bool| -> Vec<u32> {
        (0..).zip(classes).filter(|(_, class)| class.is_some() == wanted).map(|(row, _)| row).collect()
    };
    let (views, others) = (rows(true), rows(false));
    let pick = |rows: Vec<u32>| Tensor::new(rows, logits.device());
    let count = classes.len().max(1) as f64;
    let mut parts = Vec::new();
    if !views.is_empty() {
        let share = views.len() as f64 / count;
        let classes: Vec<usize> = classes.iter().copied().flatten().collect();
        let logits = logits.index_select(&pick(views)?, 0)?;
        let loss = CrossEntropy { label_smoothing, class_weights: None };
        parts.push((loss.of(&logits, &classes)?.mean * share)?);
    }
    if !others.is_empty() {
        let share = others_weight * others.len() as f64 / count;
        let logits = logits.index_select(&pick(others)?, 0)?;
        parts.push((candle_nn::ops::log_softmax(&logits, D::Minus1)?.mean_all()? * -share)?);
    }
    Ok(Tensor::stack(&parts, 0)?.sum_all()?)
}
/// The mean partial-label loss of logits [B, classes], which a label's views share as `views` says.
pub(crate) fn partial_label(logits: &Tensor, classes: &[Option<usize>], views: &LabelSet) -> Result<Tensor> {
    let meanings = views.views.iter().enumerate().map(|(index, view)| {
        let others = view.may_be.iter().filter_map(|name| views.index_of(name));
        std::iter::once(index).chain(others).collect()
    });
    let loss = PartialLabelLoss::new(meanings.collect())?;
    let rows: Vec<u32> = (0..).zip(classes).filter(|(_, class)| class.is_some()).map(|(row, _)| row).collect();
    let labels: Vec<usize> = classes.iter().copied().flatten().collect();
    let logits = logits.index_select(&Tensor::new(rows, logits.device())?, 0)?;
    Ok(loss.of(&logits, &labels)?.mean)
}

/// The mean contrastive loss of vectors [N, P], of which rows of one class belong together.
pub(crate) fn contrastive(
    vectors: &Tensor,
    classes: &[Option<usize>],
    form: Contrast,
    temperature: f64,
) -> Result<Tensor> {
    // What shows none of the views is a class of its own here.
    let classes: Vec<usize> = classes.iter().map(|class| class.map_or(0, |class| class + 1)).collect();
    let form = match form {
        Contrast::LogSum => ContrastiveForm::LogSum,
        Contrast::SupCon => ContrastiveForm::SupConOutside,
    };
    let loss = ContrastiveLoss { form, temperature, l2_normalize: true, times_temperature: true };
    Ok(loss.of(vectors, &classes)?.mean)
}
