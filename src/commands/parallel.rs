//! Work on several threads, results in the order of the items.

use std::collections::BTreeMap;

use crossbeam_channel::{bounded, unbounded};

use super::Outcome;

/// Does `work` for every item on `workers` threads and calls `done` with the results in the order of the items.
///
/// # Errors
/// The first error of `done`; the items that are left are not worked on.
pub fn in_order<T: Sync, R: Send>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(&T, R) -> Outcome,
) -> Outcome {
    let (send_index, indexes) = unbounded();
    for index in 0..items.len() {
        // The receiver lives below, so this cannot fail.
        let _sent = send_index.send(index);
    }
    drop(send_index);
    let (results, arrived) = bounded(2 * workers);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (indexes, results, work) = (indexes.clone(), results.clone(), &work);
            scope.spawn(move || {
                for index in indexes {
                    if results.send((index, work(&items[index]))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (index, result) in &arrived {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&next) {
                if let Err(failure) = done(&items[next], result) {
                    drop(indexes);
                    drop(arrived);
                    return Err(failure);
                }
                next += 1;
            }
        }
        Ok(())
    })
}
