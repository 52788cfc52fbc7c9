//! What was judged, as findings: folded, each at its place.

use std::path::PathBuf;

use super::{Found, Judge, Where, lock};
use crate::plan::excerpt::Excerpt;
use crate::plan::findings::{Finding, Findings, Severity};
use crate::plan::mending::file_of;
use crate::plan::sources::CAMPAIGN;
use crate::template::{Source, UNKNOWN};

impl Judge<'_> {
    /// Says what was found.
    pub(in super::super) fn finish(&self, findings: &mut Findings) {
        for ((_, place), found) in std::mem::take(&mut *lock(&self.found)) {
            findings.add(self.finding(&place, found));
        }
        self.unused_images(findings);
        let column = self.column_of("attach");
        lock(&self.given).finish(self.inputs, &self.lines, column.as_deref(), findings);
    }

    fn finding(&self, place: &Where, found: Found) -> Finding {
        let severity = if found.flaw.is_error {
            Severity::Error
        } else {
            Severity::Warning
        };
        let column = found.column.clone();
        let finding = Finding {
            severity,
            code: found.flaw.code,
            file: PathBuf::new(),
            row: None,
            line: None,
            column: None,
            message: found.flaw.message,
            remedy: found.flaw.remedy,
            excerpt: None,
        };
        let is_fixed = |text: &str| !text.contains("{{");
        let all = match found.rows {
            1 => format!(" (row {})", found.row),
            rows => format!(" (row {} and {} more)", found.row, rows - 1),
        };
        match place {
            Where::Template(origin) => {
                let source = self.sources.get(origin.source);
                let line = source.and_then(|source| source.text.lines().nth(origin.line - 1));
                let excerpt = line.map(|line| Excerpt::new(line, origin.column - 1, origin.length));
                let personal = excerpt.as_ref().is_some_and(|cut| !is_fixed(&cut.text));
                Finding {
                    file: source.map_or_else(PathBuf::new, |source| file_of(&source.name)),
                    line: Some(origin.line as u64),
                    column: Some(origin.column.to_string()),
                    message: format!("{}{}", finding.message, if personal { &all } else { "" }),
                    excerpt,
                    ..finding
                }
            }
            Where::Part(part) if part == "message.subject" && is_fixed(&self.inputs.subject) => {
                Finding {
                    file: format!("{CAMPAIGN}: {part}").into(),
                    ..finding
                }
            }
            Where::Part(part) if part == "html" && self.inputs.html.is_some() => Finding {
                file: self.inputs.html.clone().unwrap_or_default(),
                message: format!("{}{all}", finding.message),
                ..finding
            },
            Where::Part(part) if part == "data" && self.inputs.data.is_some() => Finding {
                file: self.inputs.data.clone().unwrap_or_default(),
                message: format!("{}{all}", finding.message),
                ..finding
            },
            Where::Part(part) if part == "text" && self.inputs.text.is_some() => Finding {
                file: self.inputs.text.clone().unwrap_or_default(),
                message: format!("{}{all}", finding.message),
                ..finding
            },
            Where::Part(_) => Finding {
                file: self.inputs.list.clone(),
                column,
                row: Some(found.row),
                line: Some(found.line),
                message: match found.rows {
                    1 => finding.message,
                    rows => format!("{} ({} more rows have it)", finding.message, rows - 1),
                },
                excerpt: Some(found.excerpt),
                ..finding
            },
        }
    }

    /// Images that every mail carries and none shows.
    fn unused_images(&self, findings: &mut Findings) {
        let is_lost = |source: &&Source| source.text.trim_matches(UNKNOWN).is_empty();
        let shown = lock(&self.shown);
        let unsure =
            self.sources.iter().any(is_lost) || shown.iter().any(|cid| cid.contains(UNKNOWN));
        if self.sources.is_empty() || unsure {
            return;
        }
        for (cid, _) in self.carried {
            let written = format!("cid:{cid}");
            let in_source = |source: &&Source| source.text.contains(&written);
            if shown.contains(cid) || self.sources.iter().any(in_source) {
                continue;
            }
            findings.add(Finding {
                severity: Severity::Warning,
                code: "image-unused",
                file: format!("{CAMPAIGN}: message.inline.{cid}").into(),
                row: None,
                line: None,
                column: None,
                message: format!("every mail carries the image '{cid}', and none shows it"),
                remedy: format!(
                    "write <img src=\"cid:{cid}\" alt=\"…\"> in the HTML, or take it out of 'inline'"
                ),
                excerpt: None,
            });
        }
    }
}
