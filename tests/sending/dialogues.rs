//! Every reply that is known, played by the stand-in where its provider says it: what becomes of the
//! recipients, and what the sender is told.

use postroom::provider::{Preset, ReplyTable, Whose};
use postroom::sandbox::{Phase, Sandbox, When};
use postroom::send::{self, Ended, SignIn, Stop, Trouble};
use postroom::smtp::{Credentials, Secret};
use postroom::store::Counts;

use crate::campaign::*;

const PEOPLE: u64 = 3;

/// A line of a list.
struct Row {
    preset: &'static str,
    phase: Phase,
    verdict: &'static str,
    class: &'static str,
    code: u16,
    text: &'static str,
}

fn phase(name: &str) -> Phase {
    match name {
        "banner" => Phase::Banner,
        "hello" => Phase::Hello,
        "tls" => Phase::StartTls,
        "sign-in" => Phase::Auth,
        "mail-from" => Phase::Mail,
        "rcpt-to" => Phase::Rcpt,
        "data" => Phase::Data,
        "body" => Phase::Body,
        "final-dot" => Phase::Verdict,
        other => panic!("the stand-in says nothing at {other}"),
    }
}

/// The lists also hold the reply tables to their meaning.
fn rows(preset: &'static str, list: &'static str) -> impl Iterator<Item = Row> {
    let lines = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(move |line| {
        let cells: Vec<&str> = line.splitn(6, '|').map(str::trim).collect();
        let (code, text) = cells[5].split_once(' ').unwrap();
        Row {
            preset,
            phase: phase(cells[0]),
            verdict: cells[1].split(' ').next().unwrap(),
            class: cells[2],
            code: code.parse().unwrap(),
            text,
        }
    })
}

/// What came of a campaign to a server that says nothing else at this point.
#[derive(Debug)]
struct Came {
    ended: Ended,
    counts: Counts,
    /// How often the server had to say it.
    said: u64,
}

async fn play(row: &Row) -> Came {
    let mut campaign = Campaign::new(PEOPLE as usize, true);
    campaign.wait = false;
    let mut options = server(vec![fault(
        row.phase,
        When::Every(1),
        says(row.code, row.text),
    )]);
    options.require_auth = true;
    let clock = postroom::clock::Clock::simulated(start());
    let server = Sandbox::start(options, clock.clone()).await.unwrap();
    let mut account = campaign.account(0, &server, &[]);
    account.sign_in = SignIn::Password(Credentials {
        username: "comms@contoso.com".to_owned(),
        secret: Secret::Password("zebra-42-lantern".into()),
    });
    account.replies = ReplyTable::for_preset(Preset::find(row.preset).unwrap())
        .unwrap()
        .of_account(Whose {
            account: Some("comms".to_owned()),
            mailbox: Some("comms@contoso.com".to_owned()),
            ..Whose::default()
        });
    let (job, options) = campaign.sender(vec![account], &clock);
    let (stop, _handle) = Stop::new();
    let ended = send::run(job, options, &clock, stop, &mut |_| {}).await;
    let seen = server.stop().await;
    Came {
        ended: ended.unwrap(),
        counts: campaign.counts(),
        said: seen.faults[0],
    }
}

/// What is wrong with the words in which a stop is told, if anything.
fn unexplained(trouble: &Trouble, row: &Row) -> Option<String> {
    let remedy = &trouble.remedy;
    let names_somebody = ["You:", "administrator:", "provider:", "Nothing to do"]
        .iter()
        .any(|who| remedy.contains(who));
    let unfilled = ["MAILBOX", "ACCOUNT"].iter().any(|c| remedy.contains(c));
    let is_well = trouble.class.as_str() == row.class
        && !trouble.meaning.is_empty()
        && trouble.reply.contains(row.text)
        && names_somebody
        && !unfilled;
    (!is_well).then(|| format!("told as {trouble:?}"))
}

/// What is wrong with what came of a reply, if anything.
fn wrong(row: &Row, came: &Came) -> Option<String> {
    let Came {
        ended,
        counts,
        said,
    } = came;
    let open = counts.pending + counts.deferred;
    if (counts.total(), counts.sent) != (PEOPLE, 0) {
        return Some("it does not add up".to_owned());
    }
    match (row.verdict, ended) {
        ("stop-account" | "refresh-token", Ended::Stopped(trouble)) => {
            // A way of signing in that a server offers and does not know is followed by the next one.
            let first = if row.code == 504 { 1..=2 } else { 1..=1 };
            let stopped_late = open != PEOPLE || !first.contains(said);
            let stopped_late = stopped_late.then(|| "not stopped at the first reply".to_owned());
            stopped_late.or_else(|| unexplained(trouble, row))
        }
        (
            "hold-account" | "slow-down" | "defer" | "reconnect",
            Ended::WouldWait(..) | Ended::Stopped(_),
        ) => {
            let hammered = *said > 2 * PEOPLE + 2;
            let refused = open != PEOPLE;
            (hammered || refused).then(|| "hammered, or somebody is refused".to_owned())
        }
        ("refuse-recipient" | "refuse-message", Ended::Finished) => {
            let others = (counts.refused, *said) != (PEOPLE, PEOPLE);
            others.then(|| "not each refused by itself".to_owned())
        }
        _ => Some("another end".to_owned()),
    }
}

/// Every reply of a list has its effect, and nobody is refused for the account's fault.
async fn play_all(preset: &'static str, list: &'static str, expected: usize) {
    let (mut count, mut failures) = (0, Vec::new());
    for row in rows(preset, list) {
        let came = play(&row).await;
        count += 1;
        if let Some(wrong) = wrong(&row, &came) {
            let Row {
                phase, code, text, ..
            } = row;
            failures.push(format!("{phase:?} {code} {text}: {wrong}: {came:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count >= expected, "{count} replies were played");
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_replies() {
    let list = include_str!("../../src/provider/tests/microsoft.txt");
    play_all("microsoft365", list, 90).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_of_any_server() {
    let list = include_str!("../../src/provider/tests/general.txt");
    play_all("custom", list, 45).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_replies() {
    let list = include_str!("../../src/provider/tests/google.txt");
    play_all("gmail", list, 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amazons_replies() {
    let list = include_str!("../../src/provider/tests/amazon-ses.txt");
    play_all("amazon-ses", list, 6).await;
}
