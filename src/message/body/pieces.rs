//! A page with gaps for what is a row's own.

use crate::template::held::{self, Cut};

/// A page cut where values go; which value goes where is written in the words that held the gaps open.
pub(super) struct Pieces(Vec<Piece>);

enum Piece {
    Text(String),
    Gap { number: usize, manner: Manner },
}

/// How a value is put into its gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As text.
    Text,
    /// As a link to itself, where it is an address.
    Link,
}

/// The word that holds the gap of this number open.
pub(super) fn gap(number: usize, manner: Manner) -> String {
    held::hold(&match manner {
        Manner::Text => number.to_string(),
        Manner::Link => format!("{number}@"),
    })
}

/// The number in a gap's word.
pub(super) fn number(held: &str) -> Option<(usize, Manner)> {
    let (digits, manner) = match held.strip_suffix('@') {
        Some(digits) => (digits, Manner::Link),
        None => (held, Manner::Text),
    };
    Some((digits.parse().ok()?, manner))
}

impl Pieces {
    /// Cuts a page at its gaps.
    pub(super) fn of(page: &str) -> Self {
        let pieces = held::cut(page).map(|cut| match cut {
            Cut::Text(text) => Piece::Text(text.to_owned()),
            Cut::Value(held) => number(&held).map_or(Piece::Text(held), |(number, manner)| {
                Piece::Gap { number, manner }
            }),
        });
        Self(pieces.collect())
    }

    /// The page with its gaps filled: `write` puts the value of a number into the page.
    pub(super) fn fill(
        &self,
        into: &mut String,
        mut write: impl FnMut(usize, Manner, &mut String),
    ) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => into.push_str(text),
                Piece::Gap { number, manner } => write(*number, *manner, into),
            }
        }
    }
}
