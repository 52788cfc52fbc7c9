//! A mail transaction: MAIL, RCPT, DATA and the verdict (RFC 5321 3.3).

use std::sync::Arc;

use super::books::{Breach, Received};
use super::command::Mail;
use super::content::Content;
use super::faults::{Act, Phase};
use super::options::{Profile, RefuseAt};
use super::session::{Session, Shared};
use super::wire::Gone;
use super::words;
use crate::limits::Weight;

/// An envelope on its way.
#[derive(Debug)]
pub(super) struct Transaction {
    from: String,
    utf8: bool,
    recipients: Vec<String>,
}

/// Content from here on is written on a thread that may block.
const LARGE: usize = 256 * 1024;

impl Session {
    pub(super) async fn mail(&mut self, mail: &Mail<'_>) -> Result<(), Gone> {
        if !self.greeted {
            self.say(503, "5.5.1 Send hello first");
        } else if self.is_bare() {
            self.say(530, "5.7.0 Must issue a STARTTLS command first");
        } else if self.shared.options.require_auth && self.user.is_none() {
            self.say(530, "5.7.57 Client not authenticated to send mail");
        } else if self.transaction.is_some() {
            self.say(503, "5.5.1 Sender already given");
        } else if !mail.from.is_ascii() && !mail.utf8 {
            self.say(553, "5.6.7 An address beyond ASCII needs SMTPUTF8");
        } else if !self.meddled(Phase::Mail).await? {
            self.open(mail);
        }
        Ok(())
    }

    fn open(&mut self, mail: &Mail<'_>) {
        if mail.size > self.shared.options.size_limit() {
            self.shared.books.refuse_message();
            self.say(552, "5.3.4 Message size exceeds fixed maximum message size");
        } else if !self.sit_down() {
            self.shared.books.refuse_message();
            self.shared.books.breach(self.crowd());
            self.say(432, "4.3.2 Concurrent connections limit exceeded");
        } else {
            self.transaction = Some(Transaction {
                from: mail.from.to_owned(),
                utf8: mail.utf8,
                recipients: Vec::new(),
            });
            self.say(250, "2.1.0 Sender OK");
        }
    }

    fn crowd(&self) -> Breach {
        let most = self.shared.options.max_connections.unwrap_or_default();
        Breach {
            limit: format!("{most} connections at a time"),
            at: self.shared.clock.now(),
            detail: format!("'{}' sends on more than {most}", self.account()),
        }
    }

    pub(super) async fn rcpt(&mut self, to: &str) -> Result<(), Gone> {
        let shared = Arc::clone(&self.shared);
        let Some(transaction) = &self.transaction else {
            self.say(503, "5.5.2 Need MAIL first");
            return Ok(());
        };
        let refusal = if !to.is_ascii() && !transaction.utf8 {
            Some((
                553,
                "5.6.7 An address beyond ASCII needs SMTPUTF8".to_owned(),
            ))
        } else if transaction.recipients.len() as u64 >= shared.options.recipient_limit() {
            Some((452, "4.5.3 Too many recipients".to_owned()))
        } else {
            shared.options.refusal_of(to, RefuseAt::Recipient)
        };
        if self.meddled(Phase::Rcpt).await? {
            shared.books.refuse_recipient();
        } else if let Some((code, text)) = refusal {
            shared.books.refuse_recipient();
            self.say(code, &text);
        } else {
            if let Some(transaction) = &mut self.transaction {
                transaction.recipients.push(to.to_owned());
            }
            self.say(250, "2.1.5 Recipient OK");
        }
        Ok(())
    }

    pub(super) async fn data(&mut self) -> Result<(), Gone> {
        match &self.transaction {
            None => {
                self.say(503, "5.5.2 Need MAIL first");
                return Ok(());
            }
            Some(transaction) if transaction.recipients.is_empty() => {
                self.say(503, "5.5.2 Need RCPT first");
                return Ok(());
            }
            Some(_) => {}
        }
        if self.meddled(Phase::Data).await? {
            return Ok(());
        }
        self.say(354, "Start mail input; end with <CRLF>.<CRLF>");
        self.wire.more().await?;
        if self.meddled(Phase::Body).await? {
            return Err(Gone::Done);
        }
        let content = self.wire.content(self.shared.options.size_limit()).await?;
        let Some(transaction) = self.transaction.take() else {
            return Ok(());
        };
        self.conclude(transaction, content).await
    }

