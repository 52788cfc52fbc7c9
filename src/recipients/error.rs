//! What ends the reading of a list.

use std::fmt;
use std::io;

use super::columns::ColumnsError;
use super::encoding::Rivals;
use super::sheet::SheetError;
use super::source::Fault;

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line in the file, from 1.
    pub line: u64,
    /// The data row, from 1; 0 is the header.
    pub row: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            0 => write!(f, "line {} (header)", self.line),
            row => write!(f, "line {} (row {row})", self.line),
        }
    }
}

/// Why a list can't be read, or not further: unlike a [`RowProblem`](super::RowProblem) this is not
/// about one row alone.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error("the list cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Nothing but white space.
    #[error("the list is empty")]
    Empty,
    /// A header and not a single row.
    #[error("the list has a header but no rows")]
    NoRows,
    /// UTF-32.
    #[error("the list is in UTF-32, which no spreadsheet writes")]
    Utf32,
    /// Two encodings fit about equally well.
    #[error(
        "in line {} the list may read '{}' ({}) or '{}' ({}), and too little of it tells which",
        .0.line, .0.one.1, .0.one.0, .0.other.1, .0.other.0
    )]
    Undecided(Box<Rivals>),
    /// A workbook under the name of a text file.
    #[error("the list is a workbook (a zip file), not a text file")]
    Workbook,
    /// An .xls workbook, or one with a password.
    #[error("the list is an old .xls workbook, or one with a password")]
    Compound,
    /// The workbook can't be read.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A byte that is no text in the list's encoding.
    #[error("{place}: byte {} is 0x{byte:02X}, which is not {encoding}", offset + 1)]
    NotText {
        /// The line and row in which it is.
        place: Place,
        /// How many bytes of the file come before it.
        offset: u64,
        /// The byte.
        byte: u8,
        /// The encoding that the list is read in.
        encoding: &'static str,
    },
    /// A NUL byte, which no text has.
    #[error("{place}: byte {} is NUL, which no text file has", offset + 1)]
    Nul {
        /// The line and row in which it is.
        place: Place,
        /// How many bytes of the file come before it.
        offset: u64,
    },
    /// More than 1 MiB in one record.
    #[error("{0}: the record is larger than 1 MiB")]
    RecordTooLong(Place),
    /// More than 4,096 cells in one record.
    #[error("{0}: the record has more than 4096 cells")]
    TooManyCells(Place),
    /// A quoted cell that the list's end cuts off.
    #[error("{0}: a quote is opened and never closed")]
    OpenQuote(Place),
    /// Text after a closing quote in the header.
    #[error("{0}: text follows a closing quote")]
    HeaderQuote(Place),
    /// The delimiter asked for can't be one.
    #[error("{:?} cannot be a delimiter", char::from(*.0))]
    Delimiter(u8),
    /// The first line holds an address where column names belong.
    #[error("the first line holds the address {found}, not the names of the columns")]
    NoHeader {
        /// The address.
        found: String,
    },
    /// The header can't be used.
    #[error("{0}")]
    Columns(ColumnsError, Place),
    /// The column named by the campaign is not in the list, or there is none with a usual name.
    #[error("{}; the columns are: {listed}", wanted_text(wanted.as_deref()))]
    NoAddressColumn {
        /// The column asked for; none when one of the usual names was looked for.
        wanted: Option<String>,
        /// The most similar column.
        nearest: Option<String>,
        /// The columns of the list, as a sentence shows them.
        listed: String,
    },
    /// Several columns might be meant.
    #[error("both '{first}' and '{second}' may be the column of addresses")]
    AmbiguousAddressColumn {
        /// One name.
        first: String,
        /// Another name.
        second: String,
    },
}

fn wanted_text(wanted: Option<&str>) -> String {
    match wanted {
        Some(wanted) => format!("there is no column '{wanted}'"),
        None => "no column is named email, e-mail, mail, address or email address".to_owned(),
    }
}

