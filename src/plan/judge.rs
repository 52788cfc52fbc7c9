//! Judging what rows render to: each piece of HTML once, and what is found folded to one finding per place.
//!
//! Rows are judged on all cores in any order; what is kept of each flaw is its first row and how many rows
//! have it, so that the order makes no difference.

mod said;

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError, RwLock};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use serde_json::Value;

use super::excerpt::{Excerpt, Lines};
use super::files::Given;
use super::inputs::Inputs;
use super::person::Person;
use super::sources::CAMPAIGN;
use crate::message::{Page, Renderer};
use crate::proof::{self, Flaw, Looked, Origin, Origins, Seen};
use crate::recipients::Row;
use crate::template::{FieldUse, Source, UNKNOWN};

/// The most pieces of HTML that are remembered as judged: those that are one row's own come once each.
const REMEMBERED: usize = 1 << 18;

/// The most different flaws that are kept.
const MAX_FLAWS: usize = 10_000;

/// The longest subject that mail programs show without cutting off what matters, in characters.
const LONG_SUBJECT: usize = 150;

/// Where a flaw is: two rows with the same one have it in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// In a template.
    Template(Origin),
    /// In something that this text names: a part of the mail, a piece of HTML that no template has.
    Part(String),
}

/// A flaw with the first row that has it.
#[derive(Debug)]
struct Found {
    flaw: Flaw,
    row: u64,
    line: u64,
    /// The column to blame, where it is one.
    column: Option<String>,
    excerpt: Excerpt,
    rows: u64,
}

type Key = (&'static str, Where);

/// What is wrong with a piece of HTML, and where it was written.
struct Verdict {
    flaws: Vec<Flaw>,
    place: Where,
}

#[derive(Default)]
struct Known {
    sound: HashSet<u64>,
    flawed: HashMap<u64, std::sync::Arc<Verdict>>,
}

/// Judges what is rendered.
pub(super) struct Judge<'a> {
    inputs: &'a Inputs,
    lines: Lines,
    sources: Vec<&'a Source>,
    /// Where the list's columns are used.
    uses: Vec<FieldUse>,
    /// The images that there are.
    carried: &'a [(String, String)],
    origins: Origins,
    may_have_braces: bool,
    /// The values for everybody have braces in them.
    data_has_braces: bool,
    hasher: DefaultHashBuilder,
    known: RwLock<Known>,
    shown: Mutex<HashSet<String>>,
    found: Mutex<BTreeMap<Key, Found>>,
    given: Mutex<Given>,
}

