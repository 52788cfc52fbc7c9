//! One client's session: which command is allowed when (RFC 5321 4.1.4), and what comes of it.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::watch;

use super::books::Books;
use super::command::{Command, Misread, parse};
use super::faults::{Phase, Strikes};
use super::mailstore::MailStore;
use super::options::{Options, Profile, TlsMode};
use super::tls::Identity;
use super::transaction::Transaction;
use super::wire::{Gone, Line, Stream, Wire};
use super::words;
use crate::clock::Clock;

/// What all sessions of a server have in common.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) clock: Clock,
    pub(super) identity: Identity,
    pub(super) books: Books,
    pub(super) store: Option<MailStore>,
    pub(super) strikes: Strikes,
    /// How often a fault has made a session hang.
    pub(super) hanging: watch::Sender<u64>,
}

/// RFC 5321 4.5.3.1.4 asks for 512 octets, and extensions for more.
const LONGEST_COMMAND: usize = 2048;

/// A session and how far it has come.
#[expect(
    clippy::struct_excessive_bools,
    reason = "greeting, TLS, seat and farewell come and go without each other"
)]
pub(super) struct Session {
    pub(super) wire: Wire,
    pub(super) shared: Arc<Shared>,
    pub(super) greeted: bool,
    pub(super) secure: bool,
    /// Who signed in, in lower case.
    pub(super) user: Option<String>,
    /// The token that it was let in with, by its digest.
    pub(super) token: Option<[u8; 32]>,
    pub(super) transaction: Option<Transaction>,
    /// Whether this connection is one of those that its user may send on.
    pub(super) seated: bool,
    refusals: u64,
    /// A 421 was said: the server hangs up after it (RFC 5321 3.8).
    closing: bool,
}

/// Serves one client until either side ends it.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
) {
    let delay = shared.options.faults.reply_delay;
    let wire = Wire::new(stream, shared.clock.clone(), delay, stopping);
    let mut session = Session::begin(wire, shared);
    let Err(gone) = session.converse().await;
    match gone {
        Gone::Closed | Gone::Dropped => return,
        Gone::Idle => session
            .wire
            .say(421, "4.4.2 Timeout: nothing came for too long"),
        Gone::Stopping => session.wire.say(421, "4.3.2 Service not active"),
        Gone::Done => {}
    }
    // Before the last words go out, so that the client can come back at once.
    session.stand_up();
    session.wire.close().await;
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stand_up();
        self.shared.books.leave();
    }
}

impl Session {
    fn begin(wire: Wire, shared: Arc<Shared>) -> Self {
        shared.books.arrive();
        Self {
            wire,
            shared,
            greeted: false,
            secure: false,
            user: None,
            token: None,
            transaction: None,
            seated: false,
            refusals: 0,
            closing: false,
        }
    }

    async fn converse(&mut self) -> Result<Infallible, Gone> {
        if self.shared.options.tls == TlsMode::Implicit {
            self.secure().await?;
        }
        if self.meddled(Phase::Banner).await? {
            return Err(Gone::Done);
        }
        let now = self.shared.clock.now();
        let banner = words::banner(self.shared.options.profile, now);
        self.wire.say(220, &banner);
        loop {
            match self.wire.line().await? {
                Line::Whole(line) => self.obey(&line).await?,
                Line::TooLong => self.say(500, "5.5.2 Line too long"),
            }
            if self.closing {
                return Err(Gone::Done);
            }
            let limit = self.shared.options.faults.max_errors;
            if limit.is_some_and(|limit| self.refusals >= limit) {
                self.wire.say(421, "4.7.0 Too many errors");
                return Err(Gone::Done);
            }
        }
    }

    /// Answers, and counts refusals.
    pub(super) fn say(&mut self, code: u16, text: &str) {
        if code >= 400 {
            self.refusals += 1;
        }
        self.closing |= code == 421;
        self.wire.say(code, text);
    }

