//! Draws the examples of a step's batch, as a function of the seed and the step alone.

use std::collections::BTreeMap;

use random::Stream;

/// Chooses the examples of each step.
pub(crate) struct Batches {
    seed: u64,
    length: usize,
    /// The examples to choose from, or one list a class where every class has the same share.
    pools: Vec<Vec<usize>>,
}

impl Batches {
    /// Batches of `length` from the examples `numbers`, whose classes are among `classes`; with `balanced` every class
    /// is drawn as often.
    pub(crate) fn new(seed: u64, length: usize, numbers: &[usize], classes: &[Option<usize>], balanced: bool) -> Self {
        let mut pools: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for &number in numbers {
            pools.entry(if balanced { classes[number] } else { None }).or_default().push(number);
        }
        Self { seed, length, pools: pools.into_values().collect() }
    }

    /// The examples of `step`.
    pub(crate) fn of(&self, step: usize) -> Vec<usize> {
        let first = step * self.length;
        (first..first + self.length).map(|drawn| self.drawn(drawn)).collect()
    }

    /// The `drawn`-th example since the beginning: pools in turns, each in a new order whenever it is used up.
    fn drawn(&self, drawn: usize) -> usize {
        let pools = self.pools.len();
        // Classes meet in another order in every round of turns.
        let mut order: Vec<usize> = (0..pools).collect();
        Stream::at_place(self.seed, "turns", &[(drawn / pools) as u64]).shuffle_by_remainder(&mut order);
        let pool = order[drawn % pools];
        let turn = drawn / pools;
        let examples = &self.pools[pool];
        let (epoch, place) = (turn / examples.len(), turn % examples.len());
        examples[permuted(self.seed, pool as u64, epoch as u64, place, examples.len())]
    }
}

/// Place `place` of a permutation of `length` numbers, without making the whole permutation: a Feistel network over the
/// next power of four, walked until it lands inside.
fn permuted(seed: u64, pool: u64, epoch: u64, place: usize, length: usize) -> usize {
    let half_bits = (usize::BITS - length.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1u64 << half_bits) - 1;
    let mut at = place as u64;
    loop {
        let (mut left, mut right) = (at >> half_bits, at & mask);
        for round in 0..4 {
            let mixed = Stream::at_place(seed, "order", &[pool, epoch, round, right]).bits() & mask;
            (left, right) = (right, left ^ mixed);
        }
        at = (left << half_bits) | right;
        if (at as usize) < length {
            return at as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn classes(of: &[usize]) -> Vec<Option<usize>> {
        of.iter().copied().map(Some).collect()
    }

    #[test]
    fn every_epoch_sees_every_example_once_in_another_order() {
        let classes = classes(&[0; 12]);
        let numbers: Vec<usize> = (0..12).collect();
        let batches = Batches::new(7, 4, &numbers, &classes, false);
        let epoch = |number: usize| (3 * number..3 * number + 3).flat_map(|step| batches.of(step)).collect::<Vec<_>>();
        assert_eq!(epoch(0).iter().collect::<BTreeSet<_>>().len(), 12);
        assert_eq!(epoch(1).iter().collect::<BTreeSet<_>>().len(), 12);
        assert_ne!(epoch(0), epoch(1));
        assert_eq!(batches.of(2), Batches::new(7, 4, &numbers, &classes, false).of(2));
    }

    #[test]
    fn balanced_batches_have_every_class_as_often() {
        let classes = classes(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
        let numbers: Vec<usize> = (0..10).collect();
        let batches = Batches::new(1, 6, &numbers, &classes, true);
        for step in 0..5 {
            let mut drawn: Vec<usize> = batches.of(step).into_iter().filter_map(|number| classes[number]).collect();
            drawn.sort_unstable();
            assert_eq!(drawn, [0, 0, 1, 1, 2, 2]);
        }
    }
}
