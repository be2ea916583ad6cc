use std::ops::Range;

use super::numbers;
use crate::activation::Activation;
use crate::gemm::quantized::{QuantizedColumns, QuantizedMatrix, QuantizedProduct, multiply_quantized};
use crate::gemm::{Segment, Tiles, part};
use crate::layers::{MapIndex, Run, ScratchLength, View};
use crate::quantization::QuantizeRows;
use crate::shape::{MapShape, Window};

/// Bytes of quantized input that exist at a time: what stays in a second-level cache beside a panel of weights.
const BAND_BYTES: usize = 192 << 10;
/// Fewest outputs of a band, however large their input is, because each band reads all weights again.
const MIN_BAND_PIXELS: usize = 64;
/// Fewest rows of a thread's part of a product: fewer would not repay reading the weights.
const MIN_ROWS: usize = 24;

/// Int8 convolution over all channels, with a residual and an activation.
pub(crate) struct QuantizedConvolution {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// Weights of rows (ky, kx, channel), channels padded as [`Self::row_channels`] says.
    pub(crate) matrix: QuantizedMatrix,
    pub(crate) window: Window,
    pub(crate) residual: Option<MapIndex>,
    /// Map of one pixel by which the input's channels are multiplied.
    pub(crate) gates: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl QuantizedConvolution {
    /// Returns the channels that a pixel has in the rows of the matrix: larger windows multiply several pixels in one run,
    /// which lie as far apart as those of the padded map.
    pub(crate) fn row_channels(window: Window, input: MapShape) -> usize {
        if window.kernel == 1 { input.channels } else { input.padded_channels() }
    }

    pub(crate) fn scratch(&self, input: MapShape, output: MapShape) -> ScratchLength {
        let bytes = match self.window.kernel {
            1 => self.band_pixels(input) * input.padded_channels(),
            _ => self.input_rows(self.band_rows(input, output)) * self.row_bytes(input, output),
        };
        ScratchLength { shared: 0, own: numbers(bytes) }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let work = Work {
            layer: self,
            input: run.view(self.input),
            output: run.view(self.output),
            residual: self.residual.map(|residual| run.view(residual)),
            gates: self.gates.map(|gates| run.view(gates)),
        };
        let lanes = run.lanes;
        let shape = work.output.shape;
        let operations = work.output.frames * work.output.groups() * self.matrix.depth / 4;
        if self.window.kernel == 1 {
            let pixels = work.output.frames * shape.pixels();
            let parts = run.parts(pixels.div_ceil(MIN_ROWS), operations);
            // SAFETY: parts are disjoint pixels of checked maps, and the scratch is the worker's own.
            run.split(parts, |index, own| unsafe { work.pixels(lanes, part(pixels, parts, index), own) });
        } else {
            let bands = shape.height.div_ceil(self.band_rows(work.input.shape, shape));
            let bands = bands.max(run.parts(shape.height, operations));
            run.split(work.output.frames * bands, |index, own| {
                let band = part(shape.height, bands, index % bands);
                // SAFETY: parts are disjoint rows of checked maps, and the scratch is the worker's own.
                unsafe { work.rows(lanes, index / bands, band, own) };
            });
        }
    }

    /// Returns the pixels of a 1x1 convolution's input that are quantized together.
    fn band_pixels(&self, input: MapShape) -> usize {
        (BAND_BYTES / input.padded_channels()).max(MIN_BAND_PIXELS)
    }

    /// Returns the output rows of a larger window that are computed together.
    fn band_rows(&self, input: MapShape, output: MapShape) -> usize {
        let input_rows = BAND_BYTES / self.row_bytes(input, output);
        (input_rows.saturating_sub(self.window.kernel) / self.window.stride + 1).min(output.height)
    }

    /// Returns the input rows under so many output rows.
    fn input_rows(&self, output_rows: usize) -> usize {
        (output_rows - 1) * self.window.stride + self.window.kernel
    }

    /// Returns the pixels of a padded input row that are used.
    fn row_width(&self, output: MapShape) -> usize {
        (output.width - 1) * self.window.stride + self.window.kernel
    }

    fn row_bytes(&self, input: MapShape, output: MapShape) -> usize {
        self.row_width(output) * input.padded_channels()
    }
}

/// Layer and its maps.
#[derive(Clone, Copy)]
struct Work<'a> {
    layer: &'a QuantizedConvolution,
    input: View,
    output: View,
    residual: Option<View>,
    gates: Option<View>,
}

