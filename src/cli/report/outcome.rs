//! The outcomes of the contract, and what they are called.

use clap::ValueEnum;

use super::Problem;
use crate::cli::failure::Failure;
use crate::store::ReportRow;

/// What became of a row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The server took it
    Sent,
    /// Not sent yet
    Pending,
    /// Put off: it is tried again
    Deferred,
    /// Refused for good
    Refused,
    /// It may have arrived or not
    #[value(alias = "in-doubt")]
    InDoubt,
    /// Not to be written to
    Suppressed,
    /// Dropped by a person
    Cancelled,
    /// An earlier row has the same address
    Duplicate,
    /// The row has a defect
    Invalid,
    /// Left out by the list's filter
    Filtered,
}

impl Outcome {
    /// In the order in which they are told.
    pub(super) const ALL: [Self; 10] = [
        Self::Sent,
        Self::Pending,
        Self::Deferred,
        Self::Refused,
        Self::InDoubt,
        Self::Suppressed,
        Self::Cancelled,
        Self::Duplicate,
        Self::Invalid,
        Self::Filtered,
    ];

    /// Of a row as the store has it.
    pub(super) fn of(row: &ReportRow) -> Result<Self, Problem> {
        let name = row.outcome.as_str();
        let found = Self::ALL.into_iter().find(|one| one.as_str() == name);
        found.ok_or_else(|| Failure::own(format!("a row that is '{name}'")).into())
    }

    /// The name in files.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Pending => "pending",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::InDoubt => "in_doubt",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Filtered => "filtered",
        }
    }

    /// The word for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InDoubt => "in doubt",
            other => other.as_str(),
        }
    }

    /// The row became a recipient.
    pub(super) fn is_recipient(self) -> bool {
        self < Self::Duplicate
    }

    /// What it means, as a sentence.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Sent => "The mail server took the message.",
            Self::Pending => "Not sent yet.",
            Self::Deferred => "Put off by the server; it is tried again by itself.",
            Self::Refused => "The server refused it for good.",
            Self::InDoubt => {
                "The connection broke before the server's answer: it may have arrived or not, and is not sent again unless somebody says so."
            }
            Self::Suppressed => "On the list of people who are not to be written to.",
            Self::Cancelled => "Dropped by a person before it was sent.",
            Self::Duplicate => "An earlier row of the list has the same address.",
            Self::Invalid => "The row has a defect.",
            Self::Filtered => "Left out by the campaign's filter.",
        }
    }
}
