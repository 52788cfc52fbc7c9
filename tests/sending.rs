//! Sending against a server that misbehaves on purpose, with days passing on a simulated clock.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postroom::clock::Clock;
use postroom::delivery::{Backoff, Class};
use postroom::limits::{Calendar, Hours, Rule, Schedule, Unit};
use postroom::plan::{AccountLimits, Frozen, Inputs, Mode, frozen_renderer, plan};
use postroom::provider::{Preset, ReplyTable};
use postroom::sandbox::{self, Act, Fault, Faults, Phase, Sandbox, Snapshot, TlsMode, When};
use postroom::send::{self, Account, Ended, Event, Job, Stop};
use postroom::smtp::{Deadlines, Endpoint, Tls};
use postroom::store::{Counts, Store};

struct Campaign {
    folder: tempfile::TempDir,
    id: i64,
    connections: usize,
    wait: bool,
}

fn start() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().unwrap()
}

fn name(number: usize) -> String {
    format!("comms-{number}")
}

impl Campaign {
    /// Planned for so many people, each with a mail of their own or all with the same one, for one
    /// account without rules.
    fn new(people: usize, personal: bool) -> Self {
        Self::planned(people, personal, &[vec![]], Schedule::default())
    }

    /// Planned for an account with each of these sets of rules, which send in the same name.
    fn planned(people: usize, personal: bool, rules: &[Vec<Rule>], schedule: Schedule) -> Self {
        Self::planned_from(people, personal, rules, schedule, |_| None)
    }

