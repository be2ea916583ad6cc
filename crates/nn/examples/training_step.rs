//! Times a training step (forward and backward, no optimizer) of EfficientNet-B2 with random weights at 224 x 224.
//!
//! `training_step BATCH [THREADS]` makes one step for each line of its standard input and prints its images per second, so
//! that a script can take turns with another framework: `tools/peers/training_step.py` does with PyTorch. It prints the
//! images per second, the seconds of the forward pass and of the whole step, and the loss.
//!
//! Two settings of the environment matter, here and in any program that trains. Candle adds gradients up in a pool of its
//! own that waits by spinning, which costs dearly where cores are shared: `CANDLE_NUM_THREADS=1` turns it off. And glibc
//! gives the memory of every large map back at once, to fetch it anew page by page for the next:
//! `GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4000000000:glibc.malloc.trim_threshold=16000000000`
//! keeps it, at the price of a process that does not shrink.

use std::io::{BufRead, Write};
use std::time::Instant;

use candle_core::{DType, Device, Tensor, Var};
use nn::training::{
    Convolution, DropGenerator, NormSettings, TrainableNorm, TrainingMode, activate, conv2d_norm, gate_channels,
    global_average,
};
use nn::{Activation, Padding};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SIZE: usize = 224;
const CLASSES: usize = 11;

/// A stage of EfficientNet-B2: widening, kernel, stride, channels in and out, blocks.
const STAGES: [(usize, usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 32, 16, 2),
    (6, 3, 2, 16, 24, 3),
    (6, 5, 2, 24, 48, 3),
    (6, 3, 2, 48, 88, 4),
    (6, 5, 1, 88, 120, 4),
    (6, 5, 2, 120, 208, 5),
    (6, 3, 1, 208, 352, 2),
];

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let batch: usize = arguments.next().map_or(Ok(16), |batch| batch.parse())?;
    let threads: u16 = arguments.next().map_or(Ok(2), |threads| threads.parse())?;
    nn::limit_threads(threads);
    let network = Network::new()?;
    let images = Tensor::randn(0f32, 1.0, (batch, SIZE, SIZE, 3), &Device::Cpu)?;
    let labels = Tensor::from_iter((0..batch).map(|image| (image % CLASSES) as u32), &Device::Cpu)?;
    let mut generator = DropGenerator::new(1);
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        let logits = network.forward(&images, &mut generator)?;
        let loss = candle_nn::loss::cross_entropy(&logits, &labels)?;
        let forward_s = start.elapsed().as_secs_f64();
        let gradients = loss.backward()?;
        let step_s = start.elapsed().as_secs_f64();
        if network.variables.iter().any(|variable| gradients.get(variable).is_none()) {
            return Err("a variable has no gradient".into());
        }
        println!("{:.3} {forward_s:.3} {step_s:.3} {:.4}", batch as f64 / step_s, loss.to_scalar::<f32>()?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A convolution, its norm and its activation.
struct Layer {
    weight: Tensor,
    convolution: Convolution,
    norm: TrainableNorm,
    activation: Activation,
}

impl Layer {
    fn forward(&self, x: &Tensor) -> nn::Result<Tensor> {
        conv2d_norm(x, &self.weight, &self.convolution, &self.norm, self.activation, TrainingMode::Train)
    }
}

/// A fully connected layer: weight [out, in] and bias [out].
struct Dense {
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    fn forward(&self, x: &Tensor) -> nn::Result<Tensor> {
        Ok(x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }
}

/// An inverted residual block with squeeze-and-excitation.
struct Block {
    expand: Option<Layer>,
    depthwise: Layer,
    squeeze: Dense,
    excite: Dense,
    project: Layer,
    residual: bool,
    drop_rate: f64,
}

impl Block {
    fn forward(&self, x: &Tensor, generator: &mut DropGenerator) -> nn::Result<Tensor> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x)?,
            None => x.clone(),
        };
        let wide = self.depthwise.forward(&wide)?;
        let gated = gate_channels(&wide, |average| {
            let squeezed = activate(&self.squeeze.forward(average)?, Activation::Silu)?;
            activate(&self.excite.forward(&squeezed)?, Activation::Sigmoid)
        })?;
        let y = self.project.forward(&gated)?;
        Ok(if self.residual { (generator.stochastic_depth(&y, self.drop_rate)? + x)? } else { y })
    }
}

