//! Operation of Candle's graph with a result that is computed already, and a function for the backward pass.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::float::Float;

/// Backward pass: the gradient of each argument, from the arguments, the result and the gradient of the result.
pub(super) trait Backward<const N: usize>: Send + Sync + 'static {
    fn gradients(&self, arguments: [&Tensor; N], result: &Tensor, gradient: &Tensor) -> Result<[Tensor; N]>;
}

impl<const N: usize, F> Backward<N> for F
where
    F: Fn([&Tensor; N], &Tensor, &Tensor) -> Result<[Tensor; N]> + Send + Sync + 'static,
{
    fn gradients(&self, arguments: [&Tensor; N], result: &Tensor, gradient: &Tensor) -> Result<[Tensor; N]> {
        self(arguments, result, gradient)
    }
}

/// Operation whose result was computed before Candle asks for it.
pub(super) struct Step<B> {
    name: &'static str,
    result: Mutex<Option<(CpuStorage, Shape)>>,
    backward: B,
}

impl<B> Step<B> {
    pub(super) fn new<T: Float>(name: &'static str, values: Vec<T>, shape: impl Into<Shape>, backward: B) -> Self {
        let result = Mutex::new(Some((T::to_cpu_storage_owned(values), shape.into())));
        Self { name, result, backward }
    }

    fn result(&self) -> Result<(CpuStorage, Shape)> {
        match self.result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(result) => Ok(result),
            None => candle_core::bail!("{} was asked twice for its result", self.name),
        }
    }
}

impl<B: Backward<1>> CustomOp1 for Step<B> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.result()
    }

    fn bwd(&self, x: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let [x] = self.backward.gradients([x], result, gradient)?;
        Ok(Some(x))
    }
}

impl<B: Backward<2>> CustomOp2 for Step<B> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.result()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = self.backward.gradients([a, b], result, gradient)?;
        Ok((Some(a), Some(b)))
    }
}

impl<B: Backward<3>> CustomOp3 for Step<B> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.result()
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = self.backward.gradients([a, b, c], result, gradient)?;
        Ok((Some(a), Some(b), Some(c)))
    }
}
