//! The renderer that a campaign is proved with: what is wrong is reported and left out, so that everything
//! else is proved in the same run.

use std::path::Path;

use super::findings::{Finding, Findings};
use super::inputs::Inputs;
use super::prove::files_of;
use super::sources::{CAMPAIGN, PARTIALS, error};
use crate::message::{self, Definition, Renderer, resolve_attachment};
use crate::template::{self, FieldProblem, FieldUse, ProblemKind, Source, UNKNOWN};

/// Stands in for a From address that is none.
const ANYBODY: &str = "nobody@measuring.invalid";

/// How the templates use the list.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) fields: Vec<FieldUse>,
    /// Names that were probably meant where a field is unknown.
    pub(super) meant: Vec<String>,
    /// A template is missing or broken as a whole: more may be used than is known.
    pub(super) is_partial: bool,
}

/// Compiles the templates and looks at every field that they can touch. `columns_known` is false where the list
/// cannot be read, and nobody can say which fields there are.
pub(super) fn compile(
    inputs: &Inputs,
    definition: &Definition,
    columns_known: bool,
    findings: &mut Findings,
) -> (Option<Renderer>, Uses) {
    let mut definition = definition.clone();
    let lost = put_in_what_is_lost(inputs, &mut definition);
    let mended =
        definition.known(|known| template::mend(&definition.sources, known, &definition.data));
    for cause in mended.errors {
        let found = error(
            "template-syntax",
            &file_of(&cause.part),
            cause.message,
            &cause.remedy,
        );
        findings.add(Finding {
            line: Some(cause.line as u64),
            column: Some(cause.column.to_string()),
            ..found
        });
    }
    let data_known = inputs
        .data
        .as_ref()
        .is_none_or(|path| !findings.is_about(path));
    let mut problems = mended.problems;
    problems.retain(|problem| {
        problem.kind != ProblemKind::UnknownField
            || (columns_known && (data_known || problem.nearest.is_some()))
    });
    for problem in &problems {
        findings.add(of_problem(problem));
    }
    let uses = Uses {
        fields: mended.uses.into_iter().collect(),
        meant: problems
            .into_iter()
            .filter_map(|problem| problem.nearest)
            .collect(),
        is_partial: lost || mended.is_partial,
    };
    definition.sources = mended.sources;
    let attach = &mut definition.sources.attach;
    attach.retain(|path| {
        path.text.contains("{{") || resolve_attachment(&inputs.folder, &path.text).is_ok()
    });
    definition
        .inline
        .retain(|(_, path)| resolve_attachment(&inputs.folder, path).is_ok());
    (renderer(inputs, definition, findings), uses)
}

/// A template that cannot be read has been reported; the mail has that part all the same.
fn put_in_what_is_lost(inputs: &Inputs, definition: &mut Definition) -> bool {
    let mut lost = false;
    let sources = &mut definition.sources;
    for (wanted, found) in [
        (&inputs.html, &mut sources.html),
        (&inputs.text, &mut sources.text),
    ] {
        if let (Some(path), None) = (wanted, &found) {
            *found = Some(Source::new(path.to_string_lossy(), UNKNOWN));
            lost = true;
        }
    }
    lost || (sources.partials.iter()).any(|partial| partial.text.contains(UNKNOWN))
}

/// Everything beside the templates that keeps the renderer from being made is reported, and left out.
fn renderer(
    inputs: &Inputs,
    mut definition: Definition,
    findings: &mut Findings,
) -> Option<Renderer> {
    let tries = definition.sources.headers.len() + 3;
    for _ in 0..tries {
        let cause = match Renderer::new(definition.clone(), files_of(inputs.folder.clone())) {
            Ok(renderer) => return Some(renderer),
            Err(cause) => cause,
        };
        let key = match &cause {
            message::Error::Address { part: "from", .. } => {
                ANYBODY.clone_into(&mut definition.from);
                "message.from".to_owned()
            }
            message::Error::Address {
                part: "internal", ..
            } => {
                definition.internal.clear();
                "recipients.internal".to_owned()
            }
            message::Error::Header { name, .. } => {
                let headers = &mut definition.sources.headers;
                headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                format!("message.headers.{name}")
            }
            _ => String::new(),
        };
        let file = if key.is_empty() {
            CAMPAIGN.to_owned()
        } else {
            format!("{CAMPAIGN}: {key}")
        };
        findings.add(error(
            cause.code(),
            Path::new(&file),
            cause.to_string(),
            &cause.remedy(),
        ));
        if key.is_empty() {
            return None;
        }
    }
    None
}

fn of_problem(problem: &FieldProblem) -> Finding {
    let code = match problem.kind {
        ProblemKind::UnknownField => "unknown-field",
        ProblemKind::UnknownHelper => "unknown-helper",
        ProblemKind::UnknownPartial => "unknown-partial",
        ProblemKind::Usage => "template-usage",
    };
    let found = error(
        code,
        &file_of(&problem.part),
        problem.message.clone(),
        &problem.remedy,
    );
    Finding {
        line: problem.line.map(|line| line as u64),
        column: problem.column.map(|column| column.to_string()),
        ..found
    }
}

/// The file that a source stands in: what is written in campaign.toml is named after its key, a
/// partial after itself.
pub(super) fn file_of(part: &str) -> std::path::PathBuf {
    if part.contains(['.', '/']) {
        part.into()
    } else {
        Path::new(PARTIALS).join(format!("{part}.hbs"))
    }
}
