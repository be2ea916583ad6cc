use super::super::framework::Framework;

/// The way in which a block widens its input before it narrows it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// A 1x1 convolution, a depthwise one and squeeze-excite.
    Depthwise,
    /// One full convolution.
    Fused,
}

/// One stage: inverted-residual blocks of the same width.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// The kind of block.
    pub kind: Expansion,
    /// Ratio of the width inside the block to that outside.
    pub expansion: usize,
    /// Side of the kernel, in pixels.
    pub kernel: usize,
    /// Stride of the first block.
    pub stride: usize,
    /// Channels out.
    pub width: usize,
    /// Number of blocks.
    pub blocks: usize,
}

impl Stage {
    fn new(kind: Expansion, sizes: (usize, usize, usize, usize, usize)) -> Self {
        let (expansion, kernel, stride, width, blocks) = sizes;
        Self { kind, expansion, kernel, stride, width, blocks }
    }
}

/// The sizes of an EfficientNet.
#[derive(Debug, Clone)]
pub struct EfficientNetConfig {
    /// Channels of the stem.
    pub stem: usize,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// Channels of the last convolution, the length of the frame's vector.
    pub head: usize,
    /// Epsilon of the batch norms.
    pub norm_eps: f64,
    /// Whose names, layouts and padding.
    pub framework: Framework,
}

impl EfficientNetConfig {
    /// Returns the probability that block (stage, number) is skipped during training (stochastic depth): a fifth at the end, as in torchvision.
    pub(super) fn drop_rate(&self, (stage, number): (usize, usize)) -> f64 {
        const LAST: f64 = 0.2;
        let blocks = |stages: &[Stage]| stages.iter().map(|stage| stage.blocks).sum::<usize>();
        LAST * (blocks(&self.stages[..stage]) + number) as f64 / blocks(&self.stages) as f64
    }

    /// EfficientNet-B2 of torchvision: 7,700,994 parameters in its features.
    pub fn b2() -> Self {
        let stages = [
            (1, 3, 1, 16, 2),
            (6, 3, 2, 24, 3),
            (6, 5, 2, 48, 3),
            (6, 3, 2, 88, 4),
            (6, 5, 1, 120, 4),
            (6, 5, 2, 208, 5),
            (6, 3, 1, 352, 2),
        ];
        Self {
            stem: 32,
            stages: stages.map(|sizes| Stage::new(Expansion::Depthwise, sizes)).to_vec(),
            head: 1408,
            norm_eps: 1e-5,
            framework: Framework::Torch,
        }
    }

    /// The same kinds of blocks, hundreds of times cheaper: for tests and very small machines.
    pub fn tiny() -> Self {
        let stages = [(1, 3, 2, 8, 1), (4, 5, 2, 16, 1), (4, 3, 2, 24, 2)];
        let stages = stages.map(|sizes| Stage::new(Expansion::Depthwise, sizes)).to_vec();
        Self { stem: 8, stages, head: 96, ..Self::b2() }
    }

    /// Few and narrow blocks of both kinds of EfficientNetV2, for tests.
    pub fn v2_miniature(framework: Framework) -> Self {
        let stages = [
            (Expansion::Fused, (1, 3, 1, 8, 1)),
            (Expansion::Fused, (4, 3, 2, 12, 2)),
            (Expansion::Depthwise, (4, 3, 2, 16, 2)),
        ];
        let stages = stages.map(|(kind, sizes)| Stage::new(kind, sizes)).to_vec();
        Self { stem: 8, stages, head: 48, ..Self::v2_s(framework) }
    }

    /// EfficientNetV2-S.
    pub fn v2_s(framework: Framework) -> Self {
        let stages = [
            (Expansion::Fused, (1, 3, 1, 24, 2)),
            (Expansion::Fused, (4, 3, 2, 48, 4)),
            (Expansion::Fused, (4, 3, 2, 64, 4)),
            (Expansion::Depthwise, (4, 3, 2, 128, 6)),
            (Expansion::Depthwise, (6, 3, 1, 160, 9)),
            (Expansion::Depthwise, (6, 3, 2, 256, 15)),
        ];
        Self {
            stem: 24,
            stages: stages.map(|(kind, sizes)| Stage::new(kind, sizes)).to_vec(),
            head: 1280,
            norm_eps: 1e-3,
            framework,
        }
    }
}
