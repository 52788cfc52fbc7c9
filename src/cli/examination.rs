//! A look at an account stage by stage, up to where a message would be handed over.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::stages::{Course, Facts, Failed, Stage};
use super::words;
use crate::clock::Clock;
use crate::oauth::{AccessToken, Tokens};
use crate::provider::Preset;
use crate::send::{Account, SignIn};
use crate::smtp::{Capabilities, Credentials, Encryption, Resolved, Secret, Session, SessionError};

/// Whom to examine.
pub(super) struct Examination<'a> {
    pub(super) clock: &'a Clock,
    pub(super) account: &'a Account,
    pub(super) preset: &'a Preset,
    /// The address to send from, where one is known.
    pub(super) from: Option<String>,
    /// A recipient to name.
    pub(super) rcpt: Option<String>,
}

impl Examination<'_> {
    /// Goes as far as it can; tells each stage, and the ones that were not tried.
    pub(super) async fn run(&self, tell: &mut dyn FnMut(&Stage)) -> Vec<Stage> {
        let mut course = Course::new(self.clock, self.account, tell);
        // What failed is among the stages.
        let _ended = self.go(&mut course).await;
        course.end(&self.names())
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names = vec!["name", "tcp", "tls", "ehlo"];
        match self.account.sign_in {
            SignIn::None => {}
            SignIn::Password(_) => names.push("sign-in"),
            SignIn::OAuth2 { .. } => names.extend(["token", "sign-in"]),
        }
        names.extend(self.from.as_ref().map(|_| "mail-from"));
        let names_recipient = self.from.is_some() && self.rcpt.is_some();
        names.extend(names_recipient.then_some("rcpt-to"));
        names.push("reset");
        names
    }

    async fn go(&self, course: &mut Course<'_>) -> Result<(), Failed> {
        let mut session = self.connect(course).await?;
        let outcome = self.talk(course, &mut session).await;
        // However it went, the server is not left waiting.
        session.quit().await;
        outcome
    }

    /// What is said once the server has been greeted.
    async fn talk(&self, course: &mut Course<'_>, session: &mut Session) -> Result<(), Failed> {
        match &self.account.sign_in {
            SignIn::None => {}
            SignIn::Password(credentials) => {
                let outcome = session.sign_in(credentials).await;
                course.signed_in(outcome, &credentials.username, false)?;
            }
            SignIn::OAuth2 { username, tokens } => {
                let token = tokens.access_token().await;
                let token = course.token(token, self.preset)?;
                self.sign_in_by_token(course, session, username, tokens, token)
                    .await?;
            }
        }
        if let Some(from) = &self.from {
            let reply = session.try_sender(from).await;
            course.replied("mail-from", from, reply)?;
            if let Some(rcpt) = &self.rcpt {
                let reply = session.try_recipient(rcpt).await;
                course.replied("rcpt-to", rcpt, reply)?;
            }
        }
        let outcome = session.reset().await;
        course.note("reset", outcome, |()| {
            ("nothing is left of it".to_owned(), vec![])
        })
    }

    async fn connect(&self, course: &mut Course<'_>) -> Result<Session, Failed> {
        let account = self.account;
        let found = Resolved::look_up(self.clock, &account.endpoint, &account.deadlines).await;
        let resolved = course.note("name", found, |resolved| {
            let addresses = resolved.addresses().iter();
            let addresses: Vec<String> = addresses.map(|one| one.ip().to_string()).collect();
            let said = format!("{} is {}", account.endpoint.host, addresses.join(", "));
            (said, vec![("addresses", json!(addresses))])
        })?;
        let reached = course.note("tcp", resolved.reach().await, |reached| {
            let address = reached.address().to_string();
            (
                format!("connected to {address}"),
                vec![("address", json!(address))],
            )
        })?;
        let secured = course.note("tls", reached.secure().await, |secured| {
            tls(secured.encryption().as_ref())
        })?;
        course.note("ehlo", secured.hello().await, |session| {
            ehlo(session.capabilities())
        })
    }

    /// A token that the server refuses is renewed once, as a send would do it.
    async fn sign_in_by_token(
        &self,
        course: &mut Course<'_>,
        session: &mut Session,
        username: &str,
        tokens: &Tokens,
        token: AccessToken,
    ) -> Result<(), Failed> {
        let credentials = |token: &AccessToken| Credentials {
            username: username.to_owned(),
            secret: Secret::Token(token.secret().clone()),
        };
        let mut outcome = session.sign_in(&credentials(&token)).await;
        let is_refused = |error: &SessionError| error.reply().is_some_and(|one| one.code == 535);
        let mut renewed = false;
        if outcome.as_ref().is_err_and(is_refused) {
            let token = match tokens.renew(&token).await {
                Ok(token) => token,
                Err(error) => return Err(course.no_token("sign-in", &error, self.preset)),
            };
            renewed = true;
            let (endpoint, deadlines) = (&self.account.endpoint, &self.account.deadlines);
            let again = credentials(&token);
            outcome = Session::connect(self.clock, endpoint, Some(&again), deadlines)
                .await
                .map(|other| *session = other);
        }
        course.signed_in(outcome, username, renewed)
    }
}

fn tls(encryption: Option<&Encryption>) -> Facts {
    let Some(encryption) = encryption else {
        let said = "none, within this machine".to_owned();
        return (said, vec![("version", Value::Null)]);
    };
    let mut said = format!("{}, {}", encryption.version, encryption.cipher);
    let mut facts = vec![
        ("version", json!(encryption.version)),
        ("cipher", json!(encryption.cipher)),
    ];
    if let Some(certificate) = &encryption.certificate {
        let until = words::time(certificate.valid_until, &TimeZone::system());
        said = format!(
            "{said}\ncertificate for {}, by {}, until {until}",
            certificate.names.join(", "),
            certificate.issuer
        );
        facts.extend([
            ("issuer", json!(certificate.issuer)),
            ("names", json!(certificate.names)),
            ("valid_from", json!(certificate.valid_from)),
            ("valid_until", json!(certificate.valid_until)),
        ]);
    }
    (said, facts)
}

fn ehlo(found: &Capabilities) -> Facts {
    let size = match found.size {
        Some(0) => "messages of any size".to_owned(),
        Some(bytes) => format!("messages up to {} MB", words::number(bytes / (1024 * 1024))),
        None => "no word on message sizes".to_owned(),
    };
    let pipelining = if found.pipelining {
        "several commands at once"
    } else {
        "one command at a time"
    };
    let mechanisms = match found.mechanisms.as_slice() {
        [] => "no sign-in".to_owned(),
        some => format!("sign-in by {}", some.join(", ")),
    };
    let said = format!("{}: {mechanisms}; {size}; {pipelining}", found.name);
    let facts = vec![
        ("name", json!(found.name)),
        ("size", json!(found.size)),
        ("pipelining", json!(found.pipelining)),
        ("auth", json!(found.mechanisms)),
        ("smtputf8", json!(found.smtp_utf8)),
    ];
    (said, facts)
}
