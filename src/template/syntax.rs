//! Compiling one source, and saying in plain words why it does not compile.

use handlebars::template::{Parameter, TemplateElement};
use handlebars::{Path, Template, TemplateErrorReason};

use super::error::TemplateError;
use super::source::Source;
use super::tags::{self, Tag, Tags};
use super::{dialect, helpers, lengths};

/// Compiles `source` under `key`, the name by which handlebars speaks of it.
pub(super) fn compile(source: &Source, key: &str) -> Result<Template, TemplateError> {
    let tags = Tags::new(&source.text).collect::<Vec<_>>();
    if let Some(offset) = tags::too_deep(&tags) {
        let finding = Finding {
            offset,
            message: "too many things are nested in each other here".to_owned(),
            remedy: "move the inner ones to a partial of their own; in place of a long row of \
                     {{else if}}, look the text up in the campaign's values with {{lookup}}"
                .to_owned(),
        };
        return Err(finding.at(source));
    }
    match Template::compile_with_name(dialect::readable(&source.text), key.to_owned()) {
        Ok(mut template) => {
            dialect::restore(&mut template);
            fields_before_helpers(&mut template);
            lengths::call_for_lengths(&mut template);
            indents_of_whole_lines(&mut template);
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

/// A partial that has a line to itself is indented like its tag; one that stands in a line is not, which
/// handlebars does all the same (<https://handlebarsjs.com/guide/partials.html>).
fn indents_of_whole_lines(template: &mut Template) {
    let mut at_start = true;
    for element in &mut template.elements {
        match element {
            TemplateElement::RawString(text) => {
                at_start = text.trim_end_matches([' ', '\t']).ends_with('\n')
                    || at_start && text.trim_matches([' ', '\t']).is_empty();
                continue;
            }
            TemplateElement::PartialExpression(include) if !at_start => include.indent = None,
            TemplateElement::HelperBlock(block) => {
                for inner in [&mut block.template, &mut block.inverse]
                    .into_iter()
                    .flatten()
                {
                    indents_of_whole_lines(inner);
                }
            }
            TemplateElement::PartialBlock(block) | TemplateElement::DecoratorBlock(block) => {
                if let Some(inner) = &mut block.template {
                    indents_of_whole_lines(inner);
                }
            }
            _ => {}
        }
        at_start = matches!(
            element,
            TemplateElement::Comment(_)
                | TemplateElement::HelperBlock(_)
                | TemplateElement::PartialExpression(_)
        );
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

fn explain(source: &Source, tags: &[Tag<'_>], error: &handlebars::TemplateError) -> TemplateError {
    if let Some(finding) = odd_tag(tags).or_else(|| unbalanced(tags)) {
        return finding.at(source);
    }
    let (line, column) = error.pos().unwrap_or((1, 1));
    if let TemplateErrorReason::InvalidSyntax(_) = error.reason()
        && let Some(finding) = stumble(&source.text, tags, line, column)
    {
        return finding.at(source);
    }
    let message = match error.reason() {
        TemplateErrorReason::InvalidSyntax(_) => "this is not Handlebars".to_owned(),
        other => other.to_string(),
    };
    TemplateError {
        part: source.name.clone(),
        line,
        column,
        message,
        remedy: ODD_NAME.to_owned(),
    }
}

const ODD_NAME: &str = "look at the tag here: names with other characters than letters, digits, - \
                        and _ go in brackets, as in {{[E-mail (work)]}}";

/// The tag in which the parser gave up: the place is the tag's, as everywhere, and the message shows
/// from where on it makes no sense.
fn stumble(text: &str, tags: &[Tag<'_>], line: usize, column: usize) -> Option<Finding> {
    let line_start = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let before = text
        .get(line_start..)?
        .chars()
        .take(column.saturating_sub(1));
    let offset = line_start + before.map(char::len_utf8).sum::<usize>();
    let tag = tags
        .iter()
        .find(|tag| (tag.offset..tag.offset + tag.length).contains(&offset))?;
    let odd = text.get(offset..tag.offset + tag.length)?;
    Some(Finding {
        offset: tag.offset,
        message: format!("this is not Handlebars from '{odd}' on"),
        remedy: ODD_NAME.to_owned(),
    })
}

/// A tag that can never be right, with what was probably meant.
fn odd_tag(tags: &[Tag<'_>]) -> Option<Finding> {
    tags.iter().find_map(|tag| {
        let (message, remedy) = match tag.body {
            None => ("'{{' is never closed".to_owned(), "write }} where the tag ends".to_owned()),
            Some("") => ("there is nothing between {{ and }}".to_owned(), "name a column".to_owned()),
            Some(body) if body.len() > 1 && body.starts_with('^') => (
                format!("{{{{{body}}}}} is a block that is not known here"),
                format!("write {{{{#unless {0}}}}}…{{{{/unless}}}} in its place", inverted(body)),
            ),
            Some(body) if [" == ", " != ", " && ", " || ", " > ", " < "].iter().any(|sign| body.contains(sign)) => (
                format!("'{body}' is written as a formula"),
                "write helpers, as in {{#if (eq office \"Berlin\")}}; there are eq ne lt le gt ge and or not".to_owned(),
            ),
            Some(_) => return None,
        };
        Some(Finding { offset: tag.offset, message, remedy })
    })
}

/// What an inverse block asks, `{{^office}}` or `{{^if office}}`.
fn inverted(body: &str) -> &str {
    let asked = body.trim_start_matches('^').trim();
    asked.strip_prefix("if ").unwrap_or(asked).trim()
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
