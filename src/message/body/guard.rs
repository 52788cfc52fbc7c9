//! Calling what reads other people's markup, so that a mistake in it costs a message and not the run.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the call gives; nothing where it panics. Nothing that the call changes may be used afterwards.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
