//! Taking out what is wrong with templates, so that the rest can be proved in the same run.
//!
//! One mistake must not hide the others. A tag that is wrong gives way to [`UNKNOWN`], which stands for a
//! value that nobody knows; a block that is wrong shows all of its branches. What comes of it is for
//! proving only: it is never sent.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::check::{self, FieldProblem, FieldUse, How, Known};
use super::error::TemplateError;
use super::set::{PART_KEY, TemplateSet};
use super::source::{Source, Sources};
use super::syntax;
use super::tags::{Tag, Tags};

/// Stands where a value cannot be known, because the tag that names it is wrong.
pub const UNKNOWN: char = '\u{e0f0}';

/// More mistakes of one kind than this in a source, and the source as a whole gives way.
const MAX_ROUNDS: usize = 40;

/// Templates from which everything wrong was taken out.
#[derive(Debug)]
pub struct Mended {
    /// They compile, and touch nothing that does not exist.
    pub sources: Sources,
    /// What did not compile.
    pub errors: Vec<TemplateError>,
    /// What the templates touch and does not exist; not where a broken block hides what was meant.
    pub problems: Vec<FieldProblem>,
    /// Where the list's fields are used.
    pub uses: BTreeSet<FieldUse>,
    /// Whether a whole source had to give way, so that more may be used than is known.
    pub is_partial: bool,
}

/// Takes out of `sources` what is wrong with them.
pub fn mend(sources: &Sources, known: Known<'_>, data: &Map<String, Value>) -> Mended {
    let mut mending = Mending {
        sources: sources.clone(),
        errors: Vec::new(),
        broken_blocks: BTreeSet::new(),
        broken_scopes: BTreeSet::new(),
        is_partial: false,
    };
    mending.syntax();
    let mut set = mending.inclusions();
    let found = check::inspect(&set, known, data);
    let uses = found.uses.into_iter();
    let uses = uses.map(|one| unless_wrong(one, &found.problems)).collect();
    let problems = mending.believable(found.problems.clone());
    let mut wrong = found.problems;
    for _ in 0..MAX_ROUNDS {
        if wrong.is_empty() {
            break;
        }
        mending.take_out(&wrong);
        set = mending.inclusions();
        wrong = check::inspect(&set, known, data).problems;
    }
    for problem in &wrong {
        mending.give_up(&problem.part);
    }
    mending.drop_addresses(sources);
    Mended {
        is_partial: mending.is_partial,
        sources: mending.sources,
        errors: mending.errors,
        problems,
        uses,
    }
}

/// A tag that is wrong anyhow asks nothing.
fn unless_wrong(mut one: FieldUse, problems: &[FieldProblem]) -> FieldUse {
    let is_here = |problem: &FieldProblem| {
        problem.part == one.part && (problem.line, problem.column) == (one.line, one.column)
    };
    if one.how == How::Tested && problems.iter().any(is_here) {
        one.how = How::Compared;
    }
    one
}

struct Mending {
    sources: Sources,
    errors: Vec<TemplateError>,
    /// Sources that lost the tag of a block, whose other tags are out of place now.
    broken_blocks: BTreeSet<String>,
    /// Sources that lost the tag of a block in which names mean something else than outside.
    broken_scopes: BTreeSet<String>,
    /// A source gave way as a whole.
    is_partial: bool,
}

impl Mending {
    /// Makes every source compile.
    fn syntax(&mut self) {
        let (errors, broken) = (&mut self.errors, &mut self.broken_blocks);
        let (scopes, is_partial) = (&mut self.broken_scopes, &mut self.is_partial);
        each(&mut self.sources, &mut |source, key| {
            for round in 0.. {
                let Err(error) = syntax::compile(source, key) else {
                    break;
                };
                let gives_up = round == MAX_ROUNDS;
                let taken = if gives_up {
                    None
                } else {
                    take_tag(&mut source.text, error.line, error.column, false)
                };
                // What is said about blocks after the first broken one only echoes it.
                let is_echo = broken.contains(&source.name) && taken != Some(Taken::Value);
                if !is_echo && !gives_up {
                    errors.push(error);
                }
                if taken != Some(Taken::Value) {
                    broken.insert(source.name.clone());
                }
                if !matches!(taken, Some(Taken::Value | Taken::Block)) {
                    scopes.insert(source.name.clone());
                }
                if taken.is_none() {
                    source.text = UNKNOWN.to_string();
                    *is_partial = true;
                    break;
                }
            }
        });
    }

