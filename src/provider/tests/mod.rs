//! What users rely on: a name finds its preset, and each known reply gets its verdict.

mod laws;
mod presets;
mod replies;

use super::*;
use crate::delivery::{Class, Phase, Reply, Verdict};

/// Lists of replies in the servers' own words, each with where it was said and what must come of it.
const MICROSOFT: &str = include_str!("microsoft.txt");
const GENERAL: &str = include_str!("general.txt");
const UNKNOWN: &str = include_str!("unknown.txt");

const PHASES: [Phase; 11] = [
    Phase::Connect,
    Phase::Banner,
    Phase::Hello,
    Phase::Tls,
    Phase::SignIn,
    Phase::MailFrom,
    Phase::RcptTo,
    Phase::Data,
    Phase::Body,
    Phase::FinalDot,
    Phase::Reset,
];

/// A line of a list.
struct Row {
    phase: Phase,
    verdict: &'static str,
    class: &'static str,
    reply: Reply,
}

fn rows(list: &'static str) -> impl Iterator<Item = Row> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut cells = line.splitn(4, '|').map(str::trim);
            let mut cell = || cells.next().unwrap();
            let name = cell();
            Row {
                phase: PHASES.into_iter().find(|p| p.as_str() == name).unwrap(),
                verdict: cell(),
                class: cell(),
                reply: reply(cell()),
            }
        })
}

fn reply(line: &str) -> Reply {
    let (code, text) = line.split_once(' ').unwrap();
    Reply::new(code.parse().unwrap(), text)
}

fn table(preset: &str) -> ReplyTable {
    ReplyTable::for_preset(Preset::find(preset).unwrap()).unwrap()
}

fn assert_rows(preset: &str, list: &'static str) {
    let table = table(preset);
    let mut count = 0;
    for row in rows(list) {
        let judgement = table.judge(row.phase, &row.reply);
        let found = (in_words(judgement.verdict), class_name(judgement.class));
        let wanted = (row.verdict.to_owned(), row.class);
        assert_eq!(found, wanted, "{:?}: {}", row.phase, row.reply);
        count += 1;
    }
    assert!(count > 0);
}

fn in_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Accept => "accept".into(),
        Verdict::RefuseRecipient => "refuse-recipient".into(),
        Verdict::RefuseMessage => "refuse-message".into(),
        Verdict::Defer => "defer".into(),
        Verdict::SlowDown(wait) => format!("slow-down {}m", wait.as_secs() / 60),
        Verdict::HoldAccount(wait) => format!("hold-account {}h", wait.as_secs() / 3600),
        Verdict::RefreshToken => "refresh-token".into(),
        Verdict::Reconnect => "reconnect".into(),
        Verdict::StopAccount => "stop-account".into(),
    }
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::SignIn => "sign-in",
        Class::Sender => "sender",
        Class::Blocked => "blocked",
        Class::Quota => "quota",
        Class::Recipient => "recipient",
        Class::Message => "message",
        Class::Server => "server",
    }
}
