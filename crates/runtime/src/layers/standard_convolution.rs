use std::ops::Range;

use super::{MapIndex, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::shape::{MapShape, Window};

/// Narrowest output whose rows fill tiles by themselves. In narrower ones, pixels of several rows are gathered for a tile.
pub(crate) const MIN_TILED_WIDTH: usize = 24;
/// Numbers of input that are gathered or padded at a time: what stays in a second-level cache beside some weights.
const BAND_NUMBERS: usize = (256 << 10) / size_of::<f32>();
/// Fewest pixels that are gathered at a time, however large they are, because each time reads all weights again.
const MIN_BAND_PIXELS: usize = 64;

/// Standard convolution: every output channel reads all input channels, under any window.
///
/// It is a matrix product, but the image is never unfolded as a whole (im2col), which would copy each number once for each
/// tap. Rows of a wide output are products of their own, whose input lies in the map or,
/// where there is padding, in a padded copy of a few rows; pixels of a narrow one are unfolded a band at a time.
pub(crate) struct StandardConvolution {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) matrix: PackedMatrix,
    pub(crate) window: Window,
    pub(crate) residual: Option<MapIndex>,
    pub(crate) activation: Activation,
    pub(crate) access: InputAccess,
}

/// Layout in which the product reads the input under a window.
pub(crate) enum InputAccess {
    /// Read from the map itself.
    Direct(Vec<Segment>),
    /// Read from a padded copy of the rows under some output rows.
    Padded { segments: Vec<Segment>, rows: usize, width: usize },
    /// Read from a copy of all numbers under each of some output pixels.
    Gathered { segment: Segment, pixels: usize },
}

impl InputAccess {
    /// Chooses the fastest layout for a window over `input`, whose pixels are `pixel_stride` numbers apart.
    pub(crate) fn new(window: Window, input: MapShape, pixel_stride: usize, output: MapShape) -> Self {
        let (kernel, channels) = (window.kernel, input.channels);
        if output.width < MIN_TILED_WIDTH {
            let length = kernel * kernel * channels;
            let pixels = (BAND_NUMBERS / length).max(MIN_BAND_PIXELS);
            return Self::Gathered { segment: Segment { offset: 0, length }, pixels };
        }
        let is_padded = window.padding != Default::default();
        let width = (output.width - 1) * window.stride + kernel;
        let (row, pixel) =
            if is_padded { (width * channels, channels) } else { (input.width * pixel_stride, pixel_stride) };
        let segments = (0..kernel).flat_map(|y| {
            let runs = if pixel == channels { 1 } else { kernel };
            (0..runs).map(move |x| Segment { offset: y * row + x * pixel, length: kernel / runs * channels })
        });
        let segments = segments.collect();
        if !is_padded {
            return Self::Direct(segments);
        }
        let input_rows = BAND_NUMBERS / row;
        let rows = (input_rows.saturating_sub(kernel) / window.stride + 1).min(output.height);
        Self::Padded { segments, rows, width }
    }
}

impl StandardConvolution {
    pub(crate) fn scratch(&self, channels: usize) -> ScratchLength {
        let own = match &self.access {
            InputAccess::Direct(_) => 0,
            InputAccess::Padded { rows, width, .. } => {
                ((rows - 1) * self.window.stride + self.window.kernel) * width * channels
            }
            InputAccess::Gathered { segment, pixels } => segment.length * pixels,
        };
        ScratchLength { shared: 0, own }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let work = Work { layer: self, input, output, residual: self.residual.map(|residual| run.view(residual)) };
        let lanes = run.lanes;
        let height = output.shape.height;
        let operations = output.groups() * self.matrix.depth;
        match &self.access {
            InputAccess::Gathered { segment, pixels } => {
                let all = output.frames * output.shape.pixels();
                let parts = run.parts(all.div_ceil(MIN_TILED_WIDTH), output.frames * operations);
                // SAFETY: parts are disjoint pixels of checked maps, and the scratch is the worker's own.
                run.split(parts, |index, own| unsafe {
                    work.gathered(lanes, part(all, parts, index), *pixels, segment, own);
                });
            }
            InputAccess::Direct(segments) => {
                let rows = output.frames * height;
                let parts = run.parts(rows, output.frames * operations);
                // SAFETY: parts are disjoint rows of checked maps.
                run.split(parts, |index, _| unsafe { work.direct(lanes, part(rows, parts, index), segments) });
            }
            InputAccess::Padded { segments, rows, width } => {
                let bands = height.div_ceil(*rows).max(run.parts(height, operations));
                run.split(output.frames * bands, |index, own| {
                    let band = part(height, bands, index % bands);
                    // SAFETY: parts are disjoint rows of checked maps, and the scratch is the worker's own.
                    unsafe { work.padded(lanes, (index / bands, band), *width, segments, own) };
                });
            }
        }
    }
}

/// Layer and its maps.
#[derive(Clone, Copy)]
struct Work<'a> {
    layer: &'a StandardConvolution,
    input: View,
    output: View,
    residual: Option<View>,
}

