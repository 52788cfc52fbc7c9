//! A folder with every mail as a file, and a page that lists them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use handlebars::html_escape;

use super::{Error, Mail, Previewer};
use crate::plan::Case;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The page that lists the mails.
    pub index: PathBuf,
    /// How many mails.
    pub mails: u64,
}

/// What the files are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The very bytes that would go out.
    Mails,
    /// With `X-Unsent: 1` before everything else: Outlook for Windows opens such a file as a draft that can be
    /// changed and sent by hand.
    Drafts,
}

/// What a draft begins with.
const UNSENT: &[u8] = b"X-Unsent: 1\r\n";

/// So many recipients of a shared message are named on the page; the rest are counted.
const NAMED: usize = 6;

/// The look that every page of the program has: colours, light and dark, and letters. In CSS.
pub const BASE_STYLE: &str = include_str!("page/assets/base.css");
const STYLE: &str = include_str!("page/assets/index.css");

/// Writes every mail (or the one with this number) as `.eml`, and `index.html`, into a folder that is
/// empty or not there yet. On the page the cases come first.
pub fn export(
    previewer: &Previewer,
    only: Option<u64>,
    cases: &[Case],
    kind: Kind,
    folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, Error> {
    prepare(folder)?;
    let total = previewer.count()?;
    let width = total.to_string().len().max(4);
    let file = |number: u64| format!("{number:0width$}.eml");
    let path = folder.join("index.html");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    let mut index = BufWriter::new(create(&path).map_err(failed(&path))?);
    let count = only.map_or(total, |_| 1);
    let worth = if only.is_none() {
        worth_a_look(previewer, cases, file)?
    } else {
        String::new()
    };
    let head = head(previewer, count, kind) + &worth + TABLE;
    index.write_all(head.as_bytes()).map_err(failed(&path))?;
    let mut mails = 0;
    for number in only.map_or(1..=total, |number| number..=number) {
        let Some(mail) = previewer.mail(number)? else {
            continue;
        };
        let name = file(number);
        let written = folder.join(&name);
        write_mail(&written, &mail, kind).map_err(failed(&written))?;
        index
            .write_all(row(&mail, &name).as_bytes())
            .map_err(failed(&path))?;
        mails += 1;
        progress(mails, total);
    }
    index
        .write_all(END.as_bytes())
        .and_then(|()| index.flush())
        .map_err(failed(&path))?;
    Ok(Exported { index: path, mails })
}

/// A new file for its owner alone, also in a folder that was there before: mails are for their recipients.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_mail(path: &Path, mail: &Mail, kind: Kind) -> std::io::Result<()> {
    let mut file = create(path)?;
    if kind == Kind::Drafts {
        file.write_all(UNSENT)?;
    }
    file.write_all(&mail.content)
}

fn prepare(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: folder.to_owned(),
        source,
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(failed)?;
    match fs::read_dir(folder).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(Error::NotEmpty(folder.to_owned())),
    }
}

const TABLE: &str = "<table>\n<thead><tr><th scope=\"col\">No.</th><th scope=\"col\">Subject</th>\
    <th scope=\"col\">To, as it is shown</th><th scope=\"col\">Goes to</th><th scope=\"col\">Attached</th></tr></thead>\n<tbody>\n";

const END: &str = "</tbody>\n</table>\n</main>\n</body>\n</html>\n";

fn head(previewer: &Previewer, mails: u64, kind: Kind) -> String {
    let name = html_escape(&previewer.record().name);
    let many = if mails == 1 { "mail" } else { "mails" };
    let mut notes = String::new();
    if previewer.has_placeholders() {
        notes.push_str(
            "<p>The campaign is not planned yet: each Message-ID is a placeholder, everything else is as it would go \
             out.</p>\n",
        );
    }
    if kind == Kind::Drafts {
        notes.push_str(
            "<p>These are drafts: each begins with <code>X-Unsent: 1</code>, which is not part of the mail, so that \
             Outlook opens it for editing.</p>\n",
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Preview of {name}</title>\n\
         <style>\n{BASE_STYLE}{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"eyebrow\">Preview</p>\n<h1>{name}</h1>\n<p>{mails} {many}. Each opens in a mail program.</p>\n{notes}"
    )
}

/// The mails of the rows that between them show every case.
fn worth_a_look(
    previewer: &Previewer,
    cases: &[Case],
    file: impl Fn(u64) -> String,
) -> Result<String, Error> {
    let mut items = String::new();
    for case in cases {
        let Some(number) = previewer.number_of_row(case.row)? else {
            continue;
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            items,
            "<li><a href=\"{}\">Row {}</a> <span class=\"more\">{}</span></li>",
            file(number),
            case.row,
            html_escape(&case.shows.join("; "))
        );
    }
    if items.is_empty() {
        return Ok(items);
    }
    Ok(format!(
        "<h2>Worth a look</h2>\n<ul class=\"cases\">\n{items}</ul>\n<h2>All mails</h2>\n"
    ))
}

fn row(mail: &Mail, file: &str) -> String {
    let named = mail.recipients.iter().take(NAMED);
    let named: Vec<String> = named.map(|address| html_escape(address)).collect();
    let more = match mail.recipients.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" <span class=\"more\">and {more} more</span>"),
    };
    let subject = if mail.subject.trim().is_empty() {
        "(no subject)"
    } else {
        &mail.subject
    };
    format!(
        "<tr><td>{}</td><td><a href=\"{file}\">{}</a></td><td>{}</td><td>{}{more}</td><td>{}</td></tr>\n",
        mail.number,
        html_escape(subject),
        html_escape(&mail.to),
        named.join(", "),
        html_escape(&mail.attachments.join(", ")),
    )
}
