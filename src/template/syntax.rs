//! Compiling one source, and saying in plain words why it does not compile.

use handlebars::template::{Parameter, TemplateElement};
use handlebars::{Path, Template, TemplateErrorReason};

use super::error::TemplateError;
use super::helpers;
use super::source::Source;

/// How deep blocks may be nested. The parser calls itself for each, so there must be an end to it.
const MAX_BLOCKS: usize = 64;
/// How deep brackets may be nested inside one tag, for the same reason.
const MAX_BRACKETS: usize = 32;

/// Compiles `source` under `key`, the name by which handlebars speaks of it.
pub(super) fn compile(source: &Source, key: &str) -> Result<Template, TemplateError> {
    let tags = Tags::new(&source.text).collect::<Vec<_>>();
    if let Some(finding) = too_deep(&tags) {
        return Err(finding.at(source));
    }
    match Template::compile_with_name(&source.text, key.to_owned()) {
        Ok(mut template) => {
            fields_before_helpers(&mut template);
            Ok(template)
        }
        Err(error) => Err(explain(source, &tags, &error)),
    }
}

/// `{{date}}` with nothing behind it means the column `date`, not the helper: handlebars would call
/// the helper, so the path is written as `this.date`, which is the same field.
fn fields_before_helpers(template: &mut Template) {
    for element in &mut template.elements {
        match element {
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                if !call.params.is_empty() || !call.hash.is_empty() {
                    continue;
                }
                if let Parameter::Path(path) = &mut call.name
                    && let Path::Relative((_, raw)) = path
                    && helpers::find(raw).is_some()
                    && let Ok(field) = Path::parse(&format!("this.{raw}"))
                {
                    *path = field;
                }
            }
            TemplateElement::HelperBlock(block) => {
                for inner in [&mut block.template, &mut block.inverse]
                    .into_iter()
                    .flatten()
                {
                    fields_before_helpers(inner);
                }
            }
            TemplateElement::PartialBlock(block) | TemplateElement::DecoratorBlock(block) => {
                if let Some(inner) = &mut block.template {
                    fields_before_helpers(inner);
                }
            }
            _ => {}
        }
    }
}

/// Something found at a byte offset of the source.
struct Finding {
    offset: usize,
    message: String,
    remedy: String,
}

impl Finding {
    fn at(self, source: &Source) -> TemplateError {
        let before = source.text.get(..self.offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError {
            part: source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: self.message,
            remedy: self.remedy,
        }
    }
}

/// One `{{…}}` that is not a comment.
struct Tag<'a> {
    offset: usize,
    /// What stands between the braces, without `~` and blanks; nothing when it is never closed.
    body: Option<&'a str>,
}

/// Finds the tags of a source without parsing them.
struct Tags<'a> {
    text: &'a str,
    next: usize,
}

impl<'a> Tags<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, next: 0 }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let offset = self.next + self.text.get(self.next..)?.find("{{")?;
            let rest = &self.text[offset..];
            if self.text[..offset].ends_with('\\') {
                self.next = offset + 2;
            } else if rest.starts_with("{{!") {
                let end = rest
                    .starts_with("{{!--")
                    .then(|| rest.find("--}}"))
                    .flatten();
                let length =
                    end.map_or_else(|| rest.find("}}").map(|end| end + 2), |end| Some(end + 4));
                self.next = offset + length.unwrap_or(rest.len());
            } else if let Some(end) = rest.strip_prefix("{{{{").and_then(|raw| raw.find("{{{{/")) {
                self.next = offset + 8 + end;
            } else {
                let length = tag_length(rest);
                self.next = offset + length.unwrap_or(rest.len());
                let body = length.map(|length| {
                    rest[..length]
                        .trim_matches(|c: char| matches!(c, '{' | '}' | '~') || c.is_whitespace())
                });
                return Some(Tag { offset, body });
            }
        }
    }
}

/// The length of the tag that `rest` begins with, its braces included; strings and `[…]` may hold braces.
fn tag_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut index = 2;
    while index < bytes.len() {
        match bytes[index] {
            b'}' if rest[index..].starts_with("}}}") => return Some(index + 3),
            b'}' if rest[index..].starts_with("}}") => return Some(index + 2),
            open @ (b'"' | b'\'' | b'[') => {
                let close = if open == b'[' { b']' } else { open };
                index += 1 + bytes[index + 1..].iter().position(|&byte| byte == close)?;
            }
            _ => {}
        }
        index += 1;
    }
    None
}

