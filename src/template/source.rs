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

/// All templates of a campaign; serialized as it is, so that the store can freeze it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// The subject.
    pub subject: Source,
    /// The HTML body.
    pub html: Option<Source>,
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
