//! The few rows that between them show every case of a campaign.
//!
//! Rows stream by, and each is asked what it shows: which way it takes through the templates' branches, which
//! scripts its values are written in, which language it says it speaks. What is kept is the first row of each
//! way and of each thing shown, the longest value of each column that is used, and the emptiest row. In the
//! end as few of them are taken as show all of it, always the one next that shows most of what is left.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use unicode_script::{Script, UnicodeScript as _};

use super::content::Content;
use super::error::Error;
use super::person::Person;
use crate::recipients::Columns;
use crate::store::{CampaignRecord, Store};
use crate::template::{Arm, Branch};

/// So many different ways through the branches are kept; a campaign with more is shown by what its rows add.
const WAYS: usize = 512;
/// So many languages are told apart; a column with more holds something else.
const LANGUAGES: usize = 24;
/// What a column is called that tells a person's language.
const LANGUAGE_COLUMNS: [&str; 8] = [
    "language", "lang", "locale", "sprache", "langue", "lingua", "idioma", "taal",
];

/// A row worth looking at, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The data row of the list, from 1.
    pub row: u64,
    /// What it shows that no earlier case does, in plain words; at least one.
    pub shows: Vec<String>,
}

/// The cases of a planned campaign; none of one that an earlier version has planned.
pub fn planned_cases(store: &Store, record: &CampaignRecord) -> Result<Vec<Case>, Error> {
    Ok(serde_json::from_str(&store.cases(record.id)?)?)
}

/// Something that a row shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shown {
    Arm(Arm),
    /// By its name.
    Script(&'static str),
    /// Letters with accents and their like.
    BeyondAscii,
    /// Beyond the basic plane: emoji and rare characters.
    Rare,
    /// What a column of languages says.
    Language(String),
    /// The longest value of this watched column.
    Longest(usize),
    /// The most empty values among the watched columns.
    Emptiest,
}

/// A column that templates use.
#[derive(Debug)]
struct Watched {
    at: usize,
    name: String,
    is_language: bool,
}

/// A row that holds a record: how far it goes, and what else it shows.
#[derive(Debug, Clone, Default)]
struct Holder {
    measure: usize,
    row: u64,
    shows: BTreeSet<Shown>,
}

impl Holder {
    fn challenge(&mut self, measure: usize, row: u64, shows: &BTreeSet<Shown>) {
        if measure > self.measure {
            *self = Self {
                measure,
                row,
                shows: shows.clone(),
            };
        }
    }
}

/// Looks for the cases of a campaign while its rows go by.
#[derive(Debug)]
pub(super) struct Cases {
    branches: Vec<Branch>,
    watched: Vec<Watched>,
    languages: HashMap<String, String>,
    rows: u64,
    /// By how many rows each thing is shown, but for those that are alike another.
    seen: HashMap<Shown, u64>,
    /// What rows show that have a content in common, by its number, and how many came after the first one.
    alike: HashMap<usize, (BTreeSet<Shown>, u64)>,
    ways: HashSet<BTreeSet<Arm>>,
    candidates: BTreeMap<u64, BTreeSet<Shown>>,
    longest: Vec<Holder>,
    /// The shortest longest value so far: a column whose values are all as long shows nothing.
    shortest: Vec<usize>,
    emptiest: Holder,
}

impl Cases {
    /// Of templates with these branches, which use these fields of the list.
    pub(super) fn new(branches: &[Branch], columns: &Columns, used: &BTreeSet<String>) -> Self {
        let at: BTreeSet<usize> = used
            .iter()
            .filter_map(|field| columns.index_of(field))
            .collect();
        let watched: Vec<Watched> = at
            .into_iter()
            .filter_map(|at| {
                let name = columns.names().get(at)?.clone();
                let lower = name.to_lowercase();
                let is_language = LANGUAGE_COLUMNS.contains(&lower.as_str());
                Some(Watched {
                    at,
                    name,
                    is_language,
                })
            })
            .collect();
        Self {
            branches: branches.to_vec(),
            languages: HashMap::new(),
            rows: 0,
            seen: HashMap::new(),
            alike: HashMap::new(),
            ways: HashSet::new(),
            candidates: BTreeMap::new(),
            longest: vec![Holder::default(); watched.len()],
            shortest: vec![usize::MAX; watched.len()],
            emptiest: Holder::default(),
            watched,
        }
    }

    /// Looks at a person with a mail of this content.
    pub(super) fn note(&mut self, person: &Person, content: &Content) {
        self.rows += 1;
        // All that is used of a row decides its content.
        let known = content
            .number
            .and_then(|number| self.alike.get_mut(&number));
        if let Some((_, rows)) = known {
            *rows += 1;
            return;
        }
        let shows = self.note_as_new(person, &content.taken);
        if let Some(number) = content.number {
            self.alike.insert(number, (shows, 0));
        }
    }

