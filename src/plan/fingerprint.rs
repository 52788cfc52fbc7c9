//! A fingerprint of what a plan was made from, to notice edits after planning.

use std::fs::File;
use std::path::Path;

use super::findings::Findings;
use super::inputs::Inputs;
use super::ready;
use super::sources::literal_attachments;
use crate::limits::Schedule;
use crate::message::{Definition, file_inside};

/// Of the definition, the list and its filter, the images, the attachments that everybody gets, and how and when it is
/// sent.
/// Attachments of single rows are left out: reading them all would take as long as planning.
pub(super) fn of(inputs: &Inputs, definition: &Definition) -> std::io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let written = serde_json::to_vec(definition).map_err(std::io::Error::other)?;
    add(&mut hasher, &written);
    add(&mut hasher, inputs.mode.as_str().as_bytes());
    for account in &inputs.accounts {
        add(&mut hasher, account.name.as_bytes());
    }
    if inputs.schedule != Schedule::default() {
        add(
            &mut hasher,
            &serde_json::to_vec(&inputs.schedule).map_err(std::io::Error::other)?,
        );
    }
    add(
        &mut hasher,
        inputs
            .address_column
            .as_deref()
            .unwrap_or_default()
            .as_bytes(),
    );
    if let Some(filter) = &inputs.filter {
        add(&mut hasher, b"where");
        add(&mut hasher, filter.as_str().as_bytes());
    }
    // Only when something is said, so that the marks of earlier plans stay what they were.
    let reading = &inputs.reading;
    if let Some(encoding) = reading.encoding {
        add(
            &mut hasher,
            format!("encoding {}", encoding.name()).as_bytes(),
        );
    }
    if let Some(sheet) = &reading.sheet {
        add(&mut hasher, format!("sheet {sheet}").as_bytes());
    }
    if let Some(numbers) = reading.numbers {
        add(&mut hasher, format!("numbers {numbers:?}").as_bytes());
    }
    let images = inputs.inline.iter().map(|(_, path)| path.as_path());
    let files = std::iter::once(inputs.list.as_path())
        .chain(images)
        .chain(literal_attachments(inputs).map(Path::new));
    for file in files {
        let mut content = blake3::Hasher::new();
        let found = file_inside(&inputs.folder, &file.to_string_lossy(), u64::MAX);
        content.update_reader(File::open(found.map_err(std::io::Error::other)?)?)?;
        hasher.update(content.finalize().as_bytes());
    }
    Ok(hasher.finalize().into())
}

fn add(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// True when the folder is no longer what the plan with this fingerprint was made from.
pub fn is_edited(inputs: &Inputs, fingerprint: &[u8; 32]) -> bool {
    let mut findings = Findings::default();
    let now = ready::read(inputs, &mut findings)
        .ok()
        .and_then(|ready| of(inputs, &ready.definition).ok());
    now.as_ref() != Some(fingerprint)
}
