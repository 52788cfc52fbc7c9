//! What a send is to go by.

use std::path::PathBuf;

use jiff::Timestamp;

use super::SignIn;
use crate::delivery::{Backoff, Class};
use crate::limits::{Calendar, Rule};
use crate::provider::{Judgement, Owner, Remedy, ReplyTable};
use crate::smtp::{Deadlines, Endpoint};

/// The account that a campaign is sent by.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name in accounts.toml.
    pub name: String,
    /// What its quota is counted by: the sign-in name at the server.
    pub mailbox: String,
    /// The server.
    pub endpoint: Endpoint,
    /// How it signs in.
    pub sign_in: SignIn,
    /// By phase.
    pub deadlines: Deadlines,
    /// The rules that hold, what is reserved for others taken off.
    pub rules: Vec<Rule>,
    /// At most this many sessions at once; at least one.
    pub max_connections: usize,
    /// When a deferred message is tried again.
    pub backoff: Backoff,
    /// What replies mean.
    pub replies: ReplyTable,
}

impl Account {
    /// The name that it signs in with.
    pub(super) fn username(&self) -> Option<&str> {
        match &self.sign_in {
            SignIn::None => None,
            SignIn::Password(credentials) => Some(&credentials.username),
            SignIn::OAuth2 { username, .. } => Some(username),
        }
    }

    /// What can be done about a refusal, one by one, with the account's names. A general table knows passwords
    /// alone: where a person can mend a sign-in by tokens, they can also sign in anew.
    pub fn remedies(&self, judgement: &Judgement) -> Vec<Remedy> {
        let mut remedies = self.replies.remedies(judgement);
        let is_mine = |remedy: &Remedy| remedy.who == Owner::You;
        let knows = |remedy: &Remedy| remedy.what.contains("postroom login");
        let by_tokens = matches!(self.sign_in, SignIn::OAuth2 { .. });
        if by_tokens
            && judgement.class == Class::SignIn
            && remedies.iter().any(is_mine)
            && !remedies.iter().any(knows)
        {
            let what = format!("sign in anew: run `postroom login {}`.", self.name);
            let who = Owner::You;
            remedies.push(Remedy { who, what });
        }
        remedies
    }

    /// The same in one text.
    pub fn remedy(&self, judgement: &Judgement) -> String {
        let remedies = self.remedies(judgement);
        let sentences: Vec<String> = remedies.iter().map(ToString::to_string).collect();
        sentences.join(" ")
    }
}

/// How far and how long to send.
#[derive(Debug, Clone)]
pub struct Options {
    /// The accounts; at least one, in the order of the plan's lanes.
    pub accounts: Vec<Account>,
    /// When the campaign may be sent.
    pub calendar: Calendar,
    /// The store's file.
    pub store: PathBuf,
    /// Wait through limits and back-offs; otherwise end at the first wait.
    pub wait: bool,
    /// End after this many messages were handed over in this run.
    pub max_messages: Option<u64>,
    /// End when so many messages have left the plan in this run, whatever became of them, those aside that
    /// had been put off before.
    pub canary: Option<u64>,
    /// End at this time.
    pub until: Option<Timestamp>,
}
