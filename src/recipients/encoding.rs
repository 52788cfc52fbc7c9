//! Which encoding a list is in: by its mark, by the user's word, or by a look at all of its bytes.
//!
//! A list that is not UTF-8 is read a second time as a whole, because its first letter with an accent
//! may come in row 60,000. Memory does not grow with it.

use std::io::{Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use super::charset::Charset;
use super::source::Fault;

const CHUNK: usize = 64 * 1024;
/// With no more characters than these outside ASCII, a guess is a guess: readings that differ are both shown.
const THIN: u64 = 4;
/// What a detector might take the list for if it came from these countries.
const HINTS: [&[u8]; 6] = [b"de", b"pl", b"cz", b"tr", b"ru", b"gr"];
/// How much of a line is kept to show how it reads.
const SAMPLE: usize = 256;

/// The encoding that a list is read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// Its usual name, such as `windows-1252`.
    pub name: &'static str,
    /// Why it was taken, as a part of a sentence.
    pub because: String,
}

/// What was decided.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) charset: Charset,
    pub(super) because: String,
    /// How many bytes the mark at the start takes.
    pub(super) mark: u64,
    /// Neither a mark nor the user says it.
    pub(super) guess: Option<Guess>,
}

/// A line that shows whether a guess is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) line: u64,
    /// A cell of it as it is read.
    pub(super) sample: String,
}

