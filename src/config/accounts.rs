//! accounts.toml: all accounts of a person.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::account::{self, Account, Auth, Deadlines, Reserve};
use super::document::Document;
use super::section::Section;
use super::words::quoted;
use super::{ConfigError, UnknownAccount, source};
use crate::recipients::Nearest;

/// The account that always exists: the built-in stand-in server, from which nothing leaves the machine.
pub const SANDBOX: &str = "sandbox";

/// The longest name of an account, in characters.
const MAX_NAME: usize = 128;

/// All accounts: the file's, and `sandbox`.
#[derive(Debug, Clone)]
pub struct Accounts {
    file: PathBuf,
    accounts: Vec<Account>,
}

impl Accounts {
    /// Reads accounts.toml. A file that is not there defines no account.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all problems of the file at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match source::read(path) {
            Ok(text) => Self::parse(path, &text),
            Err(ConfigError::Missing(_)) => Self::parse(path, ""),
            Err(error) => Err(error),
        }
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let table = source::parse(path, text)?;
        let document = Document::new(path, text, account::SCHEMA, false);
        let mut accounts = vec![sandbox()];
        accounts.extend(read_all(&document, &table));
        document.finish()?;
        Ok(Self {
            file: path.to_owned(),
            accounts,
        })
    }

    /// The file, which need not exist.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The names of all accounts, `sandbox` first, then in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(|account| account.name.as_str())
    }

    /// The account of this name.
    ///
    /// # Errors
    /// [`UnknownAccount`] when there is none.
    pub fn get(&self, name: &str) -> Result<&Account, UnknownAccount> {
        let account = self.accounts.iter().find(|account| account.name == name);
        account.ok_or_else(|| UnknownAccount {
            name: name.to_owned(),
            nearest: Nearest::name(name).among(self.names()).found(),
            known: self.names().map(str::to_owned).collect(),
            file: self.file.clone(),
        })
    }
}

fn sandbox() -> Account {
    Account {
        name: SANDBOX.to_owned(),
        provider: SANDBOX.to_owned(),
        region: None,
        username: None,
        from: None,
        auth: Auth::None,
        reserve: Reserve::default(),
        host: None,
        port: None,
        tls: None,
        max_recipients_per_message: None,
        max_message_size: None,
        max_connections: None,
        limits: None,
        withdrawn_limits: true,
        ca_file: None,
        retry: None,
        deadlines: Deadlines::default(),
        password: None,
        oauth2: None,
        client_secret: None,
    }
}

fn read_all<'d>(document: &'d Document<'d>, table: &'d DeTable<'d>) -> Vec<Account> {
    let mut tables: Vec<_> = table.iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    let mut accounts = Vec::new();
    for (name, value) in tables {
        let wrong = match value.get_ref() {
            DeValue::Table(_) => name_problem(name.get_ref()),
            _ => Some((
                "is not an account: expected a table",
                "put it under its account's header, such as [comms]",
            )),
        };
        if let Some((message, remedy)) = wrong {
            let key = quoted(name.get_ref());
            document.push(document.problem(key, Some(name.span()), message, remedy));
        } else if let DeValue::Table(table) = value.get_ref() {
            accounts.extend(read_one(document, table, name.get_ref()));
        }
    }
    accounts
}

fn read_one<'d>(document: &'d Document<'d>, table: &'d DeTable<'d>, name: &str) -> Option<Account> {
    let folder = document.file.parent().unwrap_or(Path::new(""));
    let section = Section::top(document, table, name);
    account::read(&section, name, folder)
}

fn name_problem(name: &str) -> Option<(&'static str, &'static str)> {
    if name == SANDBOX {
        return Some((
            "is built in and cannot be defined",
            "choose another name for this account; account = \"sandbox\" works without any definition",
        ));
    }
    let usable = !name.trim().is_empty()
        && !name.chars().any(char::is_control)
        && name.chars().count() <= MAX_NAME;
    (!usable).then_some((
        "is not a name for an account",
        "choose a short name on one line, such as [comms]",
    ))
}
