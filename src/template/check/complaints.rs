//! What the walker says of what it finds wrong.

use handlebars::template::{HelperTemplate, Parameter};

use super::ROWS;
use super::elsewhere::same_as;
use super::problem::{FieldProblem, ProblemKind, nearest};
use super::shape::Shape;
use super::walk::Walker;
use crate::template::helpers::{self, Form, HELPERS, Signature};

impl<'a> Walker<'a> {
    pub(super) fn unknown_field(&mut self, inside: &Shape<'a>, name: &str, raw: &str) {
        // `rows` is no slip of the pen, whatever else is called like it.
        let wants_rows = matches!(inside, Shape::Root) && name == ROWS;
        let near = (!wants_rows)
            .then(|| nearest(name, inside.names(self.known, self.data).into_iter()))
            .flatten();
        let in_root = Shape::Root.member(name, self.known, self.data).is_some();
        let message = match inside {
            Shape::Root | Shape::Row => format!("no column or value is called '{name}'"),
            Shape::Cell => {
                format!("'{raw}': a cell of the list has nothing called '{name}' inside it")
            }
            _ if raw == name => format!("there is nothing called '{name}' here"),
            _ => format!("'{raw}': there is nothing called '{name}' there"),
        };
        let remedy = match (&near, inside) {
            _ if in_root => format!("it is one level up or more: write @root.{name} or ../{name}"),
            _ if wants_rows => "set duplicates = \"group\" to have all rows of a person".to_owned(),
            (Some(near), _) => format!("write '{near}' if that is meant"),
            (None, Shape::Root | Shape::Row) => {
                format!(
                    "add a column '{name}' to the list, or a value '{name}' to the campaign's data"
                )
            }
            _ => format!("add '{name}' to the campaign's data, or remove it here"),
        };
        self.problem(ProblemKind::UnknownField, raw, near, message, remedy);
    }

    /// True when the whole tag is the name of a field with blanks in it, so that its words are no values.
    pub(super) fn unknown_helper(&mut self, name: &str, call: &HelperTemplate) -> bool {
        let near = nearest(name, HELPERS.iter().map(|helper| helper.name));
        let spaced = [name]
            .into_iter()
            .chain(call.params.iter().filter_map(Parameter::as_name))
            .collect::<Vec<_>>()
            .join(" ");
        let is_field = |name: &str| Shape::Root.member(name, self.known, self.data).is_some();
        let is_spaced = !call.block && is_field(&spaced);
        let remedy = if is_spaced {
            format!("names with blanks go in brackets: {{{{[{spaced}]}}}}")
        } else if call.block && is_field(name) {
            format!("write {{{{#each {name}}}}} or {{{{#if {name}}}}}")
        } else if let Some(same) = same_as(name).and_then(helpers::find) {
            format!("it is written {} here", same.example)
        } else if let Some(near) = near.as_deref().and_then(helpers::find) {
            format!(
                "did you mean '{}'? It is written {}",
                near.name, near.example
            )
        } else {
            let names: Vec<_> = HELPERS.iter().map(|helper| helper.name).collect();
            format!("there are: {}", names.join(" "))
        };
        self.problem(
            ProblemKind::UnknownHelper,
            name,
            near,
            format!("no helper is called '{name}'"),
            remedy,
        );
        is_spaced
    }

    pub(super) fn unknown_partial(&mut self, name: &str) {
        let near = nearest(name, self.includable.keys().copied());
        let remedy = match &near {
            Some(near) => format!("write {{{{> {near}}}}} if that is meant"),
            None => format!("add a partial '{name}' to the campaign"),
        };
        self.problem(
            ProblemKind::UnknownPartial,
            name,
            near,
            format!("no partial is called '{name}'"),
            remedy,
        );
    }

    /// Whether a helper is called in its form, with as many values as it takes and settings that it has.
    pub(super) fn well_called(&mut self, helper: &Signature, call: &HelperTemplate) -> bool {
        let (name, (fewest, most)) = (helper.name, helper.values);
        let found = call.params.len();
        let wrong_form = if call.block {
            helper.form == Form::Inline
        } else {
            helper.form == Form::Block
        };
        let setting = call
            .hash
            .keys()
            .find(|key| !helper.settings.contains(&key.as_str()));
        let message = if wrong_form && call.block {
            format!("'{name}' is not a block")
        } else if wrong_form {
            format!("'{name}' is a block")
        } else if !(fewest..=most).contains(&found) {
            let counts = if fewest == most {
                fewest.to_string()
            } else {
                format!("{fewest} or more")
            };
            format!("'{name}' takes {counts} value(s) and is given {found}")
        } else if let Some(setting) = setting {
            format!("'{name}' has no setting '{setting}'")
        } else {
            return true;
        };
        self.usage(name, message, &format!("it is written {}", helper.example));
        false
    }

    pub(super) fn usage(&mut self, found: &str, message: String, remedy: &str) {
        self.problem(ProblemKind::Usage, found, None, message, remedy.to_owned());
    }

    fn problem(
        &mut self,
        kind: ProblemKind,
        found: &str,
        nearest: Option<String>,
        message: String,
        remedy: String,
    ) {
        self.problems.push(FieldProblem {
            part: self.part.to_owned(),
            line: self.at.map(|(line, _)| line),
            column: self.at.map(|(_, column)| column),
            kind,
            found: found.to_owned(),
            nearest,
            message,
            remedy,
        });
    }
}
