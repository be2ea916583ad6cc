//! An image brought to another size in the ways of the frameworks that models were trained with.

mod cubic;
mod nearest;
mod opencv;
mod separable;
mod taps;
mod two_nearest;

use zoo::Resize;

use crate::pixels::ImageView;
use taps::{Center, Taps, triangle};
use two_nearest::{tensorflow_position, torch_position, two_nearest};

/// Resizes one channel of the view to [height, width], values 0 to 255; the modes that work in floating point leave them
/// unrounded.
///
/// `channel` says what of each RGB pixel is resized: one of the three, or a gray value made of them.
pub fn resize(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    (height, width): (usize, usize),
    how: Resize,
) -> Vec<f32> {
    let antialiased = |center: Center| {
        let axis = |source, target| -> Vec<Taps<f32>> {
            triangle(source, target, center).iter().map(|taps| taps.map(|weight| weight as f32)).collect()
        };
        (axis(view.width, width), axis(view.height, height))
    };
    match how {
        Resize::Pillow => {
            let axis = |source, target| triangle(source, target, Center::Double);
            floats(&separable::fixed_point(view, channel, &axis(view.width, width), &axis(view.height, height)))
        }
        Resize::PillowNearest => floats(&nearest::nearest(view, channel, (height, width))),
        Resize::Opencv => floats(&opencv::linear(view, channel, (height, width))),
        Resize::OpencvArea => floats(&opencv::area(view, channel, (height, width))),
        Resize::OpencvCubic => floats(&cubic::cubic(view, channel, (height, width))),
        Resize::Tensorflow => two_nearest(view, channel, (height, width), tensorflow_position),
        Resize::TorchFloatNoAntialias => two_nearest(view, channel, (height, width), torch_position),
        Resize::TorchvisionNoAntialias => rounded(two_nearest(view, channel, (height, width), torch_position)),
        Resize::TensorflowAntialias => {
            let (across, down) = antialiased(Center::SingleInverse);
            separable::float(view, channel, &across, &down)
        }
        Resize::TorchFloat => {
            let (across, down) = antialiased(Center::Single);
            separable::float(view, channel, &across, &down)
        }
        Resize::Torchvision => {
            let (across, down) = antialiased(Center::Single);
            rounded(separable::float(view, channel, &across, &down))
        }
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte)).collect()
}

/// As torch rounds: halves to the even number.
fn rounded(mut values: Vec<f32>) -> Vec<f32> {
    values.iter_mut().for_each(|value| *value = value.round_ties_even().clamp(0.0, 255.0));
    values
}
