//! What is done to a seed.

use proptest::prelude::*;

/// A change of some bytes; places are counted around the end.
#[derive(Debug, Clone)]
pub(crate) enum Mutation {
    Flip {
        at: u16,
        bit: u8,
    },
    Put {
        at: u16,
        bytes: Vec<u8>,
    },
    Cut {
        at: u16,
        length: u16,
    },
    Repeat {
        at: u16,
        length: u8,
        times: u16,
    },
    /// A stretch of another seed.
    Splice {
        at: u16,
        from: u16,
        length: u16,
    },
    End {
        at: u16,
    },
}

impl Arbitrary for Mutation {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let telling = prop::sample::select(vec![
            "\r\n",
            "\"",
            ",",
            "\0",
            "{{",
            "}}",
            "}}}",
            "{{/",
            "{{> p}}",
            "{{#each ",
            "<",
            ">",
            "&",
            "\u{feff}",
            "~",
            "'",
            ".\r\n",
            "--",
            "=",
            "[",
            "]",
            "@",
            "999999999999",
            "-1",
            "\u{202e}",
            "%",
            "\\",
            "/../",
        ]);
        let bytes = prop_oneof![
            telling.prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 1..8),
        ];
        prop_oneof![
            (any::<u16>(), 0..8_u8).prop_map(|(at, bit)| Self::Flip { at, bit }),
            (any::<u16>(), bytes).prop_map(|(at, bytes)| Self::Put { at, bytes }),
            (any::<u16>(), 1..20_u16).prop_map(|(at, length)| Self::Cut { at, length }),
            (any::<u16>(), 1..20_u8, 1..400_u16).prop_map(|(at, length, times)| Self::Repeat {
                at,
                length,
                times
            }),
            (any::<u16>(), any::<u16>(), 1..200_u16).prop_map(|(at, from, length)| Self::Splice {
                at,
                from,
                length
            }),
            any::<u16>().prop_map(|at| Self::End { at }),
        ]
        .boxed()
    }
}

/// The seed with these changes, one after the other.
pub(crate) fn mutated(seed: &[u8], other: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut data = seed.to_vec();
    for mutation in mutations {
        let place = |at: u16| usize::from(at) % (data.len() + 1);
        match mutation {
            Mutation::Flip { at, bit } => {
                let at = place(*at);
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Mutation::Put { at, bytes } => {
                let at = place(*at);
                data.splice(at..at, bytes.iter().copied());
            }
            Mutation::Cut { at, length } => {
                let at = place(*at);
                let end = data.len().min(at + usize::from(*length));
                data.drain(at..end);
            }
            Mutation::Repeat { at, length, times } => {
                let at = place(*at);
                let end = data.len().min(at + usize::from(*length));
                let piece = data[at..end].repeat(usize::from(*times));
                data.splice(at..at, piece);
            }
            Mutation::Splice { at, from, length } => {
                let at = place(*at);
                let from = usize::from(*from) % (other.len() + 1);
                let end = other.len().min(from + usize::from(*length));
                data.splice(at..at, other[from..end].iter().copied());
            }
            Mutation::End { at } => {
                let at = place(*at);
                data.truncate(at);
            }
        }
    }
    data
}
