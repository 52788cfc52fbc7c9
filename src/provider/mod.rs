//! Providers as data: presets with their limits, and reply tables that say what a reply means.
//!
//! Pure: everything comes from TOML files in this folder, embedded in the binary. Must not know how a
//! connection or a wait is made, and code here never names a provider: a new one is a file in
//! `presets/` and a line in the list of `preset.rs`; a new reply is an entry in `replies/`, with who can do
//! what about it and whether waiting helps. Called by
//! `config` (an account starts from its preset), `smtp` and `send` (which ask for verdicts),
//! `sandbox`, and the `providers`, `doctor` and `explain` commands.

mod entry;
mod error;
mod explain;
mod fallback;
mod oauth2;
mod preset;
mod preset_limit;
mod region;
mod remedy;
mod reply_table;
mod words;

pub use error::{ProviderError, UnknownPreset};
pub use explain::Explained;
pub use oauth2::{Flow, OAuth2};
pub use preset::{Preset, Tls, presets};
pub use preset_limit::PresetLimit;
pub use region::{Region, RegionError};
pub use remedy::{Helps, Owner, Remedy, Waiting, Whose};
pub use reply_table::{Judgement, ReplyTable};

#[cfg(test)]
mod tests;
