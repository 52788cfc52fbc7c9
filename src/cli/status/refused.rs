//! The last who were refused, by reason in plain words.

use std::collections::BTreeMap;

use crate::cli::failure::Failure;
use crate::config::Sender;
use crate::provider::ReplyTable;
use crate::store::{CampaignRecord, LastRefusal, Store};

/// So many of the last refusals are looked at: their reasons are told, however many there are.
const LOOKED_AT: usize = 500;

/// A server's words that nobody knows are shown up to here.
const LONGEST: usize = 100;

/// The last who were refused.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// How many of all who were refused were looked at.
    pub(super) looked_at: u64,
    /// The most frequent reason first.
    pub(super) reasons: Vec<Reason>,
}

/// Why some were refused.
#[derive(Debug)]
pub(super) struct Reason {
    /// In plain words.
    pub(super) meaning: String,
    /// How many of those who were looked at.
    pub(super) recipients: u64,
    /// The last of them.
    pub(super) example: LastRefusal,
}

impl Refused {
    /// `refused`: how many there are.
    pub(super) fn of(
        store: &Store,
        record: &CampaignRecord,
        senders: &[Sender],
        refused: u64,
    ) -> Result<Self, Failure> {
        if refused == 0 {
            return Ok(Self::default());
        }
        let table = match senders.first() {
            Some(sender) => ReplyTable::for_preset(sender.preset)?,
            None => ReplyTable::of_all_providers()?,
        };
        let refusals = store.last_refusals(record.id, LOOKED_AT)?;
        Ok(Self {
            looked_at: refusals.len() as u64,
            reasons: by_reason(&table, refusals),
        })
    }
}

fn by_reason(table: &ReplyTable, refusals: Vec<LastRefusal>) -> Vec<Reason> {
    // Servers say the same to everybody, but for names and numbers: so each saying is judged once.
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    let mut reasons: Vec<Reason> = Vec::new();
    for refusal in refusals {
        let meaning = meanings
            .entry(gist(&refusal.reply))
            .or_insert_with(|| meaning(table, &refusal.reply));
        match reasons.iter_mut().find(|known| known.meaning == *meaning) {
            Some(known) => known.recipients += 1,
            None => reasons.push(Reason {
                meaning: meaning.clone(),
                recipients: 1,
                example: refusal,
            }),
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.recipients));
    reasons
}

/// A reply without what is different in each: after the codes, words with a number or an address in them.
fn gist(reply: &str) -> String {
    let own = |word: &str| word.contains(|c: char| c.is_ascii_digit() || c == '@');
    let words = reply.split_whitespace().enumerate();
    let kept = words.filter(|(at, word)| *at < 2 && !word.contains('@') || !own(word));
    kept.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// What a reply means; where no table knows its words, the reply itself.
fn meaning(table: &ReplyTable, reply: &str) -> String {
    match table.explain_words(reply) {
        Some(found) if found.by_words => found.judgement.meaning.to_owned(),
        _ => shortened(reply),
    }
}

fn shortened(reply: &str) -> String {
    match reply.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", reply[..end].trim_end()),
        None => reply.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Preset;

    fn refusal(row: u64, reply: &str) -> LastRefusal {
        LastRefusal {
            row,
            address: format!("p{row}@contoso.com"),
            reply: reply.to_owned(),
        }
    }

    #[test]
    fn refusals_are_told_by_what_they_mean_and_the_most_frequent_comes_first() {
        let table = ReplyTable::for_preset(Preset::find("microsoft365").unwrap()).unwrap();
        let refusals = vec![
            refusal(9, "550 5.7.1 a house rule of ours"),
            refusal(
                8,
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient p8@contoso.com not found [A1]",
            ),
            refusal(
                7,
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient p7@contoso.com not found [B2]",
            ),
            refusal(6, "given up"),
        ];
        let reasons = by_reason(&table, refusals);
        let counts: Vec<u64> = reasons.iter().map(|reason| reason.recipients).collect();
        assert_eq!(counts, [2, 1, 1], "{reasons:?}");
        assert_eq!(reasons[0].example.row, 8, "the last one is the example");
        assert!(
            !reasons[0].meaning.contains("5.1.10"),
            "{}",
            reasons[0].meaning
        );
        assert_eq!(reasons[2].meaning, "given up");
    }

    #[test]
    fn the_gist_leaves_codes_and_takes_names_and_numbers() {
        assert_eq!(
            gist("550 5.1.1 <p1@contoso.com> no mailbox 4711 here"),
            "550 5.1.1 no mailbox here"
        );
        assert_eq!(gist("550 p1@contoso.com unknown"), "550 unknown");
    }
}