    async fn obey(&mut self, line: &[u8]) -> Result<(), Gone> {
        let is_auth = line
            .get(..5)
            .is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        if line.len() > LONGEST_COMMAND && !is_auth {
            self.say(500, "5.5.2 Line too long");
            return Ok(());
        }
        let command = match parse(line) {
            Ok(command) => command,
            Err(misread) => {
                self.say_misread(misread);
                return Ok(());
            }
        };
        match command {
            Command::Ehlo => return self.hello(true).await,
            Command::Helo => return self.hello(false).await,
            Command::StartTls => return self.start_tls().await,
            Command::Auth { mechanism, initial } => return self.auth(mechanism, initial).await,
            Command::Mail(mail) => return self.mail(&mail).await,
            Command::Rcpt(to) => return self.rcpt(to).await,
            Command::Data => return self.data().await,
            Command::Rset => {
                self.transaction = None;
                self.say(250, "2.0.0 Resetting");
            }
            Command::Noop => self.say(250, "2.0.0 OK"),
            Command::Vrfy => self.say(252, "2.1.5 Cannot VRFY user"),
            Command::Help => self.say(
                214,
                "2.0.0 EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP QUIT VRFY HELP",
            ),
            Command::Quit => {
                self.say(221, "2.0.0 Service closing transmission channel");
                return Err(Gone::Done);
            }
        }
        Ok(())
    }

    fn say_misread(&mut self, misread: Misread) {
        match misread {
            Misread::Unknown => self.say(500, "5.5.1 Unrecognized command"),
            Misread::NotImplemented => self.say(502, "5.5.1 Command not implemented"),
            Misread::Syntax(form) => self.say(501, &format!("5.5.4 Syntax: {form}")),
            Misread::Address => self.say(501, "5.1.3 Invalid address"),
            Misread::Parameter => self.say(555, "5.5.4 Unsupported option"),
        }
    }

    async fn hello(&mut self, extended: bool) -> Result<(), Gone> {
        if self.meddled(Phase::Hello).await? {
            return Ok(());
        }
        self.greeted = true;
        self.transaction = None;
        let options = &self.shared.options;
        let text = if extended {
            words::capabilities(options, self.secure)
        } else {
            format!("{} Hello", words::HOST)
        };
        self.say(250, &text);
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), Gone> {
        if self.shared.options.tls != TlsMode::StartTls {
            self.say(502, "5.5.1 Command not implemented");
        } else if self.secure {
            self.say(503, "5.5.1 TLS is already on");
        } else if !self.greeted {
            self.say(503, "5.5.1 Send hello first");
        } else if !self.meddled(Phase::StartTls).await? {
            self.say(220, "2.0.0 SMTP server ready");
            return self.secure().await;
        }
        Ok(())
    }

    /// Turns TLS on; nothing that was said before it holds any longer (RFC 3207 4.2).
    async fn secure(&mut self) -> Result<(), Gone> {
        let shared = Arc::clone(&self.shared);
        self.wire.secure(&shared.identity.acceptor).await?;
        self.secure = true;
        self.greeted = false;
        self.transaction = None;
        Ok(())
    }

    /// Whether TLS is still missing.
    pub(super) fn is_bare(&self) -> bool {
        self.shared.options.tls == TlsMode::StartTls && !self.secure
    }

    pub(super) fn profile(&self) -> Profile {
        self.shared.options.profile
    }

    /// The name that the session is counted under.
    pub(super) fn account(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    /// Takes one of the user's places to send from, if one is free.
    pub(super) fn sit_down(&mut self) -> bool {
        if let (false, Some(most)) = (self.seated, self.shared.options.max_connections) {
            self.seated = self.shared.books.sit_down(self.account(), most);
            return self.seated;
        }
        true
    }

    /// Gives the place back.
    pub(super) fn stand_up(&mut self) {
        if std::mem::take(&mut self.seated) {
            self.shared.books.stand_up(self.account());
        }
    }
}
