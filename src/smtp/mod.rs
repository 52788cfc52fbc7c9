//! One SMTP session, phase by phase: connect, TLS, sign in, offer an envelope, hand over content.
//!
//! It reports phases and replies and judges nothing: what a reply means is for `provider` to say and
//! what follows from it for `send`. It keeps no time but deadlines, writes nothing to disk, and never
//! tries anything again. Called by `send`, and by `cli` for its look at an account.
//!
//! The dialogue runs on lettre's low-level connection. A [`wire`](wire::Wire) lies between that and
//! the socket and keeps a copy of the replies, because lettre joins the lines of a refused reply, and
//! counts the bytes that went out, because lettre writes content and final dot in one go.
//!
//! Do not drop a future of [`Session`] before it ends (no `select!` over it): each bounds itself by
//! its [`Deadlines`], and dropping one leaves a dialogue in a state that nobody knows.

mod asking;
mod capabilities;
mod connect;
mod content;
mod encryption;
mod endpoint;
mod envelope;
mod error;
mod exchange;
mod hand_over;
mod network;
mod offer;
mod probe;
mod remedy;
mod replies;
mod session;
mod sign_in;
mod start_tls;
mod telling;
#[cfg(test)]
mod tests;
mod tls;
mod veil;
mod wire;

pub use crate::trust::{TlsProblem, roots_from_pem};
pub use capabilities::Capabilities;
pub use connect::{Reached, Resolved, Secured};
pub use content::{Content, Piece};
pub use encryption::{Certificate, Encryption};
pub use endpoint::{Credentials, Deadlines, Endpoint, Secret, Tls};
pub use envelope::{Envelope, NotOffered, Offer, OfferState, RecipientReply, RecipientVerdict};
pub use error::{SessionError, SessionErrorKind};
pub use hand_over::HandOver;
pub use network::{Dialled, Dialler, Network};
pub use session::Session;
pub use wire::Transport;
