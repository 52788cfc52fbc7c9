//! A compiled set of templates.

use std::collections::{BTreeSet, HashSet};

use handlebars::{Context, Handlebars, RenderContext, Renderable, Template, no_escape};
use serde_json::{Map, Value};

use super::branches::{self, Arm, Branch, Tracer};
use super::check::{self, FieldProblem, FieldUse, Known};
use super::decided::Decided;
use super::error::{RenderError, TemplateError};
use super::rendered::{Bounded, Rendered};
use super::source::{Language, Source, Sources};
use super::{effort, held, helpers, partials, syntax};

/// The name under which handlebars knows every part: no partial can have it, so none is taken for a part.
pub(super) const PART_KEY: &str = "\u{1}";

/// A part that is rendered.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) template: Template,
    /// The same with an end to what it may cost: what is rendered.
    bounded: Template,
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
    language: Language,
    pub(super) partials: Vec<(String, Template)>,
    /// Helpers and partials for the HTML part, which escapes what it is given, or holds it.
    markup: Handlebars<'static>,
    /// The same for all other parts, which do not.
    plain: Handlebars<'static>,
}

/// A set that tells which of its branches it takes, and renders the same text all the same.
#[derive(Debug)]
pub struct TracedSet {
    set: TemplateSet,
    branches: Vec<Branch>,
}

