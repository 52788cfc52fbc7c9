//! What can be wrong with a template, and what a rendering can fail on.

use std::fmt;

use handlebars::RenderErrorReason;

use super::effort::Endless;

/// A template that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}, line {line}, column {column}: {message}")]
pub struct TemplateError {
    /// The name of the source.
    pub part: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// A set that cannot be rendered for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderError {
    /// The name of the source: of the partial, where it happened in one.
    pub part: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The column in characters, from 1, where it is known.
    pub column: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.part)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for RenderError {}

/// A value that a helper cannot read; travels through handlebars as a nested error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{{{helper}}}}} {what}")]
pub(super) struct Fault {
    pub(super) helper: &'static str,
    pub(super) what: String,
    pub(super) hint: String,
}

impl RenderError {
    /// Puts what handlebars says in plain words. `part` is the source that was being rendered.
    pub(super) fn from_handlebars(part: &str, error: &handlebars::RenderError) -> Self {
        let (reason, hint) = explain(error.reason());
        let partial = error
            .template_name
            .as_deref()
            .filter(|name| *name != super::set::PART_KEY);
        Self {
            part: partial.unwrap_or(part).to_owned(),
            line: error.line_no,
            column: error.column_no,
            reason,
            hint,
        }
    }
}

fn explain(reason: &RenderErrorReason) -> (String, String) {
    match reason {
        RenderErrorReason::MissingVariable(Some(name)) => (
            format!("'{name}' has no value here"),
            format!("give it a value, or write {{{{default {name} \"…\"}}}} or {{{{#if {name}}}}}"),
        ),
        RenderErrorReason::MissingVariable(None) => (
            "a value that is looked up is not there".to_owned(),
            "check the key that {{lookup}} is given, or test for it first".to_owned(),
        ),
        RenderErrorReason::PartialNotFound(name) => (
            format!("there is no partial '{name}' here"),
            "add the partial, or define it with {{#*inline}} before it is used".to_owned(),
        ),
        RenderErrorReason::InvalidJsonIndex(index) => (
            format!("'{index}' is asked of a list, which has only numbered entries"),
            "go through the list with {{#each}}".to_owned(),
        ),
        RenderErrorReason::ParamNotFoundForIndex(helper, _) => (
            format!("{{{{{helper}}}}} is given a value that is not there"),
            "give the field a value, or test for it with {{#if}}".to_owned(),
        ),
        RenderErrorReason::IOError(_) => (
            format!("the result is over {} MiB", super::MAX_PART_BYTES >> 20),
            "look for a list that is repeated inside another".to_owned(),
        ),
        RenderErrorReason::NestedError(nested) if nested.is::<Endless>() => (
            nested.to_string(),
            "look for an {{#each}} inside another one, and for a partial that is included many times over"
                .to_owned(),
        ),
        RenderErrorReason::NestedError(nested) => match nested.downcast_ref::<Fault>() {
            Some(fault) => (fault.to_string(), fault.hint.clone()),
            None => (nested.to_string(), String::new()),
        },
        other => (
            other.to_string(),
            "run `postroom check` for the place and the remedy".to_owned(),
        ),
    }
}
