//! Frames that worker processes decode: the same bits as in this process, also while workers are killed.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cine::{
    DecodeError, DecodedFrame, FrameDecoder, FrameFormat, InProcessDecoder, Loop, ReadSeek, VideoDecoder,
    set_frame_decoder,
};
use decode_workers::WorkerPool;

/// Frames that were decoded in both ways.
static COMPARED: AtomicUsize = AtomicUsize::new(0);

/// Decodes every frame in both ways and compares.
#[derive(Debug)]
struct BothWays(WorkerPool);

/// The same for a video.
struct VideoBothWays {
    workers: Box<dyn VideoDecoder>,
    here: Box<dyn VideoDecoder>,
}

fn same(
    workers: Result<DecodedFrame, DecodeError>,
    here: Result<DecodedFrame, DecodeError>,
) -> Result<DecodedFrame, DecodeError> {
    assert_eq!(workers, here, "a worker's frame (left) and this process's (right)");
    COMPARED.fetch_add(1, Ordering::SeqCst);
    workers
}

impl FrameDecoder for BothWays {
    fn frame(&self, format: &FrameFormat, bytes: &[u8], limit: Duration) -> Result<DecodedFrame, DecodeError> {
        same(self.0.frame(format, bytes, limit), InProcessDecoder.frame(format, bytes, limit))
    }

    fn video(&self, format: &FrameFormat, mut stream: Box<dyn ReadSeek>) -> Box<dyn VideoDecoder> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("the file can be read");
        let stream = || Box::new(Cursor::new(bytes.clone()));
        Box::new(VideoBothWays {
            workers: self.0.video(format, stream()),
            here: InProcessDecoder.video(format, stream()),
        })
    }
}

impl VideoDecoder for VideoBothWays {
    fn count(&mut self, limit: Duration) -> Result<u32, DecodeError> {
        let count = self.workers.count(limit);
        assert_eq!(count, self.here.count(limit));
        count
    }

    fn frame(&mut self, index: u32, limit: Duration) -> Result<DecodedFrame, DecodeError> {
        same(self.workers.frame(index, limit), self.here.frame(index, limit))
    }
}

/// Sets the decoder of this process once, for all tests.
fn decode_both_ways() {
    static SET: OnceLock<bool> = OnceLock::new();
    let set = SET.get_or_init(|| {
        let pool = WorkerPool::new(env!("CARGO_BIN_EXE_echolabel").into(), vec!["decode-worker".into()]);
        set_frame_decoder(Box::new(BothWays(pool)))
    });
    assert!(set, "no frame was decoded before");
}

/// The shared files whose decoder runs in a worker, by name; none without the shared data.
fn shared_files() -> BTreeMap<String, PathBuf> {
    let Some(folder) = test_support::shared_data() else {
        return BTreeMap::new();
    };
    let folders = ["dicom/syntax", "dicom/derived", "dicom/cine-echo"];
    let entries = folders.iter().flat_map(|name| std::fs::read_dir(folder.join(name)).expect("the folder is there"));
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "dcm"))
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect()
}

/// Decodes the first, a middle and the last frame, and the first again.
fn decode_some(path: &PathBuf) -> Option<()> {
    let mut source = Loop::open(path).ok()?;
    let last = source.header().frames - 1;
    for index in [0, last / 2, last, 0] {
        // What a decoder refuses is compared as well.
        let _ = source.frame(index);
    }
    Some(())
}

#[test]
fn workers_decode_to_the_same_bits() {
    decode_both_ways();
    let files = shared_files();
    for path in files.values() {
        decode_some(path);
    }
    assert!(files.is_empty() || COMPARED.load(Ordering::SeqCst) > 100);
}

#[cfg(target_os = "linux")]
#[test]
fn frames_are_decoded_also_while_workers_are_killed() {
    decode_both_ways();
    let is_over = AtomicBool::new(false);
    let kills = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(150));
                for worker in workers() {
                    kills.fetch_add(usize::from(kill(worker)), Ordering::SeqCst);
                }
            }
        });
        for (name, path) in shared_files().iter().filter(|(name, _)| name.contains("j2k") || name.contains("h264")) {
            let before = COMPARED.load(Ordering::SeqCst);
            assert_eq!(decode_some(path), Some(()), "{name}");
            assert!(COMPARED.load(Ordering::SeqCst) > before, "{name}");
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{} workers were killed", kills.load(Ordering::SeqCst));
}

/// The processes that this one has started.
#[cfg(target_os = "linux")]
fn workers() -> Vec<u32> {
    let own = std::process::id().to_string();
    let is_child = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The parent is the second field behind the name in brackets.
        status.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(own.as_str())
    };
    let entries = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}

#[cfg(target_os = "linux")]
fn kill(process: u32) -> bool {
    std::process::Command::new("kill").args(["-9", &process.to_string()]).status().is_ok_and(|status| status.success())
}