    /// Planned for accounts that send in the names that `from` gives.
    fn planned_from(
        people: usize,
        personal: bool,
        rules: &[Vec<Rule>],
        schedule: Schedule,
        from: fn(usize) -> Option<String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<String> = (1..=people)
            .map(|n| format!("p{n}@contoso.com,P{n}\n"))
            .collect();
        std::fs::write(
            folder.path().join("list.csv"),
            format!("email,name\n{}", rows.concat()),
        )
        .unwrap();
        let text = if personal {
            "Dear {{name}}\n"
        } else {
            "Dear all\n"
        };
        std::fs::write(folder.path().join("mail.txt.hbs"), text).unwrap();
        let account = |(number, rules): (usize, &Vec<Rule>)| AccountLimits {
            name: name(number),
            mailbox: name(number),
            from: from(number),
            rules: rules.clone(),
            max_recipients_per_message: 500,
            max_message_size: None,
        };
        let inputs = Inputs {
            folder: folder.path().to_owned(),
            name: "news".to_owned(),
            accounts: rules.iter().enumerate().map(account).collect(),
            from: "comms@contoso.com".to_owned(),
            to: None,
            reply_to: None,
            cc: vec![],
            bcc: vec![],
            subject: "News".to_owned(),
            html: None,
            text: Some("mail.txt.hbs".into()),
            data: None,
            attach: vec![],
            inline: vec![],
            headers: vec![],
            list_unsubscribe: None,
            list: "list.csv".into(),
            address_column: None,
            internal: vec![],
            mode: Mode::Auto,
            schedule,
            time_zone: Some(TimeZone::UTC),
        };
        let mut store = Store::open(&folder.path().join("store.db")).unwrap();
        let Ok(Frozen::Planned(id, _)) = plan(&inputs, &mut store, start(), &mut |_| {}) else {
            panic!("not planned");
        };
        Self {
            folder,
            id,
            connections: 1,
            wait: true,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    fn counts(&self) -> Counts {
        self.store().recipient_counts(self.id).unwrap()
    }

    /// What the plan says of its end, in seconds from its start.
    fn planned_end(&self) -> i64 {
        let record = self.store().campaign("news").unwrap().unwrap();
        record
            .finishes_at
            .unwrap()
            .duration_since(start())
            .as_secs()
    }

    fn account(&self, number: usize, server: &Sandbox, rules: &[Rule]) -> Account {
        Account {
            name: name(number),
            mailbox: name(number),
            endpoint: Endpoint {
                host: "127.0.0.1".to_owned(),
                port: server.address().port(),
                tls: Tls::None,
                extra_roots: vec![],
                trust_system_roots: false,
                hello_name: String::new(),
            },
            credentials: None,
            deadlines: Deadlines {
                command: Duration::from_secs(1),
                data: Duration::from_secs(1),
                final_dot: Duration::from_secs(1),
                ..Deadlines::default()
            },
            rules: rules.to_vec(),
            max_connections: self.connections,
            backoff: Backoff::new(vec![Duration::from_secs(30), Duration::from_mins(2)]),
            replies: ReplyTable::for_preset(Preset::find("microsoft365").unwrap()).unwrap(),
        }
    }

    /// Sends it to a server with these faults, by these rules.
    async fn send(&self, server: sandbox::Options, rules: &[Rule]) -> Sent {
        self.send_by(vec![(server, rules.to_vec())]).await
    }

    /// Sends it by an account at each of these servers, by these rules.
    async fn send_by(&self, servers: Vec<(sandbox::Options, Vec<Rule>)>) -> Sent {
        let clock = Clock::simulated(start());
        let record = self.store().campaign("news").unwrap().unwrap();
        let (mut running, mut accounts, mut renderers) = (vec![], vec![], vec![]);
        for (number, (server, rules)) in servers.into_iter().enumerate() {
            let server = Sandbox::start(server, clock.clone()).await.unwrap();
            accounts.push(self.account(number, &server, &rules));
            renderers.push(frozen_renderer(&self.path(), &record, &name(number)).unwrap());
            running.push(server);
        }
        let options = send::Options {
            accounts,
            calendar: Calendar::new(record.schedule.clone(), TimeZone::UTC),
            store: self.path(),
            wait: self.wait,
            max_messages: None,
            until: None,
        };
        let job = Job {
            campaign: self.id,
            renderers,
            lock: self.store().lock_for_sending("news", clock.now()).unwrap(),
        };
        let (stop, _handle) = Stop::new();
        let mut events = Vec::new();
        let ended = send::run(job, options, &clock, stop, &mut |event| events.push(event)).await;
        let took = clock.now().duration_since(start()).as_secs();
        let mut seen = vec![];
        for server in running {
            seen.push(server.stop().await);
        }
        Sent {
            ended: ended.unwrap(),
            events,
            took,
            all: seen.clone(),
            seen: seen.swap_remove(0),
        }
    }
}

struct Sent {
    ended: Ended,
    events: Vec<Event>,
    /// Seconds on the simulated clock.
    took: i64,
    seen: Snapshot,
    /// What each server has seen.
    all: Vec<Snapshot>,
}

fn server(list: Vec<Fault>) -> sandbox::Options {
    sandbox::Options {
        tls: TlsMode::None,
        require_auth: false,
        keep_records: true,
        faults: Faults {
            list,
            ..Faults::default()
        },
        ..sandbox::Options::default()
    }
}

fn fault(phase: Phase, when: When, act: Act) -> Fault {
    Fault { phase, when, act }
}

fn says(code: u16, text: &str) -> Act {
    Act::Reply(code, text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_attempt_delivers_what_was_put_off() {
    for phase in [Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Verdict] {
        let campaign = Campaign::new(3, true);
        let once = vec![fault(phase, When::Nth(2), says(451, "4.3.0 try later"))];
        let sent = campaign.send(server(once), &[]).await;
        assert!(
            matches!(sent.ended, Ended::Finished),
            "{phase:?}: {:?}",
            sent.ended
        );
        assert_eq!(campaign.counts().sent, 3, "{phase:?}");
        assert_eq!(sent.seen.messages, 3, "{phase:?}");
        assert!(
            (30..60).contains(&sent.took),
            "after the back-off of 30 s: {phase:?}, {}",
            sent.took
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_off_that_is_used_up_ends_in_a_refusal() {
    let campaign = Campaign::new(1, true);
    let always = vec![fault(
        Phase::Rcpt,
        When::Every(1),
        says(450, "4.2.1 greylisted"),
    )];
    let sent = campaign.send(server(always), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished));
    assert_eq!(campaign.counts().refused, 1);
    assert_eq!(sent.took, 150, "30 s and 120 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_anywhere_loses_and_doubles_nobody() {
    for phase in [
        Phase::Banner,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Body,
    ] {
        for act in [Act::Drop, Act::Hang, says(421, "4.3.2 shutting down")] {
            let campaign = Campaign::new(4, true);
            let once = vec![fault(phase, When::Nth(2), act.clone())];
            let sent = campaign.send(server(once), &[]).await;
            let case = format!("{phase:?} {act:?}: {:?}", sent.ended);
            assert!(matches!(sent.ended, Ended::Finished), "{case}");
            let counts = campaign.counts();
            assert_eq!(counts.sent, sent.seen.recipients, "{case}");
            // So short a content goes out together with its dot: nobody can tell where it broke.
            let in_doubt = u64::from(phase == Phase::Body && !matches!(act, Act::Reply(..)));
            assert_eq!(
                (counts.sent, counts.in_doubt),
                (4 - in_doubt, in_doubt),
                "{case}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_never_comes_leaves_one_message_in_doubt() {
    for act in [Act::Drop, Act::Hang] {
        let campaign = Campaign::new(4, true);
        let once = vec![fault(Phase::Verdict, When::Nth(2), act)];
        let sent = campaign.send(server(once), &[]).await;
        assert!(matches!(sent.ended, Ended::Finished));
        let counts = campaign.counts();
        assert_eq!((counts.sent, counts.in_doubt), (3, 1));
        assert_eq!(sent.seen.messages, 4, "the server has taken it");
        let doubts = sent
            .events
            .iter()
            .filter(|event| matches!(event, Event::InDoubt { .. }));
        assert_eq!(doubts.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_gives_a_verdict_is_left_alone_soon() {
    let campaign = Campaign::new(20, true);
    let always = vec![fault(Phase::Verdict, When::Every(1), Act::Drop)];
    let sent = campaign.send(server(always), &[]).await;
    assert!(matches!(sent.ended, Ended::Stopped(_)), "{:?}", sent.ended);
    assert_eq!(campaign.counts().in_doubt, 2, "and not one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_behind_a_hang_up_are_not_held_up() {
    // As Postfix does it: 421 after so many refusals in a session.
    for personal in [true, false] {
        let campaign = Campaign::new(60, personal);
        let mut options = server(vec![]);
        options.faults.max_errors = Some(5);
        options.refuse = vec![sandbox::RefuseRule {
            pattern: "p1*@*".to_owned(),
            reply: (550, "5.1.10 no such recipient".to_owned()),
            at: sandbox::RefuseAt::Recipient,
        }];
        let sent = campaign.send(options, &[]).await;
        assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
        let counts = campaign.counts();
        assert_eq!((counts.refused, counts.sent), (11, 49), "p1 and p10 to p19");
        assert_eq!(sent.seen.recipients, 49);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_waited_for_and_nobody_is_blamed() {
    let campaign = Campaign::new(100, true);
    let mut options = server(vec![]);
    options.strict = true;
    options.profile = sandbox::Profile::Microsoft365;
    options.rules = vec![Rule {
        max: 30,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    // The account knows nothing of the provider's limit.
    let sent = campaign.send(options, &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 100);
    assert!((180..=600).contains(&sent.took), "{}", sent.took);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_asked_for_in_the_greeting_is_a_wait_and_no_failure() {
    let mut campaign = Campaign::new(2, true);
    let busy = || {
        vec![fault(
            Phase::Banner,
            When::Nth(1),
            says(421, "4.3.2 too busy, try later"),
        )]
    };
    campaign.wait = false;
    let sent = campaign.send(server(busy()), &[]).await;
    assert!(
        matches!(sent.ended, Ended::WouldWait(..) | Ended::Finished),
        "{:?}",
        sent.ended
    );
    campaign.wait = true;
    let sent = campaign.send(server(busy()), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_account_stops_at_the_first_reply() {
    let campaign = Campaign::new(5, true);
    let reply = says(
        550,
        "5.7.60 SMTP; Client does not have permissions to send as this sender",
    );
    let always = vec![fault(Phase::Verdict, When::Every(1), reply)];
    let sent = campaign.send(server(always), &[]).await;
    let Ended::Stopped(trouble) = sent.ended else {
        panic!("{:?}", sent.ended);
    };
    assert_eq!(trouble.class, Class::Sender);
    assert_eq!(sent.seen.refused_messages, 1);
    let counts = campaign.counts();
    assert_eq!((counts.refused, counts.pending + counts.deferred), (0, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_never_counts_more_than_its_rules_allow() {
    for connections in [1, 3] {
        let mut campaign = Campaign::new(200, true);
        campaign.connections = connections;
        let rules = [
            Rule {
                max: 30,
                per: Duration::from_mins(1),
                unit: Unit::Messages,
            },
            Rule {
                max: 80,
                per: Duration::from_hours(24),
                unit: Unit::Recipients,
            },
        ];
        let mut options = server(vec![]);
        options.rules = rules.to_vec();
        let sent = campaign.send(options, &rules).await;
        assert!(matches!(sent.ended, Ended::Finished));
        assert_eq!(
            sent.seen.breaches,
            [],
            "counted by the server, in its own way"
        );
        assert_eq!(campaign.counts().sent, 200);
        // Eighty on each of two days, the rest on the third, in two lots a minute apart.
        assert!(
            (2 * 86_400..2 * 86_400 + 600).contains(&sent.took),
            "{}",
            sent.took
        );
    }
}

fn per_minute(max: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }
}

fn per_day(max: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_hours(24),
        unit: Unit::Recipients,
    }
}

/// A server that takes no more than these rules allow, whatever the client thinks.
fn strict(rules: &[Rule]) -> sandbox::Options {
    let mut options = server(vec![]);
    options.rules = rules.to_vec();
    options.strict = true;
    options.profile = sandbox::Profile::Microsoft365;
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn several_accounts_end_together_when_the_plan_said() {
    let rules = [
        vec![per_minute(10), per_day(50)],
        vec![per_minute(20), per_day(200)],
    ];
    let campaign = Campaign::planned(260, true, &rules, Schedule::default());
    let servers = rules.iter().map(|rules| (strict(rules), rules.clone()));
    let sent = campaign.send_by(servers.collect()).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 260);
    for seen in &sent.all {
        assert_eq!(seen.breaches, []);
    }
    assert_eq!(
        sent.took,
        campaign.planned_end(),
        "fifty and two hundred on the first day, the last ten on the next"
    );
    assert_eq!(sent.took / 86_400, 1);
    let counted: Vec<u64> = sent.all.iter().map(|seen| seen.recipients).collect();
    let planned: Vec<u64> = ["comms-0", "comms-1"]
        .map(|account| {
            let batches = campaign.store().batches(campaign.id).unwrap();
            let own = batches.iter().filter(|batch| batch.account == account);
            own.map(|batch| batch.recipients).sum()
        })
        .to_vec();
    for (counted, planned) in counted.iter().zip(&planned) {
        // Whoever is free first takes the last ones.
        assert!(counted.abs_diff(*planned) <= 10, "{counted} and {planned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_stops_leaves_its_share_to_the_others() {
    let rules = [vec![per_minute(10)], vec![per_minute(10)]];
    let names = |number| Some(format!("News <comms-{number}@contoso.com>"));
    let campaign = Campaign::planned_from(100, true, &rules, Schedule::default(), names);
    let mut broken = strict(&rules[0]);
    broken.faults.list = vec![fault(
        Phase::Verdict,
        When::Every(15),
        says(
            550,
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
        ),
    )];
    let sent = campaign
        .send_by(vec![
            (broken, rules[0].clone()),
            (strict(&rules[1]), rules[1].clone()),
        ])
        .await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 100, "nobody is refused for it");
    assert_eq!(sent.all[0].messages, 14);
    assert_eq!(sent.all[1].messages, 86);
    for (number, seen) in sent.all.iter().enumerate() {
        let own = format!("comms-{number}@contoso.com");
        assert!(seen.records.iter().all(|one| one.envelope_from == own));
    }
    let stopped = sent.events.iter().filter(
        |event| matches!(event, Event::AccountStopped { account, .. } if account == "comms-0"),
    );
    assert_eq!(stopped.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_week_ends_and_holidays_are_slept_through() {
    let rules = vec![per_minute(10)];
    let schedule = Schedule {
        hours: Some(Hours::parse("Mon-Fri 09:00-10:00").unwrap()),
        holidays: ["2026-12-03".parse().unwrap()].into(),
        not_before: Some("2026-12-02T12:00:00Z".parse().unwrap()),
        ..Schedule::default()
    };
    let campaign = Campaign::planned(1_000, true, std::slice::from_ref(&rules), schedule);
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(sent.seen.breaches, []);
    let mut days: Vec<(String, usize)> = Vec::new();
    for received in &sent.seen.records {
        let wall = TimeZone::UTC.to_datetime(received.at);
        assert_eq!(wall.hour(), 9, "{wall}");
        let date = wall.date().to_string();
        match days.last_mut() {
            Some((last, count)) if *last == date => *count += 1,
            _ => days.push((date, 1)),
        }
    }
    // A Friday of sixty minutes, then the Monday.
    assert_eq!(
        days,
        [
            ("2026-12-04".to_owned(), 600),
            ("2026-12-07".to_owned(), 400)
        ]
    );
    let planned: Vec<(String, usize)> = campaign
        .store()
        .batches(campaign.id)
        .unwrap()
        .into_iter()
        .map(|batch| (batch.date, batch.messages as usize))
        .collect();
    assert_eq!(planned, days, "what the plan said");
    assert_eq!(sent.took, campaign.planned_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_somebody_else_used_up_is_waited_for_without_hammering() {
    let campaign = Campaign::new(60, true);
    // The account knows of no such limit, as if others had used the mailbox.
    let sent = campaign
        .send(strict(&[per_day(40)]), &[per_day(1_000)])
        .await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (60, 0));
    assert!(
        (86_400..86_400 + 7_200).contains(&sent.took),
        "until the window frees: {}",
        sent.took
    );
    assert!(
        sent.seen.refused_messages <= 3,
        "it is asked {} times",
        sent.seen.refused_messages
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_for_the_next_process_too() {
    let mut campaign = Campaign::new(5, true);
    campaign.wait = false;
    let over = vec![fault(
        Phase::Verdict,
        When::Nth(3),
        says(
            554,
            "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        ),
    )];
    let sent = campaign.send(server(over), &[]).await;
    assert!(
        matches!(sent.ended, Ended::WouldWait(..)),
        "{:?}",
        sent.ended
    );
    let again = campaign.send(server(vec![]), &[]).await;
    assert!(matches!(again.ended, Ended::WouldWait(until, _) if until > start()));
    assert_eq!(again.seen.connections, 0, "it is not even asked");
    campaign.wait = true;
    let waited = campaign.send(server(vec![]), &[]).await;
    assert!(matches!(waited.ended, Ended::Finished));
    assert!(waited.took >= 3_600, "{}", waited.took);
    assert_eq!(campaign.counts().sent, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_slows_down_and_lets_recover() {
    let campaign = Campaign::new(200, true);
    let throttled = [20, 40].map(|nth| {
        let words = "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded";
        fault(Phase::Verdict, When::Nth(nth), says(432, words))
    });
    let sent = campaign.send(server(throttled.to_vec()), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (200, 0));
    let times: Vec<i64> = sent
        .seen
        .records
        .iter()
        .map(|one| one.at.as_millisecond())
        .collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps.iter().any(|gap| (500..5_000).contains(gap)),
        "slower for a while"
    );
    assert!(
        gaps.iter().filter(|gap| **gap == 0).count() > 20,
        "and fast again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_window_is_used_when_that_ends_earlier() {
    let rules = vec![per_day(750)];
    let campaign = Campaign::planned(
        1_500,
        false,
        std::slice::from_ref(&rules),
        Schedule::default(),
    );
    let record = campaign.store().campaign("news").unwrap().unwrap();
    assert_eq!(record.cuts, 1, "one is cut, so that the first day is full");
    assert!(record.uncut_finishes_at > record.finishes_at);
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished));
    assert_eq!(sent.seen.breaches, []);
    let sizes: Vec<usize> = sent
        .seen
        .records
        .iter()
        .map(|one| one.recipients.len())
        .collect();
    assert_eq!(sizes, [500, 250, 250, 500]);
    assert_eq!(sent.took / 86_400, 1);
    assert_eq!(sent.took, campaign.planned_end());
    // Where it changes nothing about the end, nothing is cut.
    let whole = Campaign::planned(1_000, false, &[rules], Schedule::default());
    let record = whole.store().campaign("news").unwrap().unwrap();
    assert_eq!(record.cuts, 0);
}