    /// What the person's row shows.
    fn note_as_new(&mut self, person: &Person, taken: &BTreeSet<Arm>) -> BTreeSet<Shown> {
        let mut shows: BTreeSet<Shown> = taken.iter().copied().map(Shown::Arm).collect();
        let mut empty = 0;
        let cells = |at: usize| {
            let rows = person.rows();
            rows.map(move |row| row.cells.get(at).map_or("", |cell| cell.trim()))
        };
        let row = person.row.number;
        let each = (self.watched.iter())
            .flat_map(|watched| cells(watched.at).map(move |cell| (watched, cell)));
        for (watched, cell) in each {
            empty += usize::from(cell.is_empty());
            scripts(cell, &mut shows);
            if watched.is_language && !cell.is_empty() {
                let key = cell.to_lowercase();
                if self.languages.contains_key(&key) || self.languages.len() < LANGUAGES {
                    self.languages
                        .entry(key.clone())
                        .or_insert_with(|| cell.to_owned());
                    shows.insert(Shown::Language(key));
                }
            }
        }
        for (number, watched) in self.watched.iter().enumerate() {
            let lengths = cells(watched.at).map(|cell| cell.chars().count());
            let length = lengths.max().unwrap_or_default();
            if let (Some(longest), Some(shortest)) =
                (self.longest.get_mut(number), self.shortest.get_mut(number))
            {
                longest.challenge(length, row, &shows);
                *shortest = length.min(*shortest);
            }
        }
        self.emptiest.challenge(empty, row, &shows);
        let mut is_new = false;
        for shown in &shows {
            if let Some(rows) = self.seen.get_mut(shown) {
                *rows += 1;
            } else {
                self.seen.insert(shown.clone(), 1);
                is_new = true;
            }
        }
        let is_new_way = self.ways.len() < WAYS && !self.ways.contains(taken);
        if is_new_way {
            self.ways.insert(taken.clone());
        }
        if is_new_way || is_new {
            self.candidates.insert(row, shows.clone());
        }
        shows
    }

    /// The cases, the most telling first.
    pub(super) fn finish(mut self) -> Vec<Case> {
        for (shows, rows) in std::mem::take(&mut self.alike).into_values() {
            for shown in shows {
                *self.seen.entry(shown).or_default() += rows;
            }
        }
        let mut left: BTreeSet<Shown> = self.seen.keys().cloned().collect();
        let records = self.longest.iter().zip(&self.shortest).enumerate();
        let records = records
            .filter(|(_, (holder, shortest))| holder.measure > **shortest)
            .map(|(number, (holder, _))| (Shown::Longest(number), holder.clone()));
        let emptiest =
            (self.emptiest.measure > 0).then(|| (Shown::Emptiest, self.emptiest.clone()));
        for (shown, holder) in records.chain(emptiest).collect::<Vec<_>>() {
            left.insert(shown.clone());
            let shows = self.candidates.entry(holder.row).or_default();
            shows.extend(holder.shows);
            shows.insert(shown);
        }
        let mut cases = Vec::new();
        // What is left is shown by somebody, and a row that shows nothing new is never taken.
        while let Some((row, new)) = self.most_telling(&left) {
            left.retain(|shown| !new.contains(shown));
            let shows = self.words(&new);
            cases.push(Case { row, shows });
        }
        cases
    }

    fn most_telling(&self, left: &BTreeSet<Shown>) -> Option<(u64, BTreeSet<Shown>)> {
        let new = |shows: &BTreeSet<Shown>| -> BTreeSet<Shown> {
            shows.intersection(left).cloned().collect()
        };
        let candidates = self.candidates.iter().rev();
        // `max_by_key` takes the last of equals: the earliest row.
        let best = candidates
            .map(|(row, shows)| (*row, new(shows)))
            .max_by_key(|(_, new)| new.len());
        best.filter(|(_, new)| !new.is_empty())
    }

    /// What somebody reads of it, each thing once; what every row shows tells nothing of this one.
    fn words(&self, shows: &BTreeSet<Shown>) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for shown in shows {
            let is_telling = self.seen.get(shown) != Some(&self.rows);
            let word = self.word(shown);
            if is_telling && !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() {
            words.push("what all have".to_owned());
        }
        words
    }

    fn word(&self, shown: &Shown) -> String {
        let name = |number: &usize| {
            let watched = self.watched.get(*number);
            watched.map_or("value", |watched| watched.name.as_str())
        };
        match shown {
            Shown::Arm(arm) => {
                let branch = self.branches.get(arm.branch);
                let tag = branch.map_or("", |branch| branch.tag.as_str());
                let says = match (branch.is_some_and(|branch| branch.is_list), arm.entered) {
                    (false, true) => "applies",
                    (false, false) => "does not apply",
                    (true, true) => "has entries",
                    (true, false) => "is empty",
                };
                format!("{tag} {says}")
            }
            Shown::Script(script) => format!("{script} letters"),
            Shown::BeyondAscii => "letters with accents".to_owned(),
            Shown::Rare => "emoji or rare characters".to_owned(),
            Shown::Language(key) => {
                let written = self.languages.get(key).unwrap_or(key);
                format!("language {written}")
            }
            Shown::Longest(number) => format!("longest {}", name(number)),
            Shown::Emptiest => match self.emptiest.measure {
                1 => "an empty value".to_owned(),
                several => format!("most empty values ({several})"),
            },
        }
    }
}

/// The scripts that a value is written in.
fn scripts(cell: &str, shows: &mut BTreeSet<Shown>) {
    if cell.is_ascii() {
        if cell.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            shows.insert(Shown::Script(Script::Latin.full_name()));
        }
        return;
    }
    for c in cell.chars() {
        let script = c.script();
        let is_latin = script == Script::Latin;
        if is_latin && !c.is_ascii() {
            shows.insert(Shown::BeyondAscii);
        }
        if c > '\u{ffff}' {
            shows.insert(Shown::Rare);
        }
        if !matches!(script, Script::Common | Script::Inherited | Script::Unknown) {
            shows.insert(Shown::Script(script.full_name()));
        }
    }
}

#[cfg(test)]
mod tests;
