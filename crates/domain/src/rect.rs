//! A rectangle of pixels.

use serde::{Deserialize, Serialize};

/// A rectangle of pixels with both corners inside it, as DICOM regions give it (PS3.3 C.8.5.5.1.2); columns and rows
/// count from 0 at the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelRect {
    /// Leftmost column.
    pub x0: u32,
    /// Topmost row.
    pub y0: u32,
    /// Rightmost column, included.
    pub x1: u32,
    /// Bottom row, included.
    pub y1: u32,
}

impl PixelRect {
    /// Returns the rectangle that covers an image of so many columns and rows, or `None` for an empty image.
    pub fn whole(columns: u32, rows: u32) -> Option<Self> {
        Some(Self { x0: 0, y0: 0, x1: columns.checked_sub(1)?, y1: rows.checked_sub(1)? })
    }

    /// Returns the number of columns, at least 1.
    pub fn width(&self) -> u32 {
        self.x1.saturating_sub(self.x0).saturating_add(1)
    }

    /// Returns the number of rows, at least 1.
    pub fn height(&self) -> u32 {
        self.y1.saturating_sub(self.y0).saturating_add(1)
    }

    /// Returns the number of pixels.
    pub fn area(&self) -> u64 {
        u64::from(self.width()) * u64::from(self.height())
    }

    /// Returns whether the pixel at `x`, `y` belongs to it.
    pub fn contains(&self, x: u32, y: u32) -> bool {
        (self.x0..=self.x1).contains(&x) && (self.y0..=self.y1).contains(&y)
    }

    /// Returns the part that two rectangles share.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let shared = Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        };
        (shared.x0 <= shared.x1 && shared.y0 <= shared.y1).then_some(shared)
    }

    /// Returns the part that lies on an image of so many columns and rows.
    pub fn within(&self, columns: u32, rows: u32) -> Option<Self> {
        self.intersection(&Self::whole(columns, rows)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect() -> impl Strategy<Value = PixelRect> {
        (0..40u32, 0..40u32, 0..40u32, 0..40u32).prop_map(|(x0, y0, width, height)| PixelRect {
            x0,
            y0,
            x1: x0 + width,
            y1: y0 + height,
        })
    }

    proptest! {
        #[test]
        fn a_pixel_of_the_intersection_is_a_pixel_of_both(a in rect(), b in rect(), x in 0..80u32, y in 0..80u32) {
            let shared = a.intersection(&b).is_some_and(|shared| shared.contains(x, y));
            prop_assert_eq!(shared, a.contains(x, y) && b.contains(x, y));
        }

        #[test]
        fn the_area_is_the_count_of_pixels(a in rect()) {
            let count = (0..80).flat_map(|y| (0..80).map(move |x| (x, y))).filter(|&(x, y)| a.contains(x, y)).count();
            prop_assert_eq!(a.area(), count as u64);
        }
    }

    #[test]
    fn corners_at_the_end_of_the_range_do_not_overflow() {
        let all = PixelRect { x0: 0, y0: 0, x1: u32::MAX, y1: u32::MAX };
        assert_eq!(all.width(), u32::MAX);
        assert_eq!(all.within(0, 5), None);
        assert_eq!(all.within(4, 5), PixelRect::whole(4, 5));
    }
}
