//! A parsed file and the problems found in it so far.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use super::source::position;
use super::{ConfigError, Problem};

/// The tables that a file may have, each with its keys. The first is the top one and has no name.
pub(super) type Schema = &'static [(&'static str, &'static [&'static str])];

/// A parsed file and the problems found in it so far.
pub(super) struct Document<'d> {
    pub(super) file: &'d Path,
    pub(super) schema: Schema,
    text: &'d str,
    echoes: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'d> Document<'d> {
    /// A document without problems. With `echoes`, values may be repeated in messages.
    pub(super) fn new(file: &'d Path, text: &'d str, schema: Schema, echoes: bool) -> Self {
        Self {
            file,
            schema,
            text,
            echoes,
            problems: RefCell::default(),
        }
    }

    /// A value for a message: itself where it can be no secret.
    pub(super) fn shown(&self, value: &str) -> String {
        if !self.echoes {
            return "this value".to_owned();
        }
        let mut shown: String = value.chars().take(60).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        format!("'{shown}'")
    }

    /// A problem in this file, not yet recorded.
    pub(super) fn problem(
        &self,
        key: String,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Problem {
        let place = span.map(|span| position(self.text, span.start));
        Problem {
            file: self.file.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            key,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// Records a problem.
    pub(super) fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Whether something is wrong with this key already.
    pub(super) fn is_refused(&self, key: &str) -> bool {
        self.problems.borrow().iter().any(|p| p.key == key)
    }

    /// Done when nothing is wrong.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all problems in the file's order, those without a place last.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        if self.problems.borrow().is_empty() {
            return Ok(());
        }
        Err(self.finish_refused())
    }

    /// All problems in the file's order, those without a place last.
    pub(super) fn finish_refused(self) -> ConfigError {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| (p.line.unwrap_or(usize::MAX), p.column));
        ConfigError::Invalid(problems)
    }
}
