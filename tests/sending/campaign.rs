//! A planned campaign, and servers to send it to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postroom::clock::Clock;
use postroom::delivery::Backoff;
use postroom::limits::{Calendar, Rule, Schedule, Unit};
use postroom::plan::{AccountLimits, Frozen, Inputs, Outlook, frozen_editions, plan};
use postroom::provider::{Preset, ReplyTable, Whose};
use postroom::sandbox::{self, Act, Fault, Faults, Phase, Sandbox, Snapshot, TlsMode, When};
use postroom::send::{self, Account, Ended, Event, Job, SignIn, Stop};
use postroom::smtp::{Deadlines, Endpoint, Tls};
use postroom::store::{Counts, Store};

use crate::inputs::inputs;

pub(crate) struct Campaign {
    pub(crate) folder: Arc<tempfile::TempDir>,
    name: &'static str,
    pub(crate) id: i64,
    pub(crate) connections: usize,
    pub(crate) wait: bool,
    pub(crate) inputs: Inputs,
}

pub(crate) fn start() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().unwrap()
}

pub(crate) fn name(number: usize) -> String {
    format!("comms-{number}")
}

impl Campaign {
    /// Planned for so many people, each with a mail of their own or all with the same one, for one
    /// account without rules.
    pub(crate) fn new(people: usize, personal: bool) -> Self {
        Self::planned(people, personal, &[vec![]], Schedule::default())
    }

    /// Planned for an account with each of these sets of rules, which send in the same name.
    pub(crate) fn planned(
        people: usize,
        personal: bool,
        rules: &[Vec<Rule>],
        schedule: Schedule,
    ) -> Self {
        Self::planned_from(people, personal, rules, schedule, |_| None)
    }

    /// Planned for accounts that send in the names that `from` gives.
    pub(crate) fn planned_from(
        people: usize,
        personal: bool,
        rules: &[Vec<Rule>],
        schedule: Schedule,
        from: fn(usize) -> Option<String>,
    ) -> Self {
        Self::planned_for(&vec![false; people], personal, rules, schedule, from)
    }

    /// Planned for people of whom these are external.
    pub(crate) fn planned_for(
        external: &[bool],
        personal: bool,
        rules: &[Vec<Rule>],
        schedule: Schedule,
        from: fn(usize) -> Option<String>,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::in_store(folder, "news", external, personal, rules, schedule, from)
    }

    /// Another one of the same account in the same store, with a mail of their own for each.
    pub(crate) fn beside(&self, name: &'static str, people: usize, rules: &[Vec<Rule>]) -> Self {
        let folder = Arc::clone(&self.folder);
        let schedule = Schedule::default();
        let people = vec![false; people];
        Self::in_store(folder, name, &people, true, rules, schedule, |_| None)
    }

    fn in_store(
        folder: Arc<tempfile::TempDir>,
        campaign: &'static str,
        external: &[bool],
        personal: bool,
        rules: &[Vec<Rule>],
        schedule: Schedule,
        from: fn(usize) -> Option<String>,
    ) -> Self {
        let row = |(place, external): (usize, &bool)| {
            let domain = if *external {
                "fabrikam.com"
            } else {
                "contoso.com"
            };
            let n = place + 1;
            format!("p{n}@{domain},P{n}\n")
        };
        let rows: Vec<String> = external.iter().enumerate().map(row).collect();
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
        let accounts = rules.iter().enumerate().map(account).collect();
        let inputs = Inputs {
            schedule,
            ..inputs(folder.path(), campaign, accounts)
        };
        // Days of sending are simulated, and so is the disk: nobody waits for it.
        let store = Store::fleeting(&folder.path().join("store.db")).unwrap();
        let Ok(Frozen::Planned(id, _)) = plan(&inputs, &store, start(), &mut |_| {}) else {
            panic!("not planned");
        };
        Self {
            folder,
            name: campaign,
            id,
            connections: 1,
            wait: true,
            inputs,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.store().recipient_counts(self.id).unwrap()
    }

    /// When the last message would go from now on, by accounts with these rules, in seconds.
    pub(crate) fn forecast_end(&self, rules: &[Vec<Rule>]) -> i64 {
        let account = |(number, rules): (usize, &Vec<Rule>)| AccountLimits {
            name: name(number),
            mailbox: name(number),
            from: None,
            rules: rules.clone(),
            max_recipients_per_message: 500,
            max_message_size: None,
        };
        let accounts: Vec<_> = rules.iter().enumerate().map(account).collect();
        let (store, calendar) = (self.store(), Calendar::always());
        let outlook = Outlook::of(&store, &accounts, calendar, start()).unwrap();
        let forecast = outlook.forecast(&store, self.id).unwrap().unwrap();
        forecast.finishes_at.duration_since(start()).as_secs()
    }

    /// What the plan says of its end, in seconds from its start.
    pub(crate) fn planned_end(&self) -> i64 {
        let record = self.store().campaign(self.name).unwrap().unwrap();
        record
            .finishes_at
            .unwrap()
            .duration_since(start())
            .as_secs()
    }

    pub(crate) fn account(&self, number: usize, server: &Sandbox, rules: &[Rule]) -> Account {
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
            sign_in: SignIn::None,
            deadlines: Deadlines {
                command: Duration::from_secs(1),
                data: Duration::from_secs(1),
                final_dot: Duration::from_secs(1),
                ..Deadlines::default()
            },
            rules: rules.to_vec(),
            max_connections: self.connections,
            backoff: Backoff::new(vec![Duration::from_secs(30), Duration::from_mins(2)]),
            replies: ReplyTable::for_preset(Preset::find("microsoft365").unwrap())
                .unwrap()
                .of_account(Whose {
                    account: Some(name(number)),
                    ..Whose::default()
                }),
        }
    }

