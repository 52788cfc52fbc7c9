//! What can be wrong with a configuration, with what a person needs to put it right.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::limits::{Rule, Unit};
use crate::provider::{ProviderError, RegionError};

/// One thing that is wrong in a file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file it is in.
    pub file: PathBuf,
    /// Line, from 1; none when it is about the file as a whole, or a table that is not there.
    pub line: Option<usize>,
    /// Column in characters, from 1; none where there is no line.
    pub column: Option<usize>,
    /// The key with its tables, such as `message.subject`; empty when the file is no TOML there.
    pub key: String,
    /// What was found, as a fragment.
    pub message: String,
    /// What to do, as an instruction.
    pub remedy: String,
}

impl fmt::Display for Problem {
    /// `file:line:column: key: message`, without the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The folder or file is not there (exit 66).
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A file where the campaign's folder belongs (exit 74).
    #[error("{} is a file and no folder", .0.display())]
    NoFolder(PathBuf),
    /// The file is there and cannot be read (exit 74).
    #[error("{} cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    /// The file was read and something in it is wrong (exit 78); in the file's order, never empty.
    #[error("{}", one_a_line(.0))]
    Invalid(Vec<Problem>),
    /// The system names no home folder, so there is no default place for this file (exit 78).
    #[error("no place for {0}: the system names no home folder")]
    NoHome(&'static str),
}

impl ConfigError {
    /// What to do about it; for [`ConfigError::Invalid`] each problem has its own.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing(path) => format!(
                "name a folder that holds {}, or make a campaign with `postroom new {}`",
                super::FILE_NAME,
                path.parent()
                    .filter(|_| path.ends_with(super::FILE_NAME))
                    .unwrap_or(path)
                    .display()
            ),
            Self::NoFolder(_) => {
                format!(
                    "name the folder that holds {}, not a file",
                    super::FILE_NAME
                )
            }
            Self::Unreadable(path, _) => {
                format!(
                    "see that {} is a file and that you may read it",
                    path.display()
                )
            }
            Self::Invalid(problems) => {
                let remedies: Vec<&str> = problems.iter().map(|p| p.remedy.as_str()).collect();
                remedies.join("\n")
            }
            Self::NoHome(_) => {
                "set HOME, or name the files with --accounts FILE and --store FILE".to_owned()
            }
        }
    }
}

fn one_a_line(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The key under `reserve` for a unit.
fn reserve_key(unit: Unit) -> String {
    unit.as_str().replace('-', "_")
}

/// No account of that name is defined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no account named '{name}' in {}", .file.display())]
pub struct UnknownAccount {
    /// The name that was asked for.
    pub name: String,
    /// The known name that is most like it.
    pub nearest: Option<String>,
    /// All known names, `sandbox` first.
    pub known: Vec<String>,
    /// Where accounts are defined; it need not exist.
    pub file: PathBuf,
}

impl UnknownAccount {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        let hint = match &self.nearest {
            Some(nearest) => format!("did you mean '{nearest}'? "),
            None => String::new(),
        };
        format!(
            "{hint}the known accounts are {}; another one is added under [NAME] in {}",
            self.known.join(", "),
            self.file.display()
        )
    }
}

/// What cannot work in an account's sign-in by OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("accounts.toml: {key}: {message}")]
pub struct SignInError {
    /// The key with its tables, such as `comms.oauth2.flow`.
    pub key: String,
    /// What was found, as a fragment.
    pub message: String,
    /// What to do, as an instruction.
    pub remedy: String,
}

/// Why an account cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// Its preset does not exist or is broken.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Neither the account nor its preset names a server.
    #[error("the account '{0}' names no server")]
    NoHost(String),
    /// The provider has no server in the account's region, or none without one.
    #[error("{account}.region: {cause}")]
    Region {
        /// The account's name.
        account: String,
        /// What is wrong with it.
        cause: RegionError,
    },
    /// What is reserved for others is all that a rule allows.
    #[error("accounts.toml: {account}.reserve.{}: leaves nothing of the rule '{rule}' to send with", reserve_key(.rule.unit))]
    AllReserved {
        /// Its name.
        account: String,
        /// The rule, before the reserve.
        rule: Rule,
    },
    /// Something is reserved that no rule of a day or longer counts.
    #[error(
        "accounts.toml: {account}.reserve.{}: the account has no rule of a day or longer that counts {}, so nothing can be \
         left free of it", reserve_key(*.unit), .unit.as_str().replace('-', " ")
    )]
    ReserveOfNothing {
        /// The account's name.
        account: String,
        /// What is reserved.
        unit: Unit,
    },
    /// Two accounts of a campaign are one mailbox.
    #[error("the accounts '{0}' and '{1}' sign in to the same mailbox, which has one quota")]
    SameMailbox(String, String),
    /// Its sign-in cannot work.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The campaign's From address is another's, and the provider lets accounts send only as themselves.
    #[error(
        "campaign.toml: message.from: is {from}, and the account '{account}' signs in as {username}: {provider} refuses \
         what an account sends in another's name"
    )]
    FromOutside {
        /// The account.
        account: String,
        /// The From address.
        from: String,
        /// Whom it signs in as.
        username: String,
        /// The provider, for people.
        provider: String,
    },
    /// The built-in stand-in beside real accounts.
    #[error("the account 'sandbox' cannot share a campaign with others")]
    SandboxAmongOthers,
}

impl SenderError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Provider(error) => match error {
                ProviderError::Unknown(unknown) => unknown.remedy(),
                ProviderError::Broken { .. } => {
                    "please report this: it is a defect of Postroom".to_owned()
                }
            },
            Self::NoHost(_) => {
                "add host = \"smtp.example.com\" to the account in accounts.toml".to_owned()
            }
            Self::SignIn(error) => error.remedy.clone(),
            Self::FromOutside {
                account,
                from,
                username,
                ..
            } => format!(
                "write from = \"{username}\" in campaign.toml; or, where {username} has the right to send as {from} (a shared \
                 mailbox, Send As), say so with from = \"{from}\" under [{account}] in accounts.toml"
            ),
            Self::Region { account, cause } => {
                format!("under [{account}] in accounts.toml, {}", cause.remedy())
            }
            Self::SameMailbox(..) => {
                "name one of them in campaign.toml, or another mailbox in accounts.toml".to_owned()
            }
            Self::SandboxAmongOthers => {
                "name it alone; `postroom rehearse` plays the providers of all real accounts"
                    .to_owned()
            }
            Self::ReserveOfNothing { account, unit } => format!(
                "take it out of 'reserve' under [{account}] in accounts.toml, or give the account such a rule with \
                 limits = [{{ max = 10000, per = \"24h\", unit = \"{}\" }}]; `postroom accounts` shows the rules that it has",
                unit.as_str()
            ),
            Self::AllReserved { .. } => "make 'reserve' in accounts.toml smaller".to_owned(),
        }
    }
}
