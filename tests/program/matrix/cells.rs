//! What is expected of a send, for each place in the dialogue and whatever goes wrong there.

/// What becomes of the message that it goes wrong for, in the first run with --no-wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// No session: so many attempts, and the send ends; nothing was offered.
    Ends(u64),
    /// No session, and the server asks for patience after so many attempts: the mailbox pauses.
    Waits(u64),
    /// The account's own trouble: the send ends, nobody is refused for it.
    Stops,
    /// It goes on a new connection in the same run.
    Anew,
    /// It is put off for its back-off.
    Later,
    Refused,
    /// The server may have it. True where it has.
    InDoubt(bool),
    /// It goes again in the same run, in parts: one recipient may be what the server refuses.
    Parted,
}

impl Fate {
    /// As the README's table has it, with the exit code.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ends(_) => "ends, 69",
            Self::Waits(_) => "waits, 75",
            Self::Stops => "ends, 77",
            Self::Anew | Self::Parted => "at once, 0",
            Self::Later => "later, 75",
            Self::Refused => "refused, 1",
            Self::InDoubt(_) => "in doubt, 1",
        }
    }

    pub(super) fn exit(self) -> i32 {
        let (_, code) = self.words().split_once(", ").unwrap();
        code.parse().unwrap()
    }
}

/// Who is to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    /// Without TLS the second message, which is one person's; with it the third, which four share.
    Both,
    Personal,
    Shared,
    /// One person's, and too large to be on its way as a whole.
    Large,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// What goes wrong, as `postroom sandbox --fault` has it.
    pub(super) act: &'static str,
    pub(super) fate: Fate,
    /// Said on standard error; empty where nothing is worth a word.
    pub(super) says: &'static str,
    pub(super) victim: Victim,
    /// What the README says beside the column's own fate.
    pub(super) note: Option<&'static str>,
}

impl Cell {
    pub(super) const fn to(self, victim: Victim) -> Self {
        Self { victim, ..self }
    }

    pub(super) const fn noted(self, note: &'static str) -> Self {
        Self {
            note: Some(note),
            ..self
        }
    }
}

/// A cell that both kinds of message see.
pub(super) const fn cell(act: &'static str, fate: Fate, says: &'static str) -> Cell {
    Cell {
        act,
        fate,
        says,
        victim: Victim::Both,
        note: None,
    }
}

/// A place in the dialogue: the columns of the README's table, each with its own cell first and further ones of
/// the same kind after it.
pub(super) struct Row {
    /// As `postroom sandbox --fault` has it.
    pub(super) place: &'static str,
    /// As the README's table has it.
    pub(super) title: &'static str,
    /// The deadline that holds there.
    pub(super) deadline: &'static str,
    pub(super) columns: [&'static [Cell]; 7],
}

/// The README's columns.
pub(super) const COLUMNS: [&str; 7] = [
    "hangs up",
    "says nothing",
    "4xx",
    "5xx",
    "nonsense",
    "an endless reply",
    "half a reply",
];
