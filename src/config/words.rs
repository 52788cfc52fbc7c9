//! Words of a file that are not known: showing them.

/// A key for a message: at most 60 characters, control characters made visible.
pub(super) fn quoted(key: &str) -> String {
    let short: String = key.chars().take(60).collect();
    short.escape_debug().to_string()
}
