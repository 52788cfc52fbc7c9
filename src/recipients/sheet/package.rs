//! The zip file around a workbook, measured before anything of it is kept.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::error::SheetError;

const MIB: u64 = 1 << 20;

/// What a part may unpack to. All texts of the cells stand in one part, all cells in another; a style
/// takes far more memory than its few letters.
fn limit(name: &str) -> u64 {
    let name = name.to_ascii_lowercase();
    if name.contains("sharedstrings") {
        128 * MIB
    } else if name.contains("worksheets/") || name.contains("media/") {
        512 * MIB
    } else {
        8 * MIB
    }
}

/// Makes sure that this is a workbook and that it can be read within bounds. A zip file can say anything
/// about the sizes in it, so everything is unpacked once.
pub(super) fn measure<R: Read + Seek>(input: &mut R) -> Result<(), SheetError> {
    let damaged = |cause: &dyn std::fmt::Display| SheetError::Damaged(cause.to_string());
    let mut archive = ZipArchive::new(input).map_err(|cause| damaged(&cause))?;
    if archive.index_for_name("content.xml").is_some() {
        return Err(SheetError::OpenDocument);
    }
    let mut total = 0;
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(|cause| damaged(&cause))?;
        let name = part.name().map_err(|cause| damaged(&cause))?.into_owned();
        let limit = limit(&name).min((512 * MIB).saturating_sub(total));
        let size = unpacked(&mut part, &name, limit).map_err(|cause| damaged(&cause))?;
        let Some(size) = size else {
            return Err(SheetError::Bursting {
                part: name,
                mib: limit / MIB,
            });
        };
        total += size;
    }
    Ok(())
}

/// How large it is; none when it is larger than the limit, or claims more texts than fit into it.
fn unpacked(part: &mut impl Read, name: &str, limit: u64) -> std::io::Result<Option<u64>> {
    let mut start = Vec::new();
    part.by_ref().take(64 * 1024).read_to_end(&mut start)?;
    let rest = std::io::copy(&mut part.take(limit + 1), &mut std::io::sink())?;
    let size = start.len() as u64 + rest;
    let texts = name.to_ascii_lowercase().contains("sharedstrings");
    let claimed = if texts { claimed_texts(&start) } else { 0 };
    Ok((size <= limit && claimed <= size).then_some(size))
}

/// The number of texts that a reader would make room for at once.
fn claimed_texts(start: &[u8]) -> u64 {
    let word = b"uniqueCount";
    let claims = memchr::memmem::find_iter(start, word).map(|at| {
        let after = start.get(at + word.len()..).unwrap_or_default();
        let digits = after
            .iter()
            .skip_while(|byte| !byte.is_ascii_digit() && **byte != b'>')
            .take_while(|byte| byte.is_ascii_digit());
        digits.fold(0_u64, |number, digit| {
            number
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        })
    });
    claims.max().unwrap_or(0)
}
