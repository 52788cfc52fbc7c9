//! Which branches a rendering takes.
//!
//! A traced set renders the same text as the set it was made from. Beside each block, and at the beginning
//! of what the block holds, it calls a helper that writes nothing and only notes that it was passed. A block
//! that was reached and whose inside was not is one that was not entered: nothing is added to its `{{else}}`,
//! since whether there is one decides what handlebars makes of a value that is not there.

use std::cell::RefCell;
use std::collections::BTreeSet;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, Template,
};

use super::tree;

/// The name of the helper that notes where a rendering has come; no tag of a template is written so.
const PASSING: &str = "\u{1}passing";

/// A block of a template that is entered or not: `{{#if}}`, `{{#each}}` and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The name of the source.
    pub part: String,
    /// The line, from 1, where it is known: that of the outermost block, for an `{{else if}}`.
    pub line: Option<usize>,
    /// The tag as it may be written, such as `{{#if (eq office "Berlin")}}`.
    pub tag: String,
    /// It goes through a list.
    pub is_list: bool,
}

/// One way through a branch, by the number of the branch among those of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arm {
    /// Which branch.
    pub branch: usize,
    /// It was entered; otherwise it was reached and passed by.
    pub entered: bool,
}

/// Where a rendering is.
#[derive(Debug, Default)]
struct Trace {
    /// Branches that were reached and not entered since.
    open: BTreeSet<usize>,
    taken: BTreeSet<Arm>,
}

thread_local! {
    static TRACE: RefCell<Trace> = RefCell::default();
}

/// Notes the way of everything that this thread renders inside `work`.
pub(super) fn traced<T>(work: impl FnOnce() -> T) -> (T, BTreeSet<Arm>) {
    TRACE.with_borrow_mut(|trace| *trace = Trace::default());
    let result = work();
    let Trace { open, mut taken } = TRACE.with_borrow_mut(std::mem::take);
    taken.extend(open.into_iter().map(passed_by));
    (result, taken)
}

fn passed_by(branch: usize) -> Arm {
    Arm {
        branch,
        entered: false,
    }
}

impl Trace {
    fn reached(&mut self, branch: usize) {
        if !self.open.insert(branch) {
            self.taken.insert(passed_by(branch));
        }
    }

    fn entered(&mut self, branch: usize) {
        self.open.remove(&branch);
        self.taken.insert(Arm {
            branch,
            entered: true,
        });
    }
}

/// Writes nothing, so that what is rendered stays the same.
struct Passing;

impl HelperDef for Passing {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let number = |at| helper.param(at).and_then(|param| param.value().as_u64());
        if let (Some(branch), Some(inside)) = (number(0), number(1)) {
            TRACE.with_borrow_mut(|trace| match inside {
                0 => trace.reached(branch as usize),
                _ => trace.entered(branch as usize),
            });
        }
        Ok(())
    }
}

pub(super) fn register(engine: &mut Handlebars<'static>) {
    engine.register_helper(PASSING, Box::new(Passing));
}

/// Puts the notes into templates and numbers their branches.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) branches: Vec<Branch>,
    /// A call of a helper, to make notes from: handlebars lets nobody else make one.
    call: Option<HelperTemplate>,
}

impl Tracer {
    pub(super) fn new() -> Self {
        let compiled = Template::compile("text before it {{passing 0 0}}").ok();
        let element = compiled.and_then(|mut template| template.elements.pop());
        Self {
            branches: Vec::new(),
            call: match element {
                Some(TemplateElement::Expression(call)) => Some(*call),
                _ => None,
            },
        }
    }

    /// A tag that calls the helper.
    fn note(&self, branch: usize, inside: bool) -> Option<TemplateElement> {
        let mut call = self.call.clone()?;
        call.name = Parameter::Name(PASSING.to_owned());
        call.params = vec![
            Parameter::Literal(branch.into()),
            Parameter::Literal(u64::from(inside).into()),
        ];
        Some(TemplateElement::Expression(Box::new(call)))
    }

    /// The template of the source called `part`, with its notes.
    pub(super) fn trace(&mut self, part: &str, template: &Template) -> Template {
        let mut traced = template.clone();
        self.mark(part, &mut traced, None);
        traced
    }

    fn mark(&mut self, part: &str, template: &mut Template, outer: tree::Position) {
        let mut elements = Vec::with_capacity(template.elements.len());
        let mut mapping = Vec::with_capacity(template.mapping.len());
        let old = std::mem::take(&mut template.elements);
        for (index, mut element) in old.into_iter().enumerate() {
            let at = tree::position(template, index, outer);
            let place = template.mapping.get(index).cloned();
            match &mut element {
                TemplateElement::HelperBlock(block) => {
                    // Handlebars notes no places inside what stands for an `{{else if}}`.
                    let word = if place.is_none() { "else " } else { "#" };
                    let note = self.mark_block(part, block, word, at);
                    if let Some(note) = note {
                        elements.push(note);
                        mapping.extend(place.clone());
                    }
                }
                TemplateElement::PartialBlock(block) | TemplateElement::DecoratorBlock(block) => {
                    if let Some(inner) = &mut block.template {
                        self.mark(part, inner, at);
                    }
                }
                _ => {}
            }
            elements.push(element);
            mapping.extend(place);
        }
        template.elements = elements;
        template.mapping = mapping;
    }

    /// What is to stand before the block; nothing for one that is always entered.
    fn mark_block(
        &mut self,
        part: &str,
        block: &mut HelperTemplate,
        word: &str,
        at: tree::Position,
    ) -> Option<TemplateElement> {
        let name = block.name.as_name().unwrap_or_default().to_owned();
        if name == "raw" {
            return None;
        }
        let number = self.branches.len();
        self.branches.push(Branch {
            part: part.to_owned(),
            line: at.map(|(line, _)| line),
            tag: format!("{{{{{word}{}}}}}", call(block)),
            is_list: name == "each",
        });
        if let Some(inner) = &mut block.template {
            self.mark(part, inner, at);
            inner.elements.splice(0..0, self.note(number, true));
            let place = inner.mapping.first().cloned();
            inner.mapping.splice(0..0, place);
        }
        if let Some(inner) = &mut block.inverse {
            self.mark(part, inner, at);
        }
        self.note(number, false)
    }
}

fn call(helper: &HelperTemplate) -> String {
    let name = std::iter::once(parameter(&helper.name));
    let values = helper.params.iter().map(parameter);
    let mut settings: Vec<_> = (helper.hash.iter())
        .map(|(key, value)| format!("{key}={}", parameter(value)))
        .collect();
    settings.sort();
    let words: Vec<_> = name.chain(values).chain(settings).collect();
    words.join(" ")
}

fn parameter(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Literal(value) => value.to_string(),
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(helper) => format!("({})", call(helper)),
            _ => "(…)".to_owned(),
        },
        other => other.as_name().unwrap_or("…").to_owned(),
    }
}
