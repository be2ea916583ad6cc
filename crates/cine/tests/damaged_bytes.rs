//! Whatever happens to a file's bytes, reading it gives a value or a named error.

mod common;

use cine::Loop;
use common::build::{Fragmenting, encapsulated_file, native_file};
use domain::FindingCode;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

/// Opens the bytes and asks for everything; only a panic or a hang can fail.
fn read_everything(file: Vec<u8>) {
    let Ok(mut opened) = Loop::from_bytes(file) else {
        return;
    };
    let frames = opened.header().frames;
    for index in [0, 1, frames / 2, frames.saturating_sub(1), frames, u32::MAX] {
        if let Ok(frame) = opened.frame(index) {
            assert_eq!(frame.pixels().len(), frame.width() as usize * frame.height() as usize * 3);
        }
    }
    opened.sector();
    let _ = opened.mode();
    let timing = &opened.header().timing;
    assert!(timing.frame_time_ms().is_finite() && timing.frame_time_ms() > 0.0);
    assert!(timing.frame_at_ms(timing.duration_ms()).is_finite());
}

fn small_files() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(native_file(6, 8, 5)),
        Just(encapsulated_file(6, 8, 5, Fragmenting::WithTable)),
        Just(encapsulated_file(6, 8, 5, Fragmenting::WithoutTable)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn flipped_bytes(file in small_files(), flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..40)) {
        let mut file = file;
        for (position, byte) in flips {
            // The preamble means nothing: flips go where the elements are.
            let at = 128 + position.index(file.len() - 128);
            file[at] = byte;
        }
        read_everything(file);
    }

    #[test]
    fn cut_files(file in small_files(), end in any::<proptest::sample::Index>()) {
        let mut file = file;
        file.truncate(end.index(file.len()));
        read_everything(file);
    }

    #[test]
    fn moved_pieces(file in small_files(), from in any::<proptest::sample::Index>(), to in any::<proptest::sample::Index>(), length in 1_usize..64) {
        let mut file = file;
        let (from, to) = (from.index(file.len()), to.index(file.len()));
        let piece: Vec<u8> = file.iter().skip(from).take(length).copied().collect();
        file.splice(to..to, piece);
        read_everything(file);
    }

    #[test]
    fn noise_behind_the_mark(noise in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        file.extend(noise);
        read_everything(file);
    }
}

#[test]
fn the_generated_files_are_sound() {
    for file in [native_file(6, 8, 5), encapsulated_file(6, 8, 5, Fragmenting::WithTable)] {
        let mut opened = Loop::from_bytes(file).expect("it opens");
        assert!(
            opened.findings().iter().all(|finding| finding.code == FindingCode::TimingDisagreesWithRWaves),
            "{:?}",
            opened.findings()
        );
        assert_eq!(opened.header().frames, 5);
        let frame = opened.frame(3).expect("it decodes");
        assert!(frame.pixels().iter().all(|level| *level == 3));
    }
}
