//! Sending against servers that misbehave on purpose, with days passing on a simulated clock.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

mod authority;
mod campaign;
mod canaries;
mod clocks;
mod days;
mod dialogues;
mod faults;
mod inputs;
mod laws;
mod poison;
mod put_off;
mod side_by_side;
mod singles;
mod tokens;
mod updates;
