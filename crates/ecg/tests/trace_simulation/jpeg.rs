//! Effects of baseline JPEG on a picture: chroma at half width, 8x8 cosine blocks, quantized.

use super::canvas::Canvas;

const LUMA_TABLE: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];
/// Annex K of ISO 10918-1: chroma falls off to 99 quickly.
const CHROMA_TABLE_START: [[u16; 4]; 4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]];

/// Smears a picture as JPEG of a quality (1..100) with 4:2:2 or 4:2:0 chroma does.
pub fn smear(canvas: &mut Canvas, quality: u32, halve_rows: bool) {
    let (width, height) = (canvas.width, canvas.height);
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let quantizer = |base: u16| f32::from(((u32::from(base) * scale + 50) / 100).clamp(1, 255) as u16);
    let luma_table: Vec<f32> = LUMA_TABLE.iter().map(|q| quantizer(*q)).collect();
    let chroma_table: Vec<f32> = (0..64)
        .map(|i| {
            let (row, column) = (i / 8, i % 8);
            let inside = row < 4 && column < 4;
            quantizer(if inside { CHROMA_TABLE_START[row][column] } else { 99 })
        })
        .collect();
    let (mut luma, mut blue, mut red) = split(canvas);
    blocks(&mut luma, width, height, &luma_table);
    let rows = if halve_rows { 2 } else { 1 };
    for plane in [&mut blue, &mut red] {
        let (w, h) = (width.div_ceil(2), height.div_ceil(rows));
        let mut small = vec![0.0f32; w * h];
        for y in 0..h {
            for x in 0..w {
                let (mut sum, mut count) = (0.0, 0.0);
                for sy in (y * rows)..((y + 1) * rows).min(height) {
                    for sx in (x * 2)..(x * 2 + 2).min(width) {
                        sum += plane[sy * width + sx];
                        count += 1.0;
                    }
                }
                small[y * w + x] = sum / count;
            }
        }
        blocks(&mut small, w, h, &chroma_table);
        for y in 0..height {
            for x in 0..width {
                // Decoders interpolate halved chroma: three parts of the near sample, one of the next.
                let (near, odd) = (x / 2, x % 2);
                let next = if odd == 1 { (near + 1).min(w - 1) } else { near.saturating_sub(1) };
                let row = (y / rows) * w;
                plane[y * width + x] = 0.75 * small[row + near] + 0.25 * small[row + next];
            }
        }
    }
    for (index, pixel) in canvas.pixels.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (y, cb, cr) = (luma[index], blue[index], red[index]);
        pixel[0] = (y + 1.402 * cr).round().clamp(0.0, 255.0) as u8;
        pixel[1] = (y - 0.344_136 * cb - 0.714_136 * cr).round().clamp(0.0, 255.0) as u8;
        pixel[2] = (y + 1.772 * cb).round().clamp(0.0, 255.0) as u8;
    }
}

fn split(canvas: &Canvas) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (mut luma, mut blue, mut red) = (Vec::new(), Vec::new(), Vec::new());
    for [r, g, b] in canvas.pixels.as_chunks::<3>().0 {
        let (r, g, b) = (f32::from(*r), f32::from(*g), f32::from(*b));
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        luma.push(y);
        blue.push((b - y) * 0.564);
        red.push((r - y) * 0.713);
    }
    (luma, blue, red)
}

fn blocks(plane: &mut [f32], width: usize, height: usize, table: &[f32]) {
    let mut cosine = [[0.0f32; 8]; 8];
    for (k, row) in cosine.iter_mut().enumerate() {
        for (n, value) in row.iter_mut().enumerate() {
            let scale = if k == 0 { (1.0f32 / 8.0).sqrt() } else { 0.5 };
            let angle = (2 * n + 1) as f32 * k as f32 * std::f32::consts::PI / 16.0;
            *value = scale * angle.cos();
        }
    }
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            let at = |n: usize| (top + n / 8).min(height - 1) * width + (left + n % 8).min(width - 1);
            let mut block = [0.0f32; 64];
            for (n, value) in block.iter_mut().enumerate() {
                *value = plane[at(n)];
            }
            if block.iter().all(|v| *v == block[0]) {
                continue;
            }
            let mut freq = transform(&block, &cosine, false);
            for (value, q) in freq.iter_mut().zip(table) {
                *value = (*value / q).round() * q;
            }
            let back = transform(&freq, &cosine, true);
            for (n, value) in back.iter().enumerate() {
                if top + n / 8 < height && left + n % 8 < width {
                    plane[at(n)] = *value;
                }
            }
        }
    }
}

/// Two-dimensional cosine transform of a block, or back.
fn transform(block: &[f32; 64], cosine: &[[f32; 8]; 8], back: bool) -> [f32; 64] {
    let weight = |k: usize, n: usize| if back { cosine[n][k] } else { cosine[k][n] };
    let mut half = [0.0f32; 64];
    for row in 0..8 {
        for k in 0..8 {
            half[row * 8 + k] = (0..8).map(|n| weight(k, n) * block[row * 8 + n]).sum();
        }
    }
    let mut full = [0.0f32; 64];
    for column in 0..8 {
        for k in 0..8 {
            full[k * 8 + column] = (0..8).map(|n| weight(k, n) * half[n * 8 + column]).sum();
        }
    }
    full
}
