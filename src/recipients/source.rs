//! The bytes of a list, let through only while they are UTF-8 text.

use std::io::{self, Read};

/// How much is read at once; the buffer is larger only while the header is looked at.
const CHUNK: usize = 64 * 1024;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Fault {
    /// Reading failed.
    Io(io::Error),
    /// The byte at `offset` is not part of UTF-8 text.
    NotUtf8 { offset: u64, byte: u8 },
    /// The byte at `offset` is NUL.
    Nul { offset: u64 },
    /// A byte order mark of UTF-16 (or UTF-32) at the start.
    Utf16,
    /// The signature of an Excel workbook at the start.
    Workbook,
}

#[derive(Debug, Clone, Copy)]
enum Bad {
    NotUtf8(u8),
    Nul,
}

/// A reader with a window of checked bytes. A fault comes up only when all before it was consumed,
/// so that whoever counts lines knows in which line it is.
#[derive(Debug)]
pub(super) struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    /// The window is `start..checked`; up to `end` stands what is not checked yet.
    start: usize,
    checked: usize,
    end: usize,
    /// The window's place in the file.
    offset: u64,
    bad: Option<Bad>,
    at_end: bool,
}

impl<R: Read> Source<R> {
    /// Looks at the first bytes: a UTF-8 byte order mark is skipped, other encodings are refused.
    pub(super) fn open(input: R) -> Result<Self, Fault> {
        let mut source = Self {
            input,
            buffer: vec![0; CHUNK],
            start: 0,
            checked: 0,
            end: 0,
            offset: 0,
            bad: None,
            at_end: false,
        };
        while source.end < 4 && !source.at_end {
            source.read().map_err(Fault::Io)?;
        }
        match source.buffer.get(..source.end).unwrap_or_default() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 0, 0xFE, 0xFF, ..] => {
                return Err(Fault::Utf16);
            }
            // Zip (.xlsx) and the older compound file (.xls).
            [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => return Err(Fault::Workbook),
            [0xEF, 0xBB, 0xBF, ..] => {
                source.checked = 3;
                source.consume(3);
            }
            _ => {}
        }
        source.check();
        Ok(source)
    }

    /// The window: bytes that are checked and not consumed.
    pub(super) fn window(&self) -> &[u8] {
        self.buffer
            .get(self.start..self.checked)
            .unwrap_or_default()
    }

    /// Takes `count` bytes off the window's front.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.checked - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Makes the window longer; `false` at the end of the file.
    pub(super) fn more(&mut self) -> Result<bool, Fault> {
        let before = self.window().len();
        while self.window().len() == before {
            if let Some(bad) = self.bad {
                return Err(self.fault(bad));
            }
            if self.at_end {
                return Ok(false);
            }
            self.read().map_err(Fault::Io)?;
            self.check();
        }
        Ok(true)
    }

    fn fault(&self, bad: Bad) -> Fault {
        let offset = self.offset + self.window().len() as u64;
        match bad {
            Bad::NotUtf8(byte) => Fault::NotUtf8 { offset, byte },
            Bad::Nul => Fault::Nul { offset },
        }
    }

    /// Reads once, behind what is there.
    fn read(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.checked -= self.start;
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = loop {
            match self.input.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += count;
        self.at_end = count == 0;
        Ok(())
    }

    /// Lets through what is text; a character cut by the end of the buffer waits for its rest.
    fn check(&mut self) {
        let fresh = self.buffer.get(self.checked..self.end).unwrap_or_default();
        let (mut good, mut bad) = match str::from_utf8(fresh) {
            Ok(_) => (fresh.len(), None),
            Err(error) => {
                let good = error.valid_up_to();
                let cut = error.error_len().is_none() && !self.at_end;
                (
                    good,
                    fresh
                        .get(good)
                        .filter(|_| !cut)
                        .map(|&byte| Bad::NotUtf8(byte)),
                )
            }
        };
        if let Some(nul) = fresh.iter().take(good).position(|&byte| byte == 0) {
            (good, bad) = (nul, Some(Bad::Nul));
        }
        self.checked += good;
        self.bad = bad;
    }
}
