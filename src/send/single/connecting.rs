//! A session for messages of no campaign, and what it means when there is none.

use super::{ASKS, Halt, Post};
use crate::delivery::Phase;
use crate::send::error::Error;
use crate::send::event::{Ended, Trouble, Waiting};
use crate::send::signing::{NoSession, open, without_token};
use crate::send::sorting::{Lesson, hopeless, is_hopeless, judge, no_session, unreachable};
use crate::smtp::{Network, SessionError};
use crate::store::{Pause, SingleLock};

impl Post<'_> {
    /// Makes a session where there is none, in a connection that other processes leave free.
    pub(super) async fn connect(&mut self, lock: &SingleLock) -> Result<(), Halt> {
        if self.stop.is_requested() {
            return Err(Halt::Ended(Ended::Interrupted));
        }
        if self.opened.is_some() {
            return Ok(());
        }
        let (mailbox, most) = (&self.account.mailbox, self.account.max_connections.max(1));
        let mut wanted = None;
        while self.slot.is_none() {
            self.slot = self.store.connection_slot(mailbox, most)?;
            if self.slot.is_none() {
                if wanted.is_none() {
                    wanted = self.store.want_slot(mailbox)?;
                }
                self.pause_for(ASKS, Waiting::OtherSender).await?;
            }
        }
        let refused = self.refused.take();
        match open(
            &Network::system(),
            self.clock,
            self.account,
            &self.trial,
            refused.as_ref(),
        )
        .await
        {
            Ok(opened) => {
                (self.opened, self.fresh) = (Some(opened), true);
                Ok(())
            }
            Err(why) => Err(self.no_session(lock, why)?),
        }
    }

    fn no_session(&mut self, lock: &SingleLock, why: NoSession) -> Result<Halt, Error> {
        let error = match why {
            NoSession::Refused(trouble) => return Ok(Halt::stopped(*trouble)),
            NoSession::Tokens(error) => {
                return Ok(Halt::stopped(without_token(self.account, &error).0));
            }
            NoSession::Server(error) => error,
        };
        let mut lesson = Lesson::default();
        if let Some(reply) = error.reply() {
            judge(&self.account.replies, error.phase, reply, &mut lesson);
        }
        if let Some(mut trouble) = lesson.stop.or(lesson.token_refused) {
            // A server that turns everybody away before a sign-in is no different from one that is not there.
            trouble.unreachable |= error.phase < Phase::SignIn;
            return Ok(Halt::stopped(*trouble));
        }
        if let Some(pause) = lesson.pause {
            return self.hold(lock, &pause);
        }
        Ok(Halt::stopped(if is_hopeless(&error) {
            hopeless(&error)
        } else if error.reply().is_some() {
            no_session(&self.account.replies, &error)
        } else {
            self.out_of_reach(error.phase, &error)
        }))
    }

    pub(super) fn out_of_reach(&self, phase: Phase, error: &SessionError) -> Trouble {
        Trouble {
            remedy: format!(
                "check the network and the account's host and port (`postroom doctor {}` shows how far it comes), \
                 then try again",
                self.account.name
            ),
            ..unreachable(phase, error.to_string())
        }
    }

    /// The provider asked for a pause, which holds for whoever sends by the mailbox.
    pub(super) fn hold(&mut self, lock: &SingleLock, pause: &Pause) -> Result<Halt, Error> {
        let (rules, now) = (&self.account.rules, self.clock.reading());
        let until = self.store.hold_single(lock, rules, pause, &now)?;
        let why = Waiting::Provider(pause.reply.clone());
        Ok(Halt::Ended(Ended::WouldWait(until, why)))
    }
}
