//! Boosted trees: sums of tables that a few comparisons index.

use std::sync::OnceLock;

use super::features::NAMES;

/// Comparisons of each tree; it has a value for each of their outcomes.
const DEPTH: usize = 4;
/// The trees that `tools/strip_classifier.py` fitted to simulated screens.
const FITTED: &str = include_str!("trees.txt");

/// Two sums of trees, of the same features.
#[derive(Debug, Default)]
pub(super) struct Trees {
    strip: Vec<Tree>,
    m_mode: Vec<Tree>,
}

#[derive(Debug)]
struct Tree {
    comparisons: [(usize, f32); DEPTH],
    values: [f32; 1 << DEPTH],
}

impl Trees {
    /// Returns the fitted trees, which are read once.
    pub(super) fn fitted() -> &'static Self {
        static TREES: OnceLock<Trees> = OnceLock::new();
        TREES.get_or_init(|| Self::parse(FITTED).unwrap_or_default())
    }

    /// Reads one tree a line: its sum, then name and threshold of each comparison, then the values. A comparison that is
    /// true sets its bit in the index of the value, the first one bit 0.
    fn parse(text: &str) -> Option<Self> {
        let mut trees = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let sum = words.next()?;
            let mut comparisons = [(0, 0.0); DEPTH];
            for (feature, threshold) in &mut comparisons {
                let name = words.next()?;
                *feature = NAMES.iter().position(|known| *known == name)?;
                *threshold = words.next()?.parse().ok()?;
            }
            let mut values = [0.0; 1 << DEPTH];
            for value in &mut values {
                *value = words.next()?.parse().ok()?;
            }
            let tree = Tree { comparisons, values };
            match sum {
                "strip" => trees.strip.push(tree),
                "m_mode" => trees.m_mode.push(tree),
                _ => return None,
            }
        }
        Some(trees)
    }

    /// Returns the log-odds that a part with these features is a strip.
    pub(super) fn strip_log_odds(&self, features: &[f32; NAMES.len()]) -> f32 {
        sum(&self.strip, features)
    }

    /// Returns the log-odds that a strip with these features is an M-mode and no spectrum.
    pub(super) fn m_mode_log_odds(&self, features: &[f32; NAMES.len()]) -> f32 {
        sum(&self.m_mode, features)
    }
}

fn sum(trees: &[Tree], features: &[f32; NAMES.len()]) -> f32 {
    let value = |tree: &Tree| {
        let bits = tree.comparisons.iter().enumerate();
        let index = bits.map(|(bit, (feature, threshold))| usize::from(features[*feature] > *threshold) << bit);
        tree.values[index.sum::<usize>()]
    };
    trees.iter().map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_trees_are_read() {
        let trees = Trees::parse(FITTED).expect("each line is a tree");
        assert!(trees.strip.len() >= 50 && trees.m_mode.len() >= 10);
    }

    #[test]
    fn comparisons_index_the_value() {
        let values: Vec<String> = (0..16).map(|value| value.to_string()).collect();
        let line = format!("strip fill 0.5 line 0.5 beat 0.5 width 0.5 {}", values.join(" "));
        let trees = Trees::parse(&line).expect("one tree");
        let mut features = [0.0; NAMES.len()];
        assert_eq!(trees.strip_log_odds(&features), 0.0);
        for (bit, name) in ["fill", "line", "beat", "width"].into_iter().enumerate() {
            features = [0.0; NAMES.len()];
            features[NAMES.iter().position(|known| *known == name).expect("a feature")] = 1.0;
            assert_eq!(trees.strip_log_odds(&features), f32::from(1_u8 << bit));
        }
        assert!(Trees::parse("strip unknown 0.5").is_none() && Trees::parse("other").is_none());
    }
}
