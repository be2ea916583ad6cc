use super::{MapIndex, Pointer, Run};
use crate::activation::Activation;
use crate::buffer::Buffer;
use crate::gemm::{Tiles, part};
use crate::simd::{Kernel, Lanes};

/// Fewest pixels of a thread's part.
const MIN_PIXELS: usize = 64;

/// `activation(input * gates * scale + shift + other)`, elementwise, where every operand but the input may be missing.
pub(crate) struct Combine {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// A map of one pixel: a factor for each channel of each frame.
    pub(crate) gates: Option<MapIndex>,
    /// A factor and a term for each channel, padded.
    pub(crate) affine: Option<(Buffer, Buffer)>,
    /// A map of the same shape.
    pub(crate) other: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl Combine {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let other = self.other.map(|other| run.view(other));
        let gates = self.gates.map(|gates| run.view(gates));
        let pixels = input.shape.pixels();
        let parts = run.parts(pixels.div_ceil(MIN_PIXELS), 3 * input.groups());
        let lanes = run.lanes;
        for frame in 0..output.frames {
            let null = std::ptr::null;
            let (scale, shift) = match &self.affine {
                Some((scale, shift)) => (scale.as_ptr(), shift.as_ptr()),
                None => (null(), null()),
            };
            let gates = gates.map_or(null(), |gates| gates.frame(frame).cast_const());
            let pointers = [gates, scale, shift].map(|pointer| Pointer::new(pointer.cast_mut()));
            run.split(parts, |index, _| {
                let [gates, scale, shift] = pointers;
                let pixels = part(pixels, parts, index);
                let at = |view: super::View| view.frame(frame).wrapping_add(pixels.start * view.pixel_stride);
                let kernel = CombineRows {
                    rows: pixels.len(),
                    width: input.shape.padded_channels(),
                    input: at(input),
                    input_stride: input.pixel_stride,
                    gates: gates.get(),
                    scale: scale.get(),
                    shift: shift.get(),
                    other: other.map_or(std::ptr::null(), |other| at(other).cast_const()),
                    other_stride: other.map_or(0, |other| other.pixel_stride),
                    output: at(output),
                    output_stride: output.pixel_stride,
                    activation: self.activation,
                };
                // SAFETY: parts are disjoint pixels of checked maps of one shape.
                unsafe { lanes.call(kernel) };
            });
        }
    }
}

/// Combination of `rows` pixels of `width` channels; null stands for what is missing.
struct CombineRows {
    rows: usize,
    width: usize,
    input: *const f32,
    input_stride: usize,
    gates: *const f32,
    scale: *const f32,
    shift: *const f32,
    other: *const f32,
    other_stride: usize,
    output: *mut f32,
    output_stride: usize,
    activation: Activation,
}

impl Kernel for CombineRows {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        // SAFETY: rows and columns are inside the maps that the creator guarantees.
        unsafe {
            for row in 0..self.rows {
                for column in (0..self.width).step_by(L::COUNT) {
                    let mut number = lanes.load(self.input.add(row * self.input_stride + column));
                    if !self.gates.is_null() {
                        number = lanes.multiply(number, lanes.load(self.gates.add(column)));
                    }
                    if !self.scale.is_null() {
                        let (scale, shift) = (lanes.load(self.scale.add(column)), lanes.load(self.shift.add(column)));
                        number = lanes.multiply_add(number, scale, shift);
                    }
                    if !self.other.is_null() {
                        number = lanes.add(number, lanes.load(self.other.add(row * self.other_stride + column)));
                    }
                    let output = self.output.add(row * self.output_stride + column);
                    lanes.store(output, self.activation.apply(lanes, number));
                }
            }
        }
    }
}
