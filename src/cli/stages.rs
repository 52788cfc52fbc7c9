//! The stages of an examination as they are found: passed, failed with what to do about it, not tried.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::{signing, words};
use crate::clock::{Clock, Stopwatch};
use crate::delivery::{Class, Phase, Reply};
use crate::oauth::{self, AccessToken};
use crate::provider::{Helps, Judgement, Preset, Remedy};
use crate::send::Account;
use crate::smtp::SessionError;

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

/// The stages so far, each told as soon as it is over.
pub(super) struct Course<'a> {
    watch: Stopwatch,
    clock: &'a Clock,
    account: &'a Account,
    tell: &'a mut dyn FnMut(&Stage),
    stages: Vec<Stage>,
}

/// A stage failed: the others are not tried.
pub(super) struct Failed;

/// What was found: a line, and fields.
pub(super) type Facts = (String, Vec<(&'static str, Value)>);

impl<'a> Course<'a> {
    pub(super) fn new(
        clock: &'a Clock,
        account: &'a Account,
        tell: &'a mut dyn FnMut(&Stage),
    ) -> Self {
        Self {
            watch: clock.stopwatch(),
            clock,
            account,
            tell,
            stages: Vec::new(),
        }
    }

    /// The stages of these names that were not reached were not tried; all of them.
    pub(super) fn end(mut self, names: &[&'static str]) -> Vec<Stage> {
        for name in names.iter().skip(self.stages.len()) {
            self.add(name, String::new(), Map::new(), None, State::Skipped);
        }
        self.stages
    }

    /// Tells a stage, and begins to take the time of the next one.
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

    /// A stage that is over, with its facts where it passed.
    pub(super) fn note<T>(
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

    /// A stage of which the server's reply tells something also where it passed.
    pub(super) fn replied(
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

    /// The sign-in; `renewed`: not with the token that was there.
    pub(super) fn signed_in(
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

    /// The token to sign in with: what it is for and until when, never itself.
    pub(super) fn token(
        &mut self,
        token: Result<AccessToken, oauth::Error>,
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
            Err(error) => Err(self.no_token("token", &error, preset)),
        }
    }

    /// There is no token, or no other one in place of one that was refused.
    pub(super) fn no_token(
        &mut self,
        stage: &'static str,
        error: &oauth::Error,
        preset: &Preset,
    ) -> Failed {
        let Failure {
            exit,
            message,
            remedy,
            ..
        } = signing::failure(error, preset);
        let finding = Finding {
            exit,
            meaning: message,
            remedy,
            remedies: vec![],
            waiting: None,
        };
        self.add(
            stage,
            error.to_string(),
            Map::new(),
            error.text(),
            State::Failed(Box::new(finding)),
        );
        Failed
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
