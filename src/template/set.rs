//! A compiled set of templates.

use std::collections::BTreeSet;

use handlebars::{Context, Handlebars, RenderContext, Renderable, Template, no_escape};
use serde_json::{Map, Value};

use super::check::{self, FieldProblem, Known};
use super::error::{RenderError, TemplateError};
use super::rendered::{Bounded, Rendered};
use super::source::{Language, Source, Sources};
use super::{held, helpers, partials, syntax};

/// The name under which handlebars knows every part: no partial can have it, so none is taken for a part.
pub(super) const PART_KEY: &str = "\u{1}";

/// A part that is rendered.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) template: Template,
    /// About as many bytes as it renders to.
    size: usize,
}

/// All templates of a campaign, compiled; shared freely between threads.
#[derive(Debug)]
pub struct TemplateSet {
    subject: Part,
    html: Option<Part>,
    text: Option<Part>,
    headers: Vec<(String, Part)>,
    to: Option<Part>,
    reply_to: Option<Part>,
    cc: Vec<Part>,
    bcc: Vec<Part>,
    attach: Vec<Part>,
    pub(super) partials: Vec<(String, Template)>,
    /// Helpers and partials for the HTML part, which escapes what it is given, or holds it.
    markup: Handlebars<'static>,
    /// The same for all other parts, which do not.
    plain: Handlebars<'static>,
}

/// Compiles sources one after the other and keeps what is wrong with any of them.
#[derive(Default)]
struct Compiler(Vec<TemplateError>);

impl Compiler {
    fn part(&mut self, source: &Source) -> Part {
        let template = self.template(source, PART_KEY);
        Part {
            name: source.name.clone(),
            template,
            size: source.text.len() + source.text.len() / 4,
        }
    }

    fn parts(&mut self, sources: &[Source]) -> Vec<Part> {
        sources.iter().map(|source| self.part(source)).collect()
    }

    fn template(&mut self, source: &Source, key: &str) -> Template {
        syntax::compile(source, key).unwrap_or_else(|error| {
            self.0.push(error);
            Template::default()
        })
    }
}

impl TemplateSet {
    /// Compiles all sources.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, in the order of [`Sources`]: syntax, computed names of
    /// partials, and partials that include themselves.
    pub fn compile(sources: &Sources) -> Result<Self, Vec<TemplateError>> {
        let mut compiler = Compiler::default();
        let mut set = Self {
            subject: compiler.part(&sources.subject),
            html: sources.html.as_ref().map(|source| compiler.part(source)),
            text: sources.text.as_ref().map(|source| compiler.part(source)),
            headers: sources
                .headers
                .iter()
                .map(|(name, source)| (name.clone(), compiler.part(source)))
                .collect(),
            to: sources.to.as_ref().map(|source| compiler.part(source)),
            reply_to: sources
                .reply_to
                .as_ref()
                .map(|source| compiler.part(source)),
            cc: compiler.parts(&sources.cc),
            bcc: compiler.parts(&sources.bcc),
            attach: compiler.parts(&sources.attach),
            partials: (sources.partials.iter())
                .map(|source| (source.name.clone(), compiler.template(source, &source.name)))
                .collect(),
            markup: engine(),
            plain: engine(),
        };
        let Compiler(mut errors) = compiler;
        errors.extend(partials::check(
            set.parts().map(|part| (part.name.as_str(), &part.template)),
            set.partials
                .iter()
                .map(|(name, template)| (name.as_str(), template)),
        ));
        if !errors.is_empty() {
            return Err(errors);
        }
        set.plain.register_escape_fn(no_escape);
        if sources.language == Language::Markdown {
            set.markup.register_escape_fn(held::hold);
        }
        for (name, template) in &set.partials {
            set.markup.register_template(name, template.clone());
            set.plain.register_template(name, template.clone());
        }
        Ok(set)
    }

    /// Renders all parts with `data`, the recipient's fields over the campaign's values (see [`super::merge`]).
    ///
    /// # Errors
    /// The first part that cannot be rendered: a field without a value, a value that a helper cannot
    /// read, or more text than [`super::MAX_PART_BYTES`].
    pub fn render(&self, data: Map<String, Value>) -> Result<Rendered, RenderError> {
        let context = Context::from(Value::Object(data));
        let plain = |part: &Part| render(&self.plain, part, &context);
        let list = |parts: &[Part]| parts.iter().map(plain).collect::<Result<Vec<_>, _>>();
        Ok(Rendered {
            subject: plain(&self.subject)?,
            html: (self.html.as_ref())
                .map(|part| render(&self.markup, part, &context))
                .transpose()?,
            text: self.text.as_ref().map(plain).transpose()?,
            headers: (self.headers.iter())
                .map(|(name, part)| Ok((name.clone(), plain(part)?)))
                .collect::<Result<_, _>>()?,
            to: self.to.as_ref().map(plain).transpose()?,
            reply_to: self.reply_to.as_ref().map(plain).transpose()?,
            cc: list(&self.cc)?,
            bcc: list(&self.bcc)?,
            attach: list(&self.attach)?,
        })
    }

    /// Everything that the templates can touch and that does not exist: fields that are neither in the
    /// list nor in `data`, helpers, partials; also helpers that are used wrongly. Branches that nobody
    /// takes are looked at like the others, which rendering alone would not do (`{{#if missing}}` renders).
    pub fn check(&self, known: Known<'_>, data: &Map<String, Value>) -> Vec<FieldProblem> {
        check::inspect(self, known, data).0
    }

    /// Those of the list's fields that the templates can touch.
    pub fn used_columns(&self, known: Known<'_>, data: &Map<String, Value>) -> BTreeSet<String> {
        check::inspect(self, known, data).1
    }

    /// All parts that are rendered, in the order of [`Sources`].
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        (std::iter::once(&self.subject)
            .chain(&self.html)
            .chain(&self.text))
        .chain(self.headers.iter().map(|(_, part)| part))
        .chain(&self.to)
        .chain(&self.reply_to)
        .chain(self.cc.iter().chain(&self.bcc).chain(&self.attach))
    }
}

fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    helpers::register(&mut engine);
    engine
}

fn render(
    engine: &Handlebars<'static>,
    part: &Part,
    context: &Context,
) -> Result<String, RenderError> {
    let mut output = Bounded(String::with_capacity(part.size));
    (part
        .template
        .render(engine, context, &mut RenderContext::new(None), &mut output))
    .map_err(|error| RenderError::from_handlebars(&part.name, &error))?;
    Ok(output.0)
}