    /// Answers the final dot.
    async fn conclude(&mut self, transaction: Transaction, content: Content) -> Result<(), Gone> {
        let shared = Arc::clone(&self.shared);
        let act = shared.strikes.reach(Phase::Verdict, &shared.options.faults);
        let verdict = match act {
            Some(Act::Reply(code, text)) => Err((*code, text.clone())),
            _ => deliver(&shared, self.account(), transaction, content).await,
        };
        if let Some(act) = act.filter(|act| !matches!(act, Act::Reply(..))) {
            return Err(self.break_off(Phase::Verdict, act).await);
        }
        match verdict {
            Ok(text) => {
                if let (Some(tokens), Some(token)) = (&shared.options.tokens, &self.token) {
                    tokens.use_up(token);
                }
                self.say(250, &text);
                self.aftermath().await
            }
            Err((code, text)) => {
                shared.books.refuse_message();
                self.say(code, &text);
                Ok(())
            }
        }
    }

    /// A fault after the 250.
    async fn aftermath(&mut self) -> Result<(), Gone> {
        let shared = Arc::clone(&self.shared);
        match shared
            .strikes
            .reach(Phase::Answered, &shared.options.faults)
        {
            None => Ok(()),
            Some(Act::Reply(code, text)) => {
                // The verdict goes out by itself, so that the client sees what comes unasked.
                self.wire.flush().await?;
                self.wire.say(*code, text);
                Err(Gone::Done)
            }
            Some(act) => Err(self.break_off(Phase::Answered, act).await),
        }
    }
}

/// Takes a message of `user`, or says why not.
async fn deliver(
    shared: &Arc<Shared>,
    user: &str,
    transaction: Transaction,
    content: Content,
) -> Result<String, (u16, String)> {
    let options = &shared.options;
    if content.is_too_long() {
        let text = "5.3.4 Message size exceeds fixed maximum message size";
        return Err((552, text.to_owned()));
    }
    if options.profile == Profile::Microsoft365 && content.has_bare_line_feed() {
        return Err((550, "5.6.11 Invalid characters".to_owned()));
    }
    let Transaction {
        from, recipients, ..
    } = transaction;
    let refusal = |to: &String| options.refusal_of(to, RefuseAt::Content);
    if let Some(refusal) = recipients.iter().find_map(refusal) {
        return Err(refusal);
    }
    let weight = Weight {
        recipients: recipients.len() as u64,
        external: options.count_external(&recipients),
    };
    let (at, broken) = shared.books.judge(user, weight, &shared.clock);
    if options.strict
        && let Some(refusal) = words::over_quota(options.profile, &broken)
    {
        return Err(refusal);
    }
    let content = content.into_bytes();
    let received = Received {
        at,
        user: user.to_owned(),
        envelope_from: from,
        recipients,
        message_id: message_id(&content),
        size: content.len() as u64,
        digest: blake3::hash(&content).into(),
        file: None,
    };
    keep(shared, content, received).await
}

/// Writes the message and enters it in the books. One that cannot be written stays counted against
/// the rules: better one too many than a window that lets too much through.
async fn keep(
    shared: &Arc<Shared>,
    content: Vec<u8>,
    mut received: Received,
) -> Result<String, (u16, String)> {
    let answer = words::taken(received.message_id.as_deref());
    let large = content.len() >= LARGE;
    let shared = Arc::clone(shared);
    let write = move || {
        if let Some(store) = &shared.store {
            store.keep(&content, &mut received)?;
        }
        shared.books.enter(received);
        Ok::<_, std::io::Error>(())
    };
    let written = if large {
        tokio::task::spawn_blocking(write)
            .await
            .map_err(Into::into)
            .flatten()
    } else {
        write()
    };
    match written {
        Ok(()) => Ok(answer),
        Err(error) => Err((452, format!("4.3.1 Insufficient system storage: {error}"))),
    }
}

/// The header's Message-ID, if it is fit for a reply line.
fn message_id(content: &[u8]) -> Option<String> {
    let name = b"message-id:";
    let mut lines = content.split(|byte| *byte == b'\n').take_while(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        !line.is_empty()
    });
    let is_it = |line: &&[u8]| {
        let head = line.get(..name.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    let mut value = lines.find(is_it)?.get(name.len()..)?.trim_ascii();
    if value.is_empty() {
        // Folded: the value is on the next line (RFC 5322 2.2.3).
        value = lines
            .next()
            .filter(|line| line.starts_with(b" ") || line.starts_with(b"\t"))?;
        value = value.trim_ascii();
    }
    let fits = (1..=998).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(value).ok()?;
    fits.then(|| text.to_owned())
}
