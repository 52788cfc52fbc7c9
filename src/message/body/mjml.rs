//! MJML as a mail (<https://documentation.mjml.io/>), by mrml. Nothing is fetched and nothing included.
//!
//! Texts and links go into gaps, so rows that differ in nothing else are laid out once.

use mrml::prelude::parser::{Error as ParseError, ParserOptions, Span};
use mrml::prelude::render::RenderOptions;

use super::cache::Cache;
use super::pieces::{Manner, Pieces, gap};
use super::survey;
use super::tags::{Kind, Tokens};
use crate::recipients::guarded;

/// How deep elements may be nested: they are read by functions that call themselves.
const MAX_DEPTH: usize = 60;

/// Attributes that say where something leads or what it is called, and nothing of the layout.
const FREE: &[&str] = &["href", "src", "alt", "title"];

const MISPLACED: &str = "look at how it is spelt and where MJML allows it: texts, pictures and buttons stand in an mj-column, \
     columns in an mj-section, sections in mj-body";

/// Lays pages out.
#[derive(Default)]
pub(super) struct Mjml {
    seen: Cache<Pieces>,
}

impl Mjml {
    /// The page of an MJML text.
    ///
    /// # Errors
    /// What is wrong with it, and what to do about it.
    pub(super) fn page(&self, mjml: &str) -> Result<String, (String, String)> {
        let (skeleton, values) = cut(mjml);
        let pieces = self.seen.get_or_make(&skeleton, |skeleton| {
            laid_out(skeleton).map(|page| Pieces::of(&page))
        })?;
        let mut page = String::with_capacity(mjml.len() * 4);
        pieces.fill(&mut page, |number, _, page| {
            page.push_str(values.get(number).copied().unwrap_or_default());
        });
        Ok(page)
    }
}

/// The text with gaps, and what goes into them.
fn cut(mjml: &str) -> (String, Vec<&str>) {
    let mut skeleton = String::with_capacity(mjml.len());
    let mut values = Vec::new();
    let mut tokens = Tokens::new(mjml);
    while let Some(kind) = tokens.advance() {
        let mut copied = tokens.span.start;
        let mut leave = |place: std::ops::Range<usize>, skeleton: &mut String| {
            skeleton.push_str(mjml.get(copied..place.start).unwrap_or_default());
            skeleton.push_str(&gap(values.len(), Manner::Text));
            values.push(mjml.get(place.clone()).unwrap_or_default());
            copied = place.end;
        };
        if kind == Kind::Text && survey::is_solid(tokens.text()) {
            let text = tokens.text();
            let start = tokens.span.start + text.len() - text.trim_ascii_start().len();
            leave(start..start + text.trim_ascii().len(), &mut skeleton);
        } else if kind == Kind::Start {
            for attribute in &tokens.attributes {
                let name = tokens.at(&attribute.name);
                if !attribute.value.is_empty() && FREE.contains(&name) {
                    leave(attribute.value.clone(), &mut skeleton);
                }
            }
        }
        skeleton.push_str(mjml.get(copied..tokens.span.end).unwrap_or_default());
    }
    (skeleton, values)
}

fn laid_out(mjml: &str) -> Result<String, (String, String)> {
    if survey::depth_at_most(mjml) > MAX_DEPTH {
        let reason =
            format!("more than {MAX_DEPTH} elements are nested in each other, or are never closed");
        return Err((reason, "close every element that you open".to_owned()));
    }
    // Without the usual fonts: mail programs would fetch them from somebody who then knows who reads what.
    let options = RenderOptions {
        fonts: std::collections::HashMap::new(),
        ..RenderOptions::default()
    };
    let page = guarded(|| {
        let read = mrml::parse_with_options(mjml, &ParserOptions::default())
            .map_err(|cause| explain(mjml, &cause))?;
        let page = read.element.render(&options);
        page.map_err(|cause| {
            (
                format!("it cannot be laid out: {cause}"),
                "look at its attributes".to_owned(),
            )
        })
    });
    let page = page.unwrap_or_else(|| {
        let remedy = "check it with another MJML tool";
        Err(("it cannot be read".to_owned(), remedy.to_owned()))
    })?;
    unknown(mjml, &page).map_or(Ok(page), Err)
}

/// An element of MJML that came out as it went in: mrml takes what it does not know for HTML.
fn unknown(mjml: &str, page: &str) -> Option<(String, String)> {
    let mut tokens = Tokens::new(page);
    while let Some(kind) = tokens.advance() {
        let name = tokens.at(&tokens.name);
        let is_mjml = name
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("mj-"));
        if kind == Kind::Start && is_mjml {
            let before = mjml.split(&format!("<{name}")).next().unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let reason = format!(
                "<{name}> is not known, or not where it stands (line {line} of the filled-in MJML)"
            );
            return Some((reason, MISPLACED.to_owned()));
        }
    }
    None
}

/// The page's reader speaks of byte positions: a person looks for an element.
fn explain(mjml: &str, cause: &ParseError) -> (String, String) {
    let at = |span: &Span| {
        let name: String = mjml
            .get(span.start..)
            .unwrap_or_default()
            .chars()
            .take(30)
            .collect();
        let name = name
            .trim_start_matches(['<', '/'])
            .split(|c: char| c.is_whitespace() || c == '>' || c == '/');
        let line = mjml
            .get(..span.start)
            .unwrap_or_default()
            .matches('\n')
            .count()
            + 1;
        (name.into_iter().next().unwrap_or_default().to_owned(), line)
    };
    let (reason, remedy) = match cause {
        ParseError::UnexpectedElement { position, .. } => {
            let (name, line) = at(position);
            (
                format!(
                    "<{name}> cannot stand where it stands (line {line} of the filled-in MJML)"
                ),
                MISPLACED,
            )
        }
        ParseError::IncludeLoaderError { position, .. } => (
            format!(
                "mj-include is not followed (line {} of the filled-in MJML)",
                at(position).1
            ),
            "put the file into the folder 'partials' and include it with {{> name}}",
        ),
        ParseError::MissingAttribute { name, position, .. } => {
            let (element, line) = at(position);
            (
                format!(
                    "<{element}> needs the attribute '{name}' (line {line} of the filled-in MJML)"
                ),
                "add the attribute",
            )
        }
        ParseError::UnexpectedToken { position, .. }
        | ParseError::InvalidAttribute { position, .. }
        | ParseError::InvalidFormat { position, .. } => (
            format!(
                "it is no MJML from '{}' on (line {} of the filled-in MJML)",
                at(position).0,
                at(position).1
            ),
            "look at the tag there, and whether every element before it is closed",
        ),
        ParseError::EndOfStream { .. } => (
            "an element is never closed".to_owned(),
            "close every element that you open, or write it as <mj-image … />",
        ),
        ParseError::NoRootNode => (
            "there is no <mjml> element".to_owned(),
            "begin with <mjml><mj-body> and end with </mj-body></mjml>",
        ),
        ParseError::SizeLimit { .. } => (
            "it is too large".to_owned(),
            "split it into several messages",
        ),
        ParseError::ParserError { source, .. } => (
            format!("it is no MJML: {source}"),
            "look whether every tag is closed and every attribute is in quotes",
        ),
    };
    (reason, remedy.to_owned())
}
