//! The legal transitions of a message, in one pure function.
//!
//! Who moves a message out of each state, also after a crash:
//! * `Pending`, `Deferred`: the sender, by claiming it; a person, by cancelling it.
//! * `Claimed`: the sender that holds it; after a crash, recovery puts it back to `Pending`, because
//!   without the final dot no server keeps a message.
//! * `HandingOver`: the sender that holds it; after a crash, recovery puts it `InDoubt`.
//! * `InDoubt`: a person only (`resolve`).
//! * `Refused`: a person only (`retry`).
//! * `Sent`, `Cancelled`: nobody.

use std::fmt;

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// Planned, never offered or put back.
    Pending,
    /// A sender has taken it and reserved its share of the limits.
    Claimed,
    /// The server has said 354; the content may go out from here on.
    HandingOver,
    /// The server has taken it.
    Sent,
    /// The server has asked to try again later.
    Deferred,
    /// Refused for good.
    Refused,
    /// The final dot may have gone out and no verdict is on disk.
    InDoubt,
    /// Dropped by a person before it was sent.
    Cancelled,
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A sender takes it.
    Claim,
    /// The sender gives it back unoffered, or its connection broke before the final dot.
    Release,
    /// The 354 has come; the content goes out next.
    HandOver,
    /// The server took it.
    Accept,
    /// The server asks to try again later.
    Defer,
    /// The server refuses it, or every recipient of it.
    Refuse,
    /// The connection ended after the final dot may have gone out.
    LoseVerdict,
    /// A person says that it was delivered.
    ResolveDelivered,
    /// A person asks to send it again.
    ResolveResend,
    /// A person queues a refused one again.
    Retry,
    /// A person drops it.
    Cancel,
}

/// An event that is not possible in a state: a bug, or a store changed by other hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message that is {state} cannot take the event {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub state: MessageState,
    /// What was to happen to it.
    pub event: Event,
}

impl MessageState {
    /// Every state, in the order of a message's way.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Claimed,
        Self::HandingOver,
        Self::Sent,
        Self::Deferred,
        Self::Refused,
        Self::InDoubt,
        Self::Cancelled,
    ];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every pair that is not listed here.
    pub fn after(self, event: Event) -> Result<Self, IllegalTransition> {
        use MessageState as S;
        Ok(match (self, event) {
            (S::Pending | S::Deferred, Event::Claim) => S::Claimed,
            (S::Claimed, Event::Release)
            | (S::InDoubt, Event::ResolveResend)
            | (S::Refused, Event::Retry) => S::Pending,
            (S::Claimed, Event::HandOver) => S::HandingOver,
            (S::HandingOver, Event::Accept) | (S::InDoubt, Event::ResolveDelivered) => S::Sent,
            (S::Claimed | S::HandingOver, Event::Defer) => S::Deferred,
            (S::Claimed | S::HandingOver, Event::Refuse) => S::Refused,
            (S::HandingOver, Event::LoseVerdict) => S::InDoubt,
            (S::Pending | S::Deferred, Event::Cancel) => S::Cancelled,
            (state, event) => return Err(IllegalTransition { state, event }),
        })
    }

    /// The name used in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::HandingOver => "handing_over",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::InDoubt => "in_doubt",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// What its recipients are while it is in this state (those not refused on their own).
    pub fn of_recipients(self) -> RecipientState {
        match self {
            Self::Pending | Self::Claimed | Self::HandingOver => RecipientState::Pending,
            Self::Sent => RecipientState::Sent,
            Self::Deferred => RecipientState::Deferred,
            Self::Refused => RecipientState::Refused,
            Self::InDoubt => RecipientState::InDoubt,
            Self::Cancelled => RecipientState::Cancelled,
        }
    }
}

impl fmt::Display for MessageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

/// What has become of a recipient; at any moment exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecipientState {
    /// Not sent yet.
    Pending,
    /// Taken by the server.
    Sent,
    /// To be tried again.
    Deferred,
    /// Refused for good.
    Refused,
    /// May have been taken: nobody knows until a person looks.
    InDoubt,
    /// On the suppression list: never written to.
    Suppressed,
    /// Dropped by a person.
    Cancelled,
}

impl RecipientState {
    /// Every state, in the order in which totals are printed.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Sent,
        Self::Deferred,
        Self::Refused,
        Self::InDoubt,
        Self::Suppressed,
        Self::Cancelled,
    ];

    /// The name used in the store, in reports and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::InDoubt => "in_doubt",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 11] = [
        Event::Claim,
        Event::Release,
        Event::HandOver,
        Event::Accept,
        Event::Defer,
        Event::Refuse,
        Event::LoseVerdict,
        Event::ResolveDelivered,
        Event::ResolveResend,
        Event::Retry,
        Event::Cancel,
    ];

    #[test]
    fn every_pair_of_state_and_event_is_decided() {
        use MessageState as S;
        let legal = [
            (S::Pending, Event::Claim, S::Claimed),
            (S::Pending, Event::Cancel, S::Cancelled),
            (S::Claimed, Event::Release, S::Pending),
            (S::Claimed, Event::HandOver, S::HandingOver),
            (S::Claimed, Event::Defer, S::Deferred),
            (S::Claimed, Event::Refuse, S::Refused),
            (S::HandingOver, Event::Accept, S::Sent),
            (S::HandingOver, Event::Defer, S::Deferred),
            (S::HandingOver, Event::Refuse, S::Refused),
            (S::HandingOver, Event::LoseVerdict, S::InDoubt),
            (S::Deferred, Event::Claim, S::Claimed),
            (S::Deferred, Event::Cancel, S::Cancelled),
            (S::Refused, Event::Retry, S::Pending),
            (S::InDoubt, Event::ResolveDelivered, S::Sent),
            (S::InDoubt, Event::ResolveResend, S::Pending),
        ];
        for state in S::ALL {
            for event in EVENTS {
                let expected = legal
                    .iter()
                    .find(|(s, e, _)| *s == state && *e == event)
                    .map(|(_, _, next)| *next);
                assert_eq!(state.after(event).ok(), expected, "{state:?} + {event:?}");
            }
        }
    }

    #[test]
    fn what_was_sent_or_cancelled_stays_so() {
        for event in EVENTS {
            assert!(MessageState::Sent.after(event).is_err());
            assert!(MessageState::Cancelled.after(event).is_err());
        }
    }

    #[test]
    fn names_lead_back_to_their_states() {
        for state in MessageState::ALL {
            assert_eq!(MessageState::from_name(state.as_str()), Some(state));
        }
        for state in RecipientState::ALL {
            assert_eq!(RecipientState::from_name(state.as_str()), Some(state));
        }
    }
}
