//! Where in the templates a rendered tag was written.

use memchr::memmem;

use super::html::{Piece, Pieces};

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Which of the sources, as given to [`Origins::add`].
    pub source: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of that line belong to it.
    pub length: usize,
}

/// A tag as it is written: what stands between its `{{…}}` must stand in what it renders to, in this order.
#[derive(Debug)]
struct Written {
    origin: Origin,
    fixed: Vec<String>,
    weight: usize,
}

/// The tags of all templates.
#[derive(Debug, Default)]
pub struct Origins(Vec<Written>);

impl Origins {
    /// Takes in the tags of a template.
    pub fn add(&mut self, source: usize, template: &str) {
        let mut pieces = Pieces::new(template);
        loop {
            let offset = pieces.offset();
            let tag = match pieces.next() {
                Some(Piece::Tag(tag)) if !tag.starts_with("</") => tag,
                Some(_) => continue,
                None => break,
            };
            let fixed = fixed(tag);
            self.0.push(Written {
                weight: fixed.iter().map(String::len).sum(),
                fixed,
                origin: origin(source, template, offset, tag),
            });
        }
    }

    /// Where this tag was written: of the templates' tags that can render to it, the one that says most of it.
    pub fn find(&self, rendered: &str) -> Option<&Origin> {
        let mut best: Option<&Written> = None;
        for written in &self.0 {
            if best.is_none_or(|best| written.weight > best.weight) && written.renders_to(rendered)
            {
                best = Some(written);
            }
        }
        best.map(|written| &written.origin)
    }
}

impl Written {
    fn renders_to(&self, rendered: &str) -> bool {
        let (Some(first), Some(last)) = (self.fixed.first(), self.fixed.last()) else {
            return false;
        };
        if self.fixed.len() == 1 {
            return rendered == first;
        }
        let Some(middle) = rendered
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        let mut rest = middle.as_bytes();
        self.fixed[1..self.fixed.len() - 1].iter().all(|part| {
            let found = memmem::find(rest, part.as_bytes());
            rest = found.map_or(rest, |at| &rest[at + part.len()..]);
            found.is_some()
        })
    }
}

/// What stands outside the `{{…}}` of a tag.
fn fixed(tag: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = tag;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}") else {
            break;
        };
        if let Some(part) = parts.last_mut() {
            part.push_str(&rest[..start]);
        }
        parts.push(String::new());
        rest = rest[start + end + 2..].trim_start_matches('}');
    }
    if let Some(part) = parts.last_mut() {
        part.push_str(rest);
    }
    parts
}

fn origin(source: usize, template: &str, offset: usize, tag: &str) -> Origin {
    let before = &template[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Origin {
        source,
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        length: tag.lines().next().unwrap_or_default().chars().count(),
    }
}
