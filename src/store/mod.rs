//! The store: one SQLite file for all campaigns.
//!
//! The only room with SQL. It freezes plans, hands out messages (claims), keeps the two marks before
//! the final dot and the verdict after it, and the ledger from which limits are judged. It must not
//! decide anything about limits or replies: `send` and `plan` do. A message changes its state only by
//! [`MessageState::after`](crate::delivery::MessageState::after); the schema's checks refuse the rest.
//!
//! What decides the bytes of mails is kept by edition (`editions`): an edited campaign is taken in as the next one
//! (`updating`), and whatever was sent can be rendered from its own.
//!
//! Durability: WAL with `synchronous = FULL`, because the marks are exactly the commits that a power
//! cut may not forget. While sending, one writer owns the writing connection and puts what several
//! connections ask for at the same moment into one commit ([`Journal`]).
//!
//! A store is looked through by `checking`, which reads only; `copying` makes a copy while others send, and `replacing`
//! puts one in its place.
//!
//! Files beside it: the mark by which an older copy is known (`home`), a lock for each campaign (`lock`),
//! one for each connection of a mailbox (`slots`), and one for its messages of no campaign (`single`). None of them is needed to open it.

mod batches;
mod cancelling;
mod checking;
mod claims;
mod copying;
mod cutting;
mod draft;
mod editions;
mod error;
mod finishing;
mod forgetting;
mod gate;
mod halting;
mod history;
mod holds;
mod home;
mod journal;
mod ledger;
mod lending;
mod line;
mod lock;
mod mark;
mod outcomes;
mod past;
mod person;
mod place;
mod planning;
mod progress;
mod publishing;
mod reckoning;
mod refusals;
mod remaining;
mod replacing;
mod report;
mod resolving;
mod retrying;
mod schema;
mod single;
mod slots;
mod story;
mod suppressing;
mod tally;
#[cfg(test)]
mod tests;
mod turn;
mod updating;
mod withdrawing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};

pub use batches::{BatchProgress, Shape, Underway};
pub use cancelling::StillToGo;
pub use checking::{Checkup, Flaw, Law};
pub use claims::{Answer, Claim, Claimed, Claiming, Lane};
pub use cutting::MessageIds;
pub use error::{Error, Trouble};
pub use finishing::{Finish, HandOver, Split};
pub use forgetting::{Erased, OwnFile};
pub use gate::Pause;
pub use history::{Deed, Happening};
pub use holds::Hold;
pub use home::{Away, Displacement, Whereabouts};
pub use journal::{Journal, Writer};
pub use ledger::Entry;
pub use lock::{AtWork, Moment, SenderLock};
pub use outcomes::MessageOutcome;
pub use person::PersonState;
pub use place::{machine_name, refuse_foreign_link};
pub use planning::{
    Cut, CutPart, NewBatch, NewCampaign, NewMessage, NewRecipient, Order, PlanWriter, Planned,
    Reason, Run,
};
pub use progress::{CampaignRecord, Counts, Halt, RowCounts, RunState};
pub use refusals::LastRefusal;
pub use remaining::Remaining;
pub use replacing::Replaced;
pub use report::{ListedRow, MessageRecord, ReportRow};
pub use resolving::{Doubt, Resolution, Selection};
pub use retrying::{LeftOut, Refusal, Restored};
pub use single::{Single, SingleEnd, SingleLock};
pub use slots::{ConnectionSlot, SlotWanted, connection_slot, is_slot_wanted};
pub use story::{Attempt, Chapter, ChapterMessage};
pub use suppressing::{NewSuppression, Reached, Suppressed, Suppression};
pub use turn::{Turn, Turned, Wish, Withheld};
pub use updating::{Difference, Group};

/// How long a writer waits for another process: a plan of a million rows takes several seconds to be copied in.
const BUSY_TIMEOUT: Duration = Duration::from_mins(2);

/// The length of the smallest file that can be a database: one page.
const SMALLEST: u64 = 512;

