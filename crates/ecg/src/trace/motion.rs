//! The moment that a column of a frame shows, for each way of drawing.

use super::head::EvenMotion;
use super::{HeadMotion, TraceStyle};

/// Motion of the trace and its head. A *position* counts columns of trace along time: 0 is what is newest (or under the
/// cursor) at frame 0, and a position divided by the columns per frame is a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Motion {
    /// Drawn from the left by a head; columns right of the head show the pass before.
    Head(EvenMotion),
    /// Drawn whole, a cursor moves along.
    Cursor(EvenMotion),
    /// The newest column stands still at the right, the trace moves to the left.
    Scroll { right: f64, columns_per_frame: f64 },
}

impl Motion {
    pub fn columns_per_frame(&self) -> f64 {
        match self {
            Self::Head(motion) | Self::Cursor(motion) => motion.columns_per_frame,
            Self::Scroll { columns_per_frame, .. } => *columns_per_frame,
        }
    }

    /// Position that a column shows in a frame.
    pub fn position(&self, column: f64, frame: u32) -> f64 {
        let frame = f64::from(frame);
        match self {
            Self::Head(motion) => {
                let head = motion.unwrapped(frame);
                let behind = if motion.wraps || column > head + 2.0 {
                    // The head's own column may be drawn a little ahead of the fitted motion.
                    (head + 2.0 - column).rem_euclid(motion.pass.1) - 2.0
                } else {
                    head - column
                };
                head - behind - motion.at_frame_0
            }
            Self::Cursor(motion) => column - motion.at_frame_0,
            Self::Scroll { right, columns_per_frame } => frame * columns_per_frame - (right - column),
        }
    }

    /// Returns whether a column is so near to the head that a mark of the head may hide what is drawn there.
    pub fn is_at_head(&self, position: f64, frame: u32) -> bool {
        let head = self.columns_per_frame() * f64::from(frame);
        match self {
            Self::Head(_) => (position - head).abs() <= 6.0,
            Self::Cursor(_) => (position - head).abs() <= 3.0,
            Self::Scroll { .. } => (position - head).abs() <= 2.0,
        }
    }

    /// Returns the frame (fractional) at which the head is at a position.
    pub fn frame_at(&self, position: f64) -> f64 {
        position / self.columns_per_frame()
    }

    /// Returns the frames at which the head is at a position: one, but all passes of a cursor that starts again at the
    /// left.
    pub fn frames_at(&self, position: f64, last_frame: f64) -> Vec<f64> {
        let frame = self.frame_at(position);
        match self {
            Self::Cursor(motion) if motion.wraps => {
                let frames_of_a_pass = self.frame_at(motion.pass.1);
                let passes = (last_frame / frames_of_a_pass) as i32 + 2;
                (-1..=passes)
                    .map(|pass| frame + f64::from(pass) * frames_of_a_pass)
                    .filter(|f| *f >= -frames_of_a_pass && *f <= last_frame + frames_of_a_pass)
                    .collect()
            }
            _ => vec![frame],
        }
    }

    /// Returns the column at which a frame shows a position, if it does.
    pub fn column_of(&self, position: f64, frame: u32) -> Option<f64> {
        let column = match self {
            Self::Head(motion) => {
                let (first, width) = motion.pass;
                let column = position + motion.at_frame_0;
                first + (column - first).rem_euclid(width)
            }
            Self::Cursor(motion) => position + motion.at_frame_0,
            Self::Scroll { .. } => position - self.position(0.0, frame),
        };
        let shown = self.position(column, frame);
        ((shown - position).abs() < 3.0).then_some(column)
    }

    /// Returns the motion for the caller: columns counted in the whole image.
    pub fn head_motion(&self, left: f64) -> HeadMotion {
        match self {
            Self::Head(motion) | Self::Cursor(motion) => HeadMotion {
                column_at_frame_0: left + motion.column(0.0),
                columns_per_frame: motion.columns_per_frame,
                pass: motion.wraps.then_some((left + motion.pass.0, motion.pass.1)),
            },
            Self::Scroll { right, columns_per_frame } => {
                HeadMotion { column_at_frame_0: left + right, columns_per_frame: *columns_per_frame, pass: None }
            }
        }
    }
}

/// A way of drawing together with its motion; no motion for a still trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drawing {
    pub style: TraceStyle,
    pub motion: Option<Motion>,
}
