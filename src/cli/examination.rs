//! A look at an account stage by stage, up to where a message would be handed over.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::{signing, words};
use crate::clock::{Clock, Stopwatch};
use crate::delivery::{Class, Phase, Reply};
use crate::oauth::{AccessToken, Tokens};
use crate::provider::{Helps, Judgement, Preset, Remedy};
use crate::send::{Account, SignIn};
use crate::smtp::{Capabilities, Credentials, Encryption, Resolved, Secret, Session, SessionError};

/// A stage and what was found there.
pub(super) struct Stage {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// What it was, in a line.
    pub(super) said: String,
    /// The same in fields.
    pub(super) facts: Map<String, Value>,
    /// The server's words.
    pub(super) reply: Option<String>,
    pub(super) state: State,
}

/// How a stage went.
pub(super) enum State {
    Passed(Duration),
    Failed(Box<Finding>),
    /// An earlier one failed.
    Skipped,
}

/// Why a stage failed and what to do about it.
pub(super) struct Finding {
    pub(super) exit: Exit,
    pub(super) meaning: String,
    pub(super) remedy: String,
    /// The same one by one, where a table has it.
    pub(super) remedies: Vec<Remedy>,
    pub(super) waiting: Option<(Helps, String)>,
}

impl Stage {
    pub(super) fn json(&self) -> Value {
        let mut value = json!({
            "name": self.name,
            "state": "skipped",
            "facts": self.facts,
            "reply": self.reply,
            "meaning": null,
            "remedy": null,
        });
        match &self.state {
            State::Passed(took) => {
                value["state"] = "passed".into();
                value["seconds"] = took.as_secs_f64().into();
            }
            State::Failed(finding) => {
                let remedies = finding.remedies.iter();
                let remedies: Vec<Value> = remedies
                    .map(|one| json!({ "who": one.who.as_str(), "what": one.what }))
                    .collect();
                value["state"] = "failed".into();
                value["meaning"] = finding.meaning.as_str().into();
                value["remedy"] = finding.remedy.as_str().into();
                value["remedies"] = remedies.into();
                if let Some((helps, words)) = &finding.waiting {
                    value["waiting"] = words.as_str().into();
                    value["waiting_helps"] = helps.as_str().into();
                }
            }
            State::Skipped => {}
        }
        value
    }
}

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

/// The stages so far, each told as soon as it is over.
struct Course<'a> {
    watch: Stopwatch,
    clock: &'a Clock,
    account: &'a Account,
    tell: &'a mut dyn FnMut(&Stage),
    stages: Vec<Stage>,
}

/// A stage failed: the others are not tried.
struct Failed;

