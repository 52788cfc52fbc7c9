//! Walking through templates with what is known of their values.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Template;
use handlebars::template::{
    BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement,
};
use serde_json::{Map, Value};

use super::problem::FieldProblem;
use super::shape::{Locals, Scope, Shape};
use super::uses::{FieldUse, Purpose};
use super::{Inspected, Known};
use crate::template::helpers;
use crate::template::lengths::LENGTH;
use crate::template::set::TemplateSet;
use crate::template::tree::{self, Position};

/// How many partials are walked into. Partials that include others many times over multiply; what lies
/// beyond this is left to the rendering of every row.
const MAX_INCLUSIONS: usize = 20_000;

/// A template that can be included, and the source it is written in.
type Included<'a> = (&'a str, &'a Template);

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else of where the walk is"
)]
pub(super) struct Walker<'a> {
    pub(super) known: Known<'a>,
    pub(super) data: &'a Map<String, Value>,
    /// The templates that each name may stand for: partials, and all inline ones of that name.
    pub(super) includable: BTreeMap<&'a str, Vec<Included<'a>>>,
    /// The source that is walked through.
    pub(super) part: &'a str,
    pub(super) at: Position,
    /// The innermost is the last.
    pub(super) scopes: Vec<Scope<'a>>,
    /// Whether `{{> @partial-block}}` has something to show.
    has_block: bool,
    inclusions: usize,
    pub(super) problems: Vec<FieldProblem>,
    pub(super) used: BTreeSet<String>,
    pub(super) used_outside_rows: BTreeSet<String>,
    /// What the values are wanted for that are being walked through.
    pub(super) purpose: Purpose,
    /// The uses in the condition that is being walked through.
    pub(super) condition: Option<Vec<FieldUse>>,
    /// The fields that each condition around this mentions.
    pub(super) guards: Vec<Vec<String>>,
    /// The part is HTML.
    pub(super) is_markup: bool,
    /// The part may come out empty: a copy, an attachment's path.
    pub(super) is_optional: bool,
    /// The part is an attachment's path, which every row of a person has.
    pub(super) is_attachment: bool,
    pub(super) uses: BTreeSet<FieldUse>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(
        set: &'a TemplateSet,
        known: Known<'a>,
        data: &'a Map<String, Value>,
    ) -> Self {
        let mut includable: BTreeMap<&str, Vec<Included<'_>>> = BTreeMap::new();
        let partials = || {
            set.partials
                .iter()
                .map(|(name, template)| (name.as_str(), template))
        };
        for (name, template) in partials() {
            includable.entry(name).or_default().push((name, template));
        }
        for (part, template) in set
            .parts()
            .map(|part| (part.name.as_str(), &part.template))
            .chain(partials())
        {
            tree::visit(template, None, &mut |element, _| {
                if let TemplateElement::DecoratorBlock(decorator) = element
                    && let Some((name, body)) = tree::inline_partial(decorator)
                {
                    includable.entry(name).or_default().push((part, body));
                }
                true
            });
        }
        Self {
            known,
            data,
            includable,
            part: "",
            at: None,
            scopes: Vec::new(),
            has_block: false,
            inclusions: 0,
            problems: Vec::new(),
            used: BTreeSet::new(),
            used_outside_rows: BTreeSet::new(),
            purpose: Purpose::Show,
            condition: None,
            guards: Vec::new(),
            is_markup: false,
            is_optional: false,
            is_attachment: false,
            uses: BTreeSet::new(),
        }
    }

    /// Walks through a part, from the recipient's values.
    pub(super) fn part(&mut self, name: &'a str, template: &'a Template) {
        self.part = name;
        self.at = None;
        self.scopes = vec![Scope::new(Shape::Root, Locals::None)];
        self.template(template);
    }

    pub(super) fn finish(mut self) -> Inspected {
        let mut seen = BTreeSet::new();
        self.problems.retain(|problem| seen.insert(problem.clone()));
        Inspected {
            problems: self.problems,
            used: self.used,
            used_once: self.used_outside_rows,
            uses: self.uses,
        }
    }

    fn template(&mut self, template: &'a Template) {
        let outer = self.at;
        for (index, element) in template.elements.iter().enumerate() {
            self.at = tree::position(template, index, outer);
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.purpose = match element {
                        TemplateElement::HtmlExpression(_) => Purpose::ShowRaw,
                        _ => Purpose::Show,
                    };
                    let is_name = call.params.is_empty() && call.hash.is_empty();
                    match &call.name {
                        Parameter::Path(path) if is_name => drop(self.path(path)),
                        name @ Parameter::Subexpression(_) if is_name => drop(self.parameter(name)),
                        _ => drop(self.call(call)),
                    }
                    self.purpose = Purpose::Show;
                }
                TemplateElement::HelperBlock(call) => drop(self.call(call)),
                TemplateElement::PartialExpression(include)
                | TemplateElement::PartialBlock(include) => {
                    self.include(include);
                }
                TemplateElement::DecoratorExpression(decorator)
                | TemplateElement::DecoratorBlock(decorator) => {
                    if tree::inline_partial(decorator).is_none() {
                        let name = decorator.name.as_name().unwrap_or_default();
                        self.usage(
                            name,
                            format!("{{{{*{name}}}}} is not known"),
                            "write {{#*inline \"name\"}}…{{/inline}}",
                        );
                    }
                }
                TemplateElement::RawString(_) | TemplateElement::Comment(_) | _ => {}
            }
        }
        self.at = outer;
    }

    fn parameter(&mut self, parameter: &'a Parameter) -> Shape<'a> {
        match parameter {
            Parameter::Path(path) => self.path(path),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call),
                _ => Shape::Any,
            },
            Parameter::Literal(value) => Shape::Data(vec![value]),
            _ => Shape::Any,
        }
    }

    /// A helper's call, as a block or not; what it gives back.
    fn call(&mut self, call: &'a HelperTemplate) -> Shape<'a> {
        let name = match &call.name {
            Parameter::Subexpression(_) => return self.parameter(&call.name),
            name => name.as_name().unwrap_or_default(),
        };
        if let (LENGTH, Some(what)) = (name, call.params.first()) {
            return self.length(what);
        }
        let helper = helpers::find(name);
        if helper.is_none() && self.unknown_helper(name, call) {
            return Shape::Any;
        }
        let guards = call.block.then(|| self.condition.replace(Vec::new()));
        let values: Vec<_> = (call.params.iter().enumerate())
            .map(|(index, value)| self.given(name, index, value))
            .collect();
        for value in call.hash.values() {
            self.parameter(value);
        }
        let guards = guards.map(|outer| self.close_condition(outer));
        let Some(helper) = helper else {
            return Shape::Any;
        };
        if !self.well_called(helper, call) {
            return Shape::Any;
        }
        let depth = self.guards.len();
        self.guards.extend(guards);
        match (name, values.first()) {
            ("lookup", Some(inside)) => {
                self.guards.truncate(depth);
                return self.looked_up(inside, call.params.get(1));
            }
            ("each", Some(over)) => self.each(call, over),
            ("with", Some(value)) => self.with(call, value),
            _ => call
                .template
                .iter()
                .for_each(|template| self.template(template)),
        }
        call.inverse
            .iter()
            .for_each(|template| self.template(template));
        self.guards.truncate(depth);
        Shape::Any
    }

    /// `what.length`: a value of that name, or how much there is.
    fn length(&mut self, what: &'a Parameter) -> Shape<'a> {
        let outer = std::mem::replace(&mut self.purpose, Purpose::Compare);
        let shape = self.parameter(what);
        self.purpose = outer;
        if let Some(value) = shape.member("length", self.known, self.data) {
            return value;
        }
        if !shape.has_length() {
            let raw = format!("{}.length", what.as_name().unwrap_or_default());
            self.unknown_field(&shape, "length", &raw);
        }
        Shape::Any
    }

    /// The value at `index` of a helper.
    fn given(&mut self, helper: &str, index: usize, value: &'a Parameter) -> Shape<'a> {
        let outer = self.purpose;
        self.purpose = outer.inside(helper, index);
        let shape = self.parameter(value);
        self.purpose = outer;
        shape
    }

    fn each(&mut self, call: &'a HelperTemplate, over: &Shape<'a>) {
        self.all_used(over);
        let written = call
            .params
            .first()
            .and_then(Parameter::as_name)
            .unwrap_or_default();
        let Some((entry, locals)) = over.entries() else {
            let message =
                format!("{{{{#each {written}}}}} needs a list, and '{written}' is a single value");
            self.usage(
                written,
                message,
                "give it a list from the campaign's values, or use {{#if}} or {{#with}}",
            );
            return;
        };
        let mut scope = Scope::new(entry.clone(), locals);
        match &call.block_param {
            Some(BlockParam::Single(Parameter::Name(value))) => {
                scope.params.insert(value, entry);
            }
            Some(BlockParam::Pair((Parameter::Name(value), Parameter::Name(key)))) => {
                scope.params.insert(value, entry);
                scope.params.insert(key, Shape::Any);
            }
            _ => {}
        }
        self.inside(scope, call.template.as_ref());
    }

    /// Any of the known fields may be touched.
    fn all_used(&mut self, inside: &Shape<'a>) {
        if matches!(inside, Shape::Root | Shape::Row) {
            self.used.extend(self.known.fields.iter().cloned());
        }
        if matches!(inside, Shape::Root) {
            let fields = self.known.fields.iter().cloned();
            self.used_outside_rows.extend(fields);
        }
    }

    fn with(&mut self, call: &'a HelperTemplate, value: &Shape<'a>) {
        let mut scope = Scope::new(value.clone(), self.scope().locals);
        if let Some(BlockParam::Single(Parameter::Name(given))) = &call.block_param {
            scope.params.insert(given, value.clone());
        }
        self.inside(scope, call.template.as_ref());
    }

    fn inside(&mut self, scope: Scope<'a>, template: Option<&'a Template>) {
        self.scopes.push(scope);
        if let Some(template) = template {
            self.template(template);
        }
        self.scopes.pop();
    }

    /// `{{lookup inside key}}`: a known key is a path; any other may be every field.
    fn looked_up(&mut self, inside: &Shape<'a>, key: Option<&'a Parameter>) -> Shape<'a> {
        if let Some(Parameter::Literal(key)) = key {
            let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            return self.member(inside, &name, &name);
        }
        self.all_used(inside);
        inside.entries().map_or(Shape::Any, |(entry, _)| entry)
    }

    fn include(&mut self, include: &'a DecoratorTemplate) {
        let name = include.name.as_name().unwrap_or_default();
        let given = include.params.first().map(|value| self.parameter(value));
        let mut scope = Scope::new(
            given.unwrap_or_else(|| self.scope().base.clone()),
            self.scope().locals,
        );
        for (key, value) in &include.hash {
            scope.params.insert(key, self.parameter(value));
        }
        if name == "@partial-block" {
            match &include.template {
                Some(fallback) => self.template(fallback),
                None if !self.has_block => self.usage(
                    name,
                    "{{> @partial-block}} has nothing to show here".to_owned(),
                    "include this partial as a block, {{#> name}}…{{/name}}",
                ),
                None => {}
            }
            return;
        }
        self.inclusions += 1;
        if self.inclusions > MAX_INCLUSIONS {
            return;
        }
        let targets = self.includable.get(name).cloned().unwrap_or_default();
        if targets.is_empty() && include.template.is_none() {
            self.unknown_partial(name);
        }
        self.scopes.push(scope);
        include
            .template
            .iter()
            .for_each(|block| self.template(block));
        let before = (self.part, self.at, self.has_block);
        for (part, template) in targets {
            (self.part, self.at, self.has_block) = (part, None, include.template.is_some());
            self.template(template);
        }
        (self.part, self.at, self.has_block) = before;
        self.scopes.pop();
    }

    pub(super) fn scope(&self) -> &Scope<'a> {
        static OUTSIDE: Scope<'static> = Scope {
            base: Shape::Any,
            params: BTreeMap::new(),
            locals: Locals::None,
        };
        self.scopes.last().unwrap_or(&OUTSIDE)
    }
}
