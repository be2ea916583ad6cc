//! Changes weight files at random and reads them: `fuzz SECONDS SEED FILE...`.
//!
//! A panic, a peak of memory above 8 times the input's length and 1 MiB, or an input that takes longer than
//! [`LIMIT_SECONDS`] is a finding: the input is written to the folder for temporary files, and the run ends with status 1.
//! Inputs follow from the seed and their number, so a run that the system kills can be repeated.

#[path = "../tests/common/archive.rs"]
mod archive;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use archive::archive;
use checkpoint::read_bytes;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// No input of these sizes (100 kB) may take longer, on a machine that others use as well.
const LIMIT_SECONDS: u64 = 10;

/// The number of the input that is being read; `u64::MAX` between inputs.
static READING: AtomicU64 = AtomicU64::new(u64::MAX);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(Ok(seconds)), Some(Ok(seed)), Some(files)) = (
        arguments.first().map(|text| text.parse::<u64>()),
        arguments.get(1).map(|text| text.parse::<u64>()),
        arguments.get(2..).filter(|files| !files.is_empty()),
    ) else {
        eprintln!("usage: fuzz SECONDS SEED FILE...");
        return ExitCode::from(2);
    };
    let corpus: Vec<Seed> = files
        .iter()
        .map(|path| std::fs::read(path).expect("a readable file"))
        .map(|bytes| Seed { entries: entries(&bytes).unwrap_or_default(), bytes })
        .collect();
    std::thread::spawn(watch);

    let started = Instant::now();
    let mut summary = Summary::default();
    let mut number = 0;
    while started.elapsed() < Duration::from_secs(seconds) {
        let input = mutate(&corpus, &mut Random(seed.wrapping_mul(1 << 40).wrapping_add(number)));
        if !summary.read(number, &input) {
            return ExitCode::FAILURE;
        }
        number += 1;
        if number.is_multiple_of(100_000) {
            summary.print(started.elapsed());
        }
    }
    summary.print(started.elapsed());
    ExitCode::SUCCESS
}

/// Ends the process when one input takes too long.
fn watch() {
    let mut seen = (u64::MAX, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let reading = READING.load(Ordering::Relaxed);
        if reading != seen.0 {
            seen = (reading, Instant::now());
        } else if reading != u64::MAX && seen.1.elapsed() > Duration::from_secs(LIMIT_SECONDS) {
            eprintln!("input {reading} takes longer than {LIMIT_SECONDS} s");
            std::process::exit(1);
        }
    }
}

#[derive(Default)]
struct Summary {
    inputs: u64,
    read: u64,
    /// The most memory beyond the input, in multiples of its length after 1 MiB was taken off.
    most_memory: f64,
    slowest: Duration,
    /// Number and length of the slowest input.
    slowest_input: (u64, usize),
}

impl Summary {
    /// Reads one input; false where that is a finding.
    fn read(&mut self, number: u64, input: &[u8]) -> bool {
        READING.store(number, Ordering::Relaxed);
        let (started, before) = (Instant::now(), MEMORY.current_usage());
        MEMORY.reset_peak_usage();
        let outcome = catch_unwind(|| read_bytes(input, "fuzz").is_ok());
        let memory = MEMORY.peak_usage().saturating_sub(before).saturating_sub(1 << 20);
        READING.store(u64::MAX, Ordering::Relaxed);

        self.inputs += 1;
        self.read += u64::from(matches!(outcome, Ok(true)));
        if started.elapsed() > self.slowest {
            (self.slowest, self.slowest_input) = (started.elapsed(), (number, input.len()));
        }
        self.most_memory = self.most_memory.max(memory as f64 / input.len().max(1) as f64);
        let finding = match outcome {
            Err(_) => "panics",
            Ok(_) if memory > 8 * input.len() => "takes too much memory",
            Ok(_) => return true,
        };
        let path = std::env::temp_dir().join(format!("checkpoint-fuzz-{number}"));
        let written = std::fs::write(&path, input);
        eprintln!("input {number} {finding} ({memory} bytes above 1 MiB): {} {written:?}", path.display());
        false
    }