fn too_deep(tags: &[Tag<'_>]) -> Option<Finding> {
    let mut depth = 0_usize;
    for tag in tags {
        let body = tag.body.unwrap_or_default();
        match body.as_bytes().first() {
            Some(b'#') => depth += 1,
            Some(b'/') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let brackets = deepest_bracket(body);
        if depth > MAX_BLOCKS || brackets > MAX_BRACKETS {
            return Some(Finding {
                offset: tag.offset,
                message: "too many things are nested in each other here".to_owned(),
                remedy: "move the inner ones to a partial of their own".to_owned(),
            });
        }
    }
    None
}

fn deepest_bracket(body: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in body.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn explain(source: &Source, tags: &[Tag<'_>], error: &handlebars::TemplateError) -> TemplateError {
    if let Some(finding) = odd_tag(tags).or_else(|| unbalanced(tags)) {
        return finding.at(source);
    }
    let (line, column) = error.pos().unwrap_or((1, 1));
    let message = match error.reason() {
        TemplateErrorReason::InvalidSyntax(_) => "this is not Handlebars".to_owned(),
        other => other.to_string(),
    };
    TemplateError {
        part: source.name.clone(),
        line,
        column,
        message,
        remedy:
            "look at the tag here: names with other characters than letters, digits, - and _ go in \
                 brackets, as in {{[E-mail (work)]}}"
                .to_owned(),
    }
}

/// A tag that can never be right, with what was probably meant.
fn odd_tag(tags: &[Tag<'_>]) -> Option<Finding> {
    tags.iter().find_map(|tag| {
        let (message, remedy) = match tag.body {
            None => ("'{{' is never closed".to_owned(), "write }} where the tag ends".to_owned()),
            Some("") => ("there is nothing between {{ and }}".to_owned(), "name a column".to_owned()),
            Some(".") => ("'.' is not a name".to_owned(), "write {{this}}".to_owned()),
            Some(body) if [" == ", " != ", " && ", " || ", " > ", " < "].iter().any(|sign| body.contains(sign)) => (
                format!("'{body}' is written as a formula"),
                "write helpers, as in {{#if (eq office \"Berlin\")}}; there are eq ne lt le gt ge and or not".to_owned(),
            ),
            Some(_) => return None,
        };
        Some(Finding { offset: tag.offset, message, remedy })
    })
}

/// The first block that is not closed, or closed and never opened.
fn unbalanced(tags: &[Tag<'_>]) -> Option<Finding> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    for tag in tags {
        let body = tag.body.unwrap_or_default();
        if let Some(block) = body.strip_prefix('#') {
            let name = block.trim_start_matches(['*', '>', ' ']);
            open.push((
                name.split([' ', '\n', '\t', '}'])
                    .next()
                    .unwrap_or_default(),
                tag.offset,
            ));
        } else if let Some(name) = body.strip_prefix('/') {
            let name = name.trim();
            match open.pop() {
                None => {
                    return Some(Finding {
                        offset: tag.offset,
                        message: format!("{{{{/{name}}}}} closes a block that was never opened"),
                        remedy: format!("remove it, or write {{{{#{name} …}}}} before it"),
                    });
                }
                Some((opened, _)) if opened != name && !name.is_empty() => {
                    return Some(Finding {
                        offset: tag.offset,
                        message: format!(
                            "{{{{/{name}}}}} stands where {{{{#{opened}}}}} must be closed"
                        ),
                        remedy: format!("write {{{{/{opened}}}}} here"),
                    });
                }
                Some(_) => {}
            }
        } else if open.is_empty() && (body == "else" || body.starts_with("else ")) {
            return Some(Finding {
                offset: tag.offset,
                message: "{{else}} stands outside any block".to_owned(),
                remedy: "write {{#if …}} before it".to_owned(),
            });
        }
    }
    open.pop().map(|(name, offset)| Finding {
        offset,
        message: format!("{{{{#{name}}}}} is never closed"),
        remedy: format!("write {{{{/{name}}}}} where the block ends"),
    })
}
