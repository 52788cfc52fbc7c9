//! The bytes of a list, decoded and let through only while they are text.

use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

use super::charset::Charset;
use super::encoding::{self, Encoding, Guess, Rivals};

/// How much is read at once; the buffer is larger only while the header is looked at.
const CHUNK: usize = 64 * 1024;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Fault {
    /// Reading failed.
    Io(io::Error),
    /// The byte at `offset` is no text in this encoding.
    NotText {
        offset: u64,
        byte: u8,
        encoding: &'static str,
    },
    /// The character at `offset` is NUL.
    Nul { offset: u64 },
    /// A byte order mark of UTF-32 at the start.
    Utf32,
    /// The signature of a zip file, as .xlsx and .ods are, at the start.
    Workbook,
    /// The signature of a compound file, as .xls is and a workbook with a password.
    Compound,
    /// Two encodings fit.
    Undecided(Box<Rivals>),
}

#[derive(Debug, Clone, Copy)]
enum Bad {
    NotText { offset: u64, byte: u8 },
    Nul { offset: u64 },
}

/// A reader with a window of checked UTF-8. A fault comes up only when all before it was consumed,
/// so that whoever counts lines knows in which line it is.
pub(super) struct Source<R> {
    input: R,
    charset: Charset,
    because: String,
    guess: Option<Guess>,
    decoder: Decoder,
    /// Bytes as they stand in the file; the first `held` are still to be decoded.
    raw: Vec<u8>,
    held: usize,
    /// The place in the file of the first byte of `raw`.
    offset: u64,
    /// The bytes before `raw`: one of them may turn out to begin what is no character.
    before: [u8; 4],
    /// Where in the file that ends which was let through as text.
    passed: u64,
    /// The window is `start..`.
    text: Vec<u8>,
    start: usize,
    bad: Option<Bad>,
    at_end: bool,
}

impl<R> std::fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("charset", &self.charset)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl<R: Read + Seek> Source<R> {
    /// Decides on the encoding; `wanted` is the user's word. A byte order mark is skipped.
    pub(super) fn open(mut input: R, wanted: Option<Charset>) -> Result<Self, Fault> {
        let decided = encoding::decide(&mut input, wanted)?;
        input
            .seek(SeekFrom::Start(decided.mark))
            .map_err(Fault::Io)?;
        let mut source = Self {
            input,
            charset: decided.charset,
            because: decided.because,
            guess: decided.guess,
            decoder: decided.charset.0.new_decoder_without_bom_handling(),
            raw: vec![0; CHUNK],
            held: 0,
            offset: decided.mark,
            before: [0; 4],
            passed: decided.mark,
            text: Vec::new(),
            start: 0,
            bad: None,
            at_end: false,
        };
        source.read().map_err(Fault::Io)?;
        Ok(source)
    }

    /// The encoding and why it was taken.
    pub(super) fn encoding(&self) -> Encoding {
        Encoding {
            name: self.charset.name(),
            because: self.because.clone(),
        }
    }

    /// What shows whether the encoding was guessed rightly, if it was.
    pub(super) fn guess(&self) -> Option<&Guess> {
        self.guess.as_ref()
    }

    /// The window: text that is not consumed.
    pub(super) fn window(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Takes `count` bytes off the window's front.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count.min(self.text.len() - self.start);
    }

    /// Makes the window longer; `false` at the end of the file.
    pub(super) fn more(&mut self) -> Result<bool, Fault> {
        let before = self.window().len();
        while self.window().len() == before {
            match self.bad {
                Some(Bad::Nul { offset }) => return Err(Fault::Nul { offset }),
                Some(Bad::NotText { offset, byte }) => {
                    return Err(Fault::NotText {
                        offset,
                        byte,
                        encoding: self.charset.name(),
                    });
                }
                None if self.at_end => return Ok(false),
                None => self.read().map_err(Fault::Io)?,
            }
        }
        Ok(true)
    }

