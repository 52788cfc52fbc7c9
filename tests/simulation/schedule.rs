//! A schedule: one seed's campaign, servers, lives of senders, and what is done to them; then the laws.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::SignedDuration;
use postroom::clock::Clock;
use postroom::sandbox::{self, Portless, Snapshot, TlsMode};
use postroom::send::Ended;
use postroom::smtp::Network;

use crate::campaign::{self, INTERNAL, Planned, Stage};
use crate::check::{self, Run};
use crate::dice::Dice;
use crate::disk;
use crate::errand::{self, Said};
use crate::life::{End, Life};
use crate::mood;
use crate::network::Wires;
use crate::tally::{Kind, Tally};
use crate::world::{Kill, World};

/// Shapes of campaigns; so many are planned by each thread that comes to all of them.
const SHAPES: u64 = 40;

/// Lives without a fault in which a campaign must come to its end: what the servers have yet to do stops some.
const QUIET_LIVES: u64 = 30;

/// What came of a schedule.
pub(crate) struct Outcome {
    pub(crate) broken: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) tally: Tally,
}

struct Play {
    world: Arc<World>,
    network: Network,
    planned: Planned,
    connections: usize,
    bad_lives: u64,
    said: Said,
    dice: Dice,
    called_sent: Vec<u64>,
    broken: Vec<String>,
    deaths: u64,
}

/// Plays the schedule of a seed.
pub(crate) fn play(stage: &mut Stage, seed: u64) -> Outcome {
    let planned = stage.set(seed % SHAPES + seed / 50_000 * SHAPES);
    let mut dice = Dice::new(seed, 2);
    let connections = dice.within(1..=3) as usize;
    // One in eight has lives like any other: nothing goes wrong but what the servers do.
    let bad_lives = if dice.once_in(8) {
        0
    } else {
        dice.within(1..=4)
    };
    let clock = Clock::driven(campaign::start(), 0);
    let servers = planned.shape.rules.iter().map(|rules| {
        let options = sandbox::Options {
            rules: rules.clone(),
            internal_domains: vec![INTERNAL.to_owned()],
            tls: TlsMode::None,
            require_auth: false,
            keep_records: true,
            strict: dice.once_in(3),
            // After a cut, or a death, a server may not know yet that a connection is no more.
            max_connections: (bad_lives == 0).then_some(connections),
            faults: mood::faults(&mut dice),
            ..sandbox::Options::default()
        };
        Portless::new(options, clock.unset()).unwrap()
    });
    let servers = servers.collect();
    let world = World::new(clock, stage.store(), servers, Dice::new(seed, 3));
    let wires = Wires {
        world: Arc::clone(&world),
        connections: AtomicU64::new(1),
    };
    world.note(|| format!("seed {seed}: {:?}", planned.shape));
    let mut play = Play {
        world,
        network: Network::by(wires),
        planned,
        connections,
        bad_lives,
        said: Said::default(),
        dice,
        called_sent: vec![],
        broken: vec![],
        deaths: 0,
    };
    play.run();
    play.conclude()
}

impl Play {
    fn run(&mut self) {
        let reboots = self.dice.once_in(3);
        for _ in 0..self.bad_lives {
            self.bad_life(reboots);
            if !self.broken.is_empty() {
                return;
            }
        }
        self.world.be_quiet();
        for life in 0.. {
            errand::resume(&self.world, &self.planned);
            match self.live(Kill::Never, vec![]) {
                End::Ended(Ended::Finished) => return,
                End::Ended(_) if life < QUIET_LIVES => {}
                End::Ended(ended) => return self.broken.push(format!("no end: {ended:?}")),
                End::Failed(error) => return self.broken.push(error),
                End::Died | End::Stuck => {
                    return self.broken.push("a quiet life does not end".to_owned());
                }
            }
            // A person looks at it, and lets it go on.
            self.world.pass(Duration::from_mins(2));
        }
    }

