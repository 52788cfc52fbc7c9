//! Rules inside `@media` that must still win once the others have become attributes.
//!
//! A `style` attribute wins over any rule of a style sheet but an `!important` one (CSS Cascade, section
//! 6.1: <https://www.w3.org/TR/css-cascade-4/#cascading>). So what was inlined would win over the rules
//! for dark mode and phones, which stand in `@media`: these become `!important`.

/// A style sheet whose declarations inside `@media` are `!important`, or all of them where all of it holds
/// on a condition (`<style media="…">`); nothing where none is changed.
pub(super) fn conditional(css: &str, all_of_it: bool) -> Option<String> {
    let mut reader = Reader {
        css,
        at: 0,
        out: String::with_capacity(css.len() + css.len() / 8),
        copied: 0,
    };
    reader.rules(all_of_it, 0);
    if reader.copied == 0 {
        return None;
    }
    reader
        .out
        .push_str(css.get(reader.copied..).unwrap_or_default());
    Some(reader.out)
}

/// Blocks inside blocks that are looked into; deeper ones stay as they are.
const MAX_DEPTH: usize = 16;

struct Reader<'a> {
    css: &'a str,
    at: usize,
    out: String,
    /// Up to where the sheet has been copied.
    copied: usize,
}

/// What ends a stretch of a style sheet.
#[derive(PartialEq)]
enum Stop {
    Open,
    Close,
    Semicolon,
    End,
}

impl Reader<'_> {
    /// Reads up to a brace or semicolon that is in no comment, string or bracket; also gives the place
    /// behind the last thing that is neither blank nor comment.
    fn stretch(&mut self) -> (Stop, usize) {
        let bytes = self.css.as_bytes();
        let (mut solid, mut brackets) = (self.at, 0_usize);
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'/' if bytes.get(self.at) == Some(&b'*') => {
                    let end = self.css.get(self.at + 1..).and_then(|rest| rest.find("*/"));
                    self.at = end.map_or(bytes.len(), |end| self.at + 3 + end);
                    continue;
                }
                b'"' | b'\'' => self.skip_string(byte),
                b'\\' => self.at = (self.at + 1).min(bytes.len()),
                b'(' | b'[' => brackets += 1,
                b')' | b']' => brackets = brackets.saturating_sub(1),
                b'{' => return (Stop::Open, solid),
                b'}' => return (Stop::Close, solid),
                b';' if brackets == 0 => return (Stop::Semicolon, solid),
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                solid = self.at;
            }
        }
        (Stop::End, solid)
    }

    fn skip_string(&mut self, quote: u8) {
        let bytes = self.css.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at = (self.at + 1).min(bytes.len()),
                b'\n' => return,
                _ if byte == quote => return,
                _ => {}
            }
        }
    }

    /// Goes through rules up to the end of the block they stand in.
    fn rules(&mut self, in_media: bool, depth: usize) {
        loop {
            let start = self.at;
            let (stop, solid) = self.stretch();
            match stop {
                Stop::End => return,
                Stop::Close if depth > 0 => return,
                Stop::Close | Stop::Semicolon => {}
                Stop::Open => {
                    let head = without_comments(self.css.get(start..solid).unwrap_or_default());
                    let grouping = ["@supports", "@layer", "@container"];
                    if depth < MAX_DEPTH && head.starts_with("@media") {
                        self.rules(true, depth + 1);
                    } else if depth < MAX_DEPTH
                        && grouping.iter().any(|name| head.starts_with(name))
                    {
                        self.rules(in_media, depth + 1);
                    } else if in_media && !head.starts_with('@') {
                        self.declarations();
                    } else {
                        self.skip_block();
                    }
                }
            }
        }
    }

    /// Makes the declarations up to the end of their block important; a block with others inside stays.
    fn declarations(&mut self) {
        let mut ends = Vec::new();
        loop {
            let start = self.at;
            let (stop, solid) = self.stretch();
            let written = self.css.get(start..solid).unwrap_or_default();
            if stop == Stop::Open {
                self.skip_block();
                return self.skip_block();
            }
            let bare = written.to_ascii_lowercase();
            let is_important = bare
                .rsplit_once('!')
                .is_some_and(|(_, word)| word.trim() == "important");
            if bare.contains(':') && !is_important {
                ends.push(solid);
            }
            if stop != Stop::Semicolon {
                break;
            }
        }
        for end in ends {
            self.out
                .push_str(self.css.get(self.copied..end).unwrap_or_default());
            self.out.push_str(" !important");
            self.copied = end;
        }
    }

    /// Goes behind the end of the block that is open.
    fn skip_block(&mut self) {
        let mut open = 1_usize;
        while open > 0 {
            match self.stretch().0 {
                Stop::Open => open += 1,
                Stop::Close => open -= 1,
                Stop::Semicolon => {}
                Stop::End => return,
            }
        }
    }
}

/// The beginning of a rule in small letters, without the comments before it.
fn without_comments(head: &str) -> String {
    let mut rest = head.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment
            .split_once("*/")
            .map_or("", |(_, behind)| behind)
            .trim_start();
    }
    // What HTML comments around a style sheet leave is white space to CSS.
    rest.trim_start_matches("<!--")
        .trim_start()
        .to_ascii_lowercase()
}
