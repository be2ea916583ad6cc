use super::{MapIndex, Pointer, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::simd::{CHANNEL_GROUP, Kernel, Lanes};

/// Fewest rows of a thread's part of a product: fewer would not repay reading the weights.
const MIN_ROWS: usize = 24;

/// Weights above which a product is split into as few parts by rows as there are threads: what fills half a second-level
/// cache.
const MIN_LARGE_WEIGHTS: usize = (512 << 10) / size_of::<f32>();

/// 1x1 convolution of stride 1, with a residual and an activation.
pub(crate) struct Pointwise {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) matrix: PackedMatrix,
    pub(crate) segment: Segment,
    pub(crate) residual: Option<MapIndex>,
    /// Map of one pixel by which the input's channels are multiplied.
    pub(crate) gates: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl Pointwise {
    pub(crate) fn scratch(&self) -> ScratchLength {
        let shared = if self.gates.is_some() { self.matrix.weights.len() } else { 0 };
        ScratchLength { shared, own: 0 }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let residual = self.residual.map(|residual| run.view(residual));
        let own_weights = self.matrix.weights.as_ptr();
        let Some(gates) = self.gates.map(|gates| run.view(gates)) else {
            // SAFETY: passed on to the caller.
            return unsafe { self.multiply(run, (input, output, residual), own_weights) };
        };
        let frame = |view: View, frame: usize| View { start: Pointer::new(view.frame(frame)), frames: 1, ..view };
        // The gates multiply whichever is smaller, the input or the weights.
        let scales_input = input.shape.pixels() < self.matrix.columns;
        for index in 0..output.frames {
            let (input, output) = (frame(input, index), frame(output, index));
            let gates = frame(gates, index);
            // SAFETY: passed on to the caller; the scratch is as long as asked for.
            unsafe {
                if scales_input {
                    self.scale_input(run, input, gates);
                } else {
                    self.scale_weights(run, gates);
                    let residual = residual.map(|residual| frame(residual, index));
                    self.multiply(run, (input, output, residual), run.scratch.shared.get());
                }
            }
        }
        if scales_input {
            // SAFETY: passed on to the caller.
            unsafe { self.multiply(run, (input, output, residual), own_weights) };
        }
    }

    /// # Safety
    /// As for `run`; `weights` must be as long as the matrix' own.
    unsafe fn multiply<L: Tiles>(
        &self,
        run: &Run<'_, L>,
        (input, output, residual): (View, View, Option<View>),
        weights: *const f32,
    ) {
        let rows = output.frames * input.shape.pixels();
        let panels = self.matrix.panels.len();
        let operations = output.frames * output.groups() * self.matrix.depth;
        // Panels are read by one thread each when there are many: no thread reads all weights. A few rows cannot be cut.
        let by_panels = panels >= 8 && self.matrix.depth * self.matrix.columns > rows * self.matrix.depth;
        // Otherwise rows are cut, into no more parts than there are threads if each would read many weights again; panels
        // then make up for threads of unequal speed.
        let is_large = self.matrix.weights.len() > MIN_LARGE_WEIGHTS;
        let row_parts = match (by_panels, is_large) {
            (true, _) => 1,
            (false, true) => run.parts(rows.div_ceil(MIN_ROWS).min(run.workers()), operations),
            (false, false) => run.parts(rows.div_ceil(MIN_ROWS), operations),
        };
        let panel_parts = match by_panels || is_large {
            true => run.parts_of_units(panels, operations / row_parts),
            false => 1,
        };
        let (lanes, weights) = (run.lanes, Pointer::new(weights.cast_mut()));
        run.split(row_parts * panel_parts, |index, _| {
            let row_part = part(rows, row_parts, index % row_parts);
            // Where panels differ, the last are wide more often, and the widest should not be left for the end.
            let panel_part = part(panels, panel_parts, panel_parts - 1 - index / row_parts);
            let first = row_part.start;
            let columns = Columns { weights: weights.get(), ..Columns::new(&self.matrix, panel_part) };
            let product = Product {
                rows: row_part.len(),
                input: input.pixel(first),
                input_stride: input.pixel_stride,
                segments: std::slice::from_ref(&self.segment),
                output: output.pixel(first),
                output_stride: output.pixel_stride,
                residual: residual.map_or(std::ptr::null(), |view| view.pixel(first).cast_const()),
                residual_stride: residual.map_or(0, |view| view.pixel_stride),
                activation: self.activation,
            };
            // SAFETY: the parts' rows or columns are disjoint, and the views hold all of them.
            unsafe { multiply(lanes, &columns, &product) };
        });
    }

    /// Multiplies the input's channels in place.
    ///
    /// # Safety
    /// As for `run`; nothing else may use the input.
    unsafe fn scale_input<L: Tiles>(&self, run: &Run<'_, L>, input: View, gates: View) {
        let pixels = input.shape.pixels();
        let parts = run.parts(pixels.div_ceil(MIN_ROWS), 2 * input.groups());
        let lanes = run.lanes;
        run.split(parts, |index, _| {
            let pixels = part(pixels, parts, index);
            let kernel = ScaleRows {
                from: input.pixel(pixels.start),
                to: input.pixel(pixels.start),
                rows: pixels.len(),
                stride: input.pixel_stride,
                width: input.shape.padded_channels(),
                factors: Factors::Column(gates.start.get()),
            };
            // SAFETY: the parts' pixels are disjoint and inside the map; gates have as many channels.
            unsafe { lanes.call(kernel) };
        });
    }

    /// Writes the weights, multiplied row by row, to the shared scratch.
    ///
    /// # Safety
    /// As for `run`.
    unsafe fn scale_weights<L: Tiles>(&self, run: &Run<'_, L>, gates: View) {
        let panels = &self.matrix.panels;
        let parts = run.parts(panels.len(), 2 * self.matrix.weights.len() / CHANNEL_GROUP);
        let (lanes, scratch) = (run.lanes, run.scratch.shared);
        run.split(parts, |index, _| {
            for panel in &panels[part(panels.len(), parts, index)] {
                let width = panel.groups * CHANNEL_GROUP;
                let kernel = ScaleRows {
                    from: self.matrix.weights.as_ptr().wrapping_add(panel.offset),
                    to: scratch.get().wrapping_add(panel.offset),
                    rows: self.matrix.depth,
                    stride: width,
                    width,
                    factors: Factors::Row(gates.start.get()),
                };
                // SAFETY: the scratch is as long as the weights, panels are disjoint, and there is a gate for each row.
                unsafe { lanes.call(kernel) };
            }
        });
    }
}

/// Factors of a [`ScaleRows`].
enum Factors {
    /// A factor for each row.
    Row(*const f32),
    /// A factor for each column.
    Column(*const f32),
}

/// Product of `rows` runs of `width` numbers, `stride` apart on both sides, with factors. Both sides may be the same.
struct ScaleRows {
    from: *const f32,
    to: *mut f32,
    rows: usize,
    stride: usize,
    width: usize,
    factors: Factors,
}

impl Kernel for ScaleRows {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        // SAFETY: rows and columns are those that the creator guarantees.
        unsafe {
            for row in 0..self.rows {
                let (from, to) = (self.from.add(row * self.stride), self.to.add(row * self.stride));
                for column in (0..self.width).step_by(L::COUNT) {
                    let factor = match self.factors {
                        Factors::Row(factors) => lanes.splat(*factors.add(row)),
                        Factors::Column(factors) => lanes.load(factors.add(column)),
                    };
                    lanes.store(to.add(column), lanes.multiply(factor, lanes.load(from.add(column))));
                }
            }
        }
    }
}
