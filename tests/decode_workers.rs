//! Frames that worker processes decode: the same bits as in this process, also while workers are killed.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(target_os = "linux")]
use std::sync::mpsc::RecvTimeoutError;
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
fn decode_some(path: &Path) {
    let Ok(mut source) = Loop::open(path) else { return };
    let last = source.header().frames - 1;
    for index in [0, last / 2, last, 0] {
        // What a decoder refuses is compared as well.
        let _ = source.frame(index);
    }
}

#[test]
fn workers_decode_to_the_same_bits_also_while_they_are_killed() {
    let pool = WorkerPool::new(env!("CARGO_BIN_EXE_echolabel").into(), vec!["decode-worker".into()]);
    assert!(set_frame_decoder(Box::new(BothWays(pool))), "no frame was decoded before");
    let files = shared_files();
    files.values().for_each(|path| decode_some(path));
    assert!(files.is_empty() || COMPARED.load(Ordering::SeqCst) > 100);
    #[cfg(target_os = "linux")]
    while_workers_are_killed(|| files.values().for_each(|path| decode_some(path)));
}

/// Kills a worker every half second while `work` is done.
#[cfg(target_os = "linux")]
fn while_workers_are_killed(work: impl FnOnce()) {
    let (work_is_done, until) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let killer = scope.spawn(move || {
            let mut kills = 0;
            while until.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
                kills += workers().first().map_or(0, |worker| usize::from(kill(*worker)));
            }
            kills
        });
        work();
        drop(work_is_done);
        println!("{} workers were killed", killer.join().expect("the killer ends"));
    });
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
