//! A folder with every mail as a file, and a page that lists them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use handlebars::html_escape;

use super::{Error, Mail, Previewer};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The page that lists the mails.
    pub index: PathBuf,
    /// How many mails.
    pub mails: u64,
}

/// So many recipients of a shared message are named on the page; the rest are counted.
const NAMED: usize = 20;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Preview</title>\n<style>\n\
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }\n\
table { border-collapse: collapse; width: 100%; }\n\
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid #d8dee4; overflow-wrap: anywhere; }\n\
th { border-bottom-width: 2px; }\ntd:first-child, th:first-child { text-align: right; white-space: nowrap; }\n\
a { color: #0550ae; }\n.more { color: #57606a; }\n</style>\n</head>\n<body>\n";

/// Writes every mail (or the one with this number) as `.eml`, and `index.html`, into a folder that is
/// empty or not there yet.
pub fn export(
    previewer: &Previewer,
    only: Option<u64>,
    folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    prepare(folder)?;
    let total = previewer.count()?;
    let numbers = only.map_or(1..=total, |number| number..=number);
    let width = total.to_string().len().max(4);
    let mut rows = String::new();
    let mut mails = 0;
    for number in numbers {
        let Some(mail) = previewer.mail(number)? else {
            continue;
        };
        let name = format!("{number:0width$}.eml");
        let path = folder.join(&name);
        fs::write(&path, &mail.content).map_err(failed(&path))?;
        row(&mut rows, &mail, &name);
        mails += 1;
        progress(mails, total);
    }
    let index = folder.join("index.html");
    let note = if previewer.has_placeholders() {
        "<p>The campaign is not planned yet: each Message-ID is a placeholder, everything else is as it would go out.</p>\n"
    } else {
        ""
    };
    let page = format!(
        "{HEAD}<h1>{mails} {}</h1>\n{note}<table>\n<thead><tr><th scope=\"col\">No.</th><th scope=\"col\">Subject</th>\
         <th scope=\"col\">To</th><th scope=\"col\">Recipients</th><th scope=\"col\">Attachments</th></tr></thead>\n<tbody>\n\
         {rows}</tbody>\n</table>\n</body>\n</html>\n",
        if mails == 1 { "mail" } else { "mails" }
    );
    fs::write(&index, page).map_err(failed(&index))?;
    Ok(Exported { index, mails })
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
        // Mails are for their recipients.
        builder.mode(0o700);
    }
    builder.create(folder).map_err(failed)?;
    match fs::read_dir(folder).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(Error::NotEmpty(folder.to_owned())),
    }
}

fn row(rows: &mut String, mail: &Mail, file: &str) {
    let named: Vec<String> = mail
        .recipients
        .iter()
        .take(NAMED)
        .map(|address| html_escape(address))
        .collect();
    let more = mail.recipients.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" <span class=\"more\">and {more} more</span>")
    } else {
        String::new()
    };
    let subject = if mail.subject.trim().is_empty() {
        "(no subject)"
    } else {
        &mail.subject
    };
    // Writing into a String cannot fail.
    let _ = writeln!(
        rows,
        "<tr><td>{}</td><td><a href=\"{file}\">{}</a></td><td>{}</td><td>{}{more}</td><td>{}</td></tr>",
        mail.number,
        html_escape(subject),
        html_escape(&mail.to),
        named.join(", "),
        html_escape(&mail.attachments.join(", ")),
    );
}