/// SQLite's application id of a store that need not survive a power cut.
const FLEETING: i32 = 0x5052_4653;

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// It is a rehearsal's.
    fleeting: bool,
    /// Its last commits were still in the file beside it: somebody uses it, or has ended without closing it.
    was_left_open: bool,
}

impl Store {
    /// Opens the store, making it (readable by its owner only) where there is none.
    ///
    /// # Errors
    /// [`Error::Newer`] and [`Error::NoStore`] leave the file as it is; [`Error::Create`] and [`Error::Sqlite`]
    /// otherwise.
    pub fn open(path: &Path) -> Result<Self, Error> {
        recognise_file(path)?;
        let was_left_open = length(&place::beside(path, "-wal")) > 0;
        create_private(path).map_err(|source| Error::Create {
            path: path.to_owned(),
            source,
        })?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        schema::recognise(&connection, path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let fleeting = mark == FLEETING;
        let synchronous = if fleeting { "OFF" } else { "FULL" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::climb(&mut connection)?;
        home::settle(&connection, path)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Otherwise statements are planned anew whenever their parameters change.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            fleeting,
            was_left_open,
        })
    }

    /// Makes a store for a rehearsal, which nobody needs after a power cut: whoever opens it does not wait
    /// for the disk. The mark is in the file, and no other store ever gets it.
    pub fn fleeting(path: &Path) -> Result<Self, Error> {
        let store = Self::open(path)?;
        store
            .connection
            .pragma_update(None, "application_id", FLEETING)?;
        drop(store);
        Self::open(path)
    }

    /// As long as what is returned is kept, everything that is read is of one moment, whatever others write
    /// meanwhile. Not to be kept for long: what they write cannot be tidied up until then.
    pub fn one_moment(&self) -> Result<OneMoment<'_>, Error> {
        Ok(OneMoment(self.connection.unchecked_transaction()?))
    }

    /// Another number after every commit by others.
    pub fn version(&self) -> Result<i64, Error> {
        Ok(self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What is read is of one moment.
#[derive(Debug)]
pub struct OneMoment<'a>(#[expect(dead_code, reason = "it is kept to be dropped")] Transaction<'a>);

/// Refuses what is no store before it is opened: SQLite would begin a new one in an empty file.
fn recognise_file(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::NoStore {
            path: path.to_owned(),
            what: "it is a folder",
        });
    }
    let what = match path.metadata() {
        Ok(there) if there.len() >= SMALLEST => return Ok(()),
        // To SQLite some of these are as good as empty, and it would begin a new one in them.
        Ok(there) if there.len() > 0 => return Err(no_store(path, "it is a file of another kind")),
        Ok(_) => "it is empty",
        Err(_) => "it is not there any more",
    };
    if is_remembered(path) {
        return Err(Error::Lost {
            path: path.to_owned(),
            what,
        });
    }
    Ok(())
}

/// What lies where a store is looked for is none.
fn no_store(path: &Path, what: &'static str) -> Error {
    let path = path.to_owned();
    if is_remembered(&path) {
        return Error::Lost { path, what };
    }
    Error::NoStore { path, what }
}

/// The files beside it tell that there was a store.
pub fn is_remembered(path: &Path) -> bool {
    mark::Mark::beside(path).is_some() || length(&place::beside(path, "-wal")) > 0
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |there| there.len())
}

fn create_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return refuse_foreign_link(path);
    }
    // The database's own library would make the file that the link names, for everybody to read; and a disk that
    // is not there now may hold the store.
    if path.is_symlink() {
        return Err(std::io::Error::other(
            "it is a link to a file that is not there",
        ));
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        create_private_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn to_timestamp(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| Error::Corrupt(format!("a time of {milliseconds} ms")))
}

fn to_optional_timestamp(milliseconds: Option<i64>) -> Result<Option<Timestamp>, Error> {
    milliseconds.map(to_timestamp).transpose()
}
