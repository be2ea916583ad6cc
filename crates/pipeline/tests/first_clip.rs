//! A pipeline whose first clip may suffice: the others are looked at only where it leaves doubt.

use std::path::Path;

use nn::DeviceChoice;
use phantom::{LoopIdentity, LoopSpec, View, write_loop};
use pipeline::{LoopLabel, Pipeline, PipelineSource};

const FILE: &str = r#"
name = "two-beats"
label_set = "tte11"
[sampling]
max_clips = 2
[prepare]
size = 96
[encoder]
name = "efficientnet_tiny"
[head]
name = "conv1d"
[fusion]
name = "gate"
[weights]
model = "tte11-tiny"
[aggregate]
clips = "mean_probability"
"#;

fn label(folder: &Path, keys: &str, path: &Path) -> LoopLabel {
    let file = folder.join("mine.toml");
    std::fs::write(&file, format!("{FILE}{keys}\n")).unwrap();
    let source = PipelineSource::named(file.to_str().unwrap(), folder).unwrap();
    Pipeline::open(&source, folder, DeviceChoice::Cpu).unwrap().label(path).unwrap()
}

#[test]
fn later_clips_are_looked_at_only_where_the_first_leaves_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.dcm");
    // Three seconds at 70 beats a minute.
    let spec = LoopSpec { size: (320, 240), frames: 120, ..LoopSpec::plain(View::Apical4, 3) };
    write_loop(&spec, &LoopIdentity::new(1, 1), &path).unwrap();
    let all = label(folder.path(), "abstain_below = 0.0", &path);
    assert_eq!((all.prediction.clips, all.prediction.frame_indexes.len()), (2, 12));

    let sure = label(folder.path(), "abstain_below = 0.0\nfirst_clip_suffices = 0.0", &path);
    assert_eq!((sure.prediction.clips, sure.prediction.frame_indexes.len()), (1, 6));
    assert_eq!(sure.prediction.frame_indexes[..], all.prediction.frame_indexes[..6]);
    assert!(sure.frames_decoded < all.frames_decoded, "{} {}", sure.frames_decoded, all.frames_decoded);

    for doubtful in ["abstain_below = 0.0\nfirst_clip_suffices = 1.0", "abstain_below = 1.0\nfirst_clip_suffices = 0.0"]
    {
        let doubtful = label(folder.path(), doubtful, &path);
        assert_eq!(doubtful.prediction.probabilities, all.prediction.probabilities);
        assert_eq!(doubtful.prediction.frame_indexes, all.prediction.frame_indexes);
        // Frames of the first clip are decoded once.
        assert_eq!(doubtful.frames_decoded, all.frames_decoded);
    }
}
