//! Errors in plain words: what happened, what to do, and the exit code.

mod of_store;

use std::fmt::Display;

use super::disk;
use super::exit::Exit;
use crate::config::{ConfigError, SecretError, SenderError, UnknownAccount};
use crate::plan::{FrozenError, RestoreError};
use crate::provider::ProviderError;
use crate::rehearsal::LifeError;
use crate::{plan, preview, sandbox, send};

/// Why a command ended without doing what it was asked for.
#[derive(Debug)]
pub(super) struct Failure {
    /// The documented code.
    pub(super) exit: Exit,
    /// What it is called, for scripts and for `postroom explain`.
    pub(super) code: &'static str,
    /// What happened; several lines for several problems.
    pub(super) message: String,
    /// What to do about it.
    pub(super) remedy: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Display, remedy: impl Into<String>) -> Self {
        Self {
            exit,
            code: exit.name(),
            message: message.to_string(),
            remedy: remedy.into(),
        }
    }

    /// The same under a name of its own, which the table of codes knows.
    pub(super) fn named(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// A defect of the program itself.
    pub(super) fn own(message: impl Display) -> Self {
        Self::new(
            Exit::Software,
            message,
            "this is a defect of Postroom: please report it with the command and this message",
        )
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let (exit, message) = match &error {
            ConfigError::Missing(_) => (Exit::NoInput, error.to_string()),
            ConfigError::NoFolder(_) => (Exit::Io, error.to_string()),
            ConfigError::Unreadable(path, cause) => return disk::cannot_read(path, cause),
            ConfigError::Invalid(problems) => {
                let lines: Vec<String> = problems
                    .iter()
                    .map(|problem| format!("{problem}\n    → {}", problem.remedy))
                    .collect();
                (Exit::Config, lines.join("\n"))
            }
            ConfigError::NoHome(_) => (Exit::Config, error.to_string()),
        };
        let remedy = match &error {
            ConfigError::Invalid(_) => String::new(),
            other => other.remedy(),
        };
        Self::new(exit, message, remedy)
    }
}

impl From<UnknownAccount> for Failure {
    fn from(error: UnknownAccount) -> Self {
        Self::new(Exit::Config, &error, error.remedy()).named("unknown-account")
    }
}

impl From<SenderError> for Failure {
    fn from(error: SenderError) -> Self {
        Self::new(Exit::Config, &error, error.remedy())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let exit = match &error {
            SecretError::NotKept(_) => Exit::NotPermitted,
            _ => Exit::Config,
        };
        Self::new(
            exit,
            format!("there is no password: {error}"),
            error.remedy(),
        )
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Unknown(ref unknown) => Self::new(Exit::Usage, &error, unknown.remedy()),
            ProviderError::Broken { .. } => Self::own(&error),
        }
    }
}

impl From<plan::Error> for Failure {
    fn from(error: plan::Error) -> Self {
        match error {
            plan::Error::Store(error) => error.into(),
            other => Self::own(&other),
        }
    }
}

impl From<FrozenError> for Failure {
    fn from(error: FrozenError) -> Self {
        match error {
            FrozenError::Store(error) => error.into(),
            other => Self::own(&other),
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Frozen(error) => error.into(),
            RestoreError::Row { .. } => Self::new(
                Exit::Data,
                &error,
                "their mail cannot be made from what was planned, and nobody was queued: put them into a campaign of \
                 their own",
            ),
        }
    }
}

impl From<send::Error> for Failure {
    fn from(error: send::Error) -> Self {
        match error {
            send::Error::Store(error) => error.into(),
            send::Error::NeverFits { .. } => Self::new(
                Exit::Config,
                &error,
                "raise the account's limits in accounts.toml if the provider allows more; otherwise drop the plan \
                 (plan --discard) and plan again",
            ),
            other => Self::own(&other),
        }
    }
}

impl From<LifeError> for Failure {
    fn from(error: LifeError) -> Self {
        match error {
            LifeError::Send(error) => error.into(),
            LifeError::Threads(_) => {
                Self::new(Exit::Io, &error, "close other programs and try again")
            }
        }
    }
}

impl From<preview::Error> for Failure {
    fn from(error: preview::Error) -> Self {
        use preview::Error;
        match error {
            Error::Store(error) => error.into(),
            Error::Plan(error) => error.into(),
            Error::Frozen(error) => error.into(),
            Error::NotEmpty(_) => Self::new(
                Exit::CannotCreate,
                &error,
                "name a new or empty folder with --out",
            ),
            Error::Write { path, source } => disk::cannot_create(&path, &source),
            Error::Serve(_) => Self::new(
                Exit::CannotCreate,
                &error,
                "use --print to see a mail in the terminal, or --out to write them as files",
            ),
            Error::Message(_) | Error::Cells(_) | Error::Differs(_) => Self::own(&error),
        }
    }
}

impl From<sandbox::Error> for Failure {
    fn from(error: sandbox::Error) -> Self {
        let exit = match &error {
            sandbox::Error::NotLoopback(_)
            | sandbox::Error::NotARefusal(_)
            | sandbox::Error::NeverHappens => Exit::Usage,
            sandbox::Error::Maildir { path, source } => return disk::cannot_create(path, source),
            sandbox::Error::Listen { .. } => Exit::CannotCreate,
            sandbox::Error::Certificate(_) | sandbox::Error::Tls(_) => Exit::Software,
        };
        Self::new(exit, &error, error.remedy())
    }
}
