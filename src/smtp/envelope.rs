//! An envelope, and what can become of it when it is offered.

use super::SessionError;
use crate::delivery::{Phase, Reply};

/// Who a message is from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The sender's address, or nothing for the null sender. Domains are in ASCII here and below.
    pub from: String,
    /// The recipients' addresses.
    pub recipients: Vec<String>,
    /// The content's length in bytes, told to a server that offers SIZE.
    pub size: usize,
    /// Whether the content's headers need SMTPUTF8 (RFC 6531). What the addresses need is seen from
    /// themselves.
    pub smtputf8: bool,
}

/// What became of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// A verdict for each recipient of the envelope, in its order.
    pub recipients: Vec<RecipientReply>,
    /// How far it came, and what to do next.
    pub state: OfferState,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientReply {
    /// Its place in the envelope, from 0.
    pub index: usize,
    /// What the server, or this side, said.
    pub verdict: RecipientVerdict,
}

/// Whether a recipient is part of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientVerdict {
    /// The server takes mail for it.
    Accepted(Reply),
    /// The server refused it: 4xx or 5xx.
    Refused(Reply),
    /// It was not offered to the server at all.
    NotOffered(NotOffered),
    /// It was not asked about, or the answer did not come.
    Unanswered,
}

/// Why an address, or a message, was not offered to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOffered {
    /// It goes beyond ASCII, and the server does not offer SMTPUTF8.
    #[error("the server takes no addresses or headers beyond ASCII (no SMTPUTF8)")]
    NeedsSmtpUtf8,
    /// It is empty or holds a character that would end or alter the command.
    #[error("the address holds a character that no command may hold")]
    Malformed,
}

/// How far an offer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferState {
    /// The server waits for the content (354): [`hand_over`](super::Session::hand_over) or
    /// [`abandon`](super::Session::abandon) next.
    Ready,
    /// Every recipient was refused or not offered; there is no message.
    NobodyAccepted,
    /// MAIL or DATA was refused; there is no message.
    Refused(Phase, Reply),
    /// The sender's address or the headers cannot be offered to this server; nothing was sent.
    SenderNotOffered(NotOffered),
    /// The session is over; there is no message. Verdicts that had come are kept.
    Broken(Phase, SessionError),
}