impl TracedSet {
    /// All branches of all parts and partials.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Does some rendering, and says which arms were taken in it.
    pub fn trace<T>(&self, work: impl FnOnce(&TemplateSet) -> T) -> (T, BTreeSet<Arm>) {
        branches::traced(|| work(&self.set))
    }
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
            bounded: Template::default(),
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
            language: sources.language,
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
        set.equip();
        Ok(set)
    }

    /// A set of one empty subject.
    pub(super) fn empty() -> Self {
        let mut compiler = Compiler::default();
        Self {
            subject: compiler.part(&Source::default()),
            html: None,
            text: None,
            headers: Vec::new(),
            to: None,
            reply_to: None,
            cc: Vec::new(),
            bcc: Vec::new(),
            attach: Vec::new(),
            language: Language::Html,
            partials: Vec::new(),
            markup: engine(),
            plain: engine(),
        }
    }

    /// Renders all parts with `data`, the recipient's fields over the campaign's values (see [`super::merge`]).
    ///
    /// # Errors
    /// The first part that cannot be rendered: a field without a value, a value that a helper cannot
    /// read, or more text than [`super::MAX_PART_BYTES`].
    pub fn render(&self, data: Map<String, Value>) -> Result<Rendered, RenderError> {
        self.render_in(&Context::from(Value::Object(data)))
    }

    /// Renders all parts for a person with several rows: `data` has the fields of the first one and
    /// [`super::ROWS`], `further` has the fields of each other row. Attachments are those of every row, each once:
    /// who has several rows expects the file of each.
    ///
    /// # Errors
    /// As [`TemplateSet::render`].
    pub fn render_grouped(
        &self,
        data: Map<String, Value>,
        further: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Result<Rendered, RenderError> {
        let mut context = Context::from(Value::Object(data));
        let mut rendered = self.render_in(&context)?;
        if self.attach.is_empty() {
            return Ok(rendered);
        }
        let trimmed = |path: &String| path.trim().to_owned();
        let mut seen: HashSet<String> = rendered.attach.iter().map(trimmed).collect();
        for fields in further {
            if let Value::Object(data) = context.data_mut() {
                data.extend(fields);
            }
            for part in &self.attach {
                let path = render(&self.plain, part, &context)?;
                if !path.trim().is_empty() && seen.insert(trimmed(&path)) {
                    rendered.attach.push(path);
                }
            }
        }
        Ok(rendered)
    }

    /// The paths of attachments for these fields, one of each template; those that cannot be rendered are empty.
    pub fn attachments_for(&self, data: Map<String, Value>) -> Vec<String> {
        let context = Context::from(Value::Object(data));
        let path = |part| render(&self.plain, part, &context).unwrap_or_default();
        self.attach.iter().map(path).collect()
    }

    fn render_in(&self, context: &Context) -> Result<Rendered, RenderError> {
        let plain = |part: &Part| render(&self.plain, part, context);
        let list = |parts: &[Part]| parts.iter().map(plain).collect::<Result<Vec<_>, _>>();
        Ok(Rendered {
            subject: plain(&self.subject)?,
            html: (self.html.as_ref())
                .map(|part| render(&self.markup, part, context))
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

    /// The same set, which also tells which of its branches a rendering takes.
    #[must_use]
    pub fn traced(&self) -> TracedSet {
        let mut tracer = Tracer::new();
        let mut part = |part: &Part| Part {
            name: part.name.clone(),
            template: tracer.trace(&part.name, &part.template),
            bounded: Template::default(),
            size: part.size,
        };
        let mut set = Self {
            subject: part(&self.subject),
            html: self.html.as_ref().map(&mut part),
            text: self.text.as_ref().map(&mut part),
            headers: (self.headers.iter())
                .map(|(name, header)| (name.clone(), part(header)))
                .collect(),
            to: self.to.as_ref().map(&mut part),
            reply_to: self.reply_to.as_ref().map(&mut part),
            cc: self.cc.iter().map(&mut part).collect(),
            bcc: self.bcc.iter().map(&mut part).collect(),
            attach: self.attach.iter().map(&mut part).collect(),
            language: self.language,
            partials: Vec::new(),
            markup: engine(),
            plain: engine(),
        };
        set.partials = (self.partials.iter())
            .map(|(name, template)| (name.clone(), tracer.trace(name, template)))
            .collect();
        set.equip();
        branches::register(&mut set.markup);
        branches::register(&mut set.plain);
        TracedSet {
            set,
            branches: tracer.branches,
        }
    }

    /// Gives the engines what they need beside the helpers.
    fn equip(&mut self) {
        self.plain.register_escape_fn(no_escape);
        if self.language == Language::Markdown {
            self.markup.register_escape_fn(held::hold);
        }
        let templates = self.parts().map(|part| &part.template);
        let partials = self.partials.iter().map(|(_, template)| template);
        let bounds = effort::Bounds::new(templates.chain(partials));
        for (name, template) in &self.partials {
            let bounded = bounds.partial(template);
            self.markup.register_template(name, bounded.clone());
            self.plain.register_template(name, bounded);
        }
        for part in self.parts_mut() {
            part.bounded = bounds.part(&part.template);
        }
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        (std::iter::once(&mut self.subject))
            .chain(&mut self.html)
            .chain(&mut self.text)
            .chain(self.headers.iter_mut().map(|(_, part)| part))
            .chain(&mut self.to)
            .chain(&mut self.reply_to)
            .chain(&mut self.cc)
            .chain(&mut self.bcc)
            .chain(&mut self.attach)
    }

    /// Everything that the templates can touch and that does not exist: fields that are neither in the
    /// list nor in `data`, helpers, partials; also helpers that are used wrongly. Branches that nobody
    /// takes are looked at like the others, which rendering alone would not do (`{{#if missing}}` renders).
    pub fn check(&self, known: Known<'_>, data: &Map<String, Value>) -> Vec<FieldProblem> {
        check::inspect(self, known, data).problems
    }

    /// Those of the list's fields that the templates can touch.
    pub fn used_columns(&self, known: Known<'_>, data: &Map<String, Value>) -> BTreeSet<String> {
        check::inspect(self, known, data).used
    }

    /// Those of the list's fields that are the first row's wherever they are touched: outside
    /// [`super::ROWS`], and in parts other than attachments, which every row has.
    pub fn used_of_first_row(
        &self,
        known: Known<'_>,
        data: &Map<String, Value>,
    ) -> BTreeSet<String> {
        check::inspect(self, known, data).used_once
    }

    /// Those of the list's fields that alone, with `data`, decide what is rendered: records that agree in them
    /// render to the same. None where that cannot be told for certain.
    pub fn decided_by(
        &self,
        fields: &BTreeSet<String>,
        data: &Map<String, Value>,
    ) -> Option<BTreeSet<String>> {
        let mut decided = Decided::new(fields, data);
        let parts = self.parts().map(|part| &part.template);
        let partials = self.partials.iter().map(|(_, template)| template);
        for template in parts.chain(partials) {
            decided.template(template)?;
        }
        Some(decided.into_found())
    }

    /// Where the list's fields are used, and what for.
    pub fn uses(&self, known: Known<'_>, data: &Map<String, Value>) -> BTreeSet<FieldUse> {
        check::inspect(self, known, data).uses
    }

    /// Everything that keeps these values from being rendered: the first failure of each part.
    pub fn failures(&self, data: Map<String, Value>) -> Vec<RenderError> {
        let context = Context::from(Value::Object(data));
        let failure = |part: &Part| {
            let engine = if self.is_markup(part) {
                &self.markup
            } else {
                &self.plain
            };
            render(engine, part, &context).err()
        };
        self.parts().filter_map(failure).collect()
    }

    /// Whether a part is HTML, and its values are escaped.
    pub(super) fn is_markup(&self, part: &Part) -> bool {
        self.html
            .as_ref()
            .is_some_and(|html| std::ptr::eq(html, part))
    }

    /// Whether a part may come out empty, which then means nothing.
    pub(super) fn is_optional(&self, part: &Part) -> bool {
        let optional = (self.reply_to.iter())
            .chain(&self.cc)
            .chain(&self.bcc)
            .chain(&self.attach);
        optional.into_iter().any(|one| std::ptr::eq(one, part))
    }

    /// All parts that are rendered, in the order of [`Sources`].
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts_rendered_once().chain(self.attachments())
    }

    /// Those that are rendered for every row of a person.
    pub(super) fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.attach.iter()
    }

    /// All others.
    pub(super) fn parts_rendered_once(&self) -> impl Iterator<Item = &Part> {
        (std::iter::once(&self.subject)
            .chain(&self.html)
            .chain(&self.text))
        .chain(self.headers.iter().map(|(_, part)| part))
        .chain(&self.to)
        .chain(&self.reply_to)
        .chain(self.cc.iter().chain(&self.bcc))
    }
}

fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    helpers::register(&mut engine);
    effort::register(&mut engine);
    engine
}

fn render(
    engine: &Handlebars<'static>,
    part: &Part,
    context: &Context,
) -> Result<String, RenderError> {
    let mut output = Bounded(String::with_capacity(part.size));
    effort::begin();
    (part
        .bounded
        .render(engine, context, &mut RenderContext::new(None), &mut output))
    .map_err(|error| RenderError::from_handlebars(&part.name, &error))?;
    Ok(output.0)
}
