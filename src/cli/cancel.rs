//! `postroom cancel`: drops recipients who are still to get something.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Folder;
use super::changing::{Care, Change, carry_out};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;
use super::setup::Planned;
use super::whom::{FEW, few, otherwise, person};
use super::{Context, words};
use crate::message::Definition;
use crate::recipients::{Filter, RowFilter, Verdict};
use crate::store::StillToGo;

#[derive(Debug, Args)]
#[command(
    after_help = "What is in a sender's hands at this moment still goes; what was sent cannot be called back. A \
    cancelled recipient stays cancelled. To stop for a while instead, use `postroom halt`.\n\n\
    --where has the language of `where` in campaign.toml and looks at the list as it was planned.\n\n\
    Examples:\n  \
    postroom cancel my-news --dry-run\n  \
    postroom cancel my-news --to anna.kowalska@example.com --yes\n  \
    postroom cancel my-news --where \"last_name == 'Müller'\" --yes"
)]
pub(super) struct Cancel {
    #[command(flatten)]
    campaign: Folder,
    /// Only the recipient with this address
    #[arg(long, value_name = "ADDR", conflicts_with = "condition")]
    to: Option<String>,
    /// Only the recipients whose row this is true of, such as "office == 'Berlin'"
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    #[command(flatten)]
    care: Care,
}

/// Who is to be dropped.
#[derive(Default)]
struct Choice {
    /// All who are still to get something.
    is_all: bool,
    rows: Vec<u64>,
    /// The first few of them.
    named: Vec<String>,
    in_hand: u64,
    /// Rows whose cells cannot be compared as the condition asks; the first one.
    unclear: Option<(u64, u64)>,
}

pub(super) fn run(context: &Context, args: &Cancel) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let choice = choose(&planned, args)?;
    carry_out(context, planned, &args.care, &choice)
}

fn choose(planned: &Planned, args: &Cancel) -> Result<Choice, Failure> {
    let wanted = match &args.to {
        Some(address) => Some(person(planned, address)?),
        None => None,
    };
    let condition = match &args.condition {
        Some(text) => Some(Condition::of(planned, text)?),
        None => None,
    };
    let mut choice = Choice {
        is_all: wanted.is_none() && condition.is_none(),
        ..Choice::default()
    };
    planned.store.still_to_go(planned.record.id, |one| {
        let is_meant = match (&wanted, &condition) {
            (Some((key, _)), _) => one.key == *key,
            (None, Some(condition)) => condition.holds(&one, &mut choice.unclear),
            (None, None) => true,
        };
        match (is_meant, one.in_hand) {
            (false, _) => {}
            (true, true) => choice.in_hand += 1,
            (true, false) => {
                choice.rows.push(one.row);
                if choice.named.len() < FEW {
                    choice.named.push(one.address);
                }
            }
        }
    })?;
    match wanted {
        Some((_, person)) if choice.rows.is_empty() && choice.in_hand == 0 => Err(Failure::new(
            Exit::Usage,
            otherwise(&person, "is to get nothing more"),
            "only who is pending or deferred can be dropped; nothing was changed",
        )),
        _ => Ok(choice),
    }
}

/// What `--where` asks of a row as it was planned.
struct Condition {
    filter: RowFilter,
    definition: Definition,
}

impl Condition {
    fn of(planned: &Planned, text: &str) -> Result<Self, Failure> {
        let definition: Definition =
            serde_json::from_str(&planned.record.definition).map_err(Failure::own)?;
        let filter = Filter::parse(text).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("--where: {error}"),
                format!("{}; nothing was changed", error.remedy),
            )
        })?;
        let filter = filter.for_columns(&definition.columns).map_err(|unknown| {
            let names: Vec<String> = unknown
                .iter()
                .map(|one| format!("'{}'", one.name))
                .collect();
            let nearest = unknown.iter().find_map(|one| one.nearest.as_ref());
            Failure::new(
                Exit::Usage,
                format!(
                    "--where: the planned list has no column {}",
                    names.join(", ")
                ),
                match nearest {
                    Some(known) => format!("did you mean '{known}'? Nothing was changed"),
                    None => format!(
                        "its columns are: {}; nothing was changed",
                        definition.columns.names().join(", ")
                    ),
                },
            )
        })?;
        Ok(Self { filter, definition })
    }

    /// Whether it is true of the recipient, or of one of their rows.
    fn holds(&self, one: &StillToGo, unclear: &mut Option<(u64, u64)>) -> bool {
        let rows = self.definition.rows_of(&one.cells).unwrap_or_default();
        let mut is_unclear = false;
        let holds = rows.iter().any(|cells| match self.filter.judge(cells) {
            Verdict::Taken => true,
            Verdict::LeftOut => false,
            Verdict::Unclear { .. } => {
                is_unclear = true;
                false
            }
        });
        if is_unclear && !holds {
            let (_, rows) = unclear.get_or_insert((one.row, 0));
            *rows += 1;
        }
        holds
    }
}

impl Change for Choice {
    fn say(&self, screen: &Screen) {
        let count = self.count();
        if count > 0 && !screen.is_json() {
            screen.note(&format!(
                "{}: {}",
                words::count(count, "recipient", "recipients"),
                few(&self.named, count)
            ));
        }
        if let Some((row, rows)) = self.unclear {
            let others = match rows {
                1 => String::new(),
                more => format!(" (and {} more)", words::number(more - 1)),
            };
            screen.note(&format!(
                "row {row}{others} cannot be compared as --where asks: nobody of it is dropped"
            ));
        }
        if self.in_hand > 0 {
            screen.note(&format!(
                "the message of {} is in a sender's hands at this moment and goes",
                words::count(self.in_hand, "recipient", "recipients")
            ));
        }
    }

    fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    fn question(&self, people: &str, campaign: &str) -> String {
        format!("Drop {people} of '{campaign}'? They will not get it, and this cannot be undone.")
    }

    fn make(&self, planned: &mut Planned, (by, now): (&str, Timestamp)) -> Result<u64, Failure> {
        let rows = (!self.is_all).then_some(self.rows.as_slice());
        Ok(planned.store.cancel(planned.record.id, rows, by, now)?)
    }

    fn nobody(&self) -> &'static str {
        "nobody is dropped: nothing that is meant is pending or deferred"
    }

    fn participle(&self) -> &'static str {
        "dropped"
    }

    fn made(&self, _: &Planned, changed: u64) -> String {
        let missed = match self.count().saturating_sub(changed) {
            0 => String::new(),
            gone => format!(
                "; a sender was quicker with {}",
                words::count(gone, "other", "others")
            ),
        };
        let dropped = words::count(changed, "recipient is", "recipients are");
        format!("{dropped} dropped{missed}")
    }

    fn json(&self, changed: u64) -> Value {
        json!({ "rows": self.rows, "cancelled": changed, "in_hand": self.in_hand })
    }
}
