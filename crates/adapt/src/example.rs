//! Labelled loops as the vectors that the last layer sees.

/// One input of the last layer: a clip, or a frame where the model sees stills.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The beat's number; `None` where no beat is known.
    pub beat: Option<usize>,
    /// The vector, [C].
    pub vector: Vec<f32>,
}

/// A loop with a person's label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledLoop {
    /// Pseudonym of the patient: patients are never divided.
    pub patient: String,
    /// Study Instance UID.
    pub study: String,
    /// SOP Instance UID.
    pub loop_name: String,
    /// Index of the view; `None` if the loop shows none of the views.
    pub class: Option<usize>,
    /// The loop's samples, at least one.
    pub samples: Vec<Sample>,
}

impl LabelledLoop {
    /// Returns the mean of the samples, [C]: beats count alike, as they do when the loop is labelled.
    pub fn mean_vector(&self) -> Vec<f64> {
        let width = self.samples.first().map_or(0, |sample| sample.vector.len());
        let mut mean = vec![0.0; width];
        let beats: std::collections::BTreeSet<Option<usize>> = self.samples.iter().map(|sample| sample.beat).collect();
        for beat in &beats {
            let of_beat: Vec<&Sample> = self.samples.iter().filter(|sample| sample.beat == *beat).collect();
            let share = 1.0 / (of_beat.len() * beats.len()) as f64;
            for sample in of_beat {
                mean.iter_mut().zip(&sample.vector).for_each(|(sum, value)| *sum += share * f64::from(*value));
            }
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_count_alike() {
        let sample = |beat, value| Sample { beat: Some(beat), vector: vec![value] };
        let samples = vec![sample(0, 1.0), sample(0, 3.0), sample(1, 10.0)];
        let one = LabelledLoop {
            patient: "p".to_owned(),
            study: "s".to_owned(),
            loop_name: "l".to_owned(),
            class: None,
            samples,
        };
        assert_eq!(one.mean_vector(), [6.0]);
    }
}
