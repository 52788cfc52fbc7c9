//! `postroom preview`: a mail in the terminal, or all of them as files; the page is `page`'s.

use super::args::Preview;
use super::bar::Bar;
use super::check::{note_warnings, refuse, rows_of};
use super::exit::Exit;
use super::failure::Failure;
use super::made::{Access, NewFolder};
use super::screen::{Paint, Screen};
use super::setup::{self, Setup};
use super::whom::shortened;
use super::{Context, page, words};
use crate::plan::{Case, is_edited};
use crate::preview::{Kind, Mail, Previewer, Unplanned, export};

pub(super) fn run(context: &Context, args: &Preview) -> Result<Exit, Failure> {
    let screen = &context.screen;
    let on_terminal = screen.width().is_some() && screen.can_ask();
    let opens = args.serve || args.no_browser || on_terminal && !args.print;
    if opens && args.out.is_none() {
        return page::run(context, args, on_terminal);
    }
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let (store, path) = setup::store_if_any(&context.places)?;
    let record = match &store {
        Some(store) => store.campaign(&setup.campaign.name)?,
        None => None,
    };
    let previewer = if let Some(record) = record {
        if is_edited(&setup.inputs, &record.fingerprint) {
            screen
                .warning("the campaign was edited after it was planned: this is what was planned");
        }
        Previewer::of_plan(&path, record)?
    } else {
        let bar = Bar::reading(screen);
        let made = Previewer::of_folder(&setup.inputs, context.clock.now(), &mut |progress| {
            bar.read(progress);
        });
        bar.clear();
        match made? {
            Unplanned::Defective(checked) => return refuse(screen, &checked),
            Unplanned::Ready(previewer, checked) => {
                note_warnings(screen, &checked);
                *previewer
            }
        }
    };
    let chosen = choose(args, &previewer)?;
    let cases = previewer.cases()?;
    if let Some(folder) = &args.out {
        return write(context, args, &previewer, chosen, &cases, folder);
    }
    let exit = print(context, &previewer, chosen.unwrap_or(1))?;
    if chosen.is_none() && !cases.is_empty() {
        screen.note(&format!("{} every case", rows_of(&cases)));
    }
    Ok(exit)
}

/// The number of the message that was asked for, if one was.
fn choose(args: &Preview, previewer: &Previewer) -> Result<Option<u64>, Failure> {
    let found = match (&args.row, &args.to) {
        (Some(row), _) => (previewer.number_of_row(*row)?, format!("row {row}")),
        (None, Some(address)) => (
            previewer.number_of_address(address)?,
            format!("the address {address}"),
        ),
        (None, None) => return Ok(None),
    };
    match found {
        (Some(number), _) => Ok(Some(number)),
        (None, what) => Err(gets_no_mail(&what)),
    }
}

/// Who was asked for is not in the list, or gets nothing.
pub(super) fn gets_no_mail(what: &str) -> Failure {
    Failure::new(
        Exit::NoInput,
        format!(
            "{what} gets no mail: it is not in the list, only as a duplicate, left out by the filter, or on the suppression list"
        ),
        "rows are counted from 1 after the header; `postroom check` lists the duplicates",
    )
}

fn write(
    context: &Context,
    args: &Preview,
    previewer: &Previewer,
    chosen: Option<u64>,
    cases: &[Case],
    folder: &std::path::Path,
) -> Result<Exit, Failure> {
    let into = NewFolder::begin(folder, Access::Private)?;
    let bar = Bar::writing(&context.screen, chosen.map_or(previewer.count()?, |_| 1));
    let kind = if args.drafts {
        Kind::Drafts
    } else {
        Kind::Mails
    };
    let exported = export(
        previewer,
        chosen,
        cases,
        kind,
        into.path(),
        &mut |done, _| {
            bar.position(done);
        },
    );
    bar.clear();
    let exported = exported?;
    into.finish()?;
    let index = folder.join(exported.index.file_name().unwrap_or_default());
    if context.screen.is_json() {
        let value = serde_json::json!({ "mails": exported.mails, "index": index });
        context.screen.json(&value)?;
    } else {
        let mails = words::count(exported.mails, "mail", "mails");
        context
            .screen
            .result(&format!("wrote {mails}; open {}", index.display()))?;
    }
    Ok(Exit::Done)
}

fn print(context: &Context, previewer: &Previewer, number: u64) -> Result<Exit, Failure> {
    let mail = previewer
        .mail(number)?
        .ok_or_else(|| Failure::own(format!("message {number} is missing")))?;
    if context.screen.is_json() {
        context.screen.json(&mail_json(&mail))?;
        return Ok(Exit::Done);
    }
    let screen = &context.screen;
    print_head(screen, &mail)?;
    screen.result("")?;
    for text in mail.text.lines() {
        screen.result(&clean(text))?;
    }
    let total = previewer.count()?;
    screen.note(&format!(
        "\nmessage {number} of {}; --row N or --to ADDR shows another, --out DIR writes all of them as files",
        words::number(total)
    ));
    if previewer.has_placeholders() {
        screen.note("not planned yet: the Message-ID is a placeholder, everything else is as it would go out");
    }
    Ok(Exit::Done)
}

/// What a person wants to know of a mail before its text.
fn print_head(screen: &Screen, mail: &Mail) -> Result<(), Failure> {
    let line = |name: &str, value: &str| {
        screen.result(&format!("{} {value}", screen.painted(Paint::Dim, name)))
    };
    line("From:      ", &clean(&mail.from))?;
    line("To:        ", &clean(&mail.to))?;
    for copy in &mail.cc {
        line("Cc:        ", &clean(copy))?;
    }
    if let Some(reply_to) = &mail.reply_to {
        line("Reply-To:  ", &clean(reply_to))?;
    }
    line(
        "Subject:   ",
        &screen.painted(Paint::Bold, &clean(&mail.subject)),
    )?;
    line("Message-ID:", &mail.message_id)?;
    for attachment in &mail.attachments {
        line("Attached:  ", &clean(attachment))?;
    }
    if let [only] = mail.recipients.as_slice() {
        line("Goes to:   ", only)?;
    } else {
        let all = words::count(mail.recipients.len() as u64, "recipient", "recipients");
        line(
            "Goes to:   ",
            &format!("{all} as blind copies: {}", shortened(&mail.recipients)),
        )?;
    }
    for copy in &mail.bcc {
        line("Blind copy:", &clean(copy))?;
    }
    let size = words::number(mail.content.len() as u64);
    line("Size:      ", &format!("{size} bytes"))?;
    Ok(())
}

/// A list's cells must not steer the terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn mail_json(mail: &Mail) -> serde_json::Value {
    serde_json::json!({
        "number": mail.number,
        "message_id": mail.message_id,
        "from": mail.from,
        "to": mail.to,
        "cc": mail.cc,
        "bcc": mail.bcc,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "text": mail.text,
        "attachments": mail.attachments,
        "recipients": mail.recipients,
        "bytes": mail.content.len(),
    })
}
