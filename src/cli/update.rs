//! `postroom plan --update`: takes an edited list or template into a campaign, also while it is being sent.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::args::Plan;
use super::bar::Bar;
use super::check::{note_warnings, refuse};
use super::exit::Exit;
use super::failure::Failure;
use super::plan::{json_of, note_other_folder, show};
use super::screen::{Paint, Screen};
use super::setup::{self, Setup, accounts_words, zone_of};
use super::who::who;
use super::{Context, words};
use crate::plan::{self, Update, Updating};
use crate::store::{CampaignRecord, Difference, Group, Store};

/// How wide headings are.
const HEADING: usize = 12;

pub(super) fn run(context: &Context, args: &Plan) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let (mut store, _) = setup::store_to_look_at(&context.places)?;
    let record = planned(context, &setup, &mut store)?;
    let errand = Errand {
        context,
        args,
        setup: &setup,
        before: finishes_at(context, &setup, &store, &record)?,
        zone: zone_of(&record),
    };
    let bar = Bar::reading(&context.screen);
    let now = context.clock.reading();
    let updating = plan::update(&setup.inputs, &mut store, &record, now, &mut |progress| {
        bar.read(progress);
    });
    bar.clear();
    match updating? {
        Updating::Defective(checked) => refuse(&context.screen, &checked),
        Updating::Unchanged(_) => errand.unchanged(&store, &record),
        Updating::Ready(update, checked) => {
            note_warnings(&context.screen, &checked);
            errand.take_in(&store, &record, *update)
        }
    }
}

/// The plan that is to be updated. What a sender that is gone left in hand is put right; one at work goes on.
fn planned(context: &Context, setup: &Setup, store: &mut Store) -> Result<CampaignRecord, Failure> {
    let name = &setup.campaign.name;
    let find = |store: &Store| {
        let record = store.campaign(name)?;
        record.ok_or_else(|| setup::not_planned(store, &setup.campaign))
    };
    let mut record = find(store)?;
    if store.has_in_hand(record.id)?
        && let Ok(_lock) = store.lock_for_a_moment(name, context.clock.now())
    {
        store.recover(record.id, &context.clock)?;
        record = find(store)?;
    }
    note_other_folder(&context.screen, &record, &setup.campaign.folder);
    if record.accounts == setup.campaign.accounts {
        return Ok(record);
    }
    Err(Failure::new(
        Exit::Usage,
        format!(
            "the plan is for the {}, and campaign.toml now names the {}: an update cannot change who sends a campaign",
            accounts_words(&record.accounts),
            accounts_words(&setup.campaign.accounts)
        ),
        "name the account of the plan again, or begin a new campaign under another name (while nothing is sent, \
         `postroom plan --discard`, then `postroom plan`, changes the account)",
    ))
}

fn finishes_at(
    context: &Context,
    setup: &Setup,
    store: &Store,
    record: &CampaignRecord,
) -> Result<Option<Timestamp>, Failure> {
    let now = context.clock.reading();
    let outlook = setup::outlook(store, record, &setup.senders, now)?;
    let forecast = outlook.forecast(store, record.id)?;
    Ok(forecast.map(|forecast| forecast.finishes_at))
}

struct Errand<'a> {
    context: &'a Context,
    args: &'a Plan,
    setup: &'a Setup,
    /// When what is left would be finished without the update.
    before: Option<Timestamp>,
    zone: TimeZone,
}

