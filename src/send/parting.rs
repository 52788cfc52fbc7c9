//! Finding the recipient for whose sake a server refuses a message for everybody.
//!
//! Some servers look at all recipients together, after the content: one that is on a block list costs
//! everybody the message (Exchange Online's 550 5.7.703). Where the reply names it, it is taken out; where
//! it does not, the message is halved until the one is alone.

use super::attempt::{RefusedMessage, Tried};
use super::error::Error;
use super::event::{Event, Trouble};
use crate::delivery::{Class, Phase, Reply};
use crate::store::{Finish, Split};

/// What becomes of the recipients of a message that was refused for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Parting {
    /// These are the ones, by their place; the others go again in one message.
    Named(Vec<usize>),
    /// It was the only one.
    Alone(usize),
    /// It is one of these: they go again in two messages.
    Halves(Vec<usize>, Vec<usize>),
}

/// Decides it for the recipients at these places, with their addresses. The sender's own addresses are often
/// named too, and are not meant; where everybody is named, nobody is.
fn part(listed: &[(usize, &str)], own: &[&str], reply: &Reply) -> Parting {
    if let [(only, _)] = listed {
        return Parting::Alone(*only);
    }
    let named: Vec<usize> = listed
        .iter()
        .filter(|(_, address)| !own.iter().any(|own| address.eq_ignore_ascii_case(own)))
        .filter(|(_, address)| names(reply, address))
        .map(|(place, _)| *place)
        .collect();
    if !named.is_empty() && named.len() < listed.len() {
        return Parting::Named(named);
    }
    let places: Vec<usize> = listed.iter().map(|(place, _)| *place).collect();
    let (first, second) = places.split_at(places.len() / 2);
    Parting::Halves(first.to_vec(), second.to_vec())
}

/// A block list is about single recipients, however many in a row are on it; other refusals may be about
/// everybody.
fn is_about_a_block(reply: &Reply) -> bool {
    reply
        .enhanced()
        .is_some_and(|code| (code.class, code.subject, code.detail) == (5, 7, 703))
}

/// Whether the reply has the address in it, as a word of its own.
fn names(reply: &Reply, address: &str) -> bool {
    let text = reply.text.to_lowercase();
    let address = address.to_lowercase();
    // `not-ann@x.test` and `ann@x.test.example` are others.
    let goes_on = |c: char| c.is_alphanumeric() || "@!#$%&*+/=?^_`{|}~-".contains(c);
    text.match_indices(&address).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + address.len()..].chars();
        let (next, second) = (after.next(), after.next());
        let begins = before.is_none_or(|c| !goes_on(c) && c != '.');
        // A full stop ends a sentence, unless a letter follows.
        let ends = match next {
            Some('.') => second.is_none_or(|c| !goes_on(c)),
            next => next.is_none_or(|c| !goes_on(c)),
        };
        begins && ends
    })
}

impl Tried<'_> {
    /// The message was refused for the sake of one of its recipients. `refused` were refused before that.
    pub(super) async fn refused_for_one(
        &mut self,
        phase: Phase,
        reply: &Reply,
        meaning: String,
        mut refused: Vec<(u64, String)>,
    ) -> Result<(), Error> {
        let words = reply.to_string();
        let envelope = &self.prepared.envelope;
        let copies = envelope.iter().skip(self.claim.recipients.len());
        let is_meant = |copy: &&String| **copy != self.prepared.sender && names(reply, copy);
        if let Some(copy) = copies.into_iter().find(is_meant) {
            self.outcome.lesson.stop = Some(Box::new(trouble_with_copy(copy, phase, &words)));
            let now = self.context.clock.now();
            return self.defer(phase, words, refused, Some(now)).await;
        }
        let address = |place: &usize| envelope.get(*place).map_or("", String::as_str);
        let listed: Vec<(usize, &str)> = self.left.iter().map(|p| (*p, address(p))).collect();
        let own = [
            self.prepared.sender.as_str(),
            self.context.account.username().unwrap_or_default(),
        ];
        let (named, apart) = match part(&listed, &own, reply) {
            Parting::Alone(_) => {
                self.outcome.progress = true;
                let has_copies = envelope.len() > self.claim.recipients.len();
                if has_copies || !is_about_a_block(reply) {
                    self.outcome.refused_message = Some(RefusedMessage {
                        reply: words.clone(),
                        copy_suspected: has_copies,
                    });
                }
                return self.refuse(phase, words, meaning, refused).await;
            }
            Parting::Named(named) => (named, Vec::new()),
            Parting::Halves(_, second) => (Vec::new(), second),
        };
        let named = named
            .into_iter()
            .map(|place| (place, words.clone(), meaning.clone()));
        refused.extend(self.note_refused(named.collect()));
        let at = self.context.clock.reading();
        let apart: Vec<(usize, String)> = apart
            .into_iter()
            .map(|place| (place, words.clone()))
            .collect();
        let apart: Option<Split> = self.split(&apart, at.wall, true);
        let parted = Finish::Parted {
            at,
            phase,
            reply: words.clone(),
            refused,
            apart,
            weight: self.weight(&self.left),
        };
        let (journal, lane) = (&self.context.journal, self.context.lane);
        journal.finish(lane, self.claim, parted).await?;
        self.outcome.events.push(Event::Deferred {
            number: self.claim.number,
            recipients: self.left.len() as u64,
            until: at.wall,
            reply: words,
            blameless: true,
        });
        Ok(())
    }
}

