//! What was done to the sender, counted.

use std::fmt;

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection broke.
    Cut,
    /// A line fell silent.
    Silence,
    /// Nobody was there to connect to.
    Unreachable,
    /// The server's own doing: a refusal, a deferral, a drop, a hang.
    Server,
    /// A write to the disk failed.
    Disk,
    /// The calendar was set.
    Calendar,
    /// The machine was started again.
    Boot,
    /// The sender was killed, and the disk kept everything.
    Kill,
    /// The sender died in a commit that did not reach the disk, or not whole.
    Torn,
    /// Somebody did something at another terminal.
    Errand,
}

const NAMES: [(Kind, &str); 10] = [
    (Kind::Cut, "connections cut"),
    (Kind::Silence, "lines fallen silent"),
    (Kind::Unreachable, "connections not to be had"),
    (
        Kind::Server,
        "servers' refusals, deferrals, drops and hangs",
    ),
    (Kind::Disk, "writes failed"),
    (Kind::Calendar, "clocks set"),
    (Kind::Boot, "machines started again"),
    (Kind::Kill, "kills survived"),
    (Kind::Torn, "kills in a commit survived"),
    (Kind::Errand, "deeds at another terminal"),
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) schedules: u64,
    pub(crate) lives: u64,
    pub(crate) messages: u64,
    pub(crate) in_doubt: u64,
    pub(crate) commits: u64,
    pub(crate) simulated_seconds: u64,
    counts: [u64; NAMES.len()],
}

impl Tally {
    pub(crate) fn add(&mut self, kind: Kind, times: u64) {
        self.counts[kind as usize] += times;
    }

    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// Nothing was done to anybody.
    pub(crate) fn is_calm(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.lives += other.lives;
        self.messages += other.messages;
        self.in_doubt += other.in_doubt;
        self.commits += other.commits;
        self.simulated_seconds += other.simulated_seconds;
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    /// The kinds that never happened.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let never = NAMES.iter().filter(|(kind, _)| self.of(*kind) == 0);
        never.map(|(_, name)| *name).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.simulated_seconds / 3600;
        writeln!(
            f,
            "{} schedules, {} lives of senders, {hours} simulated hours, {} commits",
            self.schedules, self.lives, self.commits
        )?;
        writeln!(
            f,
            "{} messages taken, {} left in doubt",
            self.messages, self.in_doubt
        )?;
        for (kind, name) in NAMES {
            writeln!(f, "{:>9} {name}", self.of(kind))?;
        }
        Ok(())
    }
}
