//! Changes files at random and gives them to a target: `mutate TARGET SECONDS SEED FILE...`.
//!
//! A panic ends the run with status 1 and leaves the input in the folder for temporary files; an abort or a hang is seen by
//! whoever started it. Inputs follow from the seed and their number.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, seconds, seed, files @ ..] = arguments.as_slice() else {
        return usage();
    };
    let target = fuzz::TARGETS.iter().find(|(name, _)| name == target).map(|(_, target)| *target);
    let (Some(target), Ok(seconds), Ok(seed)) = (target, seconds.parse(), seed.parse::<u64>()) else {
        return usage();
    };
    let corpus: Vec<Vec<u8>> = files.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    if corpus.is_empty() {
        return usage();
    }
    let (started, limit) = (Instant::now(), Duration::from_secs(seconds));
    let mut number = 0;
    while started.elapsed() < limit {
        let input = mutated(&corpus, &mut Random(seed.wrapping_mul(1 << 40).wrapping_add(number)));
        if catch_unwind(|| target(&input)).is_err() {
            let path = std::env::temp_dir().join(format!("fuzz-{seed}-{number}"));
            let kept = std::fs::write(&path, &input).map(|()| path.display().to_string());
            eprintln!("input {number} panics: {}", kept.unwrap_or_else(|error| error.to_string()));
            return ExitCode::FAILURE;
        }
        number += 1;
    }
    println!("{number} inputs, no crash");
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let names: Vec<&str> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    eprintln!("usage: mutate TARGET SECONDS SEED FILE...; targets: {}", names.join(", "));
    ExitCode::from(2)
}

/// Returns a file of the corpus with some changes: bytes and runs overwritten, left out, repeated, cut.
fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(8) {
        if bytes.is_empty() {
            break;
        }
        // Headers decide most and are short.
        let reach = if random.below(2) == 0 { bytes.len().min(512) } else { bytes.len() };
        let at = random.below(reach);
        let length = random.below(16).min(bytes.len() - at);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF][random.below(6)],
            2 => bytes[at..at + length].fill(0xFF),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}
