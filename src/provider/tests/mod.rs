//! What users rely on: a name finds its preset, and each known reply gets its verdict.

mod explaining;
mod figures;
mod laws;
mod presets;
mod replies;

use super::*;
use crate::delivery::{Class, Phase, Reply, Verdict};

/// Lists of replies in the servers' own words, each with where it was said and what must come of it.
const MICROSOFT: &str = include_str!("microsoft.txt");
const GENERAL: &str = include_str!("general.txt");
const UNKNOWN: &str = include_str!("unknown.txt");
const GOOGLE: &str = include_str!("google.txt");
const AMAZON_SES: &str = include_str!("amazon-ses.txt");

/// Errors of sign-in services: what they say in place of a reply.
const SIGN_IN_SERVICES: &str = include_str!("sign-in-services.txt");

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
    /// Verdict with its pause, class, who can do something (who can help best first), whether waiting helps.
    wanted: [&'static str; 4],
    words: &'static str,
}

fn rows(list: &'static str) -> impl Iterator<Item = Row> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut cells = line.splitn(6, '|').map(str::trim);
            let mut cell = || cells.next().unwrap();
            let name = cell();
            Row {
                phase: PHASES.into_iter().find(|p| p.as_str() == name).unwrap(),
                wanted: [cell(), cell(), cell(), cell()],
                words: cell(),
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
    assert_all(list, |row| table.judge(row.phase, &reply(row.words)));
}

fn assert_all(list: &'static str, judge: impl Fn(&Row) -> Judgement) {
    let mut count = 0;
    for row in rows(list) {
        let judgement = judge(&row);
        let found = found(&judgement);
        assert_eq!(found, row.wanted, "{:?}: {}", row.phase, row.words);
        count += 1;
    }
    assert!(count > 0);
}

fn found(judgement: &Judgement) -> [String; 4] {
    let owners: Vec<&str> = judgement
        .remedies
        .iter()
        .map(|remedy| remedy.who.as_str())
        .collect();
    [
        in_words(judgement.verdict),
        judgement.class.as_str().to_owned(),
        owners.join(", "),
        judgement.waiting.helps.as_str().to_owned(),
    ]
}

fn in_words(verdict: Verdict) -> String {
    let pause = match verdict {
        Verdict::SlowDown(pause) | Verdict::HoldAccount(pause) => pause.as_secs(),
        _ => return verdict.as_str().to_owned(),
    };
    let pause = match (pause / 3600, pause / 60) {
        (0, 0) => format!("{pause}s"),
        (0, minutes) => format!("{minutes}m"),
        (hours, _) => format!("{hours}h"),
    };
    format!("{} {pause}", verdict.as_str())
}
