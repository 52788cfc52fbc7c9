//! Exit codes, as the README documents them; those from 64 on are sysexits.h's.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// All that was asked for is done.
    Done = 0,
    /// Finished, but some were refused or are in doubt.
    SomeRefused = 1,
    /// Wrong usage.
    Usage = 2,
    /// The list, the templates or the data have defects.
    Data = 65,
    /// An input is missing.
    NoInput = 66,
    /// The server cannot be reached.
    Unreachable = 69,
    /// A defect of the program itself.
    Software = 70,
    /// Something cannot be created.
    CannotCreate = 73,
    /// A read or write failed.
    Io = 74,
    /// Not finished: quota or a temporary refusal. Running it again goes on.
    NotFinished = 75,
    /// Sign-in was refused, or the sender is not permitted.
    NotPermitted = 77,
    /// The configuration.
    Config = 78,
    /// Interrupted; the state is consistent.
    Interrupted = 130,
}

impl Exit {
    /// What an error with this code is called, where it has no name of its own.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done | Self::SomeRefused | Self::Usage => "usage",
            Self::Data => "data",
            Self::NoInput => "missing-input",
            Self::Unreachable => "unreachable",
            Self::Software => "defect",
            Self::CannotCreate => "cannot-create",
            Self::Io => "cannot-write",
            Self::NotFinished => "not-finished",
            Self::NotPermitted => "sign-in",
            Self::Config => "configuration",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
