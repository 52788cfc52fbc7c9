//! What a connection has before and behind the message in hand.
//!
//! At full pace three messages are on a connection at a time: one whose content is going out, one that is rendered
//! and asked about in the same write, one that is being rendered. The verdict on the first, the second mark of the
//! next and the claim of a further one share a commit ([`Turn`]). Only the first can ever be in doubt. Whatever stops
//! the train gives back what was claimed ahead, as if it had never been claimed.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::attempt::{Context, Outcome, prepare};
use super::error::Error;
use super::worker::{Leave, Report, Reports};
use crate::message::{self, Prepared};
use crate::smtp::{Content, Envelope, Piece};
use crate::store::{Answer, Claim, Finish, Turn, Wish};

/// So many messages are claimed behind the one in hand.
pub(super) const AHEAD: usize = 2;

/// Content that takes more of it than that is not kept waiting in memory.
const LARGE: usize = 256 * 1024;

/// A message that was claimed, with its mail, which may still be rendered.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) claim: Claim,
    /// While another one was in hand.
    pub(super) was_ahead: bool,
    mail: Mail,
}

#[derive(Debug)]
enum Mail {
    Rendering(JoinHandle<Result<Prepared, Error>>),
    Rendered(Box<Prepared>),
    /// Why there is none is told when its turn comes.
    Failed(Error),
}

impl Taken {
    /// Renders it beside whatever else is done.
    pub(super) fn new(context: &Arc<Context>, claim: Claim, was_ahead: bool) -> Self {
        let (context, claimed) = (Arc::clone(context), claim.clone());
        let rendering = tokio::spawn(async move { prepare(&context, &claimed) });
        Self {
            claim,
            was_ahead,
            mail: Mail::Rendering(rendering),
        }
    }

    /// Its mail, once it is rendered.
    pub(super) async fn mail(&mut self) -> Option<&Prepared> {
        if let Mail::Rendering(rendering) = &mut self.mail {
            self.mail = match rendering.await {
                Ok(Ok(prepared)) => Mail::Rendered(Box::new(prepared)),
                Ok(Err(error)) => Mail::Failed(error),
                Err(error) => Mail::Failed(Error::Worker(error.to_string())),
            };
        }
        match &self.mail {
            Mail::Rendered(prepared) => Some(prepared),
            Mail::Rendering(_) | Mail::Failed(_) => None,
        }
    }

    /// The message and its mail, for its turn.
    pub(super) async fn begin(mut self) -> (Claim, Result<Prepared, Error>) {
        self.mail().await;
        let mail = match self.mail {
            Mail::Rendered(prepared) => Ok(*prepared),
            Mail::Failed(error) => Err(error),
            Mail::Rendering(_) => Err(Error::Worker("a mail was not rendered".to_owned())),
        };
        (self.claim, mail)
    }
}

/// The content of a rendered mail, for a session.
pub(super) fn content_of(prepared: &Prepared) -> Content<'_> {
    prepared.content.pieces().iter().map(piece_of).collect()
}

fn piece_of(piece: &message::Piece) -> Piece<'_> {
    match piece {
        message::Piece::Own(bytes) => Piece::Text(bytes),
        message::Piece::Shared(lines) => Piece::Plain(Arc::clone(lines.bytes())),
    }
}

/// The envelope of a rendered mail.
pub(super) fn envelope_of(prepared: &Prepared) -> Envelope {
    Envelope {
        from: prepared.sender.clone(),
        recipients: prepared.envelope.clone(),
        size: prepared.content.len(),
        smtputf8: prepared.smtputf8,
    }
}

/// A verdict that came and is not on disk yet; nobody is told of it before it is.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) claim: Claim,
    pub(super) finish: Finish,
    pub(super) outcome: Outcome,
}

/// The messages of a connection beside the one in hand. Each has a leave of the dispatcher's, and each leave is
/// answered by one report.
#[derive(Debug)]
pub(super) struct Train {
    pub(super) leave: mpsc::Receiver<Leave>,
    pub(super) reports: Reports,
    /// The session is to be closed: that was said while a run of messages came to its end.
    pub(super) rest_due: bool,
    /// The one before, whose verdict goes to disk with the next mark.
    pub(super) carried: Option<Carried>,
    /// Those behind, in the order in which they were claimed.
    pub(super) ahead: VecDeque<Taken>,
}

