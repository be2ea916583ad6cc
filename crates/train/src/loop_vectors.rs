use std::collections::BTreeMap;

use candle_core::Device;
use zoo::ModelCard;
use zoo::weights::TensorSource;

use crate::data::Example;
use crate::predict::vectors;
use crate::{DataSet, Result, Split};

/// A loop that shows a view, and the mean vector of its clips.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopVector {
    /// The view's index.
    pub class: usize,
    /// The mean over the loop's clips.
    pub vector: Vec<f32>,
    /// The index of the loop's first example in the data.
    pub example: usize,
}

/// Returns the vectors of the loops of one side that show a view, in the order of the data.
///
/// # Errors
/// If the weights are not the card's or a clip cannot be read.
pub fn loop_vectors(
    card: &ModelCard,
    weights: &dyn TensorSource,
    data: &DataSet,
    split: Split,
    device: &Device,
) -> Result<Vec<LoopVector>> {
    let examples = data.clips().examples();
    let mut numbers = data.of(split);
    numbers.retain(|&number| examples[number].class.is_some());
    let vectors = vectors(card, weights, data, &numbers, device)?;
    Ok(mean_by_loop(examples, numbers.into_iter().zip(vectors)))
}

fn mean_by_loop(examples: &[Example], vectors: impl Iterator<Item = (usize, Vec<f32>)>) -> Vec<LoopVector> {
    let mut place: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut sums: Vec<(LoopVector, f32)> = Vec::new();
    for (example, vector) in vectors {
        let of_clip = &examples[example];
        let Some(class) = of_clip.class else { continue };
        match place.get(&(of_clip.study.as_str(), of_clip.source.as_str())) {
            None => {
                place.insert((&of_clip.study, &of_clip.source), sums.len());
                sums.push((LoopVector { class, vector, example }, 1.0));
            }
            Some(&known) => {
                let (of_loop, clips) = &mut sums[known];
                of_loop.vector.iter_mut().zip(&vector).for_each(|(sum, value)| *sum += value);
                *clips += 1.0;
            }
        }
    }
    for (of_loop, clips) in &mut sums {
        of_loop.vector.iter_mut().for_each(|sum| *sum /= *clips);
    }
    sums.into_iter().map(|(of_loop, _)| of_loop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clips_of_a_loop_have_one_mean_and_other_studies_their_own() {
        let example = |study: &str, source: &str, class| Example {
            patient: study.to_owned(),
            study: study.to_owned(),
            source: source.to_owned(),
            class,
            frames: 1,
            split: Split::Train,
        };
        let examples = [
            example("a", "1", Some(0)),
            example("a", "2", None),
            example("b", "1", Some(1)),
            example("a", "1", Some(0)),
        ];
        let vectors = [(0, vec![1.0, 0.0]), (1, vec![9.0, 9.0]), (2, vec![5.0, 5.0]), (3, vec![3.0, 2.0])];
        let loops = mean_by_loop(&examples, vectors.into_iter());
        let expected = [(0, vec![2.0, 1.0], 0), (1, vec![5.0, 5.0], 2)];
        assert_eq!(loops, expected.map(|(class, vector, example)| LoopVector { class, vector, example }));
    }
}