fn uses_of(renderer: &Renderer) -> Vec<FieldUse> {
    let definition = renderer.definition();
    let templates = renderer.templates();
    let uses = definition.known(|known| templates.uses(known, &definition.data));
    uses.into_iter().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Judge<'a> {
    pub(super) fn new(inputs: &'a Inputs, renderer: &'a Renderer, lines: Lines) -> Self {
        let written = &renderer.definition().sources;
        let sources: Vec<&Source> = written.html.iter().chain(&written.partials).collect();
        let mut origins = Origins::default();
        for (at, source) in sources.iter().enumerate() {
            origins.add(at, &source.text);
        }
        let all = sources.iter().map(|source| &source.text);
        let all = all.chain(written.text.iter().map(|source| &source.text));
        // Whoever writes \{{ or {{{{raw}}}} wants braces in the mail.
        let escaped = |text: &String| text.contains("\\{{") || text.contains("{{{{");
        let may_have_braces = all.chain([&written.subject.text]).any(escaped);
        Self {
            inputs,
            lines,
            carried: &renderer.definition().inline,
            uses: uses_of(renderer),
            origins,
            may_have_braces,
            data_has_braces: (renderer.definition().data.values()).any(any_has_braces),
            hasher: DefaultHashBuilder::default(),
            known: RwLock::default(),
            shown: Mutex::default(),
            found: Mutex::default(),
            given: Mutex::new(Given::new(&written.attach)),
            sources,
        }
    }

    pub(super) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The column to blame for what is wrong with what a key of `[message]` renders to: the only one in it.
    pub(super) fn column_of(&self, key: &str) -> Option<String> {
        let whole = format!("{CAMPAIGN}: message.{key}");
        let is_in = |part: &str| {
            let rest = part.strip_prefix(whole.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        self.only(|one| is_in(&one.part))
    }

    /// The column that is used at a place of a template, if it is only one.
    pub(super) fn column_at(
        &self,
        part: &str,
        line: Option<usize>,
        column: Option<usize>,
    ) -> Option<String> {
        self.only(|one| one.part == part && (one.line, one.column) == (line, column))
    }

    fn only(&self, wanted: impl Fn(&FieldUse) -> bool) -> Option<String> {
        let mut fields = self.uses.iter().filter(|one| wanted(one));
        let first = &fields.next()?.field;
        fields
            .all(|one| one.field == *first)
            .then(|| self.lines.name_of(first))
            .flatten()
    }

    /// Judges what a row renders to. True when nothing is wrong with it. `seen`: a page with which nothing is wrong,
    /// once there was one.
    pub(super) fn page(&self, row: &Row, page: &Page, seen: &mut Option<Seen>) -> bool {
        let rendered = &page.rendered;
        let mut is_sound = self.subject(row, &rendered.subject);
        if let Some(html) = page.plain_html() {
            let looked = match seen {
                Some(seen) => seen.look(html),
                None => proof::look(html),
            };
            let is_good = self.html(row, &looked);
            if is_good && seen.is_none() {
                *seen = Some(Seen::new(html));
            }
            is_sound &= is_good;
        }
        is_sound &= self.braces(row, "the subject", &rendered.subject, false);
        for (part, text) in [
            ("the HTML", &rendered.html),
            ("the text part", &rendered.text),
        ] {
            if let Some(text) = text {
                is_sound &= self.braces(row, part, text, part == "the HTML");
            }
        }
        for (name, value) in &rendered.headers {
            is_sound &= self.braces(row, &format!("the header {name}"), value, false);
        }
        is_sound
    }

    /// Whether rows have files of their own.
    pub(super) fn asks_for_files(&self) -> bool {
        lock(&self.given).is_wanted()
    }

    /// Takes note of the files that a row is given, one for each template of an attachment.
    pub(super) fn given(&self, person: &Person, row: &Row, paths: &[String]) {
        lock(&self.given).add(person.row.number, row, paths);
    }

    /// Everybody whose first row is no later than this one has been judged.
    pub(super) fn settle(&self, last: u64) {
        lock(&self.given).settle(last);
    }

    /// Takes note of a row that gets no mail because it is wrong.
    pub(super) fn leave_out(&self, row: &Row) {
        lock(&self.given).leave_out(row);
    }

    /// Takes note of a message's size after encoding.
    pub(super) fn size(&self, row: &Row, size: usize) {
        let Some(cap) = self.inputs.max_message_size() else {
            return;
        };
        let percent = (size as u64).saturating_mul(100) / cap.max(1);
        if percent < 80 || size as u64 > cap {
            return;
        }
        let flaw = Flaw {
            is_error: false,
            code: "large",
            message: format!(
                "the message has {size} bytes after encoding, {percent} % of what the provider takes ({cap})"
            ),
            remedy: "recipients' servers often take less: use smaller attachments, or link to them"
                .to_owned(),
        };
        self.note(row, &flaw, Where::Part(String::new()));
    }

    fn subject(&self, row: &Row, subject: &str) -> bool {
        if subject.len() <= LONG_SUBJECT || subject.contains(UNKNOWN) {
            return true;
        }
        let length = subject.trim().chars().count();
        if length <= LONG_SUBJECT {
            return true;
        }
        let flaw = Flaw {
            is_error: false,
            code: "subject-long",
            message: format!(
                "the subject has {length} characters, and mail programs show fewer than {LONG_SUBJECT}"
            ),
            remedy:
                "shorten 'subject' under [message] in campaign.toml, or the cells that it shows"
                    .to_owned(),
        };
        self.note(row, &flaw, Where::Part("message.subject".to_owned()));
        false
    }

    fn braces(&self, row: &Row, part: &str, text: &str, is_html: bool) -> bool {
        if self.may_have_braces {
            return true;
        }
        let Some(found) = proof::leftover(text, is_html) else {
            return true;
        };
        let flaw = Flaw {
            is_error: false,
            code: "leftover-braces",
            message: format!("{part} still has braces of the merge in it: {found}"),
            remedy: "values are put in as they are, braces in them stay: write the text where the value comes from"
                .to_owned(),
        };
        // What is in no cell of the row is in the template, or in the values for everybody.
        let grouped = self.inputs.grouped;
        let in_a_cell = grouped || row.cells.iter().any(|cell| has_braces(cell));
        let place = match part {
            _ if !in_a_cell && self.data_has_braces => "data",
            "the HTML" if !in_a_cell => "html",
            "the text part" if !in_a_cell => "text",
            part => part,
        };
        self.note(row, &flaw, Where::Part(place.to_owned()));
        false
    }

    fn html(&self, row: &Row, looked: &Looked<'_>) -> bool {
        let mut flawed = Vec::new();
        let mut new = Vec::new();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let pieces = looked.tags.iter().map(|tag| (tag, false));
            let pieces = pieces.chain(looked.hidden.iter().map(|content| (content, true)));
            for (piece, is_hidden) in pieces {
                let hash = self.hasher.hash_one(piece);
                if known.sound.contains(&hash) {
                    continue;
                }
                match known.flawed.get(&hash) {
                    Some(verdict) => flawed.push(std::sync::Arc::clone(verdict)),
                    None => new.push((hash, *piece, is_hidden)),
                }
            }
        }
        for (hash, piece, is_hidden) in new {
            flawed.extend(self.judge(hash, piece, is_hidden));
        }
        // A row counts once, however often a list in it repeats a tag.
        let mut noted: Vec<(&str, &Where)> = Vec::new();
        for verdict in &flawed {
            for flaw in &verdict.flaws {
                if !noted.contains(&(flaw.code, &verdict.place)) {
                    noted.push((flaw.code, &verdict.place));
                    self.note(row, flaw, verdict.place.clone());
                }
            }
        }
        if !looked.has_text {
            let flaw = Flaw {
                is_error: false,
                code: "html-without-text",
                message: "the HTML has nothing to read, only pictures or nothing at all".to_owned(),
                remedy: "write what matters as text: many people see no pictures, and filters distrust such mails"
                    .to_owned(),
            };
            self.note(row, &flaw, Where::Part("html".to_owned()));
        }
        flawed.is_empty() && looked.has_text
    }

    /// Judges a piece of HTML for the first time.
    fn judge(&self, hash: u64, piece: &str, is_hidden: bool) -> Option<std::sync::Arc<Verdict>> {
        let judged = if is_hidden {
            proof::judge_hidden(piece)
        } else {
            proof::judge(piece, UNKNOWN)
        };
        let mut flaws = judged.flaws;
        let declared: Vec<&str> = self
            .inputs
            .inline
            .iter()
            .map(|(cid, _)| cid.as_str())
            .collect();
        for cid in judged.cids {
            if !is_hidden && !declared.contains(&cid.as_str()) && !cid.contains(UNKNOWN) {
                flaws.push(proof::unknown_image(&cid, &declared));
            }
            lock(&self.shown).insert(cid);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let room = known.sound.len() + known.flawed.len() < REMEMBERED;
        if flaws.is_empty() {
            if room {
                known.sound.insert(hash);
            }
            return None;
        }
        let place = match self.origins.find(piece) {
            Some(origin) => Where::Template(origin.clone()),
            None => Where::Part(piece.to_owned()),
        };
        let verdict = std::sync::Arc::new(Verdict { flaws, place });
        if room {
            known.flawed.insert(hash, std::sync::Arc::clone(&verdict));
        }
        Some(verdict)
    }

    fn note(&self, row: &Row, flaw: &Flaw, place: Where) {
        let mut found = lock(&self.found);
        let key = (flaw.code, place);
        if let Some(known) = found.get_mut(&key) {
            known.rows += 1;
            if known.row <= row.number {
                return;
            }
            known.flaw = flaw.clone();
            (known.row, known.line) = (row.number, row.line);
            known.column = self.to_blame(row, flaw);
            known.excerpt = self.lines.of(row, known.column.as_deref());
        } else if found.len() < MAX_FLAWS {
            let column = self.to_blame(row, flaw);
            let first = Found {
                flaw: flaw.clone(),
                row: row.number,
                line: row.line,
                excerpt: self.lines.of(row, column.as_deref()),
                column,
                rows: 1,
            };
            found.insert(key, first);
        }
    }

    fn to_blame(&self, row: &Row, flaw: &Flaw) -> Option<String> {
        match flaw.code {
            "subject-long" => self.column_of("subject"),
            "leftover-braces" => self.lines.only_with(row, has_braces),
            _ => None,
        }
    }
}

fn any_has_braces(value: &Value) -> bool {
    match value {
        Value::String(text) => has_braces(text),
        Value::Array(list) => list.iter().any(any_has_braces),
        Value::Object(object) => object.values().any(any_has_braces),
        _ => false,
    }
}

fn has_braces(text: &str) -> bool {
    text.contains("{{") || text.contains("}}")
}
