//! An end to rendering, also where nothing is written.
//!
//! What a part may hold is bounded ([`super::MAX_PART_BYTES`]), and that ends whatever goes on writing. But a loop
//! inside a loop, or a partial that includes another one twice, which does so too, multiply without writing
//! anything, and what stands inside a partial's block is kept before it is written. So each time that a list's entry
//! or a partial is begun, a helper that writes nothing takes its share of what the part may cost.

use std::cell::Cell;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderErrorReason,
    Template,
};
use serde_json::Value;

use super::tree;

/// The name of the helper; no tag of a template is written so.
const BEGIN: &str = "\u{1}begin";

/// What a part may cost: a quarter of a million entries, or as many bytes as this that are kept for later.
const MOST: u64 = 1 << 28;

/// The least that an entry or a partial costs.
const ENTRY: u64 = 1 << 10;

thread_local! {
    /// What the part that this thread renders may still cost.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    /// The longest text among its values, once that was looked for.
    static LONGEST: Cell<Option<u64>> = const { Cell::new(None) };
}

/// A part that goes on and on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it goes on and on: lists inside lists, or partials inside partials, multiply")]
pub(super) struct Endless;

/// Begins to render a part.
pub(super) fn begin() {
    LEFT.set(MOST);
    LONGEST.set(None);
}

/// Takes a share; writes nothing.
struct Begin;

impl HelperDef for Begin {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let number = |at| helper.param(at).and_then(|param| param.value().as_u64());
        let (text, values) = (number(0).unwrap_or(0), number(1).unwrap_or(0));
        let cost = match values {
            0 => ENTRY + text,
            _ => ENTRY + text + values.saturating_mul(longest(context)),
        };
        let left = LEFT.get().checked_sub(cost);
        LEFT.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(RenderErrorReason::NestedError(Box::new(Endless)).into()),
        }
    }
}

fn longest(context: &Context) -> u64 {
    LONGEST.get().unwrap_or_else(|| {
        let found = longest_text(context.data());
        LONGEST.set(Some(found));
        found
    })
}

fn longest_text(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(entries) => entries.iter().map(longest_text).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(longest_text).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

pub(super) fn register(engine: &mut Handlebars<'static>) {
    engine.register_helper(BEGIN, Box::new(Begin));
}

/// Puts the helper into templates.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// A call of a helper, to make others from: handlebars lets nobody else make one.
    call: Option<HelperTemplate>,
    /// Something may be kept before it is written.
    keeps: bool,
}

impl Bounds {
    /// For a set of these templates.
    pub(super) fn new<'a>(templates: impl IntoIterator<Item = &'a Template>) -> Self {
        let compiled = Template::compile("text before it {{begin 0 0}}").ok();
        let element = compiled.and_then(|mut template| template.elements.pop());
        let mut keeps = false;
        for template in templates {
            tree::visit(template, None, &mut |element, _| {
                keeps |= matches!(element, TemplateElement::PartialBlock(_));
                !keeps
            });
        }
        Self {
            call: match element {
                Some(TemplateElement::Expression(call)) => Some(*call),
                _ => None,
            },
            keeps,
        }
    }

    /// A part's template with its bounds.
    pub(super) fn part(&self, template: &Template) -> Template {
        let mut bounded = template.clone();
        self.inside(&mut bounded);
        bounded
    }

    /// A partial's, which costs something itself.
    pub(super) fn partial(&self, template: &Template) -> Template {
        let mut bounded = self.part(template);
        self.begin(&mut bounded);
        bounded
    }

    fn inside(&self, template: &mut Template) {
        for element in &mut template.elements {
            match element {
                TemplateElement::HelperBlock(block) => {
                    let name = block.name.as_name().unwrap_or_default();
                    let repeats = name == "each";
                    for inner in [&mut block.template, &mut block.inverse]
                        .into_iter()
                        .flatten()
                    {
                        self.inside(inner);
                    }
                    if let Some(inner) = block.template.as_mut().filter(|_| repeats) {
                        self.begin(inner);
                    }
                }
                TemplateElement::PartialBlock(block) | TemplateElement::DecoratorBlock(block) => {
                    if let Some(inner) = &mut block.template {
                        self.inside(inner);
                        self.begin(inner);
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts the helper at the beginning of what is repeated.
    fn begin(&self, template: &mut Template) {
        let Some(mut call) = self.call.clone() else {
            return;
        };
        let (mut text, mut values) = (0_u64, 0_u64);
        tree::visit(template, None, &mut |element, _| {
            match element {
                TemplateElement::RawString(raw) => text += raw.len() as u64,
                TemplateElement::Expression(_) | TemplateElement::HtmlExpression(_) => values += 1,
                _ => {}
            }
            true
        });
        if !self.keeps {
            (text, values) = (0, 0);
        }
        call.name = Parameter::Name(BEGIN.to_owned());
        call.params = vec![
            Parameter::Literal(text.into()),
            Parameter::Literal(values.into()),
        ];
        let call = TemplateElement::Expression(Box::new(call));
        template.elements.insert(0, call);
        let place = template.mapping.first().cloned();
        template.mapping.splice(0..0, place);
    }
}
