//! The preview as a page in the browser, served on loopback.
//!
//! It must be there at once, whatever the list's size: the list is read, a row is rendered when it is looked at,
//! and the full check runs beside it ([`desk`]); when a file of the campaign is saved, all of that begins again
//! and the page is told. List and templates are hostile: the page puts them in as text only, the mail's HTML stands
//! in a sandboxed frame under a policy of its own ([`guard`], [`frame`]). Nothing is fetched from anywhere.

mod css;
mod desk;
mod edition;
mod frame;
mod guard;
mod list;
mod mails;
mod note;
mod pieces;
mod routes;
mod show;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::VecDeque;
use std::future::{Future, IntoFuture};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use note::Note;

use super::{Error, Previewer};
use crate::clock::Clock;
use crate::plan::Inputs;
use desk::Desk;
use guard::Keys;
use routes::Served;

/// Reads a campaign's configuration again; the notes say what is wrong with it.
pub type ReadInputs = Arc<dyn Fn() -> Result<Inputs, Vec<Note>> + Send + Sync>;

/// What is previewed.
pub enum Source {
    /// The campaign's folder, followed as it is edited.
    Folder(ReadInputs),
    /// What was planned.
    Plan {
        /// Makes its mails.
        previewer: Box<Previewer>,
        /// Whether the folder was edited since.
        edited: Arc<dyn Fn() -> bool + Send + Sync>,
    },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Folder(_) => "Folder",
            Self::Plan { .. } => "Plan",
        })
    }
}

/// The page, and the port that it is served on.
#[derive(Debug)]
pub struct Page {
    listener: TcpListener,
    served: Arc<Served>,
    keeper: JoinHandle<()>,
}

impl Page {
    /// Opens a free port on `127.0.0.1` and begins to read.
    ///
    /// # Errors
    /// [`Error::Serve`] when no port can be opened, [`Error::Write`] when there is no temporary folder.
    pub async fn open(source: Source, folder: PathBuf, clock: Clock) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(Error::Serve)?;
        let port = listener.local_addr().map_err(Error::Serve)?.port();
        let is_planned = matches!(source, Source::Plan { .. });
        let desk = Arc::new(Desk::new(folder, is_planned, clock)?);
        let keeper = tokio::spawn(Arc::clone(&desk).keep(source));
        Ok(Self {
            listener,
            served: Arc::new(Served {
                desk,
                keys: Keys::new(port)?,
                shown: Mutex::new(VecDeque::new()),
            }),
            keeper,
        })
    }

    /// Its address, for whoever started it.
    pub fn address(&self) -> String {
        self.served.keys.address()
    }

    /// An address that leads there once, for a browser's command line, which others can read.
    pub fn opening_address(&self) -> String {
        self.served.keys.opening()
    }

    /// Whether the list has this row, once it is read; unknown when it cannot be read.
    pub async fn has_row(&self, row: u64) -> Option<bool> {
        self.served.desk.read().await;
        let list = self.served.desk.standing().edition.list.clone()?;
        Some(list.row(row).is_some())
    }

    /// The row that gets the mail for an address, once the list is read; unknown when it cannot be read.
    pub async fn row_of(&self, address: &str) -> Option<Option<u64>> {
        self.served.desk.read().await;
        let list = self.served.desk.standing().edition.list.clone()?;
        Some(list.row_of(address))
    }

    /// Serves until `end`.
    ///
    /// # Errors
    /// [`Error::Serve`] when the port is lost.
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<(), Error> {
        let router = routes::router(Arc::clone(&self.served));
        let listener = self.listener.tap_io(|stream| {
            // A small answer must not wait for another one.
            let _ = stream.set_nodelay(true);
        });
        let result = tokio::select! {
            result = axum::serve(listener, router).into_future() => result.map_err(Error::Serve),
            () = end => Ok(()),
        };
        self.keeper.abort();
        self.served.desk.close();
        result
    }
}
