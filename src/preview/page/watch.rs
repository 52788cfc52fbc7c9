//! Noticing that a file of the campaign was saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// No more files than this are looked at: a folder of ten thousands of attachments must not keep the disk busy.
const MOST: usize = 20_000;

/// How deep it is looked.
const DEPTH: usize = 8;

/// When each file was changed, and its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Stamps {
    /// Of all files below a folder. Links are not followed; hidden files are nobody's template.
    pub(super) fn of(folder: &Path) -> Self {
        let mut stamps = Self::default();
        stamps.add(folder, DEPTH);
        stamps
    }

    fn add(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            if self.0.len() >= MOST {
                return;
            }
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let Ok(facts) = entry.metadata() else {
                continue;
            };
            if facts.is_dir() && !is_hidden && depth > 0 {
                self.add(&entry.path(), depth - 1);
            } else if !facts.is_dir() && !is_hidden {
                self.0
                    .insert(entry.path(), (facts.modified().ok(), facts.len()));
            }
        }
    }

    /// Whether a file is the same in both.
    pub(super) fn agree_on(&self, other: &Self, path: &Path) -> bool {
        self.0.contains_key(path) && self.0.get(path) == other.0.get(path)
    }
}