/// Two encodings that fit about equally well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rivals {
    /// The line, from 1, that they read differently.
    pub line: u64,
    /// The likelier one and how it reads a cell of that line.
    pub one: (&'static str, String),
    /// The other one.
    pub other: (&'static str, String),
}

/// Looks at the list and leaves it at its start.
pub(super) fn decide<R: Read + Seek>(
    input: &mut R,
    wanted: Option<Charset>,
) -> Result<Decided, Fault> {
    let start = beginning(input)?;
    let decided = match (by_mark(&start)?, wanted) {
        (Some((charset, mark)), _) => Decided {
            charset: Charset(charset),
            because: format!("its first bytes are the mark of {}", charset.name()),
            mark,
            guess: None,
        },
        (None, Some(charset)) => Decided {
            charset,
            because: "'encoding' under [recipients] says so".to_owned(),
            mark: 0,
            guess: None,
        },
        (None, None) => by_content(input, &start)?,
    };
    input.rewind().map_err(Fault::Io)?;
    Ok(decided)
}

fn beginning<R: Read + Seek>(input: &mut R) -> Result<Vec<u8>, Fault> {
    input.rewind().map_err(Fault::Io)?;
    let mut start = Vec::new();
    input
        .by_ref()
        .take(CHUNK as u64)
        .read_to_end(&mut start)
        .map_err(Fault::Io)?;
    Ok(start)
}

/// A byte order mark; what is no text at all is refused.
fn by_mark(start: &[u8]) -> Result<Option<(&'static encoding_rs::Encoding, u64)>, Fault> {
    match start {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(Fault::Utf32),
        // Zip (.xlsx, .ods) and the compound file of .xls and of workbooks with a password.
        [b'P', b'K', 3, 4, ..] => Err(Fault::Workbook),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Err(Fault::Compound),
        _ => Ok(encoding_rs::Encoding::for_bom(start).map(|(found, mark)| (found, mark as u64))),
    }
}

fn by_content<R: Read + Seek>(input: &mut R, start: &[u8]) -> Result<Decided, Fault> {
    if let Some(charset) = unmarked_utf_16(start) {
        let text = charset.0.decode_without_bom_handling(start).0;
        let sample = cell_with(&text, 0).to_owned();
        return Ok(Decided {
            charset,
            because: format!("every other byte is NUL, as in {}", charset.name()),
            mark: 0,
            guess: Some(Guess { line: 1, sample }),
        });
    }
    let utf_8 = |because: &str| Decided {
        charset: Charset(UTF_8),
        because: because.to_owned(),
        mark: 0,
        guess: None,
    };
    let facts = Facts::of(input)?;
    let Some(first) = &facts.first else {
        return Ok(utf_8("all of it is valid UTF-8"));
    };
    // A stray byte in a text that is UTF-8 elsewhere is damage, not another encoding.
    if facts.characters * 2 >= facts.stray {
        return Ok(utf_8("most of what is not ASCII is valid UTF-8"));
    }
    let charset = Charset(facts.detector.guess(None, Utf8Detection::Deny));
    if let Some(rivals) = facts.rivals(charset, first) {
        return Err(Fault::Undecided(Box::new(rivals)));
    }
    Ok(Decided {
        charset,
        because: format!(
            "byte 0x{:02X} in line {} is not UTF-8 and the text reads as {}",
            first.byte,
            first.line,
            charset.script()
        ),
        mark: 0,
        guess: Some(Guess {
            line: first.line,
            sample: first.read_as(charset),
        }),
    })
}

/// UTF-16 without a mark: delimiters, addresses and most letters have NUL as one of their two bytes.
fn unmarked_utf_16(start: &[u8]) -> Option<Charset> {
    let pairs = start.len() / 2;
    let nuls = |odd: usize| {
        let bytes = start.iter().skip(odd).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (nuls(0), nuls(1));
    let many = |count: usize| pairs >= 2 && count * 3 >= pairs;
    let few = |count: usize| count * 50 <= pairs;
    match (even, odd) {
        _ if many(odd) && few(even) => Some(Charset(UTF_16LE)),
        _ if many(even) && few(odd) => Some(Charset(UTF_16BE)),
        _ => None,
    }
}

/// The first byte that is not UTF-8.
#[derive(Debug)]
struct First {
    byte: u8,
    line: u64,
    /// Its line, from before it on.
    around: Vec<u8>,
    /// Where in `around` it stands.
    at: usize,
}

impl First {
    fn read_as(&self, charset: Charset) -> String {
        let (before, _) = self.around.split_at(self.at.min(self.around.len()));
        let before = charset.0.decode_without_bom_handling(before).0.len();
        let text = charset.0.decode_without_bom_handling(&self.around).0;
        cell_with(&text, before).to_owned()
    }
}

/// The cell in which the character at or after `from` stands, and no more than a few words of it.
fn cell_with(text: &str, from: usize) -> &str {
    let border = |c: char| matches!(c, ',' | ';' | '\t' | '|' | '"') || c.is_control();
    let from = text.floor_char_boundary(from);
    let (before, after) = text.split_at(from);
    let start = before.rfind(border).map_or(0, |at| at + 1);
    let length = after.find(border).unwrap_or(after.len());
    let cell = text.get(start..from + length).unwrap_or_default().trim();
    cell.char_indices()
        .nth(60)
        .map_or(cell, |(end, _)| cell.get(..end).unwrap_or(cell))
}

/// What the bytes of a whole list show.
struct Facts {
    first: Option<First>,
    /// Characters of UTF-8 outside ASCII.
    characters: u64,
    /// Places that are not UTF-8.
    stray: u64,
    /// The first bytes outside ASCII.
    odd: Vec<u8>,
    odd_count: u64,
    detector: EncodingDetector,
}

impl Facts {
    fn of<R: Read + Seek>(input: &mut R) -> Result<Self, Fault> {
        let mut facts = Self {
            first: None,
            characters: 0,
            stray: 0,
            odd: Vec::new(),
            odd_count: 0,
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
        };
        let (mut breaks, mut returns) = (0, 0);
        let mut tail = Vec::new();
        each_chunk(input, |text, stray| {
            if let (Some(&byte), None) = (stray.first(), &facts.first) {
                let count = |end: u8| memchr::memchr_iter(end, text).count() as u64;
                let line = 1 + (breaks + count(b'\n')).max(returns + count(b'\r'));
                let around = last_line(&tail, text);
                facts.first = Some(First {
                    byte,
                    line,
                    at: around.len(),
                    around,
                });
            }
            breaks += memchr::memchr_iter(b'\n', text).count() as u64;
            returns += memchr::memchr_iter(b'\r', text).count() as u64;
            tail = last_line(&tail, text);
            facts.stray += u64::from(!stray.is_empty());
        })?;
        if facts.first.is_some() {
            facts.look_again(input)?;
        }
        Ok(facts)
    }

    /// All bytes once more, for what only a list needs that is not UTF-8.
    fn look_again<R: Read + Seek>(&mut self, input: &mut R) -> Result<(), Fault> {
        let mut wanted = 0;
        each_chunk(input, |text, stray| {
            for part in [text, stray] {
                self.detector.feed(part, false);
                let odd = part.iter().filter(|byte| !byte.is_ascii());
                self.odd_count += odd.clone().count() as u64;
                let room = 64_usize.saturating_sub(self.odd.len());
                self.odd.extend(odd.take(room));
            }
            self.characters += text.iter().filter(|byte| **byte >= 0xC0).count() as u64;
            if let Some(first) = &mut self.first {
                if wanted > 0 && first.around.len() < first.at + SAMPLE {
                    let room = first.at + SAMPLE - first.around.len();
                    first.around.extend(text.iter().chain(stray).take(room));
                } else if wanted == 0 && !stray.is_empty() {
                    first.around.extend_from_slice(stray);
                }
            }
            wanted += u64::from(!stray.is_empty());
        })?;
        self.detector.feed(&[], true);
        Ok(())
    }

    /// Another encoding that would read the little there is differently.
    fn rivals(&self, best: Charset, first: &First) -> Option<Rivals> {
        if self.odd_count > THIN {
            return None;
        }
        let decoded = |charset: Charset| charset.0.decode_without_bom_handling(&self.odd).0;
        let own = decoded(best);
        let mut others = HINTS
            .iter()
            .map(|hint| Charset(self.detector.guess(Some(hint), Utf8Detection::Deny)));
        let other = others.find(|other| {
            let text = decoded(*other);
            let plausible = !text.chars().any(|c| c.is_control() || c == '\u{fffd}');
            let alphabet = matches!(other.script(), "Cyrillic" | "Greek");
            text != own && plausible && (!alphabet || has_word(&first.read_as(*other)))
        })?;
        Some(Rivals {
            line: first.line,
            one: (best.name(), first.read_as(best)),
            other: (other.name(), first.read_as(other)),
        })
    }
}

/// Two letters outside ASCII side by side, as in any word of another alphabet.
fn has_word(text: &str) -> bool {
    let odd = |c: char| !c.is_ascii() && c.is_alphabetic();
    text.chars()
        .zip(text.chars().skip(1))
        .any(|(a, b)| odd(a) && odd(b))
}

/// The end of the last line of `before` and `text` together.
fn last_line(before: &[u8], text: &[u8]) -> Vec<u8> {
    let start = memchr::memrchr2(b'\n', b'\r', text);
    let rest = text.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
    let kept = if start.is_some() { &[][..] } else { before };
    let mut line: Vec<u8> = kept.iter().chain(rest).copied().collect();
    line.drain(..line.len().saturating_sub(SAMPLE));
    line
}

/// Hands over the list in pieces: what is UTF-8, and the stray bytes (if any) that follow it.
fn each_chunk<R: Read + Seek>(
    input: &mut R,
    mut take: impl FnMut(&[u8], &[u8]),
) -> Result<(), Fault> {
    input.seek(SeekFrom::Start(0)).map_err(Fault::Io)?;
    let mut buffer = vec![0; CHUNK];
    let mut held = 0;
    loop {
        let free = buffer.get_mut(held..).unwrap_or_default();
        let count = match input.read(free) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            result => result.map_err(Fault::Io)?,
        };
        let end = held + count;
        let mut rest = buffer.get(..end).unwrap_or_default();
        loop {
            let (good, stray) = match str::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(error) => {
                    let cut = if count == 0 {
                        rest.len() - error.valid_up_to()
                    } else {
                        0
                    };
                    (error.valid_up_to(), error.error_len().unwrap_or(cut))
                }
            };
            let (text, others) = rest.split_at(good);
            let (stray, others) = others.split_at(stray.min(others.len()));
            take(text, stray);
            rest = others;
            if stray.is_empty() {
                break;
            }
        }
        held = rest.len();
        if count == 0 {
            return Ok(());
        }
        buffer.copy_within(end - held..end, 0);
    }
}