    /// Reads once and decodes what came.
    fn read(&mut self) -> io::Result<()> {
        self.text.drain(..self.start);
        self.start = 0;
        let free = self.raw.get_mut(self.held..).unwrap_or_default();
        let count = loop {
            match self.input.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.at_end = count == 0;
        self.held += count;
        self.decode();
        Ok(())
    }

    /// Decodes what is held. UTF-8 needs no decoder, only a look.
    fn decode(&mut self) {
        let held = self.raw.get(..self.held).unwrap_or_default();
        let fresh = self.text.len();
        let read = if self.charset.0 == UTF_8 {
            let (good, bad) = whole_characters(held, self.at_end);
            self.text
                .extend_from_slice(held.get(..good).unwrap_or_default());
            self.bad = bad.map(|byte| Bad::NotText {
                offset: self.offset + good as u64,
                byte,
            });
            good
        } else {
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(held.len());
            self.text
                .resize(fresh + room.unwrap_or(held.len() * 3 + 16), 0);
            let into = self.text.get_mut(fresh..).unwrap_or_default();
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(held, into, self.at_end);
            self.text.truncate(fresh + written);
            if let DecoderResult::Malformed(length, after) = result {
                self.bad = Some(self.malformed(read, usize::from(length) + usize::from(after)));
            }
            read
        };
        self.refuse_what_is_no_text(fresh);
        self.keep_before(read);
    }

    /// The place of the first of the last `back` bytes before `read`.
    fn malformed(&self, read: usize, back: usize) -> Bad {
        let byte = match read.checked_sub(back) {
            Some(at) => self.raw.get(at),
            None => self
                .before
                .get((self.before.len() + read).saturating_sub(back)),
        };
        Bad::NotText {
            offset: (self.offset + read as u64).saturating_sub(back as u64),
            byte: byte.copied().unwrap_or_default(),
        }
    }

    /// NUL, and what an encoding of one byte a character has no character for: the standard makes
    /// control characters of U+0080 to U+009F of such bytes.
    fn refuse_what_is_no_text(&mut self, fresh: usize) {
        let text = self.text.get(fresh..).unwrap_or_default();
        let nul = memchr::memchr(0, text);
        let single = self.charset.0.is_single_byte();
        let blank = memchr::memchr_iter(0xC2, text)
            .filter(|_| single)
            .find(|at| text.get(at + 1).is_some_and(|byte| *byte < 0xA0));
        let bad = nul.into_iter().chain(blank).min();
        let good = text.get(..bad.unwrap_or(text.len())).unwrap_or_default();
        let length = self.length_in_file(good);
        if let Some(at) = bad {
            self.text.truncate(fresh + at);
            let held = self.raw.get(..self.held).unwrap_or_default();
            self.bad = Some(match (length, nul == Some(at)) {
                (Some(length), true) => Bad::Nul {
                    offset: self.passed + length,
                },
                (None, true) => Bad::Nul {
                    offset: self.offset + memchr::memchr(0, held).unwrap_or_default() as u64,
                },
                (length, false) => Bad::NotText {
                    offset: self.passed + length.unwrap_or_default(),
                    byte: held
                        .get(length.unwrap_or_default() as usize)
                        .copied()
                        .unwrap_or_default(),
                },
            });
        }
        self.passed += length.unwrap_or_default();
    }

    /// How many bytes this text takes in the file, where that can be told from the text alone.
    fn length_in_file(&self, text: &[u8]) -> Option<u64> {
        let text = str::from_utf8(text).unwrap_or_default();
        if self.charset.0 == UTF_16LE || self.charset.0 == UTF_16BE {
            return Some(text.chars().map(|c| 2 * c.len_utf16() as u64).sum());
        }
        let single = self.charset.0.is_single_byte();
        single.then(|| text.chars().count() as u64)
    }

    fn keep_before(&mut self, read: usize) {
        for byte in self.raw.iter().take(read).skip(read.saturating_sub(4)) {
            self.before.rotate_left(1);
            self.before[3] = *byte;
        }
        self.raw.copy_within(read..self.held, 0);
        self.held -= read;
        self.offset += read as u64;
    }
}

/// How much of this is UTF-8, and the byte that is not; a character cut by the end waits for its rest.
fn whole_characters(bytes: &[u8], at_end: bool) -> (usize, Option<u8>) {
    match str::from_utf8(bytes) {
        Ok(_) => (bytes.len(), None),
        Err(error) => {
            let good = error.valid_up_to();
            let cut = error.error_len().is_none() && !at_end;
            (good, bytes.get(good).filter(|_| !cut).copied())
        }
    }
}
