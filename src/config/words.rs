//! Words of a file that are not known: showing them, and the known one that was meant.

/// A key for a message: at most 60 characters, control characters made visible.
pub(super) fn quoted(key: &str) -> String {
    let short: String = key.chars().take(60).collect();
    short.escape_debug().to_string()
}

/// The word most like `typed`, if one is at all like it.
pub(super) fn nearest<'w>(typed: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let typed = typed.to_lowercase().replace('-', "_");
    let like = |word: &str| strsim::jaro_winkler(&typed, &word.to_lowercase().replace('-', "_"));
    words
        .map(|word| (like(word), word))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}