    /// Takes out inclusions that lead in a circle or too deep.
    fn inclusions(&mut self) -> TemplateSet {
        for _ in 0..MAX_ROUNDS {
            match TemplateSet::compile(&self.sources) {
                Ok(set) => return set,
                Err(errors) => {
                    for error in errors {
                        self.take(&error.part, error.line, error.column);
                        self.errors.push(error);
                    }
                }
            }
        }
        self.sources.partials.clear();
        let names: Vec<String> = self.errors.iter().map(|error| error.part.clone()).collect();
        for name in names {
            self.give_up(&name);
        }
        TemplateSet::compile(&self.sources).unwrap_or_else(|_| TemplateSet::empty())
    }

    /// What is wrong for sure.
    fn believable(&self, mut problems: Vec<FieldProblem>) -> Vec<FieldProblem> {
        let partials: Vec<&String> = (self.sources.partials.iter())
            .map(|source| &source.name)
            .filter(|_| !self.broken_scopes.is_empty())
            .collect();
        problems.retain(|problem| {
            !self.broken_scopes.contains(&problem.part) && !partials.contains(&&problem.part)
        });
        problems
    }

    fn take_out(&mut self, problems: &[FieldProblem]) {
        let places: BTreeSet<_> = (problems.iter())
            .map(|problem| (problem.part.clone(), problem.line, problem.column))
            .collect();
        for (part, line, column) in places {
            match (line, column) {
                (Some(line), Some(column)) => self.take(&part, line, column),
                _ => self.give_up(&part),
            }
        }
    }

    fn take(&mut self, part: &str, line: usize, column: usize) {
        let is_partial = &mut self.is_partial;
        each(&mut self.sources, &mut |source, _| {
            if source.name == part && take_tag(&mut source.text, line, column, true).is_none() {
                source.text = UNKNOWN.to_string();
                *is_partial = true;
            }
        });
    }

    fn give_up(&mut self, part: &str) {
        self.is_partial = true;
        each(&mut self.sources, &mut |source, _| {
            if source.name == part {
                source.text = UNKNOWN.to_string();
            }
        });
    }

    /// An address or path with a value that nobody knows is none.
    fn drop_addresses(&mut self, before: &Sources) {
        let sources = &mut self.sources;
        let keep = |now: &mut Option<Source>, then: &Option<Source>| {
            if now != then {
                *now = None;
            }
        };
        keep(&mut sources.to, &before.to);
        keep(&mut sources.reply_to, &before.reply_to);
        sources.cc.retain(|source| before.cc.contains(source));
        sources.bcc.retain(|source| before.bcc.contains(source));
        sources
            .attach
            .retain(|source| before.attach.contains(source));
        sources.headers.retain(|one| before.headers.contains(one));
    }
}

/// Calls `with` for every source and the name under which it is compiled.
fn each(sources: &mut Sources, with: &mut dyn FnMut(&mut Source, &str)) {
    let parts = std::iter::once(&mut sources.subject)
        .chain(&mut sources.html)
        .chain(&mut sources.text)
        .chain(sources.headers.iter_mut().map(|(_, source)| source))
        .chain(&mut sources.to)
        .chain(&mut sources.reply_to)
        .chain(&mut sources.cc)
        .chain(&mut sources.bcc)
        .chain(&mut sources.attach);
    for source in parts {
        with(source, PART_KEY);
    }
    for source in &mut sources.partials {
        let key = source.name.clone();
        with(source, &key);
    }
}

