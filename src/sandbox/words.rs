//! What the server says where the profiles differ, or where it takes a rule to choose the words.

use std::time::Duration;

use super::options::{Options, Profile, TlsMode};
use super::quota::Broken;
use crate::clock::Timestamp;
use crate::limits::Unit;

/// The server's name; `.invalid` never resolves (RFC 6761).
pub(super) const HOST: &str = "sandbox.postroom.invalid";

/// The greeting.
pub(super) fn banner(profile: Profile, now: Timestamp) -> String {
    match profile {
        Profile::Generic => format!("{HOST} ESMTP Postroom sandbox: nothing leaves this machine"),
        Profile::Microsoft365 => format!("{HOST} Microsoft ESMTP MAIL Service ready at {now}"),
    }
}

/// The answer to EHLO, a capability a line, in the order of Exchange Online.
pub(super) fn capabilities(options: &Options, secure: bool) -> String {
    let mut lines = vec![
        format!("{HOST} Hello"),
        format!("SIZE {}", options.size_limit()),
        "PIPELINING".to_owned(),
        "DSN".to_owned(),
        "ENHANCEDSTATUSCODES".to_owned(),
    ];
    if options.tls == TlsMode::StartTls && !secure {
        lines.push("STARTTLS".to_owned());
    } else {
        lines.push(format!("AUTH {}", options.mechanisms().join(" ")));
    }
    lines.extend(["8BITMIME".to_owned(), "SMTPUTF8".to_owned()]);
    lines.join("\n")
}

/// The sign-in mechanisms on offer.
pub(super) fn mechanisms(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Generic => &["LOGIN", "PLAIN", "XOAUTH2"],
        Profile::Microsoft365 => &["LOGIN", "XOAUTH2"],
    }
}

/// AUTH before TLS.
pub(super) fn auth_in_clear(profile: Profile) -> (u16, &'static str) {
    match profile {
        Profile::Generic => (530, "5.7.0 Must issue a STARTTLS command first"),
        Profile::Microsoft365 => (504, "5.7.4 Unrecognized authentication type"),
    }
}

/// The refusal of a message that breaks rules. A rule of an hour or more means that the day is over;
/// a shorter one only that it went too fast. The longest speaks, because trying again soon is no use.
pub(super) fn over_quota(profile: Profile, broken: &[Broken]) -> Option<(u16, String)> {
    let rule = broken
        .iter()
        .map(|broken| broken.rule)
        .max_by_key(|rule| rule.per)?;
    if rule.per < Duration::from_hours(1) {
        let text = match profile {
            Profile::Generic => format!("4.3.2 Sending too fast: more than {rule}"),
            Profile::Microsoft365 => throttled(profile).1.to_owned(),
        };
        return Some((432, text));
    }
    Some(match (profile, rule.unit) {
        // As Google says it: the first words are what senders look for.
        (Profile::Generic, _) => (
            550,
            format!("5.4.5 Daily user sending limit exceeded: more than {rule}"),
        ),
        (Profile::Microsoft365, Unit::ExternalRecipients) => (
            550,
            format!(
                "5.7.233 Your message can't be sent because your tenant has exceeded its daily limit \
                 for sending email to external recipients: {rule}"
            ),
        ),
        (Profile::Microsoft365, Unit::Messages | Unit::Recipients) => (
            554,
            format!(
                "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; more than \
                 {rule} [Hostname={HOST}]"
            ),
        ),
    })
}

/// The refusal of a message that came too fast, whatever the rules say.
pub(super) fn throttled(profile: Profile) -> (u16, &'static str) {
    match profile {
        Profile::Generic => (
            451,
            "4.7.1 Too many messages at a time: rate limit exceeded",
        ),
        Profile::Microsoft365 => (
            432,
            "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        ),
    }
}

/// The 250 for a message, which names its id as Exchange Online does.
pub(super) fn taken(message_id: Option<&str>) -> String {
    match message_id {
        Some(id) => format!("2.0.0 OK {id} [Hostname={HOST}]"),
        None => format!("2.0.0 OK [Hostname={HOST}]"),
    }
}
