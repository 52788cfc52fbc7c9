//! What copied words mean: a reply, a bounce, a log of many lines, an error of a sign-in page.

use super::entry::Entry;
use super::words::Words;
use super::{Judgement, ReplyTable};
use crate::delivery::{EnhancedCode, Phase};

/// So much of a text is looked at, in bytes, its end: a log ends with what went wrong.
const TAIL: usize = 128 * 1024;

/// A phrase may be broken over so many lines.
const WINDOW: usize = 3;

/// What was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// What it means. Without its phase the verdict is the likely one.
    pub judgement: Judgement,
    /// A table knows the words; otherwise it was judged by its code alone (RFC 5321 4.2.1).
    pub by_words: bool,
}

impl ReplyTable {
    /// What words mean that someone has copied from a log, a bounce or a sign-in page; none when nothing
    /// known is in them. Of several the most telling one: what stands first in the tables.
    pub fn explain(&self, text: &str) -> Option<Judgement> {
        self.explain_words(text).map(|found| found.judgement)
    }

    /// The same, and how it was found.
    pub fn explain_words(&self, text: &str) -> Option<Explained> {
        let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(TAIL))..];
        let lines = tail.lines().map(str::trim);
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let known = self.most_telling(&lines);
        let entry = known.or_else(|| self.of_class(&lines))?;
        Some(Explained {
            judgement: Judgement::of(entry),
            by_words: known.is_some(),
        })
    }

    fn most_telling(&self, lines: &[&str]) -> Option<&'static Entry> {
        let is_line = lines.len() == 1;
        let windows = (1..=WINDOW).flat_map(|length| lines.windows(length));
        let fitting = windows.filter_map(|window| self.best_in(&window.join(" "), is_line));
        fitting
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, entry)| entry)
    }

    /// The entry that fits these words and stands first; among those by a code alone only if there is no other.
    fn best_in(&self, text: &str, is_line: bool) -> Option<((bool, usize), &'static Entry)> {
        let readings = readings(text);
        let fits = |entry: &Entry| {
            readings.iter().any(|words| {
                // In a whole log, words such as "spam" mean something only beside a code.
                let is_reply = is_line || words.has_code() || !entry.asks_for_code();
                is_reply && entry.fits(None, words)
            })
        };
        let ranked = self.entries.iter().copied().enumerate();
        ranked
            .filter(|(_, entry)| fits(entry))
            .map(|(at, entry)| ((entry.is_by_code_alone(), at), entry))
            .min_by_key(|(rank, _)| *rank)
    }

    /// By the class of the last code.
    fn of_class(&self, lines: &[&str]) -> Option<&'static Entry> {
        let code_of = |line: &&str| {
            let enhanced = enhanced_in(line).last().map(|code| code.class * 100 + 50);
            codes_in(line).last().copied().or(enhanced)
        };
        let code = lines.iter().rev().find_map(code_of)?;
        Some(self.by_class(Phase::FinalDot, &Words::new(Some(code), None, "")))
    }
}

/// Each code with each enhanced code that a text may be about, and the words alone.
fn readings(text: &str) -> Vec<Words> {
    let codes: Vec<Option<u16>> = codes_in(text).into_iter().map(Some).chain([None]).collect();
    let enhanced: Vec<_> = enhanced_in(text)
        .into_iter()
        .map(Some)
        .chain([None])
        .collect();
    let pairs = codes
        .iter()
        .flat_map(|code| enhanced.iter().map(move |enhanced| (*code, *enhanced)));
    pairs
        .map(|(code, enhanced)| Words::new(code, enhanced, text))
        .collect()
}

/// Words after which a number of three digits is a reply's code.
const BEFORE_A_CODE: [&str; 14] = [
    "said", "returned", "code", "error", "status", "reply", "response", "smtp", "esmtp", "server",
    "with", "got", "failed", "answered",
];

/// The refusals among the numbers of three digits: those that begin a line, stand after a mark or a word
/// such as "said", or before an enhanced code. The second digit of a reply's code is 0 to 5 (RFC 5321 4.2.1),
/// which leaves the ports 465 and 587 out.
fn codes_in(text: &str) -> Vec<u16> {
    let mut codes = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| !c.is_ascii_digit()) {
        let (start, end) = (at, at + word.len());
        at = text[end..]
            .chars()
            .next()
            .map_or(end, |c| end + c.len_utf8());
        let is_code = matches!(word.as_bytes(), [b'4' | b'5', b'0'..=b'5', _]);
        if is_code
            && is_code_here(&text[..start], &text[end..])
            && let Ok(code) = word.parse()
            && codes.len() < 4
        {
            codes.push(code);
        }
    }
    codes
}

fn is_code_here(before: &str, after: &str) -> bool {
    let runs_on = |c: char| c.is_alphanumeric() || "/@_%".contains(c);
    let is_decimal = after
        .strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    // A colon directly before is a port's or a time's, unless it is JSON's.
    let is_part =
        before.ends_with(|c: char| runs_on(c) || ".:+$".contains(c)) && !before.ends_with("\":");
    if is_part || is_decimal || after.starts_with(runs_on) {
        return false;
    }
    let known = before.trim_end();
    let last_word = known
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    known.is_empty()
        || known.ends_with(|c: char| ";:\"'(<>[=|-#".contains(c))
        || BEFORE_A_CODE
            .iter()
            .any(|word| last_word.eq_ignore_ascii_case(word))
        || EnhancedCode::at_start_of(after.trim_start_matches(['-', ' '])).is_some()
}

/// The enhanced codes of refusals, wherever they stand; a version such as `Exim/4.9.1` is none.
fn enhanced_in(text: &str) -> Vec<EnhancedCode> {
    let mut codes = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let before = rest[..start].chars().next_back();
        rest = &rest[start..];
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let is_free = before.is_none_or(|c| !c.is_alphanumeric() && c != '/');
        let code = EnhancedCode::at_start_of(rest[..end].trim_end_matches('.'));
        codes.extend(code.filter(|code| is_free && code.class != 2 && codes.len() < 4));
        rest = &rest[end..];
    }
    codes
}
