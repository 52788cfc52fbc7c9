//! The dispatcher: gives leave to the workers of every account, and decides when a send has ended.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::attempt::Context;
use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use super::lane::{Lane, Seat};
use super::lookout::Lookout;
use super::noting::note;
use super::options::Options;
use super::signing::Trial;
use super::stop::Stop;
use super::streak::Streak;
use super::surroundings::Surroundings;
use super::train::{AHEAD, Train};
use super::worker::{Leave, Report, Reports, Worker};
use crate::clock::{Clock, Hold, Reading, Timestamp};
use crate::message::{self, Editions};
use crate::store::{self, Claiming, Journal, MessageIds, RunState, SenderLock, Store};

/// A campaign to send, with the lock that says that nobody else does.
#[derive(Debug)]
pub struct Job {
    /// The campaign's id in the store.
    pub campaign: i64,
    /// Makes its mails: one for each account, in their order.
    pub renderers: Vec<Editions>,
    /// Held as long as it is sent.
    pub lock: SenderLock,
}

/// Sends a campaign until it is finished, stopped, interrupted or would have to wait.
///
/// # Errors
/// Only what makes going on impossible: the store, or content that cannot be built. What the server
/// or the account is to blame for is an [`Ended::Stopped`].
pub async fn run(
    job: Job,
    options: Options,
    surroundings: impl Into<Surroundings>,
    stop: Stop,
    report: &mut dyn FnMut(Event),
) -> Result<Ended, Error> {
    let Surroundings {
        clock,
        network,
        writing,
    } = surroundings.into();
    let clock = &clock;
    let mut report = |event: Event| {
        event.note();
        report(event);
    };
    let report: &mut dyn FnMut(Event) = &mut report;
    let mut store = Store::open(&options.store)?;
    let in_doubt = store.recover(job.campaign, clock)?;
    store.recover_abandoned(clock)?;
    if in_doubt > 0 {
        report(Event::Recovered { in_doubt });
    }
    let claiming = claiming(&job, &options);
    let lookout = Lookout::new(&store, job.campaign, clock)?;
    let (journal, writer) = Journal::new(store, claiming);
    let written_out = writing.begin(writer);
    journal.set_state(RunState::Sending, None).await?;
    let lanes = options.accounts.iter().zip(job.renderers).enumerate();
    let lanes = lanes.map(|(number, (account, editions))| {
        Lane::new(Context {
            lane: number,
            account: account.clone(),
            clock: clock.clone(),
            network: network.clone(),
            store: options.store.clone(),
            journal: journal.clone(),
            editions,
            trial: Trial::default(),
            streak: Streak::default(),
            held_back: AtomicBool::new(false),
        })
    });
    let ended = Dispatcher::new(
        lanes.collect(),
        journal.clone(),
        clock,
        (options, lookout),
        stop,
        &mut *report,
    )
    .run()
    .await;
    note(&ended);
    let (state, next_send_at) = match &ended {
        Ok(Ended::Finished) => (RunState::Finished, None),
        Ok(Ended::WouldWait(until, _)) => (RunState::Waiting, Some(*until)),
        Ok(Ended::Stopped(trouble)) => (RunState::Stopped(because(trouble)), None),
        Ok(Ended::Interrupted | Ended::Halted(_) | Ended::AsAsked | Ended::AtCanary { .. }) => {
            (RunState::Planned, None)
        }
        Err(error) => (RunState::Stopped(error.to_string()), None),
    };
    let written = journal.set_state(state, next_send_at).await;
    drop(journal);
    written_out.await;
    report(Event::Ended(match &ended {
        Ok(ended) => Ok(ended.clone()),
        Err(error) => Err(error.to_string()),
    }));
    drop(job.lock);
    let ended = ended?;
    written?;
    Ok(ended)
}

fn claiming(job: &Job, options: &Options) -> Claiming {
    let lane = |(account, editions): (&super::Account, &Editions)| store::Lane {
        account: account.name.clone(),
        sender: editions.current().definition().from.clone(),
        mailbox: account.mailbox.clone(),
        rules: account.rules.clone(),
        message_ids: message_ids(editions.current().sender().domain().to_owned()),
    };
    Claiming {
        campaign: job.campaign,
        calendar: options.calendar.clone(),
        lanes: (options.accounts.iter().zip(&job.renderers))
            .map(lane)
            .collect(),
    }
}

fn message_ids(domain: String) -> MessageIds {
    MessageIds::by(move || message::new_message_id(&domain).ok())
}

fn because(trouble: &Trouble) -> String {
    format!("{} ({})", trouble.meaning, trouble.reply)
}

