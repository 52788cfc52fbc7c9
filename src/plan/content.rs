//! What mails hold, as far as packing must know it; and contents that many rows have in common, proved once.
//!
//! Where it is certain which columns decide a mail ([`TemplateSet::decided_by`](crate::template::TemplateSet)), rows
//! that agree in those have the same one. Only what nothing is wrong with is remembered: whatever is found is found
//! row by row.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::HashMap;

use super::person::Person;
use crate::message::Renderer;
use crate::template::Arm;

/// So many contents are remembered: what differs in more ways than that is personal, and hardly comes again.
const MOST: usize = 4096;

/// What a mail holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) digest: [u8; 32],
    pub(super) copies: u64,
    pub(super) external_copies: u64,
    pub(super) attachments: Vec<String>,
    pub(super) empty_subject: bool,
    /// Its way through the templates' branches.
    pub(super) taken: BTreeSet<Arm>,
    /// Its number among those that are remembered.
    pub(super) number: Option<usize>,
}

/// The contents that rows have in common, by the cells that decide them.
#[derive(Debug)]
pub(super) struct Contents {
    /// The columns that decide; none where that is not certain.
    columns: Option<Vec<usize>>,
    known: RwLock<HashMap<Vec<u8>, Arc<Content>>>,
}

impl Contents {
    /// Nothing known yet. `is_wanted`: no row has to be looked at by itself.
    pub(super) fn new(renderer: &Renderer, is_wanted: bool) -> Self {
        let definition = renderer.definition();
        let fields: BTreeSet<String> = definition.columns.fields().map(str::to_owned).collect();
        let decided = || {
            let templates = renderer.templates();
            let fields = templates.decided_by(&fields, &definition.data)?;
            let at = fields
                .iter()
                .map(|field| definition.columns.index_of(field));
            let columns: BTreeSet<usize> = at.collect::<Option<_>>()?;
            Some(columns.into_iter().collect())
        };
        Self {
            columns: (is_wanted && !definition.grouped).then(decided).flatten(),
            known: RwLock::default(),
        }
    }

    /// The cells that decide a person's mail, each with its length.
    fn key(&self, person: &Person, key: &mut Vec<u8>) -> bool {
        let Some(columns) = &self.columns else {
            return false;
        };
        key.clear();
        for at in columns {
            let cell = person.row.cells.get(*at).map_or("", String::as_str);
            key.extend_from_slice(&cell.len().to_le_bytes());
            key.extend_from_slice(cell.as_bytes());
        }
        true
    }

    /// The contents of these people's mails that are known.
    pub(super) fn of(&self, people: &[Person]) -> Vec<Option<Arc<Content>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut key = Vec::new();
        let find = |person| {
            let is_certain = !known.is_empty() && self.key(person, &mut key);
            is_certain.then(|| known.get(&key).cloned()).flatten()
        };
        people.iter().map(find).collect()
    }

    /// Remembers the content of a person's mail, with which nothing is wrong.
    pub(super) fn remember(&self, person: &Person, mut content: Content) -> Arc<Content> {
        let mut key = Vec::new();
        if !self.key(person, &mut key) {
            return Arc::new(content);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&key) {
            return Arc::clone(known);
        }
        let number = known.len();
        if number >= MOST {
            return Arc::new(content);
        }
        content.number = Some(number);
        let content = Arc::new(content);
        known.insert(key, Arc::clone(&content));
        content
    }
}