impl Examination<'_> {
    /// Goes as far as it can; tells each stage, and the ones that were not tried.
    pub(super) async fn run(&self, tell: &mut dyn FnMut(&Stage)) -> Vec<Stage> {
        let mut course = Course {
            watch: self.clock.stopwatch(),
            clock: self.clock,
            account: self.account,
            tell,
            stages: Vec::new(),
        };
        let _ended = self.go(&mut course).await;
        for name in self.names().into_iter().skip(course.stages.len()) {
            course.add(name, String::new(), Map::new(), None, State::Skipped);
        }
        course.stages
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
        if outcome.as_ref().is_err_and(is_refused)
            && let Ok(token) = tokens.renew(&token).await
        {
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

type Facts = (String, Vec<(&'static str, Value)>);

impl Course<'_> {
    fn add(
        &mut self,
        name: &'static str,
        said: String,
        facts: Map<String, Value>,
        reply: Option<String>,
        state: State,
    ) {
        let reached = Stage {
            name,
            said,
            facts,
            reply,
            state,
        };
        (self.tell)(&reached);
        self.stages.push(reached);
        self.watch = self.clock.stopwatch();
    }

    fn pass(&mut self, name: &'static str, (said, facts): Facts, reply: Option<String>) {
        let facts = facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let state = State::Passed(self.watch.elapsed());
        self.add(name, said, facts.collect(), reply, state);
    }

    fn note<T>(
        &mut self,
        name: &'static str,
        outcome: Result<T, SessionError>,
        facts: impl FnOnce(&T) -> Facts,
    ) -> Result<T, Failed> {
        match outcome {
            Ok(found) => {
                self.pass(name, facts(&found), None);
                Ok(found)
            }
            Err(error) => {
                let finding = finding(self.account, &error);
                let reply = error.reply().map(ToString::to_string);
                self.add(
                    name,
                    error.kind.to_string(),
                    Map::new(),
                    reply,
                    State::Failed(Box::new(finding)),
                );
                Err(Failed)
            }
        }
    }

    fn replied(
        &mut self,
        name: &'static str,
        address: &str,
        reply: Result<Reply, SessionError>,
    ) -> Result<(), Failed> {
        if let Ok(reply) = &reply {
            let facts = (address.to_owned(), vec![("address", json!(address))]);
            self.pass(name, facts, Some(reply.to_string()));
            return Ok(());
        }
        self.note(name, reply, |_| (String::new(), vec![]))
            .map(drop)
    }

    fn signed_in(
        &mut self,
        outcome: Result<(), SessionError>,
        username: &str,
        renewed: bool,
    ) -> Result<(), Failed> {
        self.note("sign-in", outcome, |()| {
            let how = if renewed {
                ", by a new token: the one that was kept is taken no longer"
            } else {
                ""
            };
            let facts = vec![("username", json!(username)), ("renewed", json!(renewed))];
            (format!("as {username}{how}"), facts)
        })
    }

    fn token(
        &mut self,
        token: Result<AccessToken, crate::oauth::Error>,
        preset: &Preset,
    ) -> Result<AccessToken, Failed> {
        match token {
            Ok(token) => {
                let until = token.expires_at();
                let scopes = token.scopes().join(" ");
                let until_words = words::time(until, &TimeZone::system());
                let said = format!("holds until {until_words}, for {scopes}");
                let facts = vec![
                    ("expires_at", json!(until)),
                    ("scopes", json!(token.scopes())),
                ];
                self.pass("token", (said, facts), None);
                Ok(token)
            }
            Err(error) => {
                let Failure {
                    exit,
                    message,
                    remedy,
                } = signing::failure(&error, preset);
                let finding = Finding {
                    exit,
                    meaning: message,
                    remedy,
                    remedies: vec![],
                    waiting: None,
                };
                let said = error.to_string();
                self.add(
                    "token",
                    said,
                    Map::new(),
                    error.text(),
                    State::Failed(Box::new(finding)),
                );
                Err(Failed)
            }
        }
    }
}

/// What a failed stage means.
fn finding(account: &Account, error: &SessionError) -> Finding {
    let Some(reply) = error.reply() else {
        return Finding {
            exit: if error.is_about_sign_in() {
                Exit::NotPermitted
            } else {
                Exit::Unreachable
            },
            meaning: error.kind.to_string(),
            remedy: error.remedy().to_owned(),
            remedies: vec![],
            waiting: None,
        };
    };
    let judgement = account.replies.judge(error.phase, reply);
    Finding {
        exit: exit(&judgement, error.phase, reply),
        meaning: judgement.meaning.to_owned(),
        remedy: account.remedy(&judgement),
        remedies: account.remedies(&judgement),
        waiting: Some((judgement.waiting.helps, judgement.waiting.to_string())),
    }
}

fn exit(judgement: &Judgement, phase: Phase, reply: &Reply) -> Exit {
    match judgement.class {
        Class::SignIn | Class::Sender | Class::Blocked => Exit::NotPermitted,
        Class::Quota => Exit::NotFinished,
        Class::Server if reply.is_transient() || phase <= Phase::Tls => Exit::Unreachable,
        Class::Server | Class::Message if phase == Phase::MailFrom => Exit::NotPermitted,
        Class::Server => Exit::Unreachable,
        Class::Recipient | Class::Message => Exit::SomeRefused,
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
