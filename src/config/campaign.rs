//! campaign.toml.

use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::document::{Document, Schema};
use super::section::Section;
use super::{
    ConfigError, DeliveryOptions, MessageOptions, RecipientOptions, delivery, message, recipients,
    source,
};

/// The name of the file that makes a folder a campaign.
pub const FILE_NAME: &str = "campaign.toml";

/// The longest name of a campaign, in characters.
const MAX_NAME: usize = 128;

/// Every key of campaign.toml, by table.
const SCHEMA: Schema = &[
    (
        "",
        &[
            "name",
            "account",
            "accounts",
            "message",
            "recipients",
            "delivery",
        ],
    ),
    ("message", message::KEYS),
    ("recipients", recipients::KEYS),
    ("delivery", delivery::KEYS),
];

/// A campaign as its folder describes it, checked. Files are named relative to [`Campaign::folder`]
/// and lie inside it; whether they exist is not checked here.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The folder, absolute and without symbolic links.
    pub folder: PathBuf,
    /// Its identity in the store; the folder's name by default.
    pub name: String,
    /// The accounts it is sent from; at least one, each once.
    pub accounts: Vec<String>,
    /// What is sent.
    pub message: MessageOptions,
    /// To whom.
    pub recipients: RecipientOptions,
    /// When and how.
    pub delivery: DeliveryOptions,
}

impl Campaign {
    /// Reads the campaign in `folder`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when the folder or its campaign.toml is not there;
    /// [`ConfigError::Invalid`] with all problems of the file at once.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let folder = resolve(folder)?;
        let file = folder.join(FILE_NAME);
        source::refuse_endless(&file)?;
        let text = source::read(&file)?;
        Self::parse(folder, &file, &text)
    }

    pub(super) fn parse(folder: PathBuf, file: &Path, text: &str) -> Result<Self, ConfigError> {
        let table = source::parse(file, text)?;
        let document = Document::new(file, text, SCHEMA, true);
        let top = Section::top(&document, &table, "");
        let name = name(&top, &folder);
        let accounts = accounts(&top);
        let message = message::read(&top.table("message"));
        let recipients = recipients::read(&top.table("recipients"));
        let delivery = delivery::read(&top.table("delivery"));
        let campaign = match (name, message, recipients) {
            (Some(name), Some(message), Some(recipients)) => Self {
                folder,
                name,
                accounts,
                message,
                recipients,
                delivery,
            },
            _ => return Err(document.finish_refused()),
        };
        document.finish().map(|()| campaign)
    }
}

fn resolve(folder: &Path) -> Result<PathBuf, ConfigError> {
    let resolved = folder.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing(folder.to_owned()),
        io::ErrorKind::NotADirectory => ConfigError::NoFolder(folder.to_owned()),
        _ => ConfigError::Unreadable(folder.to_owned(), error),
    })?;
    if resolved.is_dir() {
        return Ok(resolved);
    }
    Err(ConfigError::NoFolder(folder.to_owned()))
}

fn name(top: &Section<'_>, folder: &Path) -> Option<String> {
    if top.value("name").is_some() {
        let text = top.text("name")?;
        let (span, name) = (text.span(), text.into_inner());
        if name.chars().count() > MAX_NAME {
            top.refuse(
                "name",
                Some(span),
                format!("is longer than {MAX_NAME} characters"),
                "choose a shorter name",
            );
            return None;
        }
        return Some(name);
    }
    let name = folder.file_name().and_then(|name| name.to_str());
    let fits = |name: &&str| {
        !name.trim().is_empty()
            && !name.chars().any(char::is_control)
            && name.chars().count() <= MAX_NAME
    };
    let name = name.filter(fits).map(str::to_owned);
    if name.is_none() {
        top.refuse(
            "name",
            None,
            "is required: the folder's name cannot be used",
            "add name = \"…\" at the top of the file",
        );
    }
    name
}

fn accounts(top: &Section<'_>) -> Vec<String> {
    let one = top.text("account").map(Spanned::into_inner);
    let mut accounts: Vec<String> = Vec::new();
    for account in top.texts("accounts") {
        if accounts.contains(account.get_ref()) {
            top.refuse(
                "accounts",
                Some(account.span()),
                format!("names '{}' twice", account.get_ref()),
                "name each account once",
            );
        } else {
            accounts.push(account.into_inner());
        }
    }
    match (top.value("account"), top.value("accounts")) {
        (Some(_), Some(several)) => top.refuse(
            "accounts",
            Some(several.span()),
            "is given beside account",
            "keep one of account = \"…\" and accounts = […]",
        ),
        (None, Some(several)) if several.get_ref().as_array().is_some_and(|names| names.is_empty()) => {
            top.refuse("accounts", Some(several.span()), "is empty", "name at least one account");
        }
        (None, None) => top.require(
            "account",
            "add account = \"sandbox\" at the top of the file to try it out, or the name of an account in accounts.toml",
        ),
        _ => {}
    }
    one.map_or(accounts, |one| vec![one])
}
