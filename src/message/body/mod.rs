//! From what the HTML template gives to the HTML that is sent: Markdown and MJML become HTML, and rules
//! of `<style>` blocks become attributes.
//!
//! Each step is a function of what it is given, so that a message has the same bytes in every attempt;
//! what is kept between rows only saves time. Called by the renderer, for every row.

mod cache;
mod important;
mod inline;
mod markdown;
mod mjml;
mod pieces;
mod skeleton;
mod survey;
mod tags;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::Definition;
use super::error::Error;
use crate::template::{Language, Rendered};
use inline::{Inliner, MAX_DEPTH};
use markdown::Markdown;
use mjml::Mjml;

/// What finishes the HTML bodies of a campaign.
pub(super) struct Body {
    /// The template's name.
    part: String,
    writer: Writer,
    inliner: Option<Inliner>,
}

enum Writer {
    Html,
    Markdown(Markdown),
    Mjml(Mjml),
}

impl Body {
    pub(super) fn new(definition: &Definition) -> Self {
        let html = definition.sources.html.as_ref();
        let lang = definition.data.get("lang").and_then(Value::as_str);
        Self {
            part: html.map(|source| source.name.clone()).unwrap_or_default(),
            writer: match definition.sources.language {
                Language::Html => Writer::Html,
                Language::Markdown => Writer::Markdown(Markdown::new(lang)),
                Language::Mjml => Writer::Mjml(Mjml::default()),
            },
            inliner: definition.inline_css.then(Inliner::new),
        }
    }

    /// Makes the HTML body of a row what is sent; as it was before its styles were inlined, if they were.
    pub(super) fn finish(&self, rendered: &mut Rendered) -> Result<Option<String>, Error> {
        let Some(written) = rendered.html.take() else {
            return Ok(None);
        };
        let html = match &self.writer {
            Writer::Html => written,
            Writer::Markdown(markdown) => markdown.page(&written, &rendered.subject),
            Writer::Mjml(mjml) => mjml
                .page(&written)
                .map_err(|(reason, remedy)| self.error(reason, &remedy))?,
        };
        self.refuse_depth(&html)?;
        let Some(inliner) = &self.inliner else {
            rendered.html = Some(html);
            return Ok(None);
        };
        let plain = html.clone();
        rendered.html = Some(inliner.inline(html).map_err(|reason| {
            let remedy = "simplify the HTML, or set inline_css = false under [message]";
            self.error(format!("its styles cannot be inlined: {reason}"), remedy)
        })?);
        Ok(Some(plain))
    }

    /// What reads HTML takes the square of the depth in time, and some of it calls itself for each level.
    fn refuse_depth(&self, html: &str) -> Result<(), Error> {
        // Where there are no more tags than that, they cannot be nested deeper.
        let tags = memchr::memchr_iter(b'<', html.as_bytes()).count();
        if tags <= MAX_DEPTH || survey::depth_at_most(html) <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.error(
            format!("more than {MAX_DEPTH} elements are nested in each other, or are never closed"),
            "close every element, and take out what is nested for no reason",
        ))
    }

    fn error(&self, reason: String, remedy: &str) -> Error {
        Error::Body {
            part: self.part.clone(),
            reason,
            remedy: remedy.to_owned(),
        }
    }
}
