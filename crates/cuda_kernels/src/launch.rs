use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DeviceRepr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaDType, CudaStorageSlice, WrapErr};
use candle_core::{CudaStorage, Error, Layout, Result, bail};
use runtime::Activation;

use crate::{Definitions, LAYERS, Number, Window};

/// A tensor's numbers on the GPU, and how they lie there.
pub type Operand<'a> = (&'a CudaStorage, &'a Layout);

/// The oldest chips that are compiled for (Turing); the driver translates the text for later ones.
const ARCHITECTURE: &str = "compute_75";

const THREADS_PER_BLOCK: u32 = 256;

/// Convolves `x` [N, C, H, W] with `weight` [C, 1, kh, kw], adds `bias` [C] and applies `activation`, to [N, C, H',
/// W']; `(top, left)` rows and columns of zeros come before the image, and behind it as many as `(H', W')` need.
///
/// # Errors
/// Operands that are not contiguous, that do not fit each other, or that are not all f32, all f16 or all bf16; more
/// than 2^31 numbers; a failure of the driver or of the compiler.
pub fn depthwise(
    [x, weight, bias]: [Operand<'_>; 3],
    stride: usize,
    (top, left): (usize, usize),
    (out_height, out_width): (usize, usize),
    activation: Activation,
) -> Result<CudaStorage> {
    let (batch, channels, height, width) = x.1.shape().dims4()?;
    let (filters, one, kernel_height, kernel_width) = weight.1.shape().dims4()?;
    if (filters, one, bias.1.shape().elem_count()) != (channels, 1, channels) {
        bail!("depthwise: weight {:?} and bias {:?} for {channels} channels", weight.1.shape(), bias.1.shape());
    }
    // What the kernel adds up on its way to a pixel must be an int as well.
    for reach in [out_height * stride + kernel_height, out_width * stride + kernel_width] {
        int(reach)?;
    }
    Layer {
        name: "depthwise",
        activation,
        window: Some(Window { height: kernel_height, width: kernel_width, stride }),
        outputs: batch * channels * out_height * out_width,
        sizes: &[channels, height, width, out_height, out_width, top, left],
    }
    .run(&[x, weight, bias])
}

/// Adds `bias` [C] to `x` [N, C, H, W] and applies `activation`; the shape stays. Errors as for [`depthwise`].
pub fn bias_activation([x, bias]: [Operand<'_>; 2], activation: Activation) -> Result<CudaStorage> {
    let (batch, channels, height, width) = x.1.shape().dims4()?;
    if bias.1.shape().elem_count() != channels {
        bail!("bias: {:?} for {channels} channels", bias.1.shape());
    }
    Layer {
        name: "bias_activation",
        activation,
        window: None,
        outputs: batch * channels * height * width,
        sizes: &[channels, height * width],
    }
    .run(&[x, bias])
}

/// A kernel's arguments but for its operands.
struct Layer<'a> {
    /// Its name in the text.
    name: &'static str,
    activation: Activation,
    window: Option<Window>,
    /// Count of the numbers that it writes, the first of its sizes.
    outputs: usize,
    /// The others in their order.
    sizes: &'a [usize],
}

impl Layer<'_> {
    fn run(&self, operands: &[Operand<'_>]) -> Result<CudaStorage> {
        match &operands[0].0.slice {
            CudaStorageSlice::F32(like) => self.launch(Number::F32, like, operands),
            CudaStorageSlice::F16(like) => self.launch(Number::F16, like, operands),
            CudaStorageSlice::BF16(like) => self.launch(Number::Bf16, like, operands),
            _ => bail!("{}: {:?} is not a type of maps", self.name, operands[0].0.dtype()),
        }
    }

    fn launch<T: CudaDType + DeviceRepr>(
        &self,
        number: Number,
        _like: &CudaSlice<T>,
        operands: &[Operand<'_>],
    ) -> Result<CudaStorage> {
        let device = operands[0].0.device();
        let mut views = Vec::with_capacity(operands.len());
        for (storage, layout) in operands {
            let Some((first, end)) = layout.contiguous_offsets() else {
                bail!("{}: an operand is not contiguous", self.name);
            };
            int(end - first)?;
            let view = storage.as_cuda_slice::<T>()?.try_slice(first..end);
            views.push(view.ok_or_else(|| Error::msg("an operand is longer than its memory"))?);
        }
        let sizes = [self.outputs].iter().chain(self.sizes).map(|&size| int(size)).collect::<Result<Vec<i32>>>()?;
        let definitions = Definitions { number, activation: self.activation, window: self.window };
        let compiled = compiled(&definitions)?;
        let function = device.get_or_load_custom_func(self.name, &compiled.module, &compiled.text)?;
        // SAFETY: nothing reads the numbers before the kernel has written all of them, one a thread.
        let mut output = unsafe { device.alloc::<T>(self.outputs)? };
        let mut launch = function.builder();
        for view in &views {
            launch.arg(view);
        }
        launch.arg(&mut output);
        for size in &sizes {
            launch.arg(size);
        }
        let blocks = (self.outputs as u32).div_ceil(THREADS_PER_BLOCK);
        let grid = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (THREADS_PER_BLOCK, 1, 1), shared_mem_bytes: 0 };
        // SAFETY: the arguments are those of the kernel of this name in `layers.cu`, in its order and types: pointers
        // to NUMBERs, which `T` is laid out as, then ints. Operands are as long as their shapes, which the callers
        // have compared, so that every index of the kernel, which it keeps within the image itself, is inside them.
        unsafe { launch.launch(grid) }.w()?;
        Ok(CudaStorage::wrap_cuda_slice(output, device.clone()))
    }
}

/// A size as the kernels take it.
fn int(size: usize) -> Result<i32> {
    i32::try_from(size).map_err(|_| Error::msg(format!("{size} numbers are too many for one launch")))
}

/// The kernels' text for one layer, translated for the driver.
struct Compiled {
    /// Under which the driver's module is kept.
    module: String,
    text: String,
}

/// Compiles the kernels, or gives what was compiled before.
fn compiled(definitions: &Definitions) -> Result<Arc<Compiled>> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Compiled>>> = Mutex::new(BTreeMap::new());
    let options = definitions.options();
    let module = options.join(" ");
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(compiled) = known.get(&module) {
        return Ok(compiled.clone());
    }
    let options = CompileOptions { arch: Some(ARCHITECTURE), options, ..Default::default() };
    let text = compile_ptx_with_opts(LAYERS, options).w()?.to_src();
    let compiled = Arc::new(Compiled { module: module.clone(), text });
    known.insert(module, compiled.clone());
    Ok(compiled)
}
