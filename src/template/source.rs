//! What a template set is made from.

use serde::{Deserialize, Serialize};

/// One template as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// Where it was written, for messages: a file's name or, for instance, `campaign.toml: message.subject`.
    /// A partial's name is what stands after `{{>`.
    pub name: String,
    /// The Handlebars text.
    pub text: String,
}

impl Source {
    /// A source of this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// What the HTML body is written in, which says how values are put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// HTML.
    #[default]
    Html,
    /// Markdown: values are held (see [`super::held`]) until it has become HTML.
    Markdown,
    /// MJML, whose values are escaped as in HTML.
    Mjml,
}

impl Language {
    /// The language of a body in a file of this name: `news.md.hbs` and `news.md` are Markdown,
    /// `news.mjml.hbs` and `news.mjml` are MJML, everything else is HTML.
    pub fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".hbs").unwrap_or(&name);
        match name.rsplit_once('.') {
            Some((_, "md" | "markdown")) => Self::Markdown,
            Some((_, "mjml")) => Self::Mjml,
            _ => Self::Html,
        }
    }

    /// True for HTML: what earlier versions froze says nothing else.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_html(&self) -> bool {
        *self == Self::Html
    }
}

/// All templates of a campaign; serialized as it is, so that the store can freeze it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// The subject.
    pub subject: Source,
    /// The HTML body.
    pub html: Option<Source>,
    /// What the HTML body is written in.
    #[serde(default, skip_serializing_if = "Language::is_html")]
    pub language: Language,
    /// The plain-text body; `message` derives one from the HTML where there is none.
    pub text: Option<Source>,
    /// The campaign's own headers: field name and value.
    pub headers: Vec<(String, Source)>,
    /// The To header, where the campaign sets it.
    pub to: Option<Source>,
    /// The Reply-To header.
    pub reply_to: Option<Source>,
    /// Copies.
    pub cc: Vec<Source>,
    /// Blind copies.
    pub bcc: Vec<Source>,
    /// Paths of attachments, relative to the campaign's folder.
    pub attach: Vec<Source>,
    /// Templates that others include with `{{> name}}`.
    pub partials: Vec<Source>,
}