    fn print(&self, elapsed: Duration) {
        println!(
            "{:.0} s: {} inputs, {} still read, slowest {:.3} s (input {} of {} bytes), memory above 1 MiB at most {:.2} times the input",
            elapsed.as_secs_f64(),
            self.inputs,
            self.read,
            self.slowest.as_secs_f64(),
            self.slowest_input.0,
            self.slowest_input.1,
            self.most_memory
        );
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A file to start from: as it is, and cut into entries where it is a zip archive.
struct Seed {
    bytes: Vec<u8>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A file of the corpus with up to eight changes.
///
/// Where a change would be refused at the gate, the gate is often opened: changes to an entry of a zip archive come with
/// the right directory and checksums, and an HDF5 file that became longer or shorter says so.
fn mutate(corpus: &[Seed], random: &mut Random) -> Vec<u8> {
    let seed = &corpus[random.below(corpus.len())];
    if !seed.entries.is_empty() && random.below(4) != 0 {
        let mut entries = seed.entries.clone();
        // The first entries are the pickle and its like; storages have no structure.
        let index = if random.below(2) == 0 { 0 } else { random.below(entries.len()) };
        entries[index].1 = change_some(entries[index].1.clone(), corpus, random);
        return archive(&entries);
    }
    let mut bytes = change_some(seed.bytes.clone(), corpus, random);
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n\0") && random.below(4) != 0 {
        let length = bytes.len() as u64;
        if let Some(end_of_file) = bytes.get_mut(40..48) {
            end_of_file.copy_from_slice(&length.to_le_bytes());
        }
    }
    bytes
}

fn change_some(mut bytes: Vec<u8>, corpus: &[Seed], random: &mut Random) -> Vec<u8> {
    // Structure is denser in the first and last kilobytes than among the numbers.
    let window = if random.below(2) == 0 { bytes.len() } else { bytes.len().min(4096) };
    let from_end = random.below(3) == 0;
    for _ in 0..=random.below(8) {
        let near = random.below(window.min(bytes.len()));
        let at = if from_end { bytes.len().saturating_sub(1 + near) } else { near };
        change(&mut bytes, at, corpus, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, at: usize, corpus: &[Seed], random: &mut Random) {
    const NUMBERS: [u64; 14] =
        [0, 1, 2, 7, 8, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, u64::MAX];
    let Some(byte) = bytes.get_mut(at) else { return };
    match random.below(10) {
        0 | 1 => *byte ^= 1 << random.below(8),
        2 => *byte = random.next() as u8,
        3 => *byte = byte.wrapping_add(1),
        4 | 5 => {
            let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
            let width = [1, 2, 4, 8][random.below(4)];
            for (byte, new) in bytes[at..].iter_mut().zip(&number[..width]) {
                *byte = *new;
            }
        }
        6 => {
            let (from, length) = (random.below(bytes.len()), 1 + random.below(64));
            let piece = bytes[from..bytes.len().min(from + length)].to_vec();
            for (byte, new) in bytes[at..].iter_mut().zip(piece) {
                *byte = new;
            }
        }
        7 => {
            let other = &corpus[random.below(corpus.len())].bytes;
            let (from, length) = (random.below(other.len()), 1 + random.below(64));
            bytes.splice(at..at, other[from..other.len().min(from + length)].iter().copied());
        }
        8 => {
            let end = bytes.len().min(at + 1 + random.below(64));
            bytes.drain(at..end);
        }
        _ if random.below(4) == 0 => bytes.truncate(at),
        _ => {
            let most = if random.below(16) == 0 { 1 << 20 } else { 2000 };
            let repeats = 1 + random.below(most);
            let piece = bytes[at..bytes.len().min(at + 1 + random.below(4))].repeat(repeats);
            bytes.splice(at..at, piece);
        }
    }
}

/// Names and contents of a sound zip archive of stored entries, in the order of its directory.
fn entries(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let field = |at: usize, width: usize| -> Option<usize> {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(bytes.get(at..at + width)?);
        usize::try_from(u64::from_le_bytes(wide)).ok()
    };
    let headers = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02"));
    let entries = headers.map(|header| {
        let (length, local) = (field(header + 20, 4)?, field(header + 42, 4)?);
        let name = bytes.get(header + 46..header + 46 + field(header + 28, 2)?)?;
        let start = local + 30 + field(local + 26, 2)? + field(local + 28, 2)?;
        Some((name.to_vec(), bytes.get(start..start + length)?.to_vec()))
    });
    if bytes.starts_with(b"PK\x03\x04") { entries.collect() } else { None }
}