    fn bad_life(&mut self, reboots: bool) {
        let dice = &mut self.dice;
        let kill = match dice.within(0..=4) {
            0 => Kill::Never,
            1 | 2 => Kill::AtStep(dice.magnitude(1_000)),
            _ => Kill::AtCommit(dice.magnitude(40)),
        };
        let errands = if dice.once_in(3) {
            (0..dice.within(1..=2))
                .map(|_| dice.magnitude(400))
                .collect()
        } else {
            vec![]
        };
        self.set_calendar(reboots);
        let failure = self
            .dice
            .once_in(5)
            .then(|| *self.dice.pick(&disk::FAILURES));
        let fails_from = self.dice.magnitude(200);
        let mut errands: Vec<u64> = errands;
        if failure.is_some() {
            errands.push(fails_from);
        }
        match self.live_with(kill, errands, failure) {
            End::Stuck => self.broken.push("a life does not end".to_owned()),
            End::Died | End::Ended(_) | End::Failed(_) => {}
        }
        if reboots && self.dice.once_in(2) {
            self.world.clock.start_again();
            self.world.count(Kind::Boot);
            self.world
                .note(|| "the machine is started again".to_owned());
        }
        let pause = self.dice.magnitude(200);
        self.world.pass(Duration::from_secs(pause));
        if self.dice.once_in(4) {
            errand::run(&self.world, &self.planned, &mut self.said, &mut self.dice);
        }
    }

    /// Somebody sets the machine's calendar, now or soon. After another start of the machine nobody can say that
    /// it was set forward: then windows seem to have passed. It is set back alone where that happens.
    fn set_calendar(&mut self, reboots: bool) {
        if !self.dice.once_in(5) {
            return;
        }
        let seconds = self.dice.magnitude(10_000) as i64;
        let forward = !reboots && self.dice.once_in(2);
        let step = SignedDuration::from_secs(if forward { seconds } else { -seconds });
        let after = SignedDuration::from_secs(self.dice.within(0..=120) as i64);
        self.world
            .note(|| format!("the calendar is set by {step} in {after}"));
        self.world.count(Kind::Calendar);
        self.world.clock.set_later(after, step);
    }

    fn live(&mut self, kill: Kill, errands: Vec<u64>) -> End {
        self.live_with(kill, errands, None)
    }

    fn live_with(&mut self, kill: Kill, errands: Vec<u64>, failure: Option<&str>) -> End {
        let world = Arc::clone(&self.world);
        let began = world.now();
        world.tally(|tally| tally.lives += 1);
        world.note(|| format!("a sender begins: {kill:?}, {errands:?}, {failure:?}"));
        let (job, options) = self
            .planned
            .sender(&world.store, world.clock.now(), self.connections);
        world.begin(kill, errands);
        let life = Life {
            world: &world,
            network: &self.network,
            planned: &self.planned,
            said: &mut self.said,
            called_sent: &mut self.called_sent,
            dice: &mut self.dice,
            failure,
        };
        let end = life.live(job, options);
        let left = world.end();
        let end = match left {
            Some(left) => {
                self.deaths += 1;
                left.restore(&world.store);
                End::Died
            }
            None => end,
        };
        if failure.is_some() {
            disk::set(&world.store, disk::WELL);
        }
        let words = match &end {
            End::Ended(ended) => format!("{ended:?}"),
            End::Failed(error) => error.clone(),
            End::Died => "died".to_owned(),
            End::Stuck => "stuck".to_owned(),
        };
        world.note(|| format!("the sender has ended: {words}"));
        let took = world.now().duration_since(began).as_secs();
        if world.is_quiet() && took > self.planned.shape.ample_time() {
            self.broken.push(format!("a quiet life took {took} s"));
        }
        end
    }

    fn conclude(mut self) -> Outcome {
        let seen: Vec<Snapshot> = self.world.servers.iter().map(Portless::snapshot).collect();
        let struck: u64 = seen.iter().flat_map(|seen| &seen.faults).sum();
        let mut tally = self.world.tally(|tally| {
            tally.add(Kind::Server, struck);
            tally.clone()
        });
        let lanes = (self.connections * self.planned.shape.rules.len()) as u64;
        let lost = tally.of(Kind::Cut) + tally.of(Kind::Silence) + struck;
        let run = Run {
            planned: &self.planned,
            said: &self.said,
            seen: &seen,
            called_sent: &self.called_sent,
            doubtful: lost + (self.deaths + tally.of(Kind::Disk)) * lanes,
            is_kind: lost == 0,
            is_calm: tally.is_calm(),
        };
        if self.broken.is_empty() {
            self.broken = check::broken(&self.world, &run);
        }
        tally = self.world.tally(|tally| tally.clone());
        tally.schedules = 1;
        let took = self.world.now().duration_since(campaign::start()).as_secs();
        tally.simulated_seconds = took as u64;
        Outcome {
            broken: self.broken,
            log: self.world.take_log(),
            tally,
        }
    }
}
