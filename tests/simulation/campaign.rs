//! Small random campaigns, planned by the program itself, and kept as images of the store's file.
//!
//! Planning costs more than sending so little: each shape of a campaign is planned once by each thread, and every
//! schedule starts from its image. A store is at home in one file; so the thread's file stays the same one, and
//! only what it contains is put back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postroom::delivery::Backoff;
use postroom::limits::{Calendar, Rule, Unit};
use postroom::plan::{AccountLimits, Frozen, Inputs, Mode, frozen_editions, plan};
use postroom::provider::{Preset, ReplyTable, Whose};
use postroom::send::{self, Account, Job, SignIn};
use postroom::smtp::{Deadlines, Endpoint, Tls};
use postroom::store::Store;

use crate::dice::Dice;
use crate::disk;
use crate::inputs::inputs;

pub(crate) const NAME: &str = "news";
pub(crate) const INTERNAL: &str = "contoso.com";

pub(crate) fn start() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().unwrap()
}

/// What a campaign looks like.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Outside the internal domains, and with a mail of their own: a row each.
    rows: Vec<(bool, bool)>,
    mode: Mode,
    /// The rules of each account.
    pub(crate) rules: Vec<Vec<Rule>>,
    most_recipients: u64,
}

impl Shape {
    pub(crate) fn of(number: u64) -> Self {
        let mut dice = Dice::new(number, 1);
        let mode = *dice.pick(&[Mode::Individual, Mode::Shared, Mode::Auto, Mode::Auto]);
        let rows = (0..dice.within(1..=9))
            .map(|_| (dice.once_in(3), mode == Mode::Auto && dice.once_in(2)))
            .collect();
        let accounts = 1 + u64::from(dice.once_in(3));
        Self {
            rows,
            mode,
            rules: (0..accounts).map(|_| rules(&mut dice)).collect(),
            most_recipients: dice.within(2..=5),
        }
    }

    pub(crate) fn people(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The address of the person of this row, from 1.
    pub(crate) fn address(&self, row: u64) -> String {
        let (is_external, _) = self.rows[row as usize - 1];
        let domain = if is_external {
            "fabrikam.com"
        } else {
            INTERNAL
        };
        format!("p{row}@{domain}")
    }

    /// Longer than it may take from whenever, when nothing goes wrong any more.
    pub(crate) fn ample_time(&self) -> i64 {
        let rules = self.rules.iter().flatten();
        let slowest = rules.map(|rule| rule.per.as_secs() * (2 + 4 * self.people() / rule.max));
        (slowest.max().unwrap_or(0) + 3_600) as i64
    }

    fn inputs(&self, folder: &Path) -> Inputs {
        let account = |(number, rules): (usize, &Vec<Rule>)| AccountLimits {
            name: account_name(number),
            mailbox: account_name(number),
            from: None,
            rules: rules.clone(),
            max_recipients_per_message: self.most_recipients,
            max_message_size: None,
        };
        let accounts = self.rules.iter().enumerate().map(account).collect();
        Inputs {
            from: format!("comms@{INTERNAL}"),
            internal: vec![INTERNAL.to_owned()],
            mode: self.mode,
            ..inputs(folder, NAME, accounts)
        }
    }

    fn write_folder(&self, folder: &Path) {
        let row = |(place, (_, own)): (usize, &(bool, bool))| {
            let row = place as u64 + 1;
            let own = if *own { "yes" } else { "" };
            format!("{},P{row},{own}\n", self.address(row))
        };
        let rows: String = self.rows.iter().enumerate().map(row).collect();
        std::fs::write(folder.join("list.csv"), format!("email,name,own\n{rows}")).unwrap();
        let text = match self.mode {
            Mode::Individual => "Dear {{name}}\n",
            Mode::Shared => "Dear all\n",
            Mode::Auto => "Dear {{#if own}}{{name}}{{else}}all{{/if}}\n.\nA line with a dot.\n",
        };
        std::fs::write(folder.join("mail.txt.hbs"), text).unwrap();
    }
}

fn rules(dice: &mut Dice) -> Vec<Rule> {
    let mut rules: Vec<Rule> = (0..dice.within(1..=2))
        .map(|_| Rule {
            max: dice.within(1..=6),
            per: Duration::from_secs(dice.within(2..=60)),
            unit: *dice.pick(&[Unit::Messages, Unit::Messages, Unit::Recipients]),
        })
        .collect();
    if dice.once_in(3) {
        // What counts external people does so over no less time than any other rule.
        let longest = rules.iter().map(|rule| rule.per).max().unwrap();
        rules.push(Rule {
            max: dice.within(1..=4),
            per: longest + Duration::from_secs(dice.within(0..=60)),
            unit: Unit::ExternalRecipients,
        });
    }
    rules
}

pub(crate) fn account_name(number: usize) -> String {
    format!("comms-{number}")
}

/// A thread's file for its stores, and the images of what was planned in it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    images: BTreeMap<u64, Planned>,
}

