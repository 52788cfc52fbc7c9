//! Whether a store is sound: the file itself, and what its tables say of each other.
//!
//! It only reads, in one transaction, so that it can be done while others send; a store of an older format is not
//! brought up to date for it. What is looked at beyond SQLite's own check are the laws that every commit of this
//! program keeps (`laws`), and the mark beside the file, which tells of a store that knows less than was sent.

mod laws;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::ffi::SQLITE_READONLY_ROLLBACK;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::home::is_settled;
use super::{Away, BUSY_TIMEOUT, Displacement, Error, Store, Whereabouts, schema};
use laws::LAWS;
pub use laws::Law;

/// The most that SQLite tells of a damaged file: whoever reads it wants to know that it is, not each page.
const MOST_TOLD: u32 = 10;

/// What was found in a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkup {
    /// The format that it is in.
    pub format: i64,
    /// It is in an older format: the next command that uses it brings it up to date, and its tables were not compared.
    pub is_older: bool,
    /// How many campaigns there are.
    pub campaigns: u64,
    /// How many recipients they have.
    pub recipients: u64,
    /// Messages that a sender has in hand, or that one that is gone has left.
    pub in_hand: u64,
    /// When the last message that it knows of was handed over.
    pub known_until: Option<Timestamp>,
    /// It is not where it is at home.
    pub away: Option<Away>,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

impl Checkup {
    /// Nothing is wrong with it.
    pub fn is_sound(&self) -> bool {
        self.flaws.is_empty()
    }
}

/// Something that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// SQLite cannot make sense of the file, in its own words.
    File(String),
    /// Rows that belong to something that is not there.
    Orphans {
        /// The table that they are in.
        table: String,
        /// The table in which something is missing.
        of: String,
        /// How many they are.
        rows: u64,
    },
    /// What two tables say does not go together.
    Contradiction {
        /// The law that is broken.
        law: Law,
        /// The campaign's name, where it is a campaign's.
        campaign: Option<String>,
        /// How often.
        times: u64,
    },
    /// The mark beside the store tells of more than it knows: it is an older copy, or has lost its last commits.
    Behind,
}

impl Store {
    /// Looks the store at `path` through, without changing anything of it.
    ///
    /// # Errors
    /// Only where it cannot be looked at: [`Error::NoStore`], [`Error::Lost`], [`Error::Newer`], [`Error::Sqlite`].
    /// What is wrong with it is no error.
    pub fn check(path: &Path) -> Result<Checkup, Error> {
        let connection = open_known(path)?;
        let mut checkup = flaws_as_found(look_through(&connection))?;
        // Whoever has begun it and was killed has not got as far as its home.
        let is_settled = !checkup.is_older && is_settled(&connection)?;
        if !checkup.is_sound() || !is_settled {
            return Ok(checkup);
        }
        let store = Self {
            connection,
            path: path.to_owned(),
            fleeting: false,
            was_left_open: false,
        };
        if let Whereabouts::Away(away) = store.whereabouts()? {
            // A copy elsewhere is behind as soon as something is sent; that is no flaw of it.
            if away.displacement == Displacement::Restored && away.unknown.is_some() {
                checkup.flaws.push(Flaw::Behind);
            }
            checkup.away = Some(away);
        }
        Ok(checkup)
    }

    /// Looks only at the file, by SQLite's own check: what a process that was killed may have left, or what was put
    /// together from two stores, shows there.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(super) fn look_at_file(&self) -> Result<(), Error> {
        let mut checkup = Checkup::default();
        match file_flaws(&self.connection, &mut checkup) {
            Ok(()) if checkup.is_sound() => Ok(()),
            Err(error) if !is_damage(&error) => Err(error),
            Ok(()) | Err(_) => Err(Error::Damaged {
                path: self.path.clone(),
            }),
        }
    }
}