impl Work<'_> {
    /// Computes output pixels, counted over all frames, each from a copy of all numbers under it.
    ///
    /// # Safety
    /// The pixels must be inside the output, `scratch` as long as asked for.
    unsafe fn gathered<L: Tiles>(
        &self,
        lanes: L,
        mut pixels: Range<usize>,
        at_a_time: usize,
        segment: &Segment,
        scratch: *mut f32,
    ) {
        while !pixels.is_empty() {
            let count = pixels.len().min(at_a_time);
            // SAFETY: passed on to the caller.
            unsafe {
                self.gather(pixels.start, count, scratch);
                let segments = std::slice::from_ref(segment);
                self.multiply(lanes, (pixels.start, count), scratch, segment.length, segments);
            }
            pixels.start += count;
        }
    }

    /// Computes output rows, counted over all frames, from the map itself.
    ///
    /// # Safety
    /// The rows must be inside the output.
    unsafe fn direct<L: Tiles>(&self, lanes: L, rows: Range<usize>, segments: &[Segment]) {
        let (input, output, stride) = (self.input, self.output.shape, self.layer.window.stride);
        for row in rows {
            let (frame, y) = (row / output.height, row % output.height);
            let first = frame * input.shape.pixels() + y * stride * input.shape.width;
            let pixels = (row * output.width, output.width);
            // SAFETY: passed on to the caller; without padding, every window is inside the map.
            unsafe { self.multiply(lanes, pixels, input.pixel(first), stride * input.pixel_stride, segments) };
        }
    }

    /// Computes output rows of one frame from a padded copy, `width` pixels wide, of the rows under them.
    ///
    /// # Safety
    /// The rows must be inside the output, `scratch` as long as asked for.
    unsafe fn padded<L: Tiles>(
        &self,
        lanes: L,
        (frame, rows): (usize, Range<usize>),
        width: usize,
        segments: &[Segment],
        scratch: *mut f32,
    ) {
        let (output, stride) = (self.output.shape, self.layer.window.stride);
        let channels = self.input.shape.channels;
        // SAFETY: passed on to the caller.
        unsafe {
            self.pad(frame, rows.start, rows.len(), width, scratch);
            for (index, y) in rows.enumerate() {
                let from = scratch.add(index * stride * width * channels);
                let pixels = ((frame * output.height + y) * output.width, output.width);
                self.multiply(lanes, pixels, from, stride * channels, segments);
            }
        }
    }

    /// Writes the outputs of `pixels` (first, count), whose inputs begin at `from` and are `stride` numbers apart.
    ///
    /// # Safety
    /// The segments of all pixels must be valid for reading, the pixels be inside the output.
    unsafe fn multiply<L: Tiles>(
        &self,
        lanes: L,
        (first, count): (usize, usize),
        from: *const f32,
        stride: usize,
        segments: &[Segment],
    ) {
        let matrix = &self.layer.matrix;
        let product = Product {
            rows: count,
            input: from,
            input_stride: stride,
            segments,
            output: self.output.pixel(first),
            output_stride: self.output.pixel_stride,
            residual: self.residual.map_or(std::ptr::null(), |view| view.pixel(first).cast_const()),
            residual_stride: self.residual.map_or(0, |view| view.pixel_stride),
            activation: self.layer.activation,
        };
        // SAFETY: passed on to the caller.
        unsafe { multiply(lanes, &Columns::new(matrix, matrix.all_panels()), &product) }
    }

    /// Copies the padded rows under output rows `y..y + count` of a frame to `to`, channels without their padding.
    ///
    /// # Safety
    /// `to` must be valid for writing that many rows of `width` pixels.
    unsafe fn pad(&self, frame: usize, y: usize, count: usize, width: usize, to: *mut f32) {
        let Window { kernel, stride, padding } = self.layer.window;
        for row in 0..(count - 1) * stride + kernel {
            let to = to.wrapping_add(row * width * self.input.shape.channels);
            let input_row = (y * stride + row).wrapping_sub(padding.top);
            // SAFETY: passed on to the caller.
            unsafe { self.copy_run((frame, input_row, 0), padding.left, width, to) };
        }
    }

    /// Copies all numbers under `count` output pixels to `to`.
    ///
    /// # Safety
    /// `to` must be valid for writing them, the pixels be inside the output.
    unsafe fn gather(&self, first: usize, count: usize, to: *mut f32) {
        let Window { kernel, stride, padding } = self.layer.window;
        let shape = self.output.shape;
        for index in 0..count {
            let (frame, pixel) = ((first + index) / shape.pixels(), (first + index) % shape.pixels());
            let (y, x) = (pixel / shape.width * stride, pixel % shape.width * stride);
            for ky in 0..kernel {
                let run = kernel * self.input.shape.channels;
                let to = to.wrapping_add((index * kernel + ky) * run);
                let row = (y + ky).wrapping_sub(padding.top);
                // The window's left edge may be left of the map (padding to copy) or right of its first column.
                let (left, skipped) = (padding.left.saturating_sub(x), x.saturating_sub(padding.left));
                // SAFETY: passed on to the caller.
                unsafe { self.copy_run((frame, row, skipped), left, kernel, to) };
            }
        }
    }

    /// Writes `count` pixels: `left` of zeros, then those of a frame's row from a column on, then zeros; only zeros where the
    /// map has no such row.
    ///
    /// # Safety
    /// `to` must be valid for writing them.
    unsafe fn copy_run(&self, (frame, row, column): (usize, usize, usize), left: usize, count: usize, to: *mut f32) {
        let MapShape { channels, height, width } = self.input.shape;
        let inside = match row < height {
            true => count.saturating_sub(left).min(width.saturating_sub(column)),
            false => 0,
        };
        let left = if inside > 0 { left } else { count };
        let right = count - left - inside;
        // SAFETY: the pixels copied are inside the row, and `left + inside + right` is `count`.
        unsafe {
            to.write_bytes(0, left * channels);
            let to = to.add(left * channels);
            if inside > 0 {
                let from = self.input.frame(frame).add((row * width + column) * self.input.pixel_stride);
                if self.input.pixel_stride == channels {
                    to.copy_from_nonoverlapping(from, inside * channels);
                } else {
                    for pixel in 0..inside {
                        let from = from.add(pixel * self.input.pixel_stride);
                        to.add(pixel * channels).copy_from_nonoverlapping(from, channels);
                    }
                }
            }
            to.add(inside * channels).write_bytes(0, right * channels);
        }
    }
}
