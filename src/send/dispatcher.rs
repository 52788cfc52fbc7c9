//! The dispatcher: gives leave to workers, waits, and decides when a send has ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::attempt::{Context, Outcome};
use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use super::options::Options;
use super::sorting::{Lesson, is_hopeless, judge, unreachable};
use super::stop::Stop;
use super::worker::{Leave, Report, Worker};
use crate::clock::Clock;
use crate::delivery::Class;
use crate::message::Renderer;
use crate::smtp::SessionError;
use crate::store::{Answer, Claiming, Journal, RunState, SenderLock, Store};

/// The waits between attempts to connect; after the last one the send ends. A first connection that
/// fails ends it sooner: somebody is watching then.
const RECONNECT: [u64; 6] = [1, 5, 15, 30, 60, 120];
const FIRST_CONNECT_TRIES: usize = 2;

/// So many messages refused as a whole, one after the other, are the account's trouble, not theirs.
const BREAKER: u32 = 20;

/// A session is closed before a wait that is longer than this; servers hang up on idle ones.
const IDLE: SignedDuration = SignedDuration::from_secs(60);

/// How long to wait before asking again whether another process's message has its verdict.
const OTHER_SENDER: SignedDuration = SignedDuration::from_secs(2);

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

struct Dispatcher<'a> {
    context: Arc<Context>,
    options: Options,
    stop: Stop,
    report: &'a mut dyn FnMut(Event),
    workers: Vec<mpsc::Sender<Leave>>,
    idle: Vec<usize>,
    tasks: JoinSet<()>,
    reports_in: mpsc::UnboundedSender<(usize, Report)>,
    reports: mpsc::UnboundedReceiver<(usize, Report)>,
    /// Nothing may go before this.
    blocked: Option<(Timestamp, Waiting)>,
    /// A worker has said that nothing is left to claim.
    drained: bool,
    /// Another message must have its verdict first.
    awaiting_verdict: bool,
    ending: Option<Result<Ended, Error>>,
    handed_over: u64,
    failures: usize,
    ever_connected: bool,
    refusals: u32,
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

    fn busy(&self) -> usize {
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
        // Until the first session is there, one worker tries alone.
        let alone = self.busy() == 0 || self.ever_connected;
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
            Report::Blocked(answer) => self.block(answer),
            Report::NoSession(error) => self.no_session(&error),
            Report::Failed(error) => {
                if !matches!(self.ending, Some(Err(_))) {
                    self.ending = Some(Err(error));
                }
            }
        }
    }

    fn learn(&mut self, outcome: Outcome) {
        self.ever_connected = true;
        self.awaiting_verdict = false;
        // A message that was put off or given back is there to be claimed again.
        self.drained = false;
        self.handed_over += u64::from(outcome.handed_over);
        for event in outcome.events {
            (self.report)(event);
        }
        if outcome.progress {
            self.failures = 0;
        }
        match outcome.refused_message {
            Some(reply) => self.count_refusal(&reply),
            None if outcome.progress => self.refusals = 0,
            None => {}
        }
        self.heed(outcome.lesson);
        if let Some((phase, what)) = outcome.broke
            && !outcome.progress
            && self.ending.is_none()
        {
            self.back_off(unreachable(phase, what), RECONNECT.len());
        }
    }

    fn count_refusal(&mut self, reply: &str) {
        self.refusals += 1;
        if self.refusals >= BREAKER && self.ending.is_none() {
            self.ending = Some(Ok(Ended::Stopped(Box::new(Trouble {
                class: Class::Message,
                phase: crate::delivery::Phase::FinalDot,
                reply: reply.to_owned(),
                meaning: format!("the server refused {BREAKER} messages one after the other"),
                remedy: "look at the reply, mend the message or the account, then run send again"
                    .to_owned(),
                unreachable: false,
            }))));
        }
    }

    fn heed(&mut self, lesson: Lesson) {
        if let Some(trouble) = lesson.stop
            && self.ending.is_none()
        {
            self.ending = Some(Ok(Ended::Stopped(trouble)));
        }
        if let Some((pause, words)) = lesson.pause {
            self.block_for(pause, Waiting::Provider(words));
        }
    }

    fn block_for(&mut self, pause: Duration, why: Waiting) {
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        let until = self
            .context
            .clock
            .now()
            .checked_add(pause)
            .unwrap_or(Timestamp::MAX);
        if self
            .blocked
            .as_ref()
            .is_none_or(|(known, _)| *known < until)
        {
            self.blocked = Some((until, why));
        }
    }

    fn block(&mut self, answer: Answer) {
        self.ever_connected = true;
        match answer {
            Answer::Claimed(_) => {}
            Answer::NotBefore(until, rule) => self.blocked = Some((until, Waiting::Rule(rule))),
            Answer::NotDue(until) if self.busy() == 0 => {
                self.blocked = Some((until, Waiting::Deferred))
            }
            // A verdict that is still to come may free a share or put a message off.
            Answer::NotDue(_) => self.awaiting_verdict = true,
            Answer::AfterVerdict(_) if self.busy() == 0 => {
                let until = self.context.clock.now().saturating_add(OTHER_SENDER);
                self.blocked = Some((until.unwrap_or(Timestamp::MAX), Waiting::OtherSender));
            }
            Answer::AfterVerdict(_) => self.awaiting_verdict = true,
            Answer::Never(number, rule) => {
                let rule = rule.to_string();
                self.ending = Some(Err(Error::NeverFits { number, rule }));
            }
            Answer::Nothing => self.drained = true,
        }
    }

    fn no_session(&mut self, error: &SessionError) {
        let mut lesson = Lesson::default();
        if let Some(reply) = error.reply() {
            judge(
                &self.options.account.replies,
                error.phase,
                reply,
                &mut lesson,
            );
        }
        if lesson.stop.is_some() {
            return self.heed(lesson);
        }
        let trouble = unreachable(error.phase, error.to_string());
        if is_hopeless(error) {
            self.ending
                .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            return;
        }
        let tries = if self.ever_connected {
            RECONNECT.len()
        } else {
            FIRST_CONNECT_TRIES
        };
        self.back_off(trouble, tries);
    }

    fn back_off(&mut self, trouble: Trouble, tries: usize) {
        match RECONNECT[..tries].get(self.failures) {
            Some(&seconds) => {
                self.failures += 1;
                let because = trouble.reply;
                self.block_for(
                    Duration::from_secs(seconds),
                    Waiting::Server(because.clone()),
                );
                if let Some((until, _)) = self.blocked {
                    (self.report)(Event::Reconnecting { because, until });
                }
            }
            None => {
                self.ending
                    .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            }
        }
    }

    /// Nothing is in hand and nothing may go: waits, or ends instead.
    async fn wait(&mut self) -> Result<Option<Ended>, Error> {
        self.awaiting_verdict = false;
        let Some((until, why)) = self.blocked.take() else {
            return Ok(None);
        };
        let for_server = matches!(why, Waiting::Server(_) | Waiting::OtherSender);
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
            (self.report)(Event::Waiting { until, why });
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
