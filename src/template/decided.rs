//! What decides all that a set renders to.
//!
//! Where templates name the values that they take one by one, two records that agree in those render alike,
//! whatever else stands in them. That is told from what is written alone, without knowing what a path leads to, and
//! only where there can be no doubt: as soon as something takes hold of a record as a whole, or has a name that is
//! neither a field nor one of the campaign's values, nothing is said.

use std::collections::BTreeSet;

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};
use serde_json::{Map, Value};

use super::helpers;
use super::lengths::LENGTH;

/// What is told of the entry that a list is at, or of a partial's block: no value of a record.
const LOCALS: [&str; 5] = ["index", "key", "first", "last", "partial-block"];

/// Looks for the fields that templates name.
pub(super) struct Decided<'a> {
    fields: &'a BTreeSet<String>,
    data: &'a Map<String, Value>,
    found: BTreeSet<String>,
}

impl<'a> Decided<'a> {
    pub(super) fn new(fields: &'a BTreeSet<String>, data: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            data,
            found: BTreeSet::new(),
        }
    }

    /// The fields that were named.
    pub(super) fn into_found(self) -> BTreeSet<String> {
        self.found
    }

    /// Looks through a template; none where it cannot be told.
    pub(super) fn template(&mut self, template: &Template) -> Option<()> {
        (template.elements.iter()).try_for_each(|element| self.element(element))
    }

    fn element(&mut self, element: &TemplateElement) -> Option<()> {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => Some(()),
            TemplateElement::Expression(call)
            | TemplateElement::HtmlExpression(call)
            | TemplateElement::HelperBlock(call) => self.call(call),
            TemplateElement::PartialExpression(include) => self.include(include),
            TemplateElement::DecoratorBlock(decorator) => self.include(decorator),
            // What a partial's block may cost depends on all values that there are.
            _ => None,
        }
    }

    fn call(&mut self, call: &HelperTemplate) -> Option<()> {
        if call.block_param.is_some() {
            return None;
        }
        let name = call.name.as_name().unwrap_or_default();
        let is_helper = helpers::find(name).is_some() || name == LENGTH;
        if !is_helper || self.fields.contains(name) {
            self.parameter(&call.name)?;
        }
        let values = call.params.iter().chain(call.hash.values());
        values
            .map(|value| self.parameter(value))
            .collect::<Option<()>>()?;
        let inner = call.template.iter().chain(&call.inverse);
        inner.map(|inner| self.template(inner)).collect()
    }

    /// The template that is included is looked through where it is written.
    fn include(&mut self, include: &DecoratorTemplate) -> Option<()> {
        let values = include.params.iter().chain(include.hash.values());
        values
            .map(|value| self.parameter(value))
            .collect::<Option<()>>()?;
        let inner = include.template.iter();
        inner.map(|inner| self.template(inner)).collect()
    }

    fn parameter(&mut self, parameter: &Parameter) -> Option<()> {
        match parameter {
            Parameter::Literal(_) => Some(()),
            Parameter::Name(name) => self.named(name),
            Parameter::Path(path) => self.path(path),
            Parameter::Subexpression(inner) => self.element(inner.as_element()),
            _ => None,
        }
    }

    fn path(&mut self, path: &Path) -> Option<()> {
        let segments = match path {
            Path::Local((_, name, _)) => return LOCALS.contains(&name.as_str()).then_some(()),
            Path::Relative((segments, _)) => segments,
        };
        let first = segments.iter().find_map(|segment| match segment {
            PathSeg::Named(name) => Some(name),
            _ => None,
        });
        self.named(first?)
    }

    fn named(&mut self, name: &str) -> Option<()> {
        if self.fields.contains(name) {
            self.found.insert(name.to_owned());
            return Some(());
        }
        self.data.contains_key(name).then_some(())
    }
}
