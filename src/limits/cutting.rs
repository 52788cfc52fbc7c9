//! Cutting a message to many, so that what is left of a window is used: one answer for planning, reporting and
//! sending.

use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendar;
use super::limiter::{Decision, Limiter, Reason, earliest};
use super::rule::{Unit, Weight};

/// A message is cut when the whole of it would have to wait for so much longer than a part.
pub const WORTH: SignedDuration = SignedDuration::from_mins(10);

/// A part is no smaller than this share of the message, so that a window that frees little by little does not
/// turn it into crumbs.
const SMALLEST: u64 = 20;

/// The envelope of a message that several share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// All of it, copies included.
    pub weight: Weight,
    /// How many of the list are in it.
    pub listed: u64,
}

impl Shared {
    /// What a part with so many of the list takes: each part has the copies. Who is external is not known here:
    /// all of them are taken to be, as long as there are any.
    pub fn part(&self, listed: u64) -> Weight {
        let recipients = self.copies() + listed;
        Weight {
            recipients,
            external: self.weight.external.min(recipients),
        }
    }

    fn copies(&self) -> u64 {
        self.weight.recipients.saturating_sub(self.listed)
    }

    /// How many of the list there is room for at `now`.
    pub fn fits(&self, limiter: &Limiter, now: Timestamp) -> u64 {
        self.within(|unit| limiter.room(now, unit))
    }

    /// What the smallest part worth sending takes; none when the rules allow no part at all.
    pub fn least(&self, limiter: &Limiter) -> Option<Weight> {
        let most = self.within(|unit| limiter.capacity(unit));
        (most > 0).then(|| self.part(self.listed.div_ceil(SMALLEST).min(most)))
    }

    fn within(&self, room: impl Fn(Unit) -> Option<u64>) -> u64 {
        let room = |unit| room(unit).unwrap_or(u64::MAX);
        let mut most = room(Unit::Recipients);
        let external = room(Unit::ExternalRecipients);
        if self.weight.external > external {
            most = most.min(external);
        }
        most.saturating_sub(self.copies()).min(self.listed)
    }

    /// Whether a part goes long before the whole, which would go at `whole` (none: never): how many are in it
    /// when it goes now, or when it may go. What is left must go no later than the whole would have.
    pub fn cut(
        &self,
        limiter: &Limiter,
        calendar: &Calendar,
        now: Timestamp,
        whole: Option<Timestamp>,
    ) -> Option<Result<u64, (Timestamp, Reason)>> {
        let is_worth_it =
            |at: Timestamp| whole.is_none_or(|whole| whole.duration_since(at) > WORTH);
        match earliest(limiter, calendar, now, self.least(limiter)?) {
            Decision::NotBefore(at, reason) => is_worth_it(at).then_some(Err((at, reason))),
            Decision::Go if is_worth_it(now) => {
                let kept = self.fits(limiter, now);
                (kept > 0 && kept < self.listed).then_some(())?;
                let Some(whole) = whole else {
                    return Some(Ok(kept));
                };
                let mut after = limiter.clone();
                after.record(now, self.part(kept));
                let rest = earliest(&after, calendar, whole, self.part(self.listed - kept));
                (rest == Decision::Go).then_some(Ok(kept))
            }
            Decision::Go | Decision::AfterVerdict(_) | Decision::Never(_) => None,
        }
    }
}
