//! One cell tried: a send while it goes wrong, what is left of it, and a send when all is well.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postroom::clock::Clock;
use postroom::sandbox::{Fault, Snapshot};
use serde_json::Value;

use super::cells::{Cell, Fate, Row, Victim};
use super::stage::{BACK_OFF, PEOPLE, Setting, Stage, Way, shares};
use crate::home::Ended;

/// Longer than anything here takes, and shorter than a deadline that is not of the cell's own place.
const SOON: Duration = Duration::from_mins(4);

/// The attempts of a first connection and what comes after a pause are within this.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

pub(super) struct Trial<'a> {
    pub(super) row: &'a Row,
    pub(super) cell: &'a Cell,
    pub(super) way: Way,
}

/// What a person's row of the report says.
#[derive(Debug)]
pub(super) struct Line {
    outcome: String,
    attempts: u64,
    reply: String,
}

impl Trial<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}={}, {:?}", self.row.place, self.cell.act, self.way)
    }

    fn is_shared(&self) -> bool {
        self.way == Way::StartTls
    }

    /// Those whose mail it goes wrong for.
    fn is_victim(&self, person: &str) -> bool {
        match self.row.place {
            "connect" | "banner" | "ehlo" | "starttls" | "auth" => true,
            "rcpt" if self.is_shared() => person == "sue",
            _ if self.is_shared() => shares(person),
            _ => person == "bob",
        }
    }

    /// What the server does wrong; a connection goes wrong elsewhere.
    fn fault(&self) -> Vec<Fault> {
        if self.row.place == "connect" {
            return Vec::new();
        }
        let when = match (self.cell.fate, self.row.place) {
            (Fate::Ends(times) | Fate::Waits(times), _) => format!("1-{times}"),
            (_, "auth") => "1".to_owned(),
            (_, "rcpt") if self.is_shared() => "4".to_owned(),
            _ if self.is_shared() => "3".to_owned(),
            _ => "2".to_owned(),
        };
        let text = format!("{}@{when}={}", self.row.place, self.cell.act);
        vec![text.parse().unwrap()]
    }

    /// The deadline of the place is short only where it is to pass.
    fn deadlines(&self) -> String {
        let is_large = self.cell.victim == Victim::Large;
        let which = if is_large { "data" } else { self.row.deadline };
        let passes =
            ["no answer", "hang", "half", "half-line"].contains(&self.cell.act) || is_large;
        if passes {
            format!("deadlines = {{ {which} = \"3s\" }}")
        } else {
            String::new()
        }
    }

    pub(super) fn run(&self) {
        let clock = Clock::system();
        let stage = Stage::set(&Setting {
            faults: &self.fault(),
            way: self.way,
            account: &self.deadlines(),
            large: (self.cell.victim == Victim::Large).then_some(|person| person == "bob"),
        });
        let raw = (self.row.place == "connect").then(|| stage.use_raw(self.cell.act));
        let watch = clock.stopwatch();
        let ended = stage.send(&["--no-wait"]);
        assert!(watch.elapsed() < SOON, "{ended:?}");
        self.judge_end(&ended);
        self.judge_report(&stage);
        self.judge_status(&stage, clock.now());
        self.judge_server(&stage.seen(), false);
        if matches!(self.cell.fate, Fate::Waits(_)) {
            // The pause is the mailbox's: another one need not sit it out.
            stage.use_mailbox("news@contoso.com");
        }
        if let Some(raw) = &raw {
            stage.use_server(raw);
        }
        let ended = stage.send(&[]);
        self.judge_second(&ended, &stage);
    }

    fn judge_end(&self, ended: &Ended) {
        assert_eq!(ended.code, self.cell.fate.exit(), "{ended:?}");
        assert!(ended.err.contains(self.cell.says), "{ended:?}");
        let name = match self.cell.fate {
            Fate::Ends(_) => "error[unreachable]",
            Fate::Waits(_) | Fate::Later => "error[not-finished]",
            Fate::Stops => "error[sign-in]",
            Fate::InDoubt(_) => "postroom resolve",
            Fate::Anew | Fate::Refused | Fate::Parted => {
                assert!(!ended.err.contains("error["), "{ended:?}");
                return;
            }
        };
        assert!(ended.err.contains(name), "{ended:?}");
        if ended.err.contains("error[") {
            assert!(ended.err.contains("  → "), "{ended:?}");
        }
    }

    /// State, attempts and words of everybody.
    fn judge_report(&self, stage: &Stage) {
        for (person, line) in stage.report() {
            let (outcome, attempts) = match self.cell.fate {
                Fate::Ends(_) | Fate::Waits(_) => ("pending", 0),
                Fate::Stops if self.row.place == "auth" => ("pending", 0),
                _ if !self.is_victim(&person) => {
                    self.judge_neighbour(&person, &line);
                    continue;
                }
                // What the server has seen of it, it may have begun to deliver.
                Fate::Stops if self.row.place == "dot" => ("deferred", 1),
                Fate::Stops => ("pending", 1),
                Fate::Anew | Fate::Parted => ("sent", 2),
                Fate::Later => ("deferred", 1),
                Fate::Refused => ("refused", 1),
                Fate::InDoubt(_) => ("in_doubt", 1),
            };
            assert_eq!(
                (line.outcome.as_str(), line.attempts),
                (outcome, attempts),
                "{person}: {line:?}"
            );
            if matches!(
                self.cell.fate,
                Fate::Later | Fate::Refused | Fate::InDoubt(_)
            ) {
                assert!(line.reply.contains(self.cell.says), "{person}: {line:?}");
            }
        }
    }

    /// Whoever stands beside it has the mail; but nobody after an account's trouble.
    fn judge_neighbour(&self, person: &str, line: &Line) {
        let place = |who: &str| PEOPLE.iter().position(|other| *other == who);
        let victim = PEOPLE.iter().position(|other| self.is_victim(other));
        let is_stopped = self.cell.fate == Fate::Stops && place(person) > victim;
        let expected = if is_stopped { "pending" } else { "sent" };
        assert_eq!(line.outcome, expected, "{person}: {line:?}");
    }

    fn judge_status(&self, stage: &Stage, now: Timestamp) {
        let status = stage.home.status();
        let (named, within) = match self.cell.fate {
            Fate::Ends(_) | Fate::Stops => ("stopped", None),
            Fate::Waits(_) => ("waiting", Some(PAUSE)),
            Fate::Later => ("waiting", Some(BACK_OFF)),
            _ => ("finished", None),
        };
        assert_eq!(status["state"], named, "{status}");
        let Some(within) = within else {
            assert_eq!(status["next_send_at"], Value::Null, "{status}");
            return;
        };
        let next: Timestamp = status["next_send_at"].as_str().unwrap().parse().unwrap();
        assert!(
            next <= now.saturating_add(within).unwrap(),
            "{next} at {now}"
        );
    }

    /// Everybody at most once, and who has it by the server's own books.
    fn judge_server(&self, seen: &Snapshot, is_over: bool) {
        let reached: Vec<&str> = seen
            .records
            .iter()
            .flat_map(|record| &record.recipients)
            .filter_map(|address| address.split('@').next())
            .collect();
        for person in PEOPLE {
            let copies = reached.iter().filter(|other| **other == person).count();
            let is_victim = self.is_victim(person);
            let expected = match self.cell.fate {
                Fate::Refused if is_victim => 0,
                Fate::InDoubt(taken) if is_victim => usize::from(taken),
                _ if is_over => 1,
                Fate::Later if is_victim => 0,
                Fate::Ends(_) | Fate::Waits(_) => 0,
                Fate::Stops => copies.min(usize::from(!is_victim)),
                _ => 1,
            };
            assert_eq!(copies, expected, "{person}: {reached:?}");
        }
        if !is_over && self.row.place != "connect" {
            let times = match self.cell.fate {
                Fate::Ends(times) | Fate::Waits(times) => {
                    assert_eq!(seen.connections, times);
                    times
                }
                _ => 1,
            };
            assert_eq!(seen.faults, [times]);
        }
    }

    fn judge_second(&self, ended: &Ended, stage: &Stage) {
        let (exit, stays) = match self.cell.fate {
            Fate::Refused => (1, Some("refused")),
            Fate::InDoubt(_) => (1, Some("in_doubt")),
            _ => (0, None),
        };
        assert_eq!(ended.code, exit, "{ended:?}");
        for (person, line) in stage.report() {
            let expected = stays.filter(|_| self.is_victim(&person)).unwrap_or("sent");
            assert_eq!(line.outcome, expected, "{person}: {line:?}");
        }
        self.judge_server(&stage.seen(), true);
    }
}

impl Stage {
    /// Everybody's row of the report.
    pub(super) fn report(&self) -> Vec<(String, Line)> {
        let args = ["report", "news", "--format", "csv"];
        let report = self.home.run(&args).exits(0).out;
        let mut reader = csv::Reader::from_reader(report.as_bytes());
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            let (person, _) = row[1].split_once('@').unwrap();
            let line = Line {
                outcome: row[2].to_owned(),
                attempts: row[7].parse().unwrap(),
                reply: row[8].to_owned(),
            };
            (person.to_owned(), line)
        });
        rows.collect()
    }
}
