//! Quoted-printable (RFC 2045 6.7): the same bytes as lettre's, in a tenth of the time.

/// The most characters of a line, a soft break's `=` included.
const LIMIT: usize = 76;

const SOFT_BREAK: &[u8] = b"=\r\n";

/// A text that is being encoded.
struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    /// Where the text begins in it.
    start: usize,
    /// How long the last line is.
    on_line: usize,
    /// Where the last character of the text begins: a soft break goes before it where the line turns out to be full.
    last: usize,
}

/// Encodes a text: its line ends as CRLF, and all but printable ASCII by number.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 8);
    let start = out.len();
    let mut encoder = Encoder {
        out,
        start,
        on_line: 0,
        last: start,
    };
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'\r', [b'\n', after @ ..]) | (b'\n', after) => {
                encoder.end_line();
                after
            }
            _ if is_plain(byte) && encoder.on_line + 3 <= LIMIT => encoder.run(rest),
            _ if is_plain(byte) => {
                encoder.append(&[byte]);
                after
            }
            _ => {
                encoder.append(&by_number(byte));
                after
            }
        };
    }
    encoder.end_blank();
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'<' | b'>'..=b'~')
}

/// How many plain characters a text begins with.
fn plain_length(text: &[u8]) -> usize {
    let (blocks, rest) = text.as_chunks::<8>();
    let mut plain = 0;
    for block in blocks {
        let odd = odd_bytes(u64::from_le_bytes(*block));
        plain += (odd.trailing_zeros() / 8) as usize;
        if odd != 0 {
            // A tab is odd, and plain all the same.
            return plain + plain_length_by_one(text.get(plain..).unwrap_or_default());
        }
    }
    plain + plain_length_by_one(rest)
}

fn plain_length_by_one(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_plain(**byte)).count()
}

/// Eight bytes looked at in one go: the highest bit of each that is no printable ASCII, or is `=`.
fn odd_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = EACH * 0x80;
    // No sum of a byte reaches into the next one.
    let low = word & !HIGHEST;
    let is_control = !(low + EACH * (0x80 - 0x20)) | (low + EACH);
    let is_equals = !((low ^ (EACH * 0x3d)) + EACH * 0x7f);
    (word | is_control | is_equals) & HIGHEST
}

fn by_number(byte: u8) -> [u8; 3] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [
        b'=',
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

impl Encoder<'_> {
    /// Takes plain characters at once, as many as come and leave room for two more, and breaks the line where it is
    /// certain that it goes on; what comes behind them.
    fn run<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let room = text.get(..LIMIT - 2 - self.on_line).unwrap_or(text);
        let (run, after) = text.split_at(plain_length(room));
        self.out.extend_from_slice(run);
        self.on_line += run.len();
        if self.on_line == LIMIT - 2
            && let [first, second, third, ..] = after
            && is_plain(*first)
            && is_plain(*second)
            && !matches!(third, b'\r' | b'\n')
        {
            // The second one would fill the line, and there is a third.
            self.out.push(*first);
            self.out.extend_from_slice(SOFT_BREAK);
            (self.on_line, self.last) = (0, self.out.len());
            return after.get(1..).unwrap_or_default();
        }
        self.last = self.out.len();
        after
    }

    fn append(&mut self, character: &[u8]) {
        if self.on_line + character.len() > LIMIT {
            if self.on_line == LIMIT {
                // No room for the `=`: what was put there last goes to the next line.
                self.on_line = self.out.len() - self.last;
                self.out
                    .splice(self.last..self.last, SOFT_BREAK.iter().copied());
            } else {
                self.out.extend_from_slice(SOFT_BREAK);
                self.on_line = 0;
            }
        }
        self.last = self.out.len();
        self.out.extend_from_slice(character);
        self.on_line += character.len();
    }

    fn end_line(&mut self) {
        self.end_blank();
        self.out.extend_from_slice(b"\r\n");
        self.on_line = 0;
    }

    /// A blank at the end of a line would be lost on the way.
    fn end_blank(&mut self) {
        let written = self.out.get(self.start..).unwrap_or_default();
        if let Some(&blank @ (b' ' | b'\t')) = written.last() {
            self.out.pop();
            self.on_line -= 1;
            self.append(&by_number(blank));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::message::Body;
    use lettre::message::header::ContentTransferEncoding::QuotedPrintable;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        let mut out = b"before ".to_vec();
        encode(text, &mut out);
        String::from_utf8(out.split_off("before ".len())).unwrap()
    }

    fn by_lettre(text: &str) -> String {
        let body = Body::new_with_encoding(text.to_owned(), QuotedPrintable).unwrap();
        String::from_utf8(body.into_vec()).unwrap()
    }

    /// Line ends of every kind, blanks before them, and lines of about the length at which they are broken.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z=]{70,80}",
            "[a-z]{0,4}",
            "[ \\t]{1,3}",
            Just("\n".to_owned()),
            Just("\r\n".to_owned()),
            Just("\r".to_owned()),
            Just("=".to_owned()),
            Just("é".to_owned()),
            "(?s).{0,3}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_is_what_lettre_makes_of_it(pieces in prop::collection::vec(piece(), 0..40)) {
            let text = pieces.concat();
            prop_assert_eq!(encoded(&text), by_lettre(&text));
        }
    }

    #[test]
    fn lines_of_every_length_are_broken_as_lettre_breaks_them() {
        for length in 60..170 {
            for end in [
                "", " ", "=", " \n", "\t\r\n", "==\n", "é", "\r", " \r\r\n", "  ",
            ] {
                for lead in ["", "=", "é"] {
                    let text = format!("{lead}{}{end}", "x".repeat(length));
                    assert_eq!(encoded(&text), by_lettre(&text), "{text:?}");
                }
            }
        }
    }
}
