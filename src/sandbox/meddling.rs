//! Letting a fault have its way in a session.

use std::sync::Arc;

use super::faults::{Act, Phase, Then};
use super::nonsense;
use super::session::Session;
use super::wire::Gone;

impl Session {
    /// Lets a fault have its way at `phase`; true when it has answered instead of the server.
    pub(super) async fn meddled(&mut self, phase: Phase) -> Result<bool, Gone> {
        let shared = Arc::clone(&self.shared);
        match shared.strikes.reach(phase, &shared.options.faults) {
            None => Ok(false),
            Some(Act::Reply(code, text)) => {
                self.say(*code, text);
                Ok(true)
            }
            Some(act) => Err(self.break_off(phase, act).await),
        }
    }

    /// Ends the dialogue without a reply. What was answered before still goes out.
    pub(super) async fn break_off(&mut self, phase: Phase, act: &Act) -> Gone {
        if let Err(gone) = self.wire.flush().await {
            return gone;
        }
        let babbled = match act {
            Act::Drop | Act::Reply(..) => return Gone::Dropped,
            Act::Hang => {
                self.shared.hanging.send_modify(|count| *count += 1);
                Ok(())
            }
            Act::Garbage => self.wire.blurt(nonsense::GARBAGE).await,
            Act::Huge(flood) => {
                let (start, chunk) = nonsense::flood(phase, *flood);
                self.wire.flood(&start, &chunk, nonsense::FLOOD).await
            }
            Act::HalfLine(then) => match self.wire.blurt(&nonsense::half(phase)).await {
                // Closed in good order, so that the half arrives.
                Ok(()) if *then == Then::Drop => return Gone::Done,
                said => said,
            },
        };
        match babbled {
            Ok(()) => self.wire.hang().await,
            Err(gone) => gone,
        }
    }
}