/// A connection by which nothing of the store can be changed.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let open = |access: OpenFlags| -> rusqlite::Result<Connection> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    let connection = open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let is_half_begun = first_read(&connection).is_err_and(|error| {
        error.sqlite_error().map(|error| error.extended_code) == Some(SQLITE_READONLY_ROLLBACK)
    });
    if !is_half_begun {
        return Ok(connection);
    }
    // Whoever began the store was killed before it was one. To read it, that has to be taken back, as it is by
    // whoever opens it to write.
    first_read(&open(OpenFlags::SQLITE_OPEN_READ_WRITE)?)?;
    Ok(open(OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

fn first_read(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))
}

/// The same to a file that is known for a store.
pub(super) fn open_known(path: &Path) -> Result<Connection, Error> {
    super::recognise_file(path)?;
    let connection = open_to_read(path)?;
    match schema::recognise(&connection, path) {
        Ok(()) => Ok(connection),
        Err(error) if is_damage(&error) => Err(Error::Damaged {
            path: path.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// A file that cannot be read to its end because of what stands in it is a finding.
pub(super) fn flaws_as_found(looked: (Checkup, Result<(), Error>)) -> Result<Checkup, Error> {
    let (mut checkup, ended) = looked;
    match ended {
        Err(error) if is_damage(&error) => {
            if checkup.is_sound() {
                checkup.flaws.push(Flaw::File(error.to_string()));
            }
            Ok(checkup)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(checkup),
    }
}

fn is_damage(error: &Error) -> bool {
    match error {
        Error::Sqlite(cause) => matches!(
            cause.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) | None
        ),
        Error::Corrupt(_) => true,
        _ => false,
    }
}

/// Everything about a store but its place, and what kept the rest from being seen.
pub(super) fn look_through(connection: &Connection) -> (Checkup, Result<(), Error>) {
    let mut checkup = Checkup::default();
    let ended = look_into(connection, &mut checkup);
    (checkup, ended)
}

fn look_into(connection: &Connection, checkup: &mut Checkup) -> Result<(), Error> {
    let moment = connection.unchecked_transaction()?;
    checkup.format = schema::height(&moment)?;
    checkup.is_older = checkup.format < schema::known();
    file_flaws(&moment, checkup)?;
    if checkup.is_older || !checkup.is_sound() {
        return Ok(());
    }
    orphans(&moment, checkup)?;
    for (law, sql) in LAWS {
        broken(&moment, law, sql, checkup)?;
    }
    count(&moment, checkup)
}

fn file_flaws(connection: &Connection, checkup: &mut Checkup) -> Result<(), Error> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST_TOLD})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            checkup.flaws.push(Flaw::File(said));
        }
    }
    Ok(())
}

fn orphans(connection: &Connection, checkup: &mut Checkup) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checkup.flaws.push(Flaw::Orphans {
            table: row.get(0)?,
            of: row.get(1)?,
            rows: row.get(2)?,
        });
    }
    Ok(())
}

fn broken(
    connection: &Connection,
    law: Law,
    sql: &str,
    checkup: &mut Checkup,
) -> Result<(), Error> {
    let named = format!(
        "WITH broken (campaign, times) AS ({sql})
         SELECT c.name, b.times FROM broken b LEFT JOIN campaign c ON c.id = b.campaign"
    );
    let mut statement = connection.prepare(&named)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checkup.flaws.push(Flaw::Contradiction {
            law,
            campaign: row.get(0)?,
            times: row.get(1)?,
        });
    }
    Ok(())
}

fn count(connection: &Connection, checkup: &mut Checkup) -> Result<(), Error> {
    let sql = "SELECT (SELECT count(*) FROM campaign), (SELECT coalesce(sum(recipients), 0) FROM recipient_tally),
                      (SELECT coalesce(sum(messages), 0) FROM message_tally WHERE state = 'in_hand'),
                      (SELECT max(stamped_at) FROM ledger)";
    let last = connection.query_row(sql, [], |row| {
        checkup.campaigns = row.get(0)?;
        checkup.recipients = row.get(1)?;
        checkup.in_hand = row.get(2)?;
        row.get(3)
    })?;
    checkup.known_until = super::to_optional_timestamp(last)?;
    Ok(())
}