pub(super) struct Dispatcher<'a> {
    pub(super) lanes: Vec<Lane>,
    pub(super) journal: Journal,
    pub(super) clock: &'a Clock,
    pub(super) options: Options,
    pub(super) stop: Stop,
    /// Looks out for what people do with the campaign while nothing is claimed.
    pub(super) lookout: Lookout,
    pub(super) report: &'a mut dyn FnMut(Event),
    tasks: JoinSet<()>,
    reports_in: mpsc::UnboundedSender<(usize, usize, Report)>,
    reports: mpsc::UnboundedReceiver<(usize, usize, Report)>,
    pub(super) ending: Option<Result<Ended, Error>>,
    handed_over: u64,
    /// Messages that have left the plan.
    begun: u64,
    /// A worker has said that nothing is left to send.
    pub(super) nothing_left: bool,
    /// The wait that was reported last.
    pub(super) told: Option<(Timestamp, Waiting)>,
    /// By which every time that is waited for was reckoned.
    pub(super) reckoned: Reading,
    /// A simulated clock stands still whenever anything but waiting is done.
    pub(super) hold: Option<Hold>,
}

impl<'a> Dispatcher<'a> {
    fn new(
        lanes: Vec<Lane>,
        journal: Journal,
        clock: &'a Clock,
        (options, lookout): (Options, Lookout),
        stop: Stop,
        report: &'a mut dyn FnMut(Event),
    ) -> Self {
        let (reports_in, reports) = mpsc::unbounded_channel();
        Self {
            lanes,
            journal,
            clock,
            lookout,
            options,
            stop,
            report,
            tasks: JoinSet::new(),
            reports_in,
            reports,
            ending: None,
            handed_over: 0,
            begun: 0,
            nothing_left: false,
            told: None,
            reckoned: clock.reading(),
            hold: Some(clock.hold()),
        }
    }

    async fn run(mut self) -> Result<Ended, Error> {
        let ended = loop {
            self.heed_clock();
            if self.ending.is_none() {
                self.look_for_an_end();
            }
            for lane in &self.lanes {
                lane.hold_back(self.ending.is_some());
            }
            let busy = self.busy();
            if busy == 0 {
                if let Some(ended) = self.ending.take() {
                    break ended;
                }
                if self.nothing_left && !self.has_grown().await? {
                    break Ok(Ended::Finished);
                }
            }
            if let Some(lane) = (0..self.lanes.len()).find(|lane| self.may_start(*lane)) {
                if let Err(error) = self.start_one(lane).await {
                    self.fail(error);
                }
                continue;
            }
            if busy == 0 {
                if let Some(ended) = self.wait().await? {
                    break Ok(ended);
                }
            } else {
                self.listen().await;
            }
        };
        self.lanes.clear();
        while self.tasks.join_next().await.is_some() {}
        ended
    }

    /// Somebody may have taken an edited list in while the last messages went: true when there is more to send.
    async fn has_grown(&mut self) -> Result<bool, Error> {
        let answer = self.journal.look(0, self.clock.reading()).await?;
        if matches!(answer, store::Answer::Nothing) {
            return Ok(false);
        }
        self.nothing_left = false;
        for lane in &mut self.lanes {
            lane.drained = false;
        }
        Ok(true)
    }

    /// What was put off or given back is there to be claimed again, by whichever account.
    pub(super) fn start_over(&mut self) {
        self.nothing_left = false;
        for lane in &mut self.lanes {
            (lane.awaiting_verdict, lane.drained) = (false, false);
        }
    }

    /// How many messages are in hand or have leave.
    pub(super) fn busy(&self) -> usize {
        self.lanes.iter().map(Lane::in_hand).sum()
    }

    fn look_for_an_end(&mut self) {
        let enough = self.options.max_messages.is_some_and(|max| {
            self.handed_over + self.busy() as u64 >= max && self.handed_over >= max
        });
        let late = self
            .options
            .until
            .is_some_and(|until| self.clock.now() >= until);
        if self.stop.is_requested() {
            self.ending = Some(Ok(Ended::Interrupted));
        } else if enough || late {
            self.ending = Some(Ok(Ended::AsAsked));
        } else if self.options.canary.is_some_and(|most| self.begun >= most) {
            let handed_over = self.handed_over;
            self.ending = Some(Ok(Ended::AtCanary { handed_over }));
        }
    }

    /// May one more message be begun now by the account of this lane?
    fn may_start(&self, lane: usize) -> bool {
        let busy = self.busy() as u64;
        let is_within = |most: Option<u64>, so_far| most.is_none_or(|most| so_far + busy < most);
        let within_max = is_within(self.options.max_messages, self.handed_over)
            && is_within(self.options.canary, self.begun);
        self.ending.is_none()
            && !self.nothing_left
            && within_max
            && self
                .lanes
                .get(lane)
                .is_some_and(|lane| lane.may_start(self.clock.now()))
    }

