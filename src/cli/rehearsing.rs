//! A campaign on its way to the stand-in, with what goes wrong on purpose.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::args::Fault;
use super::failure::Failure;
use super::sending::Show;
use super::setup::{Setup, calendar_of};
use super::{connect, faults, interrupt};
use crate::clock::Clock;
use crate::config::Sender;
use crate::plan::{frozen_editions, frozen_renderer};
use crate::rehearsal::{Extent, Kill, Life, Staged, live, stage};
use crate::sandbox::{self, Sandbox, Snapshot, Use};
use crate::send::{Ended, Job, Options, Stop};
use crate::store::{CampaignRecord, Store};

/// How often, and how long each time, the end of a killed sender's last write is waited for: 5 s.
const BURIAL: (usize, Duration) = (2_500, Duration::from_millis(2));

/// Every so many times the log of a store that nobody has open is cleared away.
const CLEARED: usize = 250;

/// A campaign to rehearse.
pub(super) struct Rehearsal<'a> {
    pub(super) setup: &'a Setup,
    pub(super) record: &'a CampaignRecord,
    pub(super) path: &'a Path,
    pub(super) maildir: PathBuf,
    pub(super) clock: Clock,
    pub(super) refuse: &'a [String],
    pub(super) faults: &'a [Fault],
    pub(super) extent: Extent,
    /// What the mailbox of each sender has used before.
    pub(super) used: Vec<Vec<Use>>,
}

/// What came of it.
pub(super) struct Run {
    pub(super) ended: Ended,
    pub(super) seen: Snapshot,
    pub(super) staged: Vec<Staged>,
    pub(super) kills: u64,
}

impl Rehearsal<'_> {
    /// Sends it to its end, each account to a stand-in of its own; what goes wrong, does so at the first. They
    /// have a runtime of their own, which outlives every sender.
    pub(super) fn run(&self, show: &Show<'_>) -> Result<Run, Failure> {
        let house = connect::house()?;
        let mut staged: Vec<Staged> = Vec::new();
        let mut servers = Vec::new();
        for (sender, used) in self.setup.senders.iter().zip(&self.used) {
            let mut options = self.stand_in(sender)?;
            options.used.clone_from(used);
            if servers.is_empty() {
                let stage = |fault| stage(faults::scenario(fault), &self.extent, &mut options);
                staged = self.faults.iter().copied().map(stage).collect();
            }
            servers.push(house.block_on(connect::start(options, &self.clock))?);
        }
        let (stop, handle) = Stop::new();
        let _watch = house.block_on(async { interrupt::watch(handle, || {}) })?;
        let (ended, kills) = self.lives(&house, &servers, &staged, &stop, show)?;
        let mut seen = Snapshot::default();
        for server in servers {
            seen = seen.and(house.block_on(server.stop()));
        }
        Ok(Run {
            ended,
            seen,
            staged,
            kills,
        })
    }

    fn stand_in(&self, sender: &Sender) -> Result<sandbox::Options, Failure> {
        let renderer = frozen_renderer(self.path, self.record, &sender.name)?;
        let internal = &renderer.definition().internal;
        let mut options = connect::stand_in(sender, internal, self.refuse);
        options.maildir = Some(self.maildir.clone());
        options.keep_records = true;
        Ok(options)
    }

    /// One sender after the other, until one comes to its end; with how many were killed.
    fn lives(
        &self,
        house: &Runtime,
        servers: &[Sandbox],
        staged: &[Staged],
        stop: &Stop,
        show: &Show<'_>,
    ) -> Result<(Ended, u64), Failure> {
        let mut after = staged.iter().find_map(Staged::kill_after);
        let is_killed = after.is_some();
        let mut kills = 0;
        loop {
            let kill = Kill {
                after: after.take(),
                silence: servers.first().filter(|_| is_killed).map(|server| {
                    let silence = server.hanging();
                    let known = *silence.borrow();
                    (silence, known)
                }),
            };
            let (job, options) = self.sender(servers)?;
            let life = live(
                job,
                options,
                &self.clock,
                stop.clone(),
                kill,
                &mut |event| {
                    show.event(&event);
                },
            )?;
            match life {
                Life::Ended(ended) => return Ok((ended, kills)),
                Life::Killed => {
                    kills += 1;
                    house.block_on(self.bury(servers))?;
                }
            }
        }
    }

    /// A sender that takes the campaign as a new process would.
    fn sender(&self, servers: &[Sandbox]) -> Result<(Job, Options), Failure> {
        let mut accounts = Vec::new();
        let mut renderers = Vec::new();
        for (sender, server) in self.setup.senders.iter().zip(servers) {
            accounts.push(connect::account_at(sender, server)?);
            renderers.push(frozen_editions(self.path, self.record, &sender.name)?);
        }
        let options = Options {
            accounts,
            calendar: calendar_of(self.record),
            store: self.path.to_owned(),
            wait: true,
            max_messages: None,
            canary: None,
            until: None,
        };
        let store = Store::open(self.path)?;
        let job = Job {
            campaign: self.record.id,
            renderers,
            lock: store.lock_for_sending(&self.record.name, self.clock.now())?,
        };
        Ok((job, options))
    }

    /// Waits until nothing is left of a killed sender: what it wrote last is on disk, and the stand-in
    /// has noticed that its connections are gone.
    async fn bury(&self, servers: &[Sandbox]) -> Result<(), Failure> {
        let (times, pause) = BURIAL;
        for time in 1..=times {
            // Of two connections that close at the same moment neither may be the last one to SQLite, and its
            // log is left lying: whoever opens and closes the store once more clears it away.
            if time % CLEARED == 0 {
                drop(Store::open(self.path)?);
            }
            let is_alone = servers.iter().all(|server| server.open_connections() == 0);
            if is_alone && !Store::is_open(self.path) {
                return Ok(());
            }
            let _elapsed = self.clock.within(pause, std::future::pending::<()>()).await;
        }
        Err(Failure::own("a sender that was killed did not end"))
    }
}
