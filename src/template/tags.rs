//! Finding the tags of a source without parsing them, and how deep things are nested in it.
//!
//! The parser calls itself for each thing inside another, and so does everything that goes through
//! what it makes. So the depth is measured first, and too much of it is an error and no crash.

/// How deep blocks may be nested; every `{{else if}}` is a block inside the one before it.
const MAX_BLOCKS: usize = 128;
/// How deep brackets may be nested inside one tag.
const MAX_BRACKETS: usize = 32;

/// One `{{…}}` that is not a comment.
pub(super) struct Tag<'a> {
    pub(super) offset: usize,
    /// In bytes, its braces included; up to the end of the source when it is never closed.
    pub(super) length: usize,
    /// What stands between the braces, without `~` and blanks; nothing when it is never closed.
    pub(super) body: Option<&'a str>,
    /// How deep brackets are nested in it.
    brackets: usize,
    /// The offsets of each `.` that is a name by itself.
    pub(super) dots: Vec<usize>,
}

/// Finds the tags of a source one after the other.
pub(super) struct Tags<'a> {
    text: &'a str,
    next: usize,
    /// The comments that were passed.
    comments: Vec<Comment<'a>>,
}

impl<'a> Tags<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            next: 0,
            comments: Vec::new(),
        }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let offset = self.next + self.text.get(self.next..)?.find("{{")?;
            let (before, rest) = self.text.split_at(offset);
            if before.ends_with('\\') && !before.ends_with("\\\\") {
                // Two backslashes are a backslash before a tag.
                self.next = offset + if rest.starts_with("{{{{") { 4 } else { 2 };
            } else if let Some(comment) = Comment::at(offset, rest) {
                self.next = offset + comment.text.len();
                self.comments.push(comment);
            } else if let Some(end) = rest.strip_prefix("{{{{").and_then(|raw| raw.find("{{{{/")) {
                self.next = offset + 8 + end;
            } else {
                let tag = Tag::measure(offset, rest);
                self.next = offset + tag.length;
                return Some(tag);
            }
        }
    }
}

/// A comment of a source.
pub(super) struct Comment<'a> {
    pub(super) offset: usize,
    /// With its braces; up to the end of the source when it is never closed.
    pub(super) text: &'a str,
    /// It begins and ends with dashes, and may hold braces.
    pub(super) is_long: bool,
}

impl<'a> Comment<'a> {
    /// The comment that `rest` begins with, if it does.
    fn at(offset: usize, rest: &'a str) -> Option<Self> {
        let inside = rest
            .strip_prefix("{{~!")
            .or_else(|| rest.strip_prefix("{{!"))?;
        let before = rest.len() - inside.len();
        let long = inside.strip_prefix("--").and_then(|inside| {
            let ends = ["--}}", "--~}}"].into_iter();
            let ends = ends.filter_map(|end| Some(inside.find(end)? + end.len()));
            ends.min().map(|end| before + 2 + end)
        });
        let end = long.or_else(|| inside.find("}}").map(|end| before + end + 2));
        let text = rest.get(..end.unwrap_or(rest.len()))?;
        Some(Self {
            offset,
            text,
            is_long: long.is_some(),
        })
    }
}

/// All comments of a source, in order.
pub(super) fn comments(text: &str) -> Vec<Comment<'_>> {
    let mut tags = Tags::new(text);
    tags.by_ref().for_each(drop);
    tags.comments
}

impl<'a> Tag<'a> {
    /// The tag that `rest` begins with. Strings and `[names]` may hold braces.
    fn measure(offset: usize, rest: &'a str) -> Self {
        let bytes = rest.as_bytes();
        let (mut depth, mut braces, mut brackets) = (0_usize, 0_usize, 0);
        let mut dots = Vec::new();
        let mut index = rest.len() - rest.trim_start_matches(['{', '~']).len();
        while let Some(&byte) = bytes.get(index) {
            match byte {
                b'"' | b'\'' => match to_quote(&bytes[index..]) {
                    Some(ahead) => index += ahead,
                    None => break,
                },
                b'[' if !is_array(rest, index) => match rest[index..].find(']') {
                    Some(ahead) => index += ahead,
                    None => break,
                },
                b'.' if is_alone(bytes, index) => dots.push(offset + index),
                b'(' | b'[' => depth += 1,
                b'{' => (depth, braces) = (depth + 1, braces + 1),
                b'}' if braces == 0 && rest[index..].starts_with("}}") => {
                    let end = index
                        + if rest[index..].starts_with("}}}") {
                            3
                        } else {
                            2
                        };
                    return Self {
                        dots,
                        ..Self::closed(offset, &rest[..end], brackets)
                    };
                }
                b')' | b']' => depth = depth.saturating_sub(1),
                b'}' => (depth, braces) = (depth.saturating_sub(1), braces.saturating_sub(1)),
                _ => {}
            }
            brackets = brackets.max(depth);
            index += 1;
        }
        Self {
            offset,
            length: rest.len(),
            body: None,
            brackets,
            dots: Vec::new(),
        }
    }

    fn closed(offset: usize, tag: &'a str, brackets: usize) -> Self {
        let frame = |c: char| matches!(c, '{' | '}' | '~') || c.is_whitespace();
        Self {
            offset,
            length: tag.len(),
            body: Some(tag.trim_matches(frame)),
            brackets,
            dots: Vec::new(),
        }
    }
}

/// Whether the byte at `index` of a tag stands between blanks or brackets, or behind a sign that a name follows.
fn is_alone(tag: &[u8], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| tag.get(at));
    let after = tag.get(index + 1);
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    before.is_some_and(|byte| blank(byte) || b"{(=~&".contains(byte))
        && after.is_some_and(|byte| blank(byte) || b"})~".contains(byte))
}

/// How far it is to the quote that ends the string which starts here.
fn to_quote(bytes: &[u8]) -> Option<usize> {
    let quote = bytes.first()?;
    let mut index = 1;
    loop {
        match bytes.get(index)? {
            b'\\' => index += 1,
            byte if byte == quote => return Some(index),
            _ => {}
        }
        index += 1;
    }
}

/// Whether the `[` at `index` starts a list of values, `[1, "two"]`, and not a name, `[First Name]`.
fn is_array(tag: &str, index: usize) -> bool {
    let is_value = tag[..index].ends_with([' ', '\t', '\r', '\n', '=', '[', ',', ':']);
    let inside = tag[index + 1..].trim_start();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    is_value
        && (inside.starts_with(['[', '{', '"', '\''])
            || inside
                .trim_start_matches(plain)
                .trim_start()
                .starts_with(','))
}

/// The offset of the first tag that is nested too deep, or has too much nested in it.
pub(super) fn too_deep(tags: &[Tag<'_>]) -> Option<usize> {
    // The levels that each open block stands for.
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0;
    for tag in tags {
        let body = tag.body.unwrap_or_default();
        let otherwise = ["else", "^"]
            .iter()
            .find_map(|word| body.strip_prefix(word));
        if body.starts_with('#') {
            open.push(1);
            depth += 1;
        } else if body.starts_with('/') {
            depth -= open.pop().unwrap_or_default();
        } else if let (Some(1..), Some(levels)) = (otherwise.map(str::len), open.last_mut()) {
            *levels += 1;
            depth += 1;
        }
        if depth > MAX_BLOCKS || tag.brackets > MAX_BRACKETS {
            return Some(tag.offset);
        }
    }
    None
}