/// Every message has the copies: nobody on the list is at fault, and nothing can go.
fn trouble_with_copy(copy: &str, phase: Phase, reply: &str) -> Trouble {
    Trouble {
        class: Class::Message,
        phase,
        reply: reply.to_owned(),
        meaning: format!("the server refuses every message because {copy} gets a copy of it"),
        remedy: format!(
            "take {copy} out of cc or bcc in campaign.toml and plan again, or have its block lifted"
        ),
        unreachable: false,
        local: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocked(text: &str) -> Reply {
        Reply::new(550, text)
    }

    #[test]
    fn who_is_named_is_taken_out() {
        let listed = [(0, "ann@x.test"), (3, "Bob@X.test"), (4, "me@x.test")];
        let by = |text: &str| part(&listed, &["me@x.test"], &blocked(text));
        for text in [
            "5.7.703 <bob@x.test> is blocked",
            "5.7.703 blocked: BOB@x.test.",
            "5.7.703 me@x.test may not write to bob@x.test",
        ] {
            assert_eq!(by(text), Parting::Named(vec![3]), "{text}");
        }
        assert_eq!(
            by("5.7.703 bob@x.test;ann@x.test"),
            Parting::Named(vec![0, 3])
        );
        for text in [
            "5.7.703 blocked",
            "5.7.703 bob@x.test.example and jim.bob@x.test and bob@x.tests",
            "5.7.703 me@x.test wrote",
        ] {
            assert_eq!(by(text), Parting::Halves(vec![0], vec![3, 4]), "{text}");
        }
        let both = [(0, "ann@x.test"), (3, "bob@x.test")];
        let all_named = blocked("5.7.703 To ann@x.test and bob@x.test: one of them is blocked");
        assert_eq!(
            part(&both, &[], &all_named),
            Parting::Halves(vec![0], vec![3])
        );
        let alone = [(7, "ann@x.test")];
        assert_eq!(part(&alone, &[], &blocked("5.7.703")), Parting::Alone(7));
    }

    proptest! {
        /// Whoever it is, the innocent are told from the guilty in at most two offers for each.
        #[test]
        fn exactly_the_guilty_are_found(
            guilty in proptest::collection::btree_set(0_usize..200, 0..30),
            count in 1_usize..200,
            tells in any::<bool>(),
        ) {
            let address = |n: &usize| format!("p{n}@x.test");
            let mut waiting = vec![(0..count).collect::<Vec<_>>()];
            let (mut refused, mut sent, mut offers) = (vec![], vec![], 0);
            while let Some(message) = waiting.pop() {
                offers += 1;
                let Some(first) = message.iter().find(|n| guilty.contains(n)) else {
                    sent.extend(message);
                    continue;
                };
                let words = if tells { address(first) } else { String::new() };
                let addresses: Vec<String> = message.iter().map(address).collect();
                let listed: Vec<_> = message.iter().copied().zip(addresses.iter().map(String::as_str)).collect();
                match part(&listed, &["me@x.test"], &blocked(&words)) {
                    Parting::Alone(only) => refused.push(only),
                    Parting::Named(named) => {
                        let rest: Vec<usize> = message.into_iter().filter(|n| !named.contains(n)).collect();
                        refused.extend(named);
                        if !rest.is_empty() {
                            waiting.push(rest);
                        }
                    }
                    Parting::Halves(first, second) => waiting.extend([first, second]),
                }
            }
            refused.sort_unstable();
            let expected: Vec<usize> = guilty.into_iter().filter(|n| *n < count).collect();
            prop_assert_eq!(&refused, &expected);
            prop_assert_eq!(refused.len() + sent.len(), count);
            prop_assert!(offers < 2 * count);
        }
    }
}
