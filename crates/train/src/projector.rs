use candle_core::Tensor;
use zoo::weights::TensorSource;

use crate::{Result, Variables};

/// Beginning of the names of what the contrastive loss sees through and a finished model lacks.
const PROJECTOR: &str = "projector.";

/// Returns true if a tensor of this name belongs to the projection that only the contrastive loss needs.
pub(crate) fn is_of_projector(name: &str) -> bool {
    name.starts_with(PROJECTOR)
}

/// Two layers without biases between a vector and the contrastive loss.
pub(crate) struct Projector {
    first: Tensor,
    second: Tensor,
}

impl Projector {
    /// The projection of vectors of `width` to `width_out` numbers; it begins at random.
    pub(crate) fn read(variables: &Variables, width: usize, width_out: usize) -> Result<Self> {
        let layer = |name: &str, sizes: [usize; 2]| variables.tensor(&format!("{PROJECTOR}{name}"), &sizes);
        Ok(Self { first: layer("fc1.weight", [width, width])?, second: layer("fc2.weight", [width_out, width])? })
    }

    /// [N, width] to [N, width_out].
    pub(crate) fn forward(&self, vectors: &Tensor) -> Result<Tensor> {
        Ok(vectors.matmul(&self.first.t()?)?.relu()?.matmul(&self.second.t()?)?)
    }
}