    /// Gives one worker leave; before a new session is made only if there is something to send in it.
    async fn start_one(&mut self, number: usize) -> Result<(), Error> {
        let now = self.clock.now();
        if self.lanes.get(number).is_some_and(|lane| lane.rested) {
            let answer = self.journal.look(number, self.clock.reading()).await?;
            if !matches!(answer, store::Answer::MayGo) {
                self.block(number, answer);
                return Ok(());
            }
        }
        let Some(lane) = self.lanes.get_mut(number) else {
            return Ok(());
        };
        let Some(seat) = lane.seat_for_another(now) else {
            return Ok(());
        };
        lane.rested = false;
        lane.pace.begin(now);
        if seat == lane.workers.len() {
            // Room for all the leave that it may have, and for a word to rest.
            let (leave_in, leave) = mpsc::channel(AHEAD + 2);
            let reports = Reports {
                lane: number,
                worker: seat,
                to: self.reports_in.clone(),
            };
            let worker = Worker::new(Arc::clone(&lane.context), Train::new(leave, reports));
            let account = &lane.context.account.name;
            let connection = tracing::info_span!("connection", account, number = seat);
            self.tasks.spawn(worker.run().instrument(connection));
            lane.workers.push(Seat {
                leave: leave_in,
                leaves: 0,
                without_slot: false,
            });
        }
        if let Some(seat) = lane.workers.get_mut(seat) {
            // There is room for all the leave that a worker can have.
            seat.leave
                .try_send(Leave::Send)
                .map_err(|error| Error::Worker(error.to_string()))?;
            seat.leaves += 1;
            seat.without_slot = false;
        }
        Ok(())
    }

    /// Waits for a worker's report (the workers watch their own deadlines, so one always comes), or
    /// for the moment when another worker may begin.
    async fn listen(&mut self) {
        let now = self.clock.now();
        let wakes = self.lanes.iter().filter_map(|lane| lane.wakes_at(now));
        let until = wakes.min();
        let wake = async {
            match until {
                Some(until) => self.clock.sleep_until_or_set(until, &self.reckoned).await,
                None => std::future::pending().await,
            }
        };
        let received = tokio::select! {
            biased;
            received = self.reports.recv() => received,
            Some(Err(ended)) = self.tasks.join_next() => {
                self.bury(&ended);
                return;
            }
            () = wake => {
                self.wake();
                return;
            }
        };
        let Some((lane, worker, report)) = received else {
            return;
        };
        let seat = self.lanes.get_mut(lane);
        if let Some(seat) = seat.and_then(|lane| lane.workers.get_mut(worker)) {
            let unused = match &report {
                Report::Blocked(_, unused) => *unused,
                _ => 0,
            };
            seat.leaves = seat.leaves.saturating_sub(1 + unused);
        }
        match report {
            Report::Tried(outcome) => {
                self.handed_over += u64::from(outcome.handed_over);
                self.begun += u64::from(outcome.begun);
                self.learn((lane, worker), *outcome);
                self.hand_on(lane).await;
            }
            Report::Blocked(answer, _) => {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.ever_connected = true;
                }
                self.block(lane, answer);
            }
            Report::NoSlot => {
                if let Err(error) = self.no_slot(lane, worker) {
                    self.fail(error);
                }
            }
            Report::NoSession(why) => {
                if let Err(error) = self.no_session(lane, why).await {
                    self.fail(error);
                }
                self.hand_on(lane).await;
            }
            Report::Returned => self.start_over(),
            Report::Unused => {}
            Report::Failed(error) => self.fail(error),
        }
        self.tell_of(lane);
    }

    /// What an account that has stopped was to send is there for the others.
    async fn hand_on(&mut self, lane: usize) {
        let has_stopped = |lane: &Lane| lane.stopped.is_some();
        if self.lanes.get(lane).is_some_and(has_stopped)
            && let Err(error) = self.journal.take_over(lane).await
        {
            self.fail(error.into());
        }
    }

    /// Something makes going on impossible; the first such error is told.
    pub(super) fn fail(&mut self, error: Error) {
        if !matches!(self.ending, Some(Err(_))) {
            self.ending = Some(Err(error));
        }
    }

    /// Lets go on whoever has waited long enough.
    pub(super) fn wake(&mut self) {
        let now = self.clock.now();
        for lane in &mut self.lanes {
            if lane
                .blocked
                .as_ref()
                .is_some_and(|(until, _)| *until <= now)
            {
                lane.blocked = None;
            }
        }
    }

    /// A worker has ended in the middle, which only a defect can cause: whatever it had in hand is settled
    /// by the next start. The others finish what they have.
    fn bury(&mut self, ended: &tokio::task::JoinError) {
        for lane in &mut self.lanes {
            lane.workers.clear();
        }
        self.ending = Some(Err(Error::Worker(ended.to_string())));
    }
}
