//! The dispatcher: gives leave to workers, waits, and decides when a send has ended.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::attempt::Context;
use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use super::options::Options;
use super::stop::Stop;
use super::worker::{Leave, Report, Worker};
use crate::clock::Clock;
use crate::message::Renderer;
use crate::store::{Claiming, Journal, RunState, SenderLock, Store};

/// A session is closed before a wait that is longer than this; servers hang up on idle ones.
const IDLE: SignedDuration = SignedDuration::from_secs(60);

/// A campaign to send, with the lock that says that nobody else does.
#[derive(Debug)]
pub struct Job {
    /// The campaign's id in the store.
    pub campaign: i64,
    /// Makes its mails.
    pub renderer: Renderer,
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
    clock: &Clock,
    stop: Stop,
    report: &mut dyn FnMut(Event),
) -> Result<Ended, Error> {
    let mut store = Store::open(&options.store)?;
    let in_doubt = store.recover(job.campaign, clock.now())?;
    store.recover_abandoned(clock.now())?;
    if in_doubt > 0 {
        report(Event::Recovered { in_doubt });
    }
    let claiming = Claiming {
        campaign: job.campaign,
        account: options.account.name.clone(),
        mailbox: options.account.mailbox.clone(),
        rules: options.account.rules.clone(),
    };
    let (journal, writer) = Journal::start(store, claiming);
    journal.set_state(RunState::Sending, None).await?;
    let context = Arc::new(Context {
        account: options.account.clone(),
        clock: clock.clone(),
        journal,
        renderer: job.renderer,
    });
    let ended = Dispatcher::new(Arc::clone(&context), options, stop, report)
        .run()
        .await;
    let (state, next_send_at) = match &ended {
        Ok(Ended::Finished) => (RunState::Finished, None),
        Ok(Ended::WouldWait(until, _)) => (RunState::Waiting, Some(*until)),
        Ok(Ended::Stopped(trouble)) => (RunState::Stopped(because(trouble)), None),
        Ok(Ended::Interrupted | Ended::AsAsked) => (RunState::Planned, None),
        Err(error) => (RunState::Stopped(error.to_string()), None),
    };
    let written = context.journal.set_state(state, next_send_at).await;
    drop(context);
    // The thread ends with the last handle; its panic would have been answered as `WriterGone`.
    let _ended = writer.join();
    drop(job.lock);
    let ended = ended?;
    written?;
    Ok(ended)
}

fn because(trouble: &Trouble) -> String {
    format!("{} ({})", trouble.meaning, trouble.reply)
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most of them may hold together"
)]
pub(super) struct Dispatcher<'a> {
    pub(super) context: Arc<Context>,
    pub(super) options: Options,
    pub(super) stop: Stop,
    pub(super) report: &'a mut dyn FnMut(Event),
    pub(super) workers: Vec<mpsc::Sender<Leave>>,
    pub(super) idle: Vec<usize>,
    pub(super) tasks: JoinSet<()>,
    pub(super) reports_in: mpsc::UnboundedSender<(usize, Report)>,
    pub(super) reports: mpsc::UnboundedReceiver<(usize, Report)>,
    /// Nothing may go before this.
    pub(super) blocked: Option<(Timestamp, Waiting)>,
    /// A worker has said that nothing is left to claim.
    pub(super) drained: bool,
    /// Another message must have its verdict first.
    pub(super) awaiting_verdict: bool,
    pub(super) ending: Option<Result<Ended, Error>>,
    pub(super) handed_over: u64,
    pub(super) failures: usize,
    pub(super) ever_connected: bool,
    pub(super) refusals: u32,
    /// Messages in doubt since the server last answered anything.
    pub(super) lost: usize,
    /// That another process is waited for has been reported.
    pub(super) told_of_other: bool,
}

impl<'a> Dispatcher<'a> {
    fn new(
        context: Arc<Context>,
        options: Options,
        stop: Stop,
        report: &'a mut dyn FnMut(Event),
    ) -> Self {
        let (reports_in, reports) = mpsc::unbounded_channel();
        Self {
            context,
            options,
            stop,
            report,
            workers: Vec::new(),
            idle: Vec::new(),
            tasks: JoinSet::new(),
            reports_in,
            reports,
            blocked: None,
            drained: false,
            awaiting_verdict: false,
            ending: None,
            handed_over: 0,
            failures: 0,
            ever_connected: false,
            refusals: 0,
            lost: 0,
            told_of_other: false,
        }
    }

