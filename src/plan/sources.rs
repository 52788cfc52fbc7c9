//! Reading a campaign's folder: templates, partials, values. Everything that is missing or cannot be
//! read becomes a finding, so that all of it is said at once.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use crate::message::{Definition, NotHad, Unsubscribe, file_inside};
use crate::recipients::Columns;
use crate::template::{Language, Source, Sources, TemplateSet, UNKNOWN};

/// The folder of partials inside a campaign's folder.
pub(super) const PARTIALS: &str = "partials";

/// Where the parts that are written in campaign.toml come from.
pub(super) const CAMPAIGN: &str = "campaign.toml";

pub(super) fn error(code: &'static str, file: &Path, message: String, remedy: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code,
        file: file.to_owned(),
        row: None,
        line: None,
        column: None,
        message,
        remedy: remedy.to_owned(),
        excerpt: None,
    }
}

/// The most bytes of a template, a partial or the file of values: all of them are held, and values for each row.
const LARGEST_TEXT: u64 = 16 << 20;

/// A file of the campaign that cannot be had: one that is not there, or one that is of no use.
pub(super) fn not_had(path: &Path, what: &str, key: &str, cause: &NotHad) -> Finding {
    let (code, remedy) = match cause {
        NotHad::Missing(_) | NotHad::Nameless => (
            "missing-file",
            format!("put the {what} there, or correct {key} in campaign.toml"),
        ),
        NotHad::Outside => (
            "file-unusable",
            format!(
                "copy the {what} itself into the campaign's folder, or correct {key} in campaign.toml"
            ),
        ),
        NotHad::NoFile | NotHad::TooLarge(_) => (
            "file-unusable",
            format!("see that it is the {what} that you mean, or correct {key} in campaign.toml"),
        ),
    };
    error(code, path, format!("the {what} {cause}"), &remedy)
}

fn read(inputs: &Inputs, path: &Path, what: &str, findings: &mut Findings) -> Option<String> {
    let found = file_inside(&inputs.folder, &path.to_string_lossy(), LARGEST_TEXT);
    let bytes = match found.and_then(|found| Ok(std::fs::read(found)?)) {
        Ok(bytes) => bytes,
        Err(cause) => {
            findings.add(not_had(path, what, "its name", &cause));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(
            text.strip_prefix('\u{feff}')
                .map_or(text.clone(), str::to_owned),
        ),
        Err(cause) => {
            let at = cause.utf8_error().valid_up_to();
            let message = format!("the {what} is not UTF-8 (at byte {at})");
            findings.add(error(
                "not-utf8",
                path,
                message,
                "save it as UTF-8 and check again",
            ));
            None
        }
    }
}

/// Reads the campaign-wide values: an object in JSON or TOML.
fn read_data(inputs: &Inputs, findings: &mut Findings) -> Map<String, Value> {
    let Some(path) = &inputs.data else {
        return Map::new();
    };
    let Some(text) = read(inputs, path, "file of values", findings) else {
        return Map::new();
    };
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let parsed = if is_toml {
        toml::from_str::<Value>(&text).map_err(|cause| cause.to_string())
    } else {
        serde_json::from_str::<Value>(&text).map_err(|cause| cause.to_string())
    };
    let remedy = "write an object: names and values, as in { \"title\": \"December news\" }";
    match parsed {
        Ok(Value::Object(map)) => map,
        Ok(_) => {
            let message = "the file of values holds something that is no object".to_owned();
            findings.add(error("data-not-object", path, message, remedy));
            Map::new()
        }
        Err(cause) => {
            let message = format!("the file of values cannot be read: {}", cause.trim());
            findings.add(error("data-invalid", path, message, remedy));
            Map::new()
        }
    }
}

fn read_partials(inputs: &Inputs, findings: &mut Findings) -> Vec<Source> {
    let folder = inputs.folder.join(PARTIALS);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut names: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| PathBuf::from(entry.file_name())))
        .filter(|name| name.extension().is_some_and(|extension| extension == "hbs"))
        .collect();
    names.sort();
    let mut partials = Vec::new();
    for file in names {
        let path = Path::new(PARTIALS).join(&file);
        let name = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        if let Some(name) = name {
            // What cannot be read is said once, not again wherever it is included.
            let text = read(inputs, &path, "partial", findings);
            let text = text.unwrap_or_else(|| UNKNOWN.to_string());
            partials.push(Source { name, text });
        }
    }
    partials
}

/// Attachments whose path is no template: everybody gets them.
pub(super) fn literal_attachments(inputs: &Inputs) -> impl Iterator<Item = &str> {
    let paths = inputs.attach.iter().map(String::as_str);
    paths.filter(|path| !path.contains("{{"))
}

fn key(name: &str, text: &str) -> Source {
    Source {
        name: format!("{CAMPAIGN}: message.{name}"),
        text: text.to_owned(),
    }
}

