//! What keeps a row from becoming a mail.

use crate::template::{RenderError, TemplateError};

/// A message that cannot be built; nothing of it was sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The templates have mistakes.
    #[error("{}", first(.0))]
    Templates(Vec<TemplateError>),
    /// A row cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An address that is no address.
    #[error("'{value}' in {part} is not an address: {reason}")]
    Address {
        /// Where it was written.
        part: &'static str,
        /// What was found.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header with a line break or control character, or a name that is not allowed.
    #[error("the header {name} {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be attached.
    #[error("the attachment '{path}' {reason}")]
    Attachment {
        /// As it was written or rendered.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A body that cannot be made HTML, or whose styles cannot be inlined.
    #[error("{part}: {reason}")]
    Body {
        /// The template's name.
        part: String,
        /// What is wrong with it, and where.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// The cells that were frozen cannot be read.
    #[error("a frozen row cannot be read: {0}")]
    Cells(String),
    /// What was frozen of an edition of the campaign cannot be read.
    #[error("edition {number} of the campaign cannot be read: {reason}")]
    Edition {
        /// Its number.
        number: u64,
        /// Why not.
        reason: String,
    },
    /// The builder refused it.
    #[error("the message cannot be built: {0}")]
    Build(String),
}

fn first(errors: &[TemplateError]) -> String {
    errors.first().map(ToString::to_string).unwrap_or_default()
}

impl Error {
    /// A stable name for findings.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Templates(_) => "template-syntax",
            Self::Render(_) => "cannot-render",
            Self::Address { .. } => "bad-address",
            Self::Header { .. } => "bad-header",
            Self::Attachment { .. } => "bad-attachment",
            Self::Body { .. } => "bad-body",
            Self::Cells(_) | Self::Edition { .. } | Self::Build(_) => "cannot-build",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Templates(errors) => errors
                .first()
                .map(|error| error.remedy.clone())
                .unwrap_or_default(),
            Self::Render(error) => error.hint.clone(),
            Self::Body { remedy, .. } => remedy.clone(),
            Self::Address { .. } => "write one address, as in name@example.com or \"Name <name@example.com>\"".to_owned(),
            Self::Header { .. } => "mend the value in the list or in campaign.toml".to_owned(),
            Self::Attachment { .. } => {
                "put the file into the campaign's folder under that name, or correct the list or the 'attach' key"
                    .to_owned()
            }
            Self::Cells(_) | Self::Edition { .. } | Self::Build(_) => "check the campaign again; if this stays, report it".to_owned(),
        }
    }
}
