//! Paths in campaign.toml: relative to the campaign's folder, and inside it.

use std::path::PathBuf;

use super::section::{Section, Text};

/// Why a path is not inside the folder; none when it is.
fn escape(path: &str) -> Option<&'static str> {
    let mut chars = path.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    // Written on one system and run on another, a path must mean the same: both separators count.
    if path.starts_with(['/', '\\']) || drive {
        return Some("is an absolute path");
    }
    let mut depth = 0_usize;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some("leads out of the campaign's folder"),
            },
            _ => depth += 1,
        }
    }
    (depth == 0).then_some("names no file")
}

/// The text as a path, when it stays inside the campaign's folder. It may be a template: what it
/// renders to is checked again where it is rendered.
pub(super) fn confined(section: &Section<'_>, key: &str, text: &Text) -> Option<PathBuf> {
    let Some(message) = escape(text.get_ref()) else {
        return Some(PathBuf::from(text.get_ref()));
    };
    section.refuse(
        key,
        Some(text.span()),
        format!("{} {message}", section.document.shown(text.get_ref())),
        "copy the file into the campaign's folder and write its path from there, such as \"files/agenda.pdf\"",
    );
    None
}

/// A path inside the campaign's folder whose name ends in one of `endings` (any when there are none).
pub(super) fn file(section: &Section<'_>, key: &str, endings: &[&str]) -> Option<PathBuf> {
    let text = section.text(key)?;
    let path = confined(section, key, &text)?;
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    if endings.is_empty() || endings.iter().any(|e| e.eq_ignore_ascii_case(ending)) {
        return Some(path);
    }
    section.refuse(
        key,
        Some(text.span()),
        format!(
            "{} is not a .{} file",
            section.document.shown(text.get_ref()),
            endings.join(" or .")
        ),
        format!("save it as .{} and name that file", endings.join(" or .")),
    );
    None
}