impl Work<'_> {
    /// Computes output pixels of a 1x1 convolution, counted over all frames.
    ///
    /// # Safety
    /// The pixels must be inside the output, `scratch` as long as asked for.
    unsafe fn pixels<L: Tiles>(&self, lanes: L, pixels: Range<usize>, scratch: *mut f32) {
        let quantized = scratch.cast::<u8>();
        let stride = self.input.shape.padded_channels();
        let segments = [Segment { offset: 0, length: self.layer.matrix.depth }];
        let bands = pixels.len().div_ceil(self.layer.band_pixels(self.input.shape));
        for band in 0..bands {
            let band = part(pixels.len(), bands, band);
            let (first, count) = (pixels.start + band.start, band.len());
            // SAFETY: passed on to the caller; a band fits into the scratch.
            unsafe {
                self.gather(lanes, first, count, quantized);
                self.multiply((first, count), quantized, stride, &segments);
            }
        }
    }

    /// Quantizes the pixels under `count` outputs of a 1x1 convolution.
    ///
    /// # Safety
    /// `to` must be valid for writing their padded channels.
    unsafe fn gather<L: Tiles>(&self, lanes: L, first: usize, count: usize, to: *mut u8) {
        let stride = self.layer.window.stride;
        let shape = self.output.shape;
        let channels = self.input.shape.padded_channels();
        // Longest run of pixels at equal distances in the input: a frame, or a row where a stride skips some.
        let run = if stride == 1 { shape.pixels() } else { shape.width };
        let (mut done, end) = (first, first + count);
        while done < end {
            let rows = (run - done % run).min(end - done);
            let (frame, pixel) = (done / shape.pixels(), done % shape.pixels());
            let pixel = match stride {
                1 => pixel,
                _ => pixel / shape.width * stride * self.input.shape.width + pixel % shape.width * stride,
            };
            let kernel = QuantizeRows {
                quantization: self.layer.matrix.input,
                from: self.input.frame(frame).wrapping_add(pixel * self.input.pixel_stride),
                from_stride: stride * self.input.pixel_stride,
                to: to.wrapping_add((done - first) * channels),
                to_stride: channels,
                rows,
                width: channels,
                factors: self.gates.map_or(std::ptr::null(), |gates| gates.frame(frame).cast_const()),
            };
            // SAFETY: the pixels are inside the frame, as the window has no padding; gates have as many channels.
            unsafe { lanes.call(kernel) };
            done += rows;
        }
    }

    /// Computes output rows of a frame, for windows larger than a pixel.
    ///
    /// # Safety
    /// The rows must be inside the output, `scratch` as long as asked for.
    unsafe fn rows<L: Tiles>(&self, lanes: L, frame: usize, rows: Range<usize>, scratch: *mut f32) {
        let (input, output, layer) = (self.input.shape, self.output.shape, self.layer);
        let Window { kernel, stride, .. } = layer.window;
        let row_bytes = layer.row_bytes(input, output);
        let channels = input.padded_channels();
        let segments: Vec<Segment> =
            (0..kernel).map(|y| Segment { offset: y * row_bytes, length: kernel * channels }).collect();
        let bands = rows.len().div_ceil(layer.band_rows(input, output));
        for band in 0..bands {
            let band = part(rows.len(), bands, band);
            let band = rows.start + band.start..rows.start + band.end;
            let quantized = scratch.cast::<u8>();
            // SAFETY: passed on to the caller; a band fits into the scratch.
            unsafe {
                for row in 0..layer.input_rows(band.len()) {
                    self.pad(lanes, frame, band.start * stride + row, quantized.wrapping_add(row * row_bytes));
                }
                for (index, y) in band.enumerate() {
                    let pixels = ((frame * output.height + y) * output.width, output.width);
                    self.multiply(pixels, quantized.add(index * stride * row_bytes), stride * channels, &segments);
                }
            }
        }
    }

    /// Quantizes row `padded_row` of a frame, counted from the first row of padding.
    ///
    /// # Safety
    /// `to` must be valid for writing a padded row.
    unsafe fn pad<L: Tiles>(&self, lanes: L, frame: usize, padded_row: usize, to: *mut u8) {
        let MapShape { height, width, .. } = self.input.shape;
        let padding = self.layer.window.padding;
        let channels = self.input.shape.padded_channels();
        let row_width = self.layer.row_width(self.output.shape);
        let zero = self.layer.matrix.input.zero_point;
        let y = padded_row.wrapping_sub(padding.top);
        let inside = if y < height { width.min(row_width.saturating_sub(padding.left)) } else { 0 };
        let left = padding.left.min(row_width);
        // SAFETY: `left + inside` is at most the row's width, and the pixels are inside the frame.
        unsafe {
            to.write_bytes(zero, left * channels);
            if inside > 0 {
                let kernel = QuantizeRows {
                    quantization: self.layer.matrix.input,
                    from: self.input.frame(frame).add(y * width * self.input.pixel_stride),
                    from_stride: self.input.pixel_stride,
                    to: to.add(left * channels),
                    to_stride: channels,
                    rows: inside,
                    width: channels,
                    factors: std::ptr::null(),
                };
                lanes.call(kernel);
            }
            to.add((left + inside) * channels).write_bytes(zero, (row_width - left - inside) * channels);
        }
    }

    /// Writes the outputs of `pixels` (first, count), whose inputs begin at `from` and are `stride` bytes apart.
    ///
    /// # Safety
    /// The segments of all pixels must be valid for reading, the pixels be inside the output.
    unsafe fn multiply(&self, (first, count): (usize, usize), from: *const u8, stride: usize, segments: &[Segment]) {
        let matrix = &self.layer.matrix;
        let product = QuantizedProduct {
            rows: count,
            input: from,
            input_stride: stride,
            segments,
            output: self.output.pixel(first),
            output_stride: self.output.pixel_stride,
            output_quantization: self.output.quantization,
            residual: self.residual.map_or(std::ptr::null(), |view| view.pixel(first).cast_const()),
            residual_stride: self.residual.map_or(0, |view| view.pixel_stride),
            activation: self.layer.activation,
        };
        // SAFETY: passed on to the caller.
        unsafe { multiply_quantized(&QuantizedColumns::new(matrix, matrix.all_panels()), &product) }
    }
}