impl ReadError {
    pub(super) fn at(place: Place, fault: Fault) -> Self {
        match fault {
            Fault::Io(error) => Self::Io(error),
            Fault::NotText {
                offset,
                byte,
                encoding,
            } => Self::NotText {
                place,
                offset,
                byte,
                encoding,
            },
            Fault::Nul { offset } => Self::Nul { place, offset },
            Fault::Utf32 => Self::Utf32,
            Fault::Workbook => Self::Workbook,
            Fault::Compound => Self::Compound,
            Fault::Undecided(rivals) => Self::Undecided(rivals),
        }
    }

    /// A word for scripts, the same in every version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "list-unreadable",
            Self::Empty => "list-empty",
            Self::NoRows => "list-without-rows",
            Self::Utf32 | Self::Undecided(_) | Self::NotText { .. } | Self::Nul { .. } => {
                "list-encoding"
            }
            Self::Workbook | Self::Compound | Self::Sheet(_) => "list-workbook",
            Self::RecordTooLong(_) | Self::TooManyCells(_) => "record-too-long",
            Self::OpenQuote(_) | Self::HeaderQuote(_) => "quotes",
            Self::Delimiter(_) => "delimiter",
            Self::NoHeader { .. } => "header-missing",
            Self::Columns(..) => "header",
            Self::NoAddressColumn { .. } | Self::AmbiguousAddressColumn { .. } => "address-column",
        }
    }

    /// Where it is, if it is about one place.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::NotText { place, .. }
            | Self::Nul { place, .. }
            | Self::RecordTooLong(place)
            | Self::TooManyCells(place)
            | Self::OpenQuote(place)
            | Self::HeaderQuote(place)
            | Self::Columns(_, place) => Some(*place),
            _ => None,
        }
    }

    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> String {
        let remedy = match self {
            Self::Io(_) => "make sure that the file is there and that you may read it",
            Self::Empty | Self::NoRows => {
                "put the names of the columns in the first line and one person in each further line"
            }
            Self::Utf32 | Self::Nul { .. } => {
                "open the list in the spreadsheet and save it as 'CSV UTF-8 (comma delimited)'"
            }
            Self::NotText { encoding, .. } => {
                return format!(
                    "type the cell afresh and save the list as 'CSV UTF-8 (comma delimited)'; if it is not in {encoding}, say in what: encoding = \"…\" under [recipients]"
                );
            }
            Self::Undecided(rivals) => {
                return format!(
                    "set encoding = \"{}\" or encoding = \"{}\" under [recipients], or save the list as 'CSV UTF-8 (comma delimited)'",
                    rivals.one.0, rivals.other.0
                );
            }
            Self::Workbook => {
                "name it .xlsx if that is what it is, in the folder and under [recipients]; save any other workbook as .xlsx or as 'CSV UTF-8 (comma delimited)'"
            }
            Self::Compound => {
                "open it in Excel, take off the password if it has one, and save it as .xlsx or as 'CSV UTF-8 (comma delimited)'"
            }
            Self::Sheet(error) => return error.remedy(),
            Self::RecordTooLong(_)
            | Self::TooManyCells(_)
            | Self::OpenQuote(_)
            | Self::HeaderQuote(_) => {
                "close every quote, and write a quote inside a quoted cell twice"
            }
            Self::Delimiter(_) => "choose a comma, a semicolon, a tab or a |",
            Self::NoHeader { .. } => {
                "add a first line with the names of the columns, such as email,first_name"
            }
            Self::Columns(error, _) => error.remedy(),
            Self::NoAddressColumn {
                nearest: Some(nearest),
                ..
            } => {
                return format!(
                    "if the addresses are in '{nearest}', set address = \"{nearest}\" under [recipients]"
                );
            }
            Self::NoAddressColumn { .. } | Self::AmbiguousAddressColumn { .. } => {
                "name the column of the addresses with address = \"…\" under [recipients]"
            }
        };
        remedy.to_owned()
    }
}