    async fn run(mut self) -> Result<Ended, Error> {
        let ended = loop {
            if self.ending.is_none() {
                self.look_for_an_end();
            }
            let busy = self.busy();
            if busy == 0 {
                if let Some(ended) = self.ending.take() {
                    break ended;
                }
                if self.drained {
                    break Ok(Ended::Finished);
                }
            }
            if self.may_start() {
                self.start_one();
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
        self.workers.clear();
        while self.tasks.join_next().await.is_some() {}
        ended
    }

    pub(super) fn busy(&self) -> usize {
        self.workers.len() - self.idle.len()
    }

    fn look_for_an_end(&mut self) {
        let enough = self.options.max_messages.is_some_and(|max| {
            self.handed_over + self.busy() as u64 >= max && self.handed_over >= max
        });
        let late = self
            .options
            .until
            .is_some_and(|until| self.context.clock.now() >= until);
        if self.stop.is_requested() {
            self.ending = Some(Ok(Ended::Interrupted));
        } else if enough || late {
            self.ending = Some(Ok(Ended::AsAsked));
        }
    }

    /// May one more message be begun now?
    fn may_start(&self) -> bool {
        let within_max = self
            .options
            .max_messages
            .is_none_or(|max| self.handed_over + (self.busy() as u64) < max);
        let free = !self.idle.is_empty()
            || self.workers.len() < self.options.account.max_connections.max(1);
        // Until there is a session, or there is one again, one worker tries alone.
        let alone = self.busy() == 0 || (self.ever_connected && self.failures == 0);
        self.ending.is_none()
            && self.blocked.is_none()
            && !self.drained
            && !self.awaiting_verdict
            && within_max
            && free
            && alone
    }

    fn start_one(&mut self) {
        let number = self.idle.pop().unwrap_or_else(|| self.hire());
        if let Some(worker) = self.workers.get(number) {
            // A worker that is idle has an empty mailbox, so there is room for its leave.
            let _sent = worker.try_send(Leave::Send);
        }
    }

    fn hire(&mut self) -> usize {
        let number = self.workers.len();
        let (leave_in, leave) = mpsc::channel(2);
        let worker = Worker {
            number,
            context: Arc::clone(&self.context),
            leave,
            reports: self.reports_in.clone(),
            session: None,
        };
        self.tasks.spawn(worker.run());
        self.workers.push(leave_in);
        number
    }

    /// Waits for a worker's report (the workers watch their own deadlines, so one always comes), or
    /// for the moment when another worker may begin.
    async fn listen(&mut self) {
        let until = self.blocked.as_ref().map(|(until, _)| *until);
        let wake = async {
            match until {
                Some(until) => self.context.clock.sleep_until(until).await,
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
                self.blocked = None;
                return;
            }
        };
        let Some((number, report)) = received else {
            return;
        };
        self.idle.push(number);
        match report {
            Report::Tried(outcome) => self.learn(*outcome),
            Report::Blocked(answer) => self.block(&answer),
            Report::NoSession(error) => self.no_session(&error),
            Report::Failed(error) => {
                if !matches!(self.ending, Some(Err(_))) {
                    self.ending = Some(Err(error));
                }
            }
        }
    }

    /// A worker has ended in the middle, which only a defect can cause: whatever it had in hand is settled
    /// by the next start. The others finish what they have.
    fn bury(&mut self, ended: &tokio::task::JoinError) {
        self.workers.clear();
        self.idle.clear();
        self.ending = Some(Err(Error::Worker(ended.to_string())));
    }

    /// The message that is waited for may be one that its sender will never end: true when there was
    /// such a one and its share is free again.
    fn look_after_others(&self) -> Result<bool, Error> {
        let mut store = Store::open(&self.options.store)?;
        Ok(store.recover_abandoned(self.context.clock.now())? > 0)
    }

    /// Nothing is in hand and nothing may go: waits, or ends instead.
    async fn wait(&mut self) -> Result<Option<Ended>, Error> {
        self.awaiting_verdict = false;
        let Some((until, why)) = self.blocked.take() else {
            return Ok(None);
        };
        let for_server = matches!(why, Waiting::Server(_));
        if why == Waiting::OtherSender && self.look_after_others()? {
            return Ok(None);
        }
        if !self.options.wait && !for_server {
            return Ok(Some(Ended::WouldWait(until, why)));
        }
        let now = self.context.clock.now();
        if until <= now {
            return Ok(None);
        }
        if until.duration_since(now) > IDLE {
            for worker in &self.workers {
                let _sent = worker.send(Leave::Rest).await;
            }
        }
        if !for_server {
            self.context
                .journal
                .set_state(RunState::Waiting, Some(until))
                .await?;
            let again = why == Waiting::OtherSender && self.told_of_other;
            self.told_of_other = why == Waiting::OtherSender;
            if !again {
                (self.report)(Event::Waiting { until, why });
            }
        }
        let wake = self.options.until.map_or(until, |end| end.min(until));
        tokio::select! {
            () = self.context.clock.sleep_until(wake) => {}
            () = self.stop.requested() => {}
        }
        if !for_server {
            self.context
                .journal
                .set_state(RunState::Sending, None)
                .await?;
        }
        Ok(None)
    }
}