/// A planned campaign.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) shape: Shape,
    pub(crate) id: i64,
    image: Vec<u8>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        // What is not kept needs no disk, where there is memory to be had as a folder.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self {
            folder: folder.unwrap(),
            images: BTreeMap::new(),
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Puts the campaign of this shape into the store, as it was planned.
    pub(crate) fn set(&mut self, number: u64) -> Planned {
        let path = self.store();
        if !self.images.contains_key(&number) {
            let planned = self.plan(Shape::of(number));
            self.images.insert(number, planned);
        }
        let planned = self.images[&number].clone();
        self.clear(&planned.image);
        assert!(path.exists());
        planned
    }

    /// The store's file with these contents and nothing beside it.
    fn clear(&self, contents: &[u8]) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path != self.store() {
                std::fs::remove_file(path).unwrap();
            }
        }
        disk::overwrite(&self.store(), contents);
    }

    fn plan(&self, shape: Shape) -> Planned {
        self.clear(&[]);
        shape.write_folder(self.folder.path());
        let inputs = shape.inputs(self.folder.path());
        let store = Store::open(&self.store()).unwrap();
        let frozen = plan(&inputs, &store, start(), &mut |_| {}).unwrap();
        let Frozen::Planned(id, _) = frozen else {
            panic!("not planned: {shape:?}");
        };
        drop(store);
        disk::prepare(&self.store());
        let image = std::fs::read(self.store()).unwrap();
        Planned { shape, id, image }
    }
}

impl Planned {
    /// A sender that takes the campaign as a new process would.
    pub(crate) fn sender(
        &self,
        store: &Path,
        now: Timestamp,
        connections: usize,
    ) -> (Job, send::Options) {
        let accounts: Vec<Account> = (0..self.shape.rules.len())
            .map(|number| self.account(number, connections))
            .collect();
        let opened = Store::open(store).unwrap();
        let record = opened.campaign(NAME).unwrap().unwrap();
        let renderer = |one: &Account| frozen_editions(store, &record, &one.name).unwrap();
        let job = Job {
            campaign: self.id,
            renderers: accounts.iter().map(renderer).collect(),
            lock: opened.lock_for_sending(NAME, now).unwrap(),
        };
        let options = send::Options {
            accounts,
            calendar: Calendar::new(record.schedule.clone(), TimeZone::UTC),
            store: store.to_owned(),
            wait: true,
            max_messages: None,
            canary: None,
            until: None,
        };
        (job, options)
    }

    fn account(&self, number: usize, connections: usize) -> Account {
        Account {
            name: account_name(number),
            mailbox: account_name(number),
            endpoint: Endpoint {
                host: format!("smtp-{number}"),
                port: number as u16,
                tls: Tls::None,
                extra_roots: vec![],
                trust_system_roots: false,
                hello_name: String::new(),
            },
            sign_in: SignIn::None,
            deadlines: Deadlines {
                connect: Duration::from_secs(10),
                command: Duration::from_secs(20),
                data: Duration::from_secs(20),
                final_dot: Duration::from_secs(30),
            },
            rules: self.shape.rules[number].clone(),
            max_connections: connections,
            backoff: Backoff::new(vec![Duration::from_secs(20), Duration::from_mins(1)]),
            replies: ReplyTable::for_preset(Preset::find("microsoft365").unwrap())
                .unwrap()
                .of_account(Whose {
                    account: Some(account_name(number)),
                    ..Whose::default()
                }),
        }
    }
}
