//! Rules of `<style>` blocks as `style` attributes, for mail programs that drop or ignore the blocks.
//!
//! Which rule goes where is css-inline's to say. But nothing that it writes is sent: it is given the
//! document with a number on every tag, its answer is read for the `style` of each number, and these
//! are put into the document as it was. So doctype, conditional comments, entities and whatever else
//! a parser would write anew stay to the byte, and so do the `<style>` blocks, but that rules inside
//! `@media` become `!important` ([`important`]).
//!
//! Documents that differ only in their texts and links have the same answer, so it is kept by the
//! document's *skeleton*: its tags without the texts between them. A list's rows mostly share one.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use css_inline::{CSSInliner, InlineOptions};

use super::cache::Cache;
use super::important;
use super::skeleton::{Change, Skeleton, is_numbered};
use super::survey::{self, Styles};
use super::tags::{Kind, Tokens};
use crate::recipients::guarded;

/// The attribute that numbers a tag while its style is looked up; it is never sent.
const NUMBER: &str = "data-postroom-tag";

/// How deep elements may be nested: the answer is written by a function that calls itself.
pub(super) const MAX_DEPTH: usize = 1000;

/// Inlines style sheets and remembers the answers.
pub(super) struct Inliner {
    css: CSSInliner<'static>,
    seen: Cache<Answer>,
}

/// What css-inline says of a skeleton.
enum Answer {
    /// The new `style` of start tags, and the new content of raw ones, by their number from the start of
    /// the document.
    Changes(Vec<(usize, Change)>),
    /// The styles cannot all be told by tags: an element has none of its own, or several share one.
    Odd,
}

impl Inliner {
    pub(super) fn new() -> Self {
        let options = InlineOptions {
            keep_style_tags: true,
            keep_link_tags: true,
            load_remote_stylesheets: false,
            ..InlineOptions::default()
        };
        Self {
            css: options.build(),
            seen: Cache::default(),
        }
    }

    /// The document with its rules as attributes; the same where it has no `<style>`.
    ///
    /// # Errors
    /// Why its styles cannot be inlined, in words.
    pub(super) fn inline(&self, html: String) -> Result<String, String> {
        let styles = survey::styles(&html);
        if styles == Styles::None {
            return Ok(html);
        }
        let skeleton = Skeleton::of(&html, styles == Styles::Plain);
        let answer = self
            .seen
            .get_or_make(&skeleton.html, |skeleton| self.ask(skeleton))?;
        match &*answer {
            Answer::Changes(changes) => Ok(skeleton.changed(&html, changes)),
            Answer::Odd => self.whole(&html),
        }
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.seen.len()
    }

    fn ask(&self, skeleton: &str) -> Result<Answer, String> {
        if survey::depth_at_most(skeleton) > MAX_DEPTH {
            return Err(format!(
                "more than {MAX_DEPTH} elements are nested in each other"
            ));
        }
        if survey::has_foreign_raw(skeleton) {
            return Ok(Answer::Odd);
        }
        let styled = styles_by_number(&self.answer(&marked(skeleton, true))?, skeleton);
        let Some(mut changes) = styled else {
            return Ok(Answer::Odd);
        };
        changes.extend(sheets(skeleton));
        changes.sort_by_key(|(number, _)| *number);
        Ok(Answer::Changes(changes))
    }

    fn answer(&self, html: &str) -> Result<String, String> {
        guarded(|| self.css.inline(html))
            .ok_or_else(|| "they cannot be read".to_owned())?
            .map_err(|cause| cause.to_string())
    }

    /// The document as css-inline writes it, with its own doctype.
    fn whole(&self, html: &str) -> Result<String, String> {
        let mut inlined = self.answer(&marked(html, false))?;
        if let (Some(own), Some(new)) = (doctype(html), doctype(&inlined)) {
            inlined.replace_range(..new.len(), own);
        }
        Ok(Skeleton::of(&inlined, false).changed(&inlined, &sheets(&inlined)))
    }
}

