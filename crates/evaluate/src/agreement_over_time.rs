//! Agreement of a model with a person, while reviews went on.

use serde::Serialize;

/// A dozen of reviews, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dozen {
    /// Number of its first review, from 1.
    pub first: usize,
    /// Its reviews: twelve, fewer in the last.
    pub loops: usize,
    /// Loops that the model had called what the person calls them.
    pub agreed: usize,
}

/// Reviews of a dozen.
pub const DOZEN: usize = 12;

/// Counts how often a model agreed with a person, dozen by dozen; `agreed` is in the order of reading.
#[must_use]
pub fn dozens(agreed: &[bool]) -> Vec<Dozen> {
    let count = |(number, dozen): (usize, &[bool])| Dozen {
        first: 1 + number * DOZEN,
        loops: dozen.len(),
        agreed: dozen.iter().filter(|agreed| **agreed).count(),
    };
    agreed.chunks(DOZEN).enumerate().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dozens_count_the_rest_too() {
        let agreed: Vec<bool> = (0..15).map(|number| number % 3 == 0).collect();
        let expected = [Dozen { first: 1, loops: 12, agreed: 4 }, Dozen { first: 13, loops: 3, agreed: 1 }];
        assert_eq!(dozens(&agreed), expected);
    }
}
