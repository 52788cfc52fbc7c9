//! Providers as data: presets with their limits, and reply tables that say what a reply means.
//!
//! Pure: everything comes from TOML files in this folder, embedded in the binary. Must not know how a
//! connection or a wait is made, and code here never names a provider: a new one is a file in
//! `presets/` and a line in the list of `preset.rs`; a new reply is an entry in `replies/`. Called by
//! `config` (an account starts from its preset), `smtp` and `send` (which ask for verdicts),
//! `sandbox`, and the `providers`, `doctor` and `explain` commands.

mod entry;
mod error;
mod fallback;
mod preset;
mod reply_table;

pub use error::{ProviderError, UnknownPreset};
pub use preset::{Flow, OAuth2, Preset, PresetLimit, Tls, presets};
pub use reply_table::{Judgement, ReplyTable};

#[cfg(test)]
mod tests;
