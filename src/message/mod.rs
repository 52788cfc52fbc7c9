//! Messages: the only place that makes bytes of mail.
//!
//! [`Renderer`] takes a row's cells to the bytes of its mail, one path for checking, planning,
//! previewing, rehearsing and sending, so that what is previewed is what goes out. Headers and files are
//! encoded by lettre, and the bodies' languages are others' ([`body`]); boundaries come from the Message-ID, so the
//! same message has the same bytes every time. What all mails of a campaign have is encoded once.
//!
//! # Where the time goes
//!
//! From a profile of `cargo bench --bench parts`: of a mail with a page of 6 KB and a text, some 30 µs on one core, a
//! third is handlebars'. The rest reads what it has rendered once more: it is encoded, measured, looked at for what no
//! mail may hold, and digested, which is four passes over some 10 KB; what all mails have is encoded once. A text that is
//! derived from the page takes 0.4 ms, nearly all of it in html2text and the allocator under it, which is a quarter of
//! all; that is only done where a campaign brings no text of its own.
//!
//! It must not know where files come from (it is given [`Files`]), nor send anything. Called by
//! `plan`, `preview` and `send`.

mod attachments;
mod body;
mod compose;
mod content;
mod editions;
mod error;
mod head;
mod headers;
mod ids;
mod last_look;
mod levels;
mod measure;
mod problems;
mod quoted;
mod renderer;
#[cfg(test)]
mod tests;
mod text_part;
mod unsubscribe;

pub use attachments::{Files, LARGEST, NotHad, file_inside, resolve_attachment};
pub use content::{Content, Lines, Piece};
pub use editions::Editions;
pub use error::Error;
pub use ids::{NewIds, new_message_id};
pub use measure::Measure;
pub use renderer::{Definition, Identity, Page, Prepared, Renderer, TestCopy};
pub use unsubscribe::Unsubscribe;