impl Train {
    pub(super) fn new(leave: mpsc::Receiver<Leave>, reports: Reports) -> Self {
        Self {
            leave,
            reports,
            rest_due: false,
            carried: None,
            ahead: VecDeque::new(),
        }
    }

    fn has_leave(&mut self) -> bool {
        let leave = self.leave.try_recv();
        self.rest_due |= leave == Ok(Leave::Rest);
        leave == Ok(Leave::Send)
    }

    /// Takes the leaves that there are, and counts them: nothing comes of them.
    pub(super) fn unused(&mut self) -> usize {
        let mut unused = 0;
        while self.has_leave() {
            unused += 1;
        }
        unused
    }

    /// What may be asked for behind a message that takes so much memory: as much as there is room and leave for.
    pub(super) fn wish(&mut self, context: &Context, length: usize) -> Option<Wish> {
        let mut most = 0;
        if context.may_go_on() && length <= LARGE {
            while self.ahead.len() + most < AHEAD && self.has_leave() {
                most += 1;
            }
        }
        let at = context.clock.reading();
        (most > 0).then_some(Wish { at, most })
    }

    /// Puts what was claimed behind the others. Leaves that nothing came of are given back.
    pub(super) fn take(
        &mut self,
        context: &Arc<Context>,
        wish: Option<Wish>,
        answers: Vec<Answer>,
    ) {
        let mut unused = wish.map_or(0, |wish| wish.most) - answers.len();
        for answer in answers {
            match answer {
                Answer::Claimed(claim) => self.ahead.push_back(Taken::new(context, *claim, true)),
                answer => {
                    let unused = std::mem::take(&mut unused);
                    self.reports.tell(Report::Blocked(answer, unused));
                }
            }
        }
        self.forgo(unused);
    }

    /// Answers so many leaves of which nothing is to be told.
    pub(super) fn forgo(&self, leaves: usize) {
        for _ in 0..leaves {
            self.reports.tell(Report::Unused);
        }
    }

    /// Tells what became of a message, once that is on disk.
    pub(super) fn tell_of(&self, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            self.reports.tell(Report::Tried(Box::new(outcome)));
        }
    }

    /// The verdict that is carried, and what is to be told once it is on disk.
    pub(super) fn unloaded(&mut self) -> (Option<(Claim, Finish)>, Option<Outcome>) {
        let carried = self.carried.take();
        carried
            .map(|carried| ((carried.claim, carried.finish), carried.outcome))
            .unzip()
    }

    /// Brings the verdict that is carried to disk by itself.
    pub(super) async fn unload(&mut self, context: &Context) -> Result<(), Error> {
        if let Some(carried) = self.carried.take() {
            let (journal, lane) = (&context.journal, context.lane);
            let written = journal.finish(lane, &carried.claim, carried.finish).await;
            if let Err(error) = written {
                self.forgo(1);
                return Err(error.into());
            }
            self.tell_of(Some(carried.outcome));
        }
        Ok(())
    }

    /// Nothing goes on from here: what was claimed ahead and what leave there is are given back. An error is the
    /// answer to one of the leaves.
    pub(super) async fn stop(&mut self, context: &Context) -> Result<(), Error> {
        let behind: Vec<Claim> = self.ahead.drain(..).map(|taken| taken.claim).collect();
        let returned = behind.len();
        let (finish, outcome) = self.unloaded();
        if finish.is_some() || !behind.is_empty() {
            let turn = Turn {
                finish,
                give_back: behind,
                ..Turn::default()
            };
            if let Err(error) = context.journal.turn(context.lane, turn).await {
                let unused = self.unused();
                self.forgo(returned + usize::from(outcome.is_some()) - 1 + unused);
                return Err(error.into());
            }
        }
        // First to be told: what is given back is not to be taken again before it is learned why.
        self.tell_of(outcome);
        for _ in 0..returned {
            self.reports.tell(Report::Returned);
        }
        let unused = self.unused();
        self.forgo(unused);
        Ok(())
    }
}
