//! Calling what reads other people's formats, so that a mistake in it costs a file or a message and not the run.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What the call gives; nothing where it panics. Then nothing is printed either: whoever calls says in plain words
/// what cannot be read. Nothing that the call changes may be used afterwards.
pub fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_call_and_nothing_else() {
        assert_eq!(guarded(|| 5), Some(5));
        let inner = guarded(|| guarded(|| panic!("inside")).map_or(1, |()| 2));
        assert_eq!(inner, Some(1));
        assert!(guarded(|| panic!("outside")).is_none_or(|()| false));
        assert!(!GUARDED.get(), "what panics after this is told");
    }
}