/// What was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// A tag that stands for itself.
    Value,
    /// One that opens, parts or closes a block.
    Block,
    /// One that opens a block in which names mean something else.
    Scope,
}

/// Takes the tag at this place out; with `whole_block`, also the tags that belong to its block. None when there
/// is no tag.
fn take_tag(text: &mut String, line: usize, column: usize, whole_block: bool) -> Option<Taken> {
    let offset = offset_of(text, line, column)?;
    let tags: Vec<(usize, usize, String)> = Tags::new(text)
        .map(|tag| {
            (
                tag.offset,
                extent(text, &tag),
                tag.body.unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let index = tags
        .iter()
        .position(|(start, length, _)| (*start..start + length).contains(&offset))?;
    let body = &tags[index].2;
    let is_block = body.starts_with(['#', '/', '^']) || body == "else" || body.starts_with("else ");
    let mut taken = vec![index];
    if is_block && whole_block {
        taken.extend(rest_of_block(&tags, index));
    }
    // From the last on, so that the offsets of the others hold.
    for index in taken.into_iter().rev() {
        let (start, length, _) = &tags[index];
        blank(text, *start, *length, !is_block);
    }
    let scopes = ["#each", "#with", "#>", "#*"];
    Some(match is_block {
        false => Taken::Value,
        true if scopes.iter().any(|scope| body.starts_with(scope)) => Taken::Scope,
        true => Taken::Block,
    })
}

/// The byte offset of a place.
fn offset_of(text: &str, line: usize, column: usize) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines
        .by_ref()
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let line = text.get(before..)?;
    let within = line.char_indices().nth(column.checked_sub(1)?)?.0;
    Some(before + within)
}

/// How long a tag is, in bytes; one that is never closed ends where its line or the next tag does.
fn extent(text: &str, tag: &Tag<'_>) -> usize {
    if tag.body.is_some() {
        return tag.length;
    }
    let rest = text.get(tag.offset..).unwrap_or_default();
    let inside = rest.trim_start_matches('{');
    let end = ["{{", "\n", "<", ">", "\"", "'", "}"]
        .iter()
        .filter_map(|end| inside.find(end))
        .min()
        .unwrap_or(inside.len());
    rest.len() - inside.len() + end
}

/// The tags that part and close the block which the tag at `index` opens.
fn rest_of_block(tags: &[(usize, usize, String)], index: usize) -> Vec<usize> {
    let mut depth = 0;
    let mut found = Vec::new();
    for (at, (_, _, body)) in tags.iter().enumerate().skip(index + 1) {
        if body.starts_with('#') {
            depth += 1;
        } else if body.starts_with('/') {
            if depth == 0 {
                found.push(at);
                break;
            }
            depth -= 1;
        } else if depth == 0 && (body == "else" || body == "^" || body.starts_with("else ")) {
            found.push(at);
        }
    }
    found
}

/// Fills a stretch with blanks, so that everything else stays where it is.
fn blank(text: &mut String, start: usize, length: usize, is_value: bool) {
    let Some(old) = text.get(start..start + length) else {
        return;
    };
    let mut filled: Vec<char> = old
        .chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect();
    if is_value && let Some(first) = filled.first_mut() {
        *first = UNKNOWN;
    }
    // The bytes move, the characters do not: places are counted in characters.
    let filled: String = filled.into_iter().collect();
    text.replace_range(start..start + length, &filled);
}

/// How many characters of its line the tag at this place has; none where there is no tag.
pub fn tag_length(text: &str, line: usize, column: usize) -> Option<usize> {
    let offset = offset_of(text, line, column)?;
    let tag = Tags::new(text).find(|tag| tag.offset == offset)?;
    let written = text.get(offset..offset + extent(text, &tag))?;
    Some(written.lines().next()?.chars().count())
}
