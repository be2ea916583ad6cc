//! An image brought to another size in the ways of the frameworks that models were trained with.

mod nearest;
mod opencv;
mod separable;
mod taps;

use super::image::Cut;
use super::preparation::Resize;
use separable::Rows;
use taps::{Centre, Taps, triangle, two_nearest};

/// Resizes the cut to [height, width, C], values 0 to 255; only modes that work in floating point leave them unrounded.
///
/// `channels` says what of each RGB pixel is resized: all three, or one gray value.
pub(crate) fn resize<const C: usize>(
    cut: &Cut<'_>,
    channels: impl Fn(&[u8; 3]) -> [u8; C],
    (height, width): (usize, usize),
    how: Resize,
) -> Rows<f32, C> {
    let antialiased = |centre: Centre| {
        let axis = |source, target| -> Vec<Taps<f32>> {
            triangle(source, target, centre).iter().map(|taps| taps.map(|weight| weight as f32)).collect()
        };
        (axis(cut.width, width), axis(cut.height, height))
    };
    let plain = || (two_nearest(cut.width, width), two_nearest(cut.height, height));
    match how {
        Resize::Pillow => {
            let axis = |source, target| triangle(source, target, Centre::Double);
            bytes(separable::fixed_point(cut, channels, &axis(cut.width, width), &axis(cut.height, height)))
        }
        Resize::PillowNearest => bytes(nearest::nearest(cut, channels, (height, width))),
        Resize::Opencv => bytes(opencv::linear(cut, channels, (height, width))),
        Resize::OpencvArea => bytes(opencv::area(cut, channels, (height, width))),
        Resize::Tensorflow | Resize::TorchFloatNoAntialias => {
            let (across, down) = plain();
            separable::float(cut, channels, &across, &down)
        }
        Resize::TorchvisionNoAntialias => {
            let (across, down) = plain();
            rounded(separable::float(cut, channels, &across, &down))
        }
        Resize::TensorflowAntialias => {
            let (across, down) = antialiased(Centre::SingleInverse);
            separable::float(cut, channels, &across, &down)
        }
        Resize::TorchFloat => {
            let (across, down) = antialiased(Centre::Single);
            separable::float(cut, channels, &across, &down)
        }
        Resize::Torchvision => {
            let (across, down) = antialiased(Centre::Single);
            rounded(separable::float(cut, channels, &across, &down))
        }
    }
}

fn bytes<const C: usize>(rows: Rows<u8, C>) -> Rows<f32, C> {
    rows.into_iter().map(|pixel| pixel.map(f32::from)).collect()
}

/// As torch rounds: halves to the even number.
fn rounded<const C: usize>(mut rows: Rows<f32, C>) -> Rows<f32, C> {
    rows.as_flattened_mut().iter_mut().for_each(|value| *value = value.round_ties_even().clamp(0.0, 255.0));
    rows
}