struct Network {
    stem: Layer,
    blocks: Vec<Block>,
    last: Layer,
    classifier: Dense,
    variables: Vec<Var>,
}

impl Network {
    fn new() -> Outcome<Self> {
        let mut builder = Builder { variables: Vec::new() };
        let stem = builder.layer((3, 32, 1), (3, 2), Activation::Silu)?;
        let mut blocks = Vec::new();
        let count: usize = STAGES.iter().map(|stage| stage.5).sum();
        for (widening, kernel, stride, input, output, repeats) in STAGES {
            for repeat in 0..repeats {
                let (input, stride) = if repeat == 0 { (input, stride) } else { (output, 1) };
                let drop_rate = 0.2 * blocks.len() as f64 / count as f64;
                blocks.push(builder.block((input, input * widening, output), (kernel, stride), drop_rate)?);
            }
        }
        let last = builder.layer((352, 1408, 1), (1, 1), Activation::Silu)?;
        let classifier = builder.dense(1408, CLASSES)?;
        Ok(Self { stem, blocks, last, classifier, variables: builder.variables })
    }

    fn forward(&self, images: &Tensor, generator: &mut DropGenerator) -> nn::Result<Tensor> {
        let mut x = self.stem.forward(images)?;
        for block in &self.blocks {
            x = block.forward(&x, generator)?;
        }
        let features = global_average(&self.last.forward(&x)?)?;
        self.classifier.forward(&generator.dropout(&features, 0.3)?)
    }
}

struct Builder {
    variables: Vec<Var>,
}

impl Builder {
    fn variable(&mut self, values: Tensor) -> Outcome<Tensor> {
        let variable = Var::from_tensor(&values)?;
        self.variables.push(variable.clone());
        Ok(variable.as_tensor().clone())
    }

    fn block(
        &mut self,
        (input, wide, output): (usize, usize, usize),
        (kernel, stride): (usize, usize),
        drop_rate: f64,
    ) -> Outcome<Block> {
        let expand = if wide == input { None } else { Some(self.layer((input, wide, 1), (1, 1), Activation::Silu)?) };
        Ok(Block {
            expand,
            depthwise: self.layer((wide, wide, wide), (kernel, stride), Activation::Silu)?,
            squeeze: self.dense(wide, input / 4)?,
            excite: self.dense(input / 4, wide)?,
            project: self.layer((wide, output, 1), (1, 1), Activation::Identity)?,
            residual: stride == 1 && input == output,
            drop_rate,
        })
    }

    fn layer(
        &mut self,
        (input, output, groups): (usize, usize, usize),
        (kernel, stride): (usize, usize),
        activation: Activation,
    ) -> Outcome<Layer> {
        let shape = (output, input / groups, kernel, kernel);
        let deviation = (2.0 / (input / groups * kernel * kernel) as f32).sqrt();
        let vector = |value: f64| Tensor::full(value as f32, output, &Device::Cpu);
        Ok(Layer {
            weight: self.variable(Tensor::randn(0f32, deviation, shape, &Device::Cpu)?)?,
            convolution: Convolution { stride, padding: Padding::symmetric(kernel / 2), groups },
            norm: TrainableNorm {
                weight: self.variable(vector(1.0)?)?,
                bias: self.variable(vector(0.0)?)?,
                running_mean: Var::from_tensor(&vector(0.0)?)?,
                running_variance: Var::from_tensor(&vector(1.0)?)?,
                settings: NormSettings::TORCH,
            },
            activation,
        })
    }

    fn dense(&mut self, input: usize, output: usize) -> Outcome<Dense> {
        let deviation = (1.0 / input as f32).sqrt();
        Ok(Dense {
            weight: self.variable(Tensor::randn(0f32, deviation, (output, input), &Device::Cpu)?)?,
            bias: self.variable(Tensor::zeros(output, DType::F32, &Device::Cpu)?)?,
        })
    }
}
