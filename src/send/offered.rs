//! The recipients of an offer, sorted by what was said to each.

use super::sorting::{Fate, Lesson, judge};
use crate::delivery::{Phase, Reply};
use crate::provider::ReplyTable;
use crate::smtp::{RecipientReply, RecipientVerdict};

/// The listed recipients of an offer by their place in the envelope, with the words that decided.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) accepted: Vec<usize>,
    /// The server's words, and what they mean.
    pub(super) refused: Vec<(usize, String, String)>,
    pub(super) later: Vec<(usize, String)>,
    pub(super) not_their_fault: Vec<(usize, String)>,
    /// Some of those who are to come again are so for the server's own sake.
    pub(super) busy: bool,
}

impl Sorted {
    /// Sorts the verdicts on the first `listed` recipients; those on copies (cc, bcc) only teach about
    /// the account. Who was not answered is in no list.
    pub(super) fn by(
        offered: &[RecipientReply],
        listed: usize,
        table: &ReplyTable,
        lesson: &mut Lesson,
    ) -> Self {
        let mut sorted = Self::default();
        for RecipientReply { index, verdict } in offered {
            let index = *index;
            let is_listed = index < listed;
            match verdict {
                RecipientVerdict::Accepted(_) if is_listed => sorted.accepted.push(index),
                RecipientVerdict::Refused(reply)
                    if is_listed && !sorted.accepted.is_empty() && is_surplus(reply) =>
                {
                    sorted.not_their_fault.push((index, reply.to_string()));
                }
                RecipientVerdict::Refused(reply) => {
                    let (fate, meaning) = judge(table, Phase::RcptTo, reply, lesson);
                    let words = reply.to_string();
                    match fate {
                        _ if !is_listed => {}
                        Fate::Refused | Fate::RefusedForOne => {
                            sorted.refused.push((index, words, meaning));
                        }
                        Fate::Later => sorted.later.push((index, words)),
                        Fate::Busy => {
                            sorted.busy = true;
                            sorted.later.push((index, words));
                        }
                        Fate::NotItsFault => sorted.not_their_fault.push((index, words)),
                    }
                }
                RecipientVerdict::NotOffered(why) if is_listed => {
                    let meaning = "the address cannot be used with this server".to_owned();
                    sorted.refused.push((index, why.to_string(), meaning));
                }
                RecipientVerdict::Accepted(_)
                | RecipientVerdict::NotOffered(_)
                | RecipientVerdict::Unanswered => {}
            }
        }
        sorted
    }
}

/// The server takes no more recipients in this message; the rest goes at once in another one. Some
/// servers say so with another code than 452 (RFC 5321 4.5.3.1.10).
fn is_surplus(reply: &Reply) -> bool {
    let by_code = reply
        .enhanced()
        .is_some_and(|code| (code.subject, code.detail) == (5, 3));
    let by_words = reply
        .to_string()
        .to_lowercase()
        .contains("too many recipients");
    matches!(reply.code, 450..=452 | 550..=552) && (by_code || by_words)
}
