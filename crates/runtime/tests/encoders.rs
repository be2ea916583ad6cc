//! Whole encoders: all instruction sets, numbers of threads and batches agree.

#[path = "../examples/encoders/convnext.rs"]
mod convnext;
#[path = "../examples/encoders/densenet.rs"]
mod densenet;
#[path = "../examples/encoders/efficientnet.rs"]
mod efficientnet;
#[path = "../examples/encoders/layers.rs"]
mod layers;
#[path = "../examples/encoders/resnet.rs"]
mod resnet;
#[path = "../examples/encoders/xception.rs"]
mod xception;

use runtime::{InstructionSet, Map, NetworkBuilder, Result};

/// Runs an encoder on `count` frames one by one, in every set, and in batches on one to three threads, and compares all
/// with the portable kernels' first answer. Rounding adds up over a hundred layers, so more is allowed than for one.
fn compare(count: usize, build: impl Fn() -> Result<(NetworkBuilder, Map)>) {
    let mut expected: Option<Vec<f32>> = None;
    let mut sets: Vec<InstructionSet> = InstructionSet::available().collect();
    sets.reverse();
    for set in sets {
        let (builder, output) = build().unwrap();
        let network = builder.finish(output, set).unwrap();
        let (frame, result) = (network.frame_shape().numbers(), network.output_shape().numbers());
        let frames = layers::Layers::new(7).numbers(count * frame, 1.0);
        let mut one_by_one = vec![0.0; count * result];
        for (frame, result) in frames.chunks_exact(frame).zip(one_by_one.chunks_exact_mut(result)) {
            network.run(frame, 1, result, 1).unwrap();
        }
        let expected = &*expected.get_or_insert_with(|| one_by_one.clone());
        assert_close(expected, &one_by_one, set);
        for threads in 1..=3 {
            let mut batch = vec![0.0; count * result];
            network.run(&frames, count, &mut batch, threads).unwrap();
            assert_close(expected, &batch, set);
            let mut first = vec![0.0; result];
            network.run(&frames[..frame], 1, &mut first, threads).unwrap();
            assert_close(&expected[..result], &first, set);
        }
    }
}

fn assert_close(expected: &[f32], found: &[f32], set: InstructionSet) {
    let largest = expected.iter().fold(0f32, |largest, number| largest.max(number.abs()));
    assert!(largest > 1e-3, "numbers have faded to {largest}");
    for (expected, found) in expected.iter().zip(found) {
        assert!(
            (expected - found).abs() <= 3e-5 * largest,
            "{set:?}: {found} instead of {expected}, largest {largest}"
        );
    }
}

#[test]
fn efficientnets() {
    compare(5, || efficientnet::tiny(64));
    compare(2, || efficientnet::b2(75));
    compare(2, || efficientnet::v2_s(64));
}

#[test]
fn xception() {
    compare(3, || xception::xception(75));
}

#[test]
fn resnet50() {
    compare(2, || resnet::resnet50(70));
}

#[test]
fn densenet121() {
    compare(2, || densenet::densenet121(70));
}

#[test]
fn convnext_tiny() {
    compare(2, || convnext::tiny(70));
}

#[test]
fn a_network_may_run_on_several_threads_at_once() {
    let (builder, output) = efficientnet::tiny(64).unwrap();
    let network = builder.finish(output, InstructionSet::detect().unwrap()).unwrap();
    let frames = layers::Layers::new(3).numbers(6 * network.frame_shape().numbers(), 1.0);
    let mut expected = vec![0.0; 6 * network.output_shape().numbers()];
    network.run(&frames, 6, &mut expected, 1).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut found = vec![0.0; expected.len()];
                for _ in 0..5 {
                    network.run(&frames, 6, &mut found, 2).unwrap();
                    assert_eq!(found, expected);
                }
            });
        }
    });
}