impl Errand<'_> {
    fn screen(&self) -> &Screen {
        &self.context.screen
    }

    fn unchanged(&self, store: &Store, record: &CampaignRecord) -> Result<Exit, Failure> {
        if self.screen().is_json() {
            let update = json!({ "difference": Value::Null, "dry_run": self.args.dry_run });
            self.json(store, record, false, &update)?;
        } else {
            self.screen().result(&format!(
                "'{}' is planned from what is in the folder: there is nothing to take in, and nothing was changed",
                record.name
            ))?;
        }
        Ok(Exit::Done)
    }

    fn take_in(
        &self,
        store: &Store,
        record: &CampaignRecord,
        update: Update,
    ) -> Result<Exit, Failure> {
        let screen = self.screen();
        if !screen.is_json() {
            self.show(record, &update)?;
        }
        let finishes_at = update.finishes_at;
        if self.args.dry_run {
            if screen.is_json() {
                let update = self.update_json(&update.difference, finishes_at);
                self.json(store, record, false, &update)?;
            }
            screen.note("nothing was changed: this was a dry run");
            return Ok(Exit::Done);
        }
        let question = format!(
            "Take the edited '{}' in ({})?",
            record.name,
            in_words(&update.difference)
        );
        if !screen.confirm(&question, self.args.yes)? {
            screen.note("nothing was changed");
            return Ok(Exit::Done);
        }
        let taken = update.take_in(self.context.clock.now(), &who(), in_words)?;
        let record = store
            .campaign(&record.name)?
            .ok_or_else(|| Failure::own("the plan is gone"))?;
        if screen.is_json() {
            let update = self.update_json(&taken, finishes_at);
            self.json(store, &record, true, &update)?;
            return Ok(Exit::Done);
        }
        let done = format!(
            "'{}' is updated, and goes on as edition {}: {}",
            record.name,
            record.edition,
            in_words(&taken)
        );
        screen.field("", 0, &done)?;
        screen.result("")?;
        let now = self.context.clock.reading();
        show(screen, store, &record, &self.setup.senders, now)?;
        Ok(Exit::Done)
    }

    fn show(&self, record: &CampaignRecord, update: &Update) -> Result<(), Failure> {
        let screen = self.screen();
        let title = format!("The edited '{}' against its plan", record.name);
        screen.result(&screen.painted(Paint::Bold, &title))?;
        screen.result("")?;
        let Difference {
            newcomers,
            leavers,
            changed,
            suppressed,
            files,
            ..
        } = &update.difference;
        self.group("new", newcomers, ["is added", "are added"])?;
        let left_out = [
            "more is new, but on the suppression list, and left out",
            "more are new, but on the suppression list, and left out",
        ];
        self.group("", suppressed, left_out)?;
        let cancelled = [
            "was not sent to yet, and is cancelled",
            "were not sent to yet, and are cancelled",
        ];
        self.group("gone", leavers, cancelled)?;
        let another = [
            "gets another mail than was planned",
            "get another mail than was planned",
        ];
        self.group("changed", changed, another)?;
        self.others(&update.difference)?;
        if files.count > 0 {
            let text = format!("{} changed", named(files));
            screen.field("files", HEADING, &text)?;
        }
        if update.difference.is_none() {
            let text = "nobody gets another mail than was planned";
            screen.field("mails", HEADING, text)?;
        }
        screen.field("finishes", HEADING, &self.ends(update.finishes_at))?;
        screen.result("")
    }

    /// Those for whom nothing changes.
    fn others(&self, difference: &Difference) -> Result<(), Failure> {
        let lines = [
            (
                "unchanged",
                difference.unchanged.count,
                "gets the mail as it was planned",
                "get the mail as it was planned",
            ),
            (
                "sent",
                difference.sent,
                "has the mail, and gets no other",
                "have the mail, and get no other",
            ),
            (
                "in hand",
                difference.in_hand,
                "is being sent to now, and left as it is",
                "are being sent to now, and left as they are",
            ),
            (
                "settled",
                difference.settled,
                "was refused, is in doubt or cancelled, and left so",
                "were refused, are in doubt or cancelled, and left so",
            ),
        ];
        for (heading, count, one, many) in lines {
            if count > 0 {
                let text = words::count(count, one, many);
                self.screen().field(heading, HEADING, &text)?;
            }
        }
        Ok(())
    }

    fn group(&self, heading: &str, group: &Group, what: [&str; 2]) -> Result<(), Failure> {
        if group.count == 0 {
            return Ok(());
        }
        let [one, many] = what;
        let text = format!("{}: {}", words::count(group.count, one, many), named(group));
        self.screen().field(heading, HEADING, &text)
    }

    fn ends(&self, after: Option<Timestamp>) -> String {
        let time = |at: Timestamp| words::time(at, &self.zone);
        let after_words = after.map_or_else(|| "nothing is left to send".to_owned(), time);
        match self.before {
            Some(before) if after.is_some_and(|after| time(after) == time(before)) => {
                format!("{after_words}, as before")
            }
            Some(before) => format!("{after_words}; without the update {}", time(before)),
            None => format!("{after_words}; without the update nothing would be left to send"),
        }
    }

    fn update_json(&self, difference: &Difference, finishes_at: Option<Timestamp>) -> Value {
        let group = |group: &Group| json!({ "count": group.count, "first": group.first });
        json!({
            "dry_run": self.args.dry_run,
            "difference": {
                "newcomers": group(&difference.newcomers),
                "newcomers_suppressed": group(&difference.suppressed),
                "leavers": group(&difference.leavers),
                "changed": group(&difference.changed),
                "unchanged": difference.unchanged.count,
                "in_hand": difference.in_hand,
                "sent": difference.sent,
                "settled": difference.settled,
                "files": group(&difference.files),
            },
            "finishes_at": finishes_at,
            "finishes_at_before": self.before,
        })
    }

    /// The plan as it is now, and what became of the update.
    fn json(
        &self,
        store: &Store,
        record: &CampaignRecord,
        updated: bool,
        update: &Value,
    ) -> Result<(), Failure> {
        let now = self.context.clock.reading();
        let mut value = json_of(store, record, &self.setup.senders, now)?;
        value["edition"] = record.edition.into();
        value["updated"] = updated.into();
        value["update"] = update.clone();
        self.screen().json(&value)
    }
}

/// `a@contoso.com, b@contoso.com, c@contoso.com and 9 more`.
fn named(group: &Group) -> String {
    let names = group.first.join(", ");
    match group.count - group.first.len() as u64 {
        0 => names,
        more => format!("{names} and {} more", words::number(more)),
    }
}

/// `12 new, 3 no longer listed, 40 with another mail, 388 unchanged`.
fn in_words(difference: &Difference) -> String {
    let Difference {
        newcomers,
        leavers,
        changed,
        unchanged,
        ..
    } = difference;
    let parts = [
        (newcomers.count, "new"),
        (leavers.count, "no longer listed"),
        (changed.count, "with another mail"),
        (unchanged.count, "unchanged"),
        (difference.sent, "sent before"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{} {what}", words::number(count)))
        .collect();
    if parts.is_empty() {
        return "nobody is left to send to".to_owned();
    }
    parts.join(", ")
}
