//! Keeping a decoder's panic inside one frame.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder; a panic in it becomes an error. Its message is kept off stderr, other panics are not.
pub(super) fn contain<T>(decoder: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET_HOOK: Once = Once::new();
    QUIET_HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !DECODING.get() {
                previous(info);
            }
        }));
    });
    DECODING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(decoder));
    DECODING.set(false);
    outcome.unwrap_or_else(|_| Err("the decoder panicked".into()))
}

#[cfg(test)]
mod tests {
    use super::contain;

    #[test]
    fn a_panic_becomes_an_error() {
        let outcome: Result<(), String> = contain(|| panic!("a decoder gave up"));
        assert_eq!(outcome, Err("the decoder panicked".to_owned()));
        assert_eq!(contain(|| Ok(7)), Ok(7));
    }
}
