//! With what to sign in, and what follows when a server refuses an access token: another one, once.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;

use super::event::Trouble;
use super::options::Account;
use crate::clock::Clock;
use crate::delivery::{Class, Phase, Verdict};
use crate::oauth::{self, AccessToken, ErrorKind, Tokens};
use crate::smtp::{Credentials, Network, Secret, Session, SessionError};

/// How an account signs in.
#[derive(Clone)]
pub enum SignIn {
    /// Not at all.
    None,
    /// By a name and a password.
    Password(Credentials),
    /// By a name and access tokens, which are renewed before they end and when the server refuses one.
    OAuth2 {
        /// The mailbox.
        username: String,
        /// Where tokens come from.
        tokens: Tokens,
    },
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Password(credentials) => f.debug_tuple("Password").field(credentials).finish(),
            Self::OAuth2 { username, .. } => f.debug_tuple("OAuth2").field(username).finish(),
        }
    }
}

/// Why there is no session.
#[derive(Debug)]
pub(super) enum NoSession {
    /// The server, or the way to it.
    Server(SessionError),
    /// There is no access token.
    Tokens(oauth::Error),
    /// The server has refused a token that was got in place of a refused one.
    Refused(Box<Trouble>),
}

/// A session, and the token that opened it.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) token: Option<AccessToken>,
}

/// What an account's connections know together of its tokens.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// Got in place of one that was refused, and no message was taken with it yet. When this one is refused
    /// too, another will not help, on whichever connection.
    on_trial: Mutex<Option<AccessToken>>,
}

impl Trial {
    fn lock(&self) -> MutexGuard<'_, Option<AccessToken>> {
        // A token is put in or taken out whole.
        self.on_trial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another token may be asked for in place of this one.
    pub(super) fn may_renew(&self, refused: &AccessToken) -> bool {
        self.lock()
            .as_ref()
            .is_none_or(|token| !same(token, refused))
    }

    /// A message was taken in a session of this token.
    pub(super) fn passed(&self, token: &AccessToken) {
        let mut on_trial = self.lock();
        if on_trial.as_ref().is_some_and(|other| same(other, token)) {
            *on_trial = None;
        }
    }

    async fn renew(
        &self,
        tokens: &Tokens,
        refused: &AccessToken,
    ) -> Result<AccessToken, NoSession> {
        let token = tokens.renew(refused).await.map_err(NoSession::Tokens)?;
        *self.lock() = Some(token.clone());
        Ok(token)
    }
}

fn same(one: &AccessToken, other: &AccessToken) -> bool {
    one.secret().expose_secret() == other.secret().expose_secret()
}

/// Connects and signs in. `refused` is a token that the server no longer takes.
pub(super) async fn open(
    network: &Network,
    clock: &Clock,
    account: &Account,
    trial: &Trial,
    refused: Option<&AccessToken>,
) -> Result<Opened, NoSession> {
    let connect = async |credentials: Option<&Credentials>| {
        let (endpoint, deadlines) = (&account.endpoint, &account.deadlines);
        Session::connect_in(network, clock, endpoint, credentials, deadlines).await
    };
    let (username, tokens) = match &account.sign_in {
        SignIn::OAuth2 { username, tokens } => (username, tokens),
        SignIn::None => return opened(connect(None).await, None),
        SignIn::Password(credentials) => return opened(connect(Some(credentials)).await, None),
    };
    let mut token = match refused {
        Some(refused) => trial.renew(tokens, refused).await?,
        None => tokens.access_token().await.map_err(NoSession::Tokens)?,
    };
    loop {
        let credentials = Credentials {
            username: username.clone(),
            secret: Secret::Token(token.secret().clone()),
        };
        let error = match connect(Some(&credentials)).await {
            Ok(session) => return opened(Ok(session), Some(token)),
            Err(error) => error,
        };
        let Some(trouble) = refused_token(account, &error) else {
            return Err(NoSession::Server(error));
        };
        if !trial.may_renew(&token) {
            return Err(NoSession::Refused(Box::new(trouble)));
        }
        // What this gives is on trial: the next refusal ends the loop.
        token = trial.renew(tokens, &token).await?;
    }
}

fn opened(
    session: Result<Session, SessionError>,
    token: Option<AccessToken>,
) -> Result<Opened, NoSession> {
    let session = session.map_err(NoSession::Server)?;
    Ok(Opened { session, token })
}

/// The reply that refuses a name and its proof, whatever the reason (RFC 4954 6).
const INVALID: u16 = 535;

/// What it means when the server does not take a token, where that is what happened.
fn refused_token(account: &Account, error: &SessionError) -> Option<Trouble> {
    let reply = error.reply().filter(|_| error.phase == Phase::SignIn)?;
    let judgement = account.replies.judge(Phase::SignIn, reply);
    let is_about_token = match judgement.verdict {
        Verdict::RefreshToken => true,
        Verdict::StopAccount => judgement.class == Class::SignIn && reply.code == INVALID,
        _ => false,
    };
    is_about_token.then(|| Trouble {
        class: Class::SignIn,
        phase: Phase::SignIn,
        // With the reasons that the server gave before.
        reply: error.kind.to_string(),
        meaning: judgement.meaning.to_owned(),
        remedy: account.remedy(&judgement),
        unreachable: false,
        local: false,
    })
}

/// What it means that there is no token, and whether it passes by itself.
pub(super) fn without_token(account: &Account, error: &oauth::Error) -> (Trouble, bool) {
    let known = match error.kind() {
        ErrorKind::Revoked(refusal) | ErrorKind::Refused(refusal) => {
            let description = refusal.description.as_deref().unwrap_or_default();
            let table = &account.replies;
            Some(table.judge_sign_in_service(&refusal.error, description))
        }
        _ => None,
    };
    let is_over = matches!(error.kind(), ErrorKind::Revoked(_));
    let asks_for_patience = known.filter(|_| !is_over).is_some_and(|known| {
        matches!(
            known.verdict,
            Verdict::SlowDown(_) | Verdict::HoldAccount(_)
        )
    });
    let passes = error.is_transient() || asks_for_patience;
    let is_about_server = passes
        || matches!(
            error.kind(),
            ErrorKind::Untrusted { .. } | ErrorKind::Protocol { .. }
        );
    let own = error.remedy();
    let remedy = known.map(|known| account.replies.remedy(&known));
    let remedy = match remedy {
        // Whatever the reason is, somebody must sign in again.
        Some(remedy) if !passes && !remedy.contains("postroom login") => {
            format!("{remedy} Then {own}.")
        }
        Some(remedy) => remedy,
        None => own,
    };
    let trouble = Trouble {
        class: if is_about_server {
            Class::Server
        } else {
            Class::SignIn
        },
        phase: Phase::SignIn,
        reply: error.to_string(),
        meaning: known.map_or_else(
            || "there is no access token to sign in with".to_owned(),
            |known| known.meaning.to_owned(),
        ),
        remedy,
        unreachable: is_about_server,
        local: matches!(error.kind(), ErrorKind::Keep(_) | ErrorKind::Listen(_)),
    };
    (trouble, passes)
}