    /// Sends it to a server with these faults, by these rules.
    pub(crate) async fn send(&self, server: sandbox::Options, rules: &[Rule]) -> Sent {
        self.send_by(vec![(server, rules.to_vec())]).await
    }

    /// A sender that takes the campaign as a new process would.
    pub(crate) fn sender(&self, accounts: Vec<Account>, clock: &Clock) -> (Job, send::Options) {
        let record = self.store().campaign(self.name).unwrap().unwrap();
        let renderer = |account: &Account| frozen_editions(&self.path(), &record, &account.name);
        let job = Job {
            campaign: self.id,
            renderers: accounts.iter().map(|one| renderer(one).unwrap()).collect(),
            lock: self
                .store()
                .lock_for_sending(self.name, clock.now())
                .unwrap(),
        };
        let options = send::Options {
            accounts,
            calendar: Calendar::new(record.schedule.clone(), TimeZone::UTC),
            store: self.path(),
            wait: self.wait,
            max_messages: None,
            canary: None,
            until: None,
        };
        (job, options)
    }

    /// Sends it by an account at each of these servers, by these rules.
    pub(crate) async fn send_by(&self, servers: Vec<(sandbox::Options, Vec<Rule>)>) -> Sent {
        let clock = Clock::simulated(start());
        let (mut running, mut accounts) = (vec![], vec![]);
        for (number, (server, rules)) in servers.into_iter().enumerate() {
            let server = Sandbox::start(server, clock.clone()).await.unwrap();
            accounts.push(self.account(number, &server, &rules));
            running.push(server);
        }
        let (job, options) = self.sender(accounts, &clock);
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

pub(crate) struct Sent {
    pub(crate) ended: Ended,
    pub(crate) events: Vec<Event>,
    /// Seconds on the simulated clock.
    pub(crate) took: i64,
    pub(crate) seen: Snapshot,
    /// What each server has seen.
    pub(crate) all: Vec<Snapshot>,
}

pub(crate) fn server(list: Vec<Fault>) -> sandbox::Options {
    sandbox::Options {
        internal_domains: vec!["contoso.com".to_owned()],
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

pub(crate) fn fault(phase: Phase, when: When, act: Act) -> Fault {
    Fault { phase, when, act }
}

pub(crate) fn says(code: u16, text: &str) -> Act {
    Act::Reply(code, text.to_owned())
}

pub(crate) fn per_minute(max: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }
}

pub(crate) fn per_day(max: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_hours(24),
        unit: Unit::Recipients,
    }
}

pub(crate) fn external_per_day(max: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_hours(24),
        unit: Unit::ExternalRecipients,
    }
}

/// A server that takes no more than these rules allow, whatever the client thinks.
pub(crate) fn strict(rules: &[Rule]) -> sandbox::Options {
    let mut options = server(vec![]);
    options.rules = rules.to_vec();
    options.strict = true;
    options.profile = sandbox::Profile::Microsoft365;
    options
}
