//! Before a send begins: whether the clock can be believed, and whether it is not too late.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::args::Send;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::{calendar_of, zone_of};
use super::{Context, words};
use crate::store::{CampaignRecord, Store};

/// A start that is missed by more than this was not meant.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// A clock that is behind a time that the store knows of by more than this is wrong, or was.
const BEHIND: SignedDuration = SignedDuration::from_hours(1);

/// Limits hold however the clock is set while the machine runs, but what was sent before its last start is
/// counted by the clock, and so are hours and dates: one that is plainly wrong is not sent by, unless it is
/// trusted.
pub(super) fn look_at_clock(
    context: &Context,
    store: &Store,
    record: Option<&CampaignRecord>,
    trusts: bool,
) -> Result<(), Failure> {
    let now = context.clock.reading();
    let is_ahead = |at: &Timestamp| at.duration_since(now.wall) > BEHIND;
    let planned = record.map(|record| record.planned_at).filter(is_ahead);
    let sent = store.latest_known(&now)?.filter(is_ahead);
    let what = match (planned, sent) {
        (None, None) => return Ok(()),
        _ if trusts => return Ok(store.believe(record.map(|record| record.id), &now)?),
        (Some(at), _) => format!("the campaign was planned at {at:.0}"),
        (None, Some(at)) => format!("mail was sent until {at:.0}"),
    };
    Err(Failure::new(
        Exit::NotFinished,
        format!(
            "this machine's clock says {:.0}, but {what}: one of them is wrong, and sending goes by the clock",
            now.wall
        ),
        "set the clock; if it is right now and was wrong then, run it again with `--trust-clock`: what was \
         sent under the wrong clock then counts against the limits as if it had been sent now",
    )
    .named("clock-behind"))
}

/// A campaign that was to begin more than a day ago, and of which nothing was tried yet, begins only if a
/// person says so, or campaign.toml does (`missed_start = "go"`).
pub(super) fn may_begin_late(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
    args: &Send,
) -> Result<bool, Failure> {
    let schedule = &record.schedule;
    let Some(first) = schedule.not_before else {
        return Ok(true);
    };
    // The first moment from then on at which the hours let anything go.
    let (first, _) = calendar_of(record).next_open(first);
    let late = context.clock.now().duration_since(first);
    if late <= LATE || schedule.starts_late || args.late || store.was_tried(record.id)? {
        return Ok(true);
    }
    let zone = zone_of(record);
    let what = format!(
        "'{}' was to begin {}, {} ago, and nothing of it was sent",
        record.name,
        words::time(first, &zone),
        words::span(late)
    );
    if context.screen.can_ask() {
        return context
            .screen
            .confirm(&format!("{what}. Is it still to go out?"), false);
    }
    Err(Failure::new(
        Exit::NotFinished,
        what,
        "look whether it is still to go out, then run `postroom send --late`; missed_start = \"go\" under [delivery], \
         set before planning, lets it begin by itself",
    )
    .named("start-missed"))
}

/// An end as people type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// A moment.
    At(Timestamp),
    /// The next time that the machine's clock shows this.
    TimeOfDay(Time),
}

impl Until {
    /// Reads `18:00`, `2026-12-01T18:00` (by this machine's clock) or `2026-12-01T18:00:00+01:00`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        if let Ok(wall) = text.parse::<DateTime>()
            && text.contains(':')
        {
            let at = TimeZone::system().to_timestamp(wall);
            return at.map(Self::At).map_err(|cause| cause.to_string());
        }
        let time = text.parse::<Time>().ok().filter(|_| text.contains(':'));
        time.map(Self::TimeOfDay).ok_or_else(|| {
            "write a time such as 18:00, 2026-12-01T18:00 or 2026-12-01T18:00:00+01:00".to_owned()
        })
    }

    /// The moment, seen from `now`.
    pub(super) fn next(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::TimeOfDay(time) => {
                let zone = TimeZone::system();
                let today = zone.to_datetime(now).date();
                let tomorrow = today.tomorrow().unwrap_or(today);
                let moments =
                    [today, tomorrow].map(|date| zone.to_timestamp(date.to_datetime(time)).ok());
                let next = moments.into_iter().flatten().find(|at| *at > now);
                next.unwrap_or(Timestamp::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_moment_or_a_time_of_day() {
        let moment = "2026-12-01T18:00:00+01:00";
        let at: Timestamp = moment.parse().unwrap();
        assert_eq!(Until::parse(moment), Ok(Until::At(at)));
        assert!(matches!(Until::parse("2026-12-01 18:00"), Ok(Until::At(_))));
        let evening = Until::parse("18:00").unwrap();
        let next = evening.next(at);
        assert!(next > at && next.duration_since(at) <= SignedDuration::from_hours(25));
        for bad in ["", "18", "tomorrow", "2026-12-01", "25:00", "6pm"] {
            assert!(Until::parse(bad).is_err(), "{bad}");
        }
    }
}