/// A document as it is shown to css-inline: start tags may get their number, and sheets that hold only on a
/// condition are none of its business.
fn marked(html: &str, numbered: bool) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    let mut tokens = Tokens::new(html);
    let mut number = 0_usize;
    while let Some(kind) = tokens.advance() {
        let name_end = if kind == Kind::Start {
            tokens.name.end
        } else {
            tokens.span.start
        };
        out.push_str(tokens.at(&(tokens.span.start..name_end)));
        if kind == Kind::Start && numbered {
            // Writing to a text cannot fail.
            let _ = write!(out, " {NUMBER}=\"{number}\"");
        }
        if kind == Kind::Start && is_conditional(&tokens) {
            out.push_str(" data-css-inline=\"ignore\"");
        }
        out.push_str(tokens.at(&(name_end..tokens.span.end)));
        number += usize::from(is_numbered(kind));
    }
    out
}

/// A `<style media="…">` for some screens only, or for paper.
fn is_conditional(tag: &Tokens<'_>) -> bool {
    tag.is("style")
        && tag.attribute("media").is_some_and(|media| {
            let media = tag.at(&media.value).trim();
            !["", "all", "screen"]
                .iter()
                .any(|usual| media.eq_ignore_ascii_case(usual))
        })
}

/// What becomes of the sheets themselves.
fn sheets(html: &str) -> Vec<(usize, Change)> {
    let mut changes = Vec::new();
    let mut tokens = Tokens::new(html);
    let (mut number, mut sheet) = (0, None);
    while let Some(kind) = tokens.advance() {
        if let (Kind::Raw, Some(conditional)) = (kind, sheet) {
            let css = important::conditional(tokens.text(), conditional);
            changes.extend(css.map(|css| (number, Change::Sheet(css))));
        }
        sheet = (kind == Kind::Start && tokens.is("style")).then(|| is_conditional(&tokens));
        number += usize::from(is_numbered(kind));
    }
    changes
}

/// Reads the `style` of each number from what css-inline made of `skeleton`; nothing where an element
/// without a number has one, or elements with the same number have different ones.
fn styles_by_number(answer: &str, skeleton: &str) -> Option<Vec<(usize, Change)>> {
    let mut styles: BTreeMap<usize, &str> = BTreeMap::new();
    let mut plain: HashSet<usize> = HashSet::new();
    let mut tokens = Tokens::new(answer);
    while let Some(kind) = tokens.advance() {
        if kind != Kind::Start {
            continue;
        }
        let style = tokens
            .attribute("style")
            .map(|style| tokens.at(&style.value));
        let number = tokens
            .attribute(NUMBER)
            .map(|number| tokens.at(&number.value));
        let number = number.and_then(|number| number.parse().ok());
        match (number, style) {
            (None, None) => {}
            (None, Some(_)) => return None,
            (Some(number), None) => {
                plain.insert(number);
            }
            (Some(number), Some(style)) => {
                if styles
                    .insert(number, style)
                    .is_some_and(|other| other != style)
                {
                    return None;
                }
            }
        }
    }
    if styles.keys().any(|number| plain.contains(number)) {
        return None;
    }
    without_equal(styles, skeleton)
}

/// The styles that differ from what the tag of that number has already; nothing where there is no such tag.
fn without_equal(
    mut styles: BTreeMap<usize, &str>,
    skeleton: &str,
) -> Option<Vec<(usize, Change)>> {
    let mut changes = Vec::new();
    let mut tokens = Tokens::new(skeleton);
    let mut number = 0;
    while let Some(kind) = tokens.advance() {
        if kind == Kind::Start
            && let Some(style) = styles.remove(&number)
        {
            let own = tokens.attribute("style").map(|own| tokens.at(&own.value));
            if own != Some(style) {
                changes.push((number, Change::Style(style.to_owned())));
            }
        }
        number += usize::from(is_numbered(kind));
    }
    styles.is_empty().then_some(changes)
}

/// The doctype that a document begins with.
fn doctype(html: &str) -> Option<&str> {
    let is_doctype = html
        .get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
    let end = html.find('>').filter(|_| is_doctype)?;
    html.get(..=end)
}
