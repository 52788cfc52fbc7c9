//! Access tokens that the server takes, which come and go while it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;

/// The access tokens that XOAUTH2 lets in. Clones are the same set: whoever issues and revokes tokens keeps
/// one. As with real servers, a session that was let in stays so when its token ends.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<Digest, Terms>>>);

/// So that no token is kept in clear.
type Digest = [u8; 32];

/// How long a token is good.
#[derive(Debug, Clone, Copy, Default)]
struct Terms {
    until: Option<Timestamp>,
    messages_left: Option<u64>,
}

impl Terms {
    fn hold(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until) && self.messages_left != Some(0)
    }
}

impl Tokens {
    /// Takes this token until it is revoked.
    pub fn accept(&self, token: &SecretString) {
        self.set(token, Terms::default());
    }

    /// Takes this token until then.
    pub fn accept_until(&self, token: &SecretString, until: Timestamp) {
        self.set(
            token,
            Terms {
                until: Some(until),
                ..Terms::default()
            },
        );
    }

    /// Takes this token until so many messages were taken from sessions that it has opened.
    pub fn accept_for_messages(&self, token: &SecretString, messages: u64) {
        self.set(
            token,
            Terms {
                messages_left: Some(messages),
                ..Terms::default()
            },
        );
    }

    /// Takes this token no longer.
    pub fn revoke(&self, token: &SecretString) {
        self.lock().remove(&digest(token));
    }

    /// Takes none of the tokens any longer.
    pub fn revoke_all(&self) {
        self.lock().clear();
    }

    /// Whether it lets somebody in now; which one it is.
    pub(super) fn admits(&self, token: &SecretString, now: Timestamp) -> Option<Digest> {
        let digest = digest(token);
        let tokens = self.lock();
        let holds = tokens.get(&digest).is_some_and(|terms| terms.hold(now));
        holds.then_some(digest)
    }

    /// A message was taken from a session that this token has opened.
    pub(super) fn use_up(&self, digest: &Digest) {
        if let Some(terms) = self.lock().get_mut(digest) {
            terms.messages_left = terms.messages_left.map(|left| left.saturating_sub(1));
        }
    }

    fn set(&self, token: &SecretString, terms: Terms) {
        self.lock().insert(digest(token), terms);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Terms>> {
        // Each change is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(token: &SecretString) -> Digest {
    blake3::hash(token.expose_secret().as_bytes()).into()
}
