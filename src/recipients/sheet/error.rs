//! Why a workbook can't be read.

/// A workbook that can't be read, or not as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Something other than a zip file.
    #[error("the list is named .xlsx but is no workbook")]
    NoWorkbook,
    /// A zip file that holds something else, or a damaged one.
    #[error("the workbook cannot be read: {0}")]
    Damaged(String),
    /// A spreadsheet of another office suite, .ods.
    #[error("the list is an OpenDocument file (.ods), not an .xlsx workbook")]
    OpenDocument,
    /// Unpacked it is larger than any list is.
    #[error("the workbook is too large: {part} unpacks to more than {mib} MiB")]
    Bursting {
        /// The part of it.
        part: String,
        /// What it may take.
        mib: u64,
    },
    /// More than can be kept.
    #[error("the sheet is too large: it has more than {0}")]
    TooLarge(&'static str),
    /// No sheet at all.
    #[error("the workbook has no sheet with cells")]
    NoSheet,
    /// No sheet of this name.
    #[error("there is no sheet '{wanted}'; the sheets are: {listed}")]
    NoSuchSheet {
        /// The name asked for.
        wanted: String,
        /// The most similar name.
        nearest: Option<String>,
        /// The names there are.
        listed: String,
    },
    /// A sheet asked for in a list that is text.
    #[error("the list is a text file, which has no sheets")]
    TextHasNone,
}

impl SheetError {
    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> String {
        let remedy = match self {
            Self::NoWorkbook => {
                "if it is a text file, name it .csv, in the folder and under [recipients]; otherwise save the sheet as .xlsx again"
            }
            Self::OpenDocument => "save it as .xlsx or as CSV in UTF-8",
            Self::Damaged(_) | Self::NoSheet => {
                "open it in the spreadsheet, see that it is what you expect, and save it as .xlsx again"
            }
            Self::Bursting { .. } | Self::TooLarge(_) => {
                "copy the rows and columns that the mails need into a new workbook, or save the sheet as 'CSV UTF-8 (comma delimited)'"
            }
            Self::NoSuchSheet {
                nearest: Some(nearest),
                ..
            } => {
                return format!("set sheet = {nearest:?} under [recipients] if that is the one");
            }
            Self::NoSuchSheet { .. } => "write its name as its tab shows it: sheet = \"…\"",
            Self::TextHasNone => "take 'sheet' out from under [recipients]",
        };
        remedy.to_owned()
    }
}