fn keys(name: &str, texts: &[String]) -> Vec<Source> {
    let one = |(at, text): (usize, &String)| match texts.len() {
        1 => key(name, text),
        _ => key(&format!("{name}[{at}]"), text),
    };
    texts.iter().enumerate().map(one).collect()
}

/// The addresses to unsubscribe by, each as a header of its own: they are joined where the mail is built.
fn unsubscribing(inputs: &Inputs) -> Vec<(String, Source)> {
    let addresses = [
        ("unsubscribe.mailto", &inputs.unsubscribe_mailto),
        ("unsubscribe.url", &inputs.unsubscribe_url),
    ];
    let header = |(name, text): (&str, &Option<String>)| {
        let text = text.as_deref()?;
        Some(("List-Unsubscribe".to_owned(), key(name, text)))
    };
    addresses.into_iter().filter_map(header).collect()
}

/// Whether unsubscribing takes one click: the address must tell who it is that asks (RFC 8058, 3.1).
fn is_one_click(inputs: &Inputs, definition: &Definition, findings: &mut Findings) -> bool {
    let Some(url) = &inputs.unsubscribe_url else {
        return false;
    };
    let alone = Sources {
        subject: key("unsubscribe.url", url),
        ..Sources::default()
    };
    // What is wrong with the template is found with the others.
    let Ok(set) = TemplateSet::compile(&alone) else {
        return false;
    };
    let used = definition.known(|known| set.used_columns(known, &definition.data));
    if used.is_empty() {
        let message = "the address to unsubscribe at is the same for everybody, so it cannot tell who asks: it is offered \
                       as a link, not as one click"
            .to_owned();
        let remedy = "put a field of the list into it that tells who it is, as in https://example.com/leave?id={{urlencode \
                      id}}, or leave it as it is";
        findings.add(Finding {
            severity: Severity::Warning,
            ..error(
                "unsubscribe-not-personal",
                format!("{CAMPAIGN}: message.unsubscribe.url").as_ref(),
                message,
                remedy,
            )
        });
    }
    !used.is_empty()
}

/// Reads everything but the list.
pub(super) fn read_definition(
    inputs: &Inputs,
    columns: &Columns,
    findings: &mut Findings,
) -> Definition {
    let mut file = |path: &Option<PathBuf>, what: &str| {
        let path = path.as_ref()?;
        let text = read(inputs, path, what, findings)?;
        let name = path.to_string_lossy().into_owned();
        Some(Source { name, text })
    };
    let html = file(&inputs.html, "HTML template");
    let text = file(&inputs.text, "text template");
    let unsubscribing = unsubscribing(inputs);
    let addresses = unsubscribing.len();
    let from_domain = || {
        inputs
            .from
            .rsplit_once('@')
            .map(|(_, domain)| domain.trim_end_matches('>').trim().to_owned())
    };
    let definition =
        Definition {
            sources: Sources {
                subject: key("subject", &inputs.subject),
                language: html
                    .as_ref()
                    .map_or_else(Language::default, |html| Language::of(&html.name)),
                html,
                text,
                headers: unsubscribing
                    .into_iter()
                    .chain(inputs.headers.iter().map(|(name, value)| {
                        (name.clone(), key(&format!("headers.{name}"), value))
                    }))
                    .collect(),
                to: inputs.to.as_deref().map(|to| key("to", to)),
                reply_to: inputs.reply_to.as_deref().map(|text| key("reply_to", text)),
                cc: keys("cc", &inputs.cc),
                bcc: keys("bcc", &inputs.bcc),
                attach: keys("attach", &inputs.attach),
                partials: read_partials(inputs, findings),
            },
            data: read_data(inputs, findings),
            columns: columns.clone(),
            grouped: inputs.grouped,
            from: inputs.from.clone(),
            senders: inputs
                .accounts
                .iter()
                .filter_map(|account| Some((account.name.clone(), account.from.clone()?)))
                .collect(),
            inline: inputs
                .inline
                .iter()
                .map(|(cid, path)| (cid.clone(), path.to_string_lossy().into_owned()))
                .collect(),
            list_unsubscribe: inputs.list_unsubscribe.clone(),
            unsubscribe: (addresses > 0).then_some(Unsubscribe {
                addresses,
                one_click: false,
            }),
            internal: if inputs.internal.is_empty() {
                from_domain().into_iter().collect()
            } else {
                inputs.internal.clone()
            },
            inline_css: false,
        };
    let one_click = is_one_click(inputs, &definition, findings);
    Definition {
        unsubscribe: definition
            .unsubscribe
            .map(|one| Unsubscribe { one_click, ..one }),
        inline_css: inputs.inline_css && definition.can_have_styles(),
        ..definition
    }
}
