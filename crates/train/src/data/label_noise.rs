//! Labels made wrong on purpose, for the experiment that asks who finds them (Naidoo et al., Medical Image Analysis
//! 110, 2026, 104006).

use std::collections::BTreeMap;

use evaluate::label_noise::inject_within_groups;
use zoo::LabelSet;

use super::{Example, Split};
use crate::{Result, TrainError};

/// Groups of views whose labels stay as they are, as in EchoView47.
const UNTOUCHED: [&str; 2] = ["subcostal", "suprasternal"];

/// The class of every example, where `share` of the training loops of each group of views got another view of their
/// group.
///
/// Groups are those of the label set's coarsest grouping, or all its views where it has none. Clips of a loop stay
/// together; validation and test stay clean. The same `seed` gives the same labels.
///
/// # Errors
/// The label set has no coarse groups, or the share is not between 0 and 1.
pub fn noisy_classes(examples: &[Example], views: &LabelSet, share: f64, seed: u64) -> Result<Vec<Option<usize>>> {
    let mut label_of: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for example in examples.iter().filter(|example| example.split == Split::Train) {
        if let Some(class) = example.class {
            label_of.insert((&example.study, &example.source), class);
        }
    }
    let labels: Vec<usize> = label_of.values().copied().collect();
    let failed = |error: evaluate::EvaluateError| TrainError::LabelNoise(error.to_string());
    let noisy = inject_within_groups(&labels, &groups(views)?, share, seed).map_err(failed)?;
    label_of.values_mut().zip(noisy.labels).for_each(|(label, noisy)| *label = noisy);
    let class_of = |example: &Example| match example.split {
        Split::Train => label_of.get(&(example.study.as_str(), example.source.as_str())).copied(),
        Split::Validation | Split::Test => example.class,
    };
    Ok(examples.iter().map(class_of).collect())
}

/// The group of every view; `None` for one whose label stays.
fn groups(views: &LabelSet) -> Result<Vec<Option<usize>>> {
    let Some(coarsest) = views.groupings.last() else { return Ok(vec![Some(0); views.views.len()]) };
    let groups = views.groups(coarsest)?;
    let touched = |group: usize| !UNTOUCHED.contains(&groups.names[group].as_str());
    Ok(groups.of_views.iter().map(|&group| touched(group).then_some(group)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(source: usize, class: usize, split: Split) -> Example {
        let text = source.to_string();
        Example { patient: text.clone(), study: text.clone(), source: text, class: Some(class), frames: 1, split }
    }

    #[test]
    fn only_training_labels_change_and_clips_of_a_loop_together() {
        let views = LabelSet::named("tte47").unwrap();
        let subcostal = views.views.iter().position(|view| view.groups[1] == "subcostal").unwrap();
        let mut examples: Vec<Example> = (0..40).map(|number| example(number / 2, 3, Split::Train)).collect();
        examples.extend((40..60).map(|number| example(number, 3, Split::Test)));
        examples.extend((60..80).map(|number| example(number, subcostal, Split::Train)));
        let classes = noisy_classes(&examples, &views, 0.5, 7).unwrap();
        assert_eq!(classes, noisy_classes(&examples, &views, 0.5, 7).unwrap());
        let changed = |range: std::ops::Range<usize>| range.filter(|&at| classes[at] != examples[at].class).count();
        assert_eq!((changed(0..40), changed(40..60), changed(60..80)), (20, 0, 0));
        assert!((0..20).all(|number| classes[2 * number] == classes[2 * number + 1]));
        let coarse = views.groups("groups7").unwrap().of_views;
        assert!(classes[..40].iter().flatten().all(|&class| coarse[class] == coarse[3]));
    }
}
