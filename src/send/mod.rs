//! Sending a planned campaign: claims → outcomes, over days, stopped and started at will.
//!
//! A campaign has one or more accounts, each a lane of its own. One dispatcher gives leave to as many
//! workers as each account may have connections; each worker owns one session, claims a message, offers
//! it, marks it, hands it over and records the verdict. An account that stops leaves the others going,
//! and they take over its share. The dispatcher alone waits. It must not print or decide limits: it emits [`Event`]s, the store's
//! journal asks the limiter. Called by `cli` (`send`, `rehearse`, and `test`, whose messages belong to no
//! campaign: [`singly`]).
//!
//! A halt is another process's word in the store, and so is an edited list, or that what was left is dropped. A claim
//! is answered with it; while nothing is claimed the dispatcher looks out for it (`lookout`).
//!
//! Time and network are handed down ([`Surroundings`]), and where the journal is written: a send that has all of it
//! in one hand happens the same way each time.
//!
//! At full pace a connection has a `train`: the message whose content goes out, one that is asked about in the same
//! write (or behind its verdict, where that serves the server better), one that is being rendered. One turn at the
//! journal carries the verdict on the first, the second mark of the next and the claim of a further one. Each claim has
//! a leave of the dispatcher's, and every leave is answered by one report; whatever is not plain sailing gives back what
//! was claimed ahead.
//!
//! Stopping: no worker is ever dropped in the middle of a dialogue, because that would be a crash
//! that nobody records. A stop only withholds leave; what is in hand runs to its verdict under its
//! deadlines. Only the dispatcher's waiting is cancelled.

mod attempt;
mod dispatcher;
mod error;
mod event;
mod handing;
mod lane;
mod lookout;
mod noting;
mod offered;
mod options;
mod pace;
mod parting;
mod reactions;
mod settling;
mod signing;
mod single;
mod sorting;
mod stop;
mod streak;
mod surroundings;
mod train;
mod waiting;
mod worker;

pub use dispatcher::{Job, run};
pub use error::Error;
pub use event::{Ended, Event, Trouble, Waiting};
pub use options::{Account, Options};
pub use signing::SignIn;
pub use single::{SingleEvent, SingleOutcome, Singles, singly};
pub use stop::{Stop, StopHandle};
pub use surroundings::{Surroundings, Writing};
