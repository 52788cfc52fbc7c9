//! Proving a campaign: every row rendered, every address parsed, every attachment opened, every size
//! known. Rows stream by; what is kept of each is what its caller takes.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::findings::{Finding, Severity};
use super::inputs::Inputs;
use super::sources::error;
use crate::message::{Error as MessageError, Files, Identity, Page, Renderer, resolve_attachment};
use crate::recipients::{Address, Row};

/// Rows that are rendered side by side before the next ones are read.
const WAVE: usize = 1024;

/// A Message-ID of the usual length, to measure with.
const MEASURING_ID: &str = "<00000000000000000000000000000000@measuring.invalid>";

/// A row that is proved.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) row: Row,
    pub(super) address: Address,
    pub(super) digest: [u8; 32],
    pub(super) external: bool,
    pub(super) copies: u64,
    pub(super) external_copies: u64,
    pub(super) attachments: Vec<String>,
    pub(super) empty_subject: bool,
}

/// A row that cannot be sent, and why.
#[derive(Debug)]
pub(super) struct Unsound {
    pub(super) row: Row,
    pub(super) findings: Vec<Finding>,
}

/// Renders rows and measures their messages.
pub(super) struct Prover<'a> {
    inputs: &'a Inputs,
    renderer: &'a Renderer,
    now: Timestamp,
    /// Contents that were measured and are within the cap.
    measured: Mutex<HashSet<[u8; 32]>>,
}

/// Reads a campaign's files from its folder, refusing paths that lead out of it.
pub(super) fn files_of(folder: PathBuf) -> Files {
    Arc::new(move |path| {
        let resolved = resolve_attachment(&folder, path)
            .map_err(|cause| std::io::Error::other(cause.to_string()))?;
        std::fs::read(resolved).map(Arc::from)
    })
}

impl<'a> Prover<'a> {
    pub(super) fn new(inputs: &'a Inputs, renderer: &'a Renderer, now: Timestamp) -> Self {
        Self {
            inputs,
            renderer,
            now,
            measured: Mutex::new(HashSet::new()),
        }
    }

    /// Proves a wave of rows on all cores; the results are in the rows' order.
    pub(super) fn prove(&self, wave: Vec<(Row, Address)>) -> Vec<Result<Proved, Unsound>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = wave.len().div_ceil(threads).max(64);
        let mut rows = wave.into_iter();
        let mut shares: Vec<Vec<(Row, Address)>> = Vec::new();
        loop {
            let next: Vec<_> = rows.by_ref().take(share).collect();
            if next.is_empty() {
                break;
            }
            shares.push(next);
        }
        std::thread::scope(|scope| {
            let handles: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    scope.spawn(move || {
                        share
                            .into_iter()
                            .map(|(row, address)| self.prove_one(row, address))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            handles
                .into_iter()
                .flat_map(|handle| handle.join().unwrap_or_default())
                .collect()
        })
    }

    fn prove_one(&self, row: Row, address: Address) -> Result<Proved, Unsound> {
        let (page, copies) = match self.page_of(&row, &address) {
            Ok(sound) => sound,
            Err(findings) => return Err(Unsound { row, findings }),
        };
        let external_copies = page
            .copies()
            .filter(|copy| self.renderer.is_external(copy))
            .count() as u64;
        Ok(Proved {
            external: self.renderer.is_external(&address),
            digest: page.digest,
            copies,
            external_copies,
            empty_subject: page.rendered.subject.trim().is_empty(),
            attachments: page.attachments().map(str::to_owned).collect(),
            row,
            address,
        })
    }

    /// What the row renders to, and its number of copies.
    fn page_of(&self, row: &Row, address: &Address) -> Result<(Page, u64), Vec<Finding>> {
        let page = self
            .renderer
            .page(&row.cells)
            .map_err(|cause| vec![self.finding(row, &cause)])?;
        self.measure(row, address, &page)?;
        let copies = page.copies().count() as u64;
        self.check_envelope(row, copies)?;
        Ok((page, copies))
    }

    /// Composes each content once: whatever cannot be built or is too large is known now.
    fn measure(&self, row: &Row, address: &Address, page: &Page) -> Result<(), Vec<Finding>> {
        let known = {
            let measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
            measured.contains(&page.digest)
        };
        if known {
            return Ok(());
        }
        let identity = Identity {
            message_id: MEASURING_ID,
            date: self.now,
            shared: false,
        };
        let content = self
            .renderer
            .compose(page, address, &identity)
            .map_err(|cause| vec![self.finding(row, &cause)])?;
        if let Some(cap) = self.inputs.max_message_size()
            && content.len() as u64 > cap
        {
            let message = format!(
                "the message has {} bytes after encoding; the provider takes at most {cap}",
                content.len()
            );
            let remedy = "use smaller or fewer attachments, or put them on a page and link to it";
            return Err(vec![of_row(
                row,
                error("too-large", &self.inputs.list, message, remedy),
            )]);
        }
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        // Personal contents come once each: remembering them would only fill the memory.
        if measured.len() < 4096 {
            measured.insert(page.digest);
        }
        Ok(())
    }

    fn check_envelope(&self, row: &Row, copies: u64) -> Result<(), Vec<Finding>> {
        let cap = self.inputs.max_recipients_per_message();
        if copies < cap {
            return Ok(());
        }
        let message = format!(
            "with {copies} copies (cc, bcc) a message has more than the {cap} recipients allowed"
        );
        let remedy = "take addresses out of cc and bcc";
        Err(vec![of_row(
            row,
            error("too-many-copies", &self.inputs.list, message, remedy),
        )])
    }

    fn finding(&self, row: &Row, cause: &MessageError) -> Finding {
        of_row(
            row,
            Finding {
                severity: Severity::Error,
                code: cause.code(),
                file: self.inputs.list.clone(),
                row: None,
                line: None,
                column: None,
                message: cause.to_string(),
                remedy: cause.remedy(),
            },
        )
    }
}

/// Collects rows into waves.
#[derive(Debug, Default)]
pub(super) struct Wave(Vec<(Row, Address)>);

impl Wave {
    /// Adds a row; gives the wave back when it is full.
    pub(super) fn add(&mut self, row: Row, address: Address) -> Option<Vec<(Row, Address)>> {
        self.0.push((row, address));
        (self.0.len() >= WAVE).then(|| std::mem::take(&mut self.0))
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<(Row, Address)> {
        self.0
    }
}

fn of_row(row: &Row, finding: Finding) -> Finding {
    Finding {
        row: Some(row.number),
        line: Some(row.line),
        ..finding
    }
}
