//! What Handlebars has and the crate does not read: comments that take the white space beside them away
//! (`{{~! … ~}}`, `{{~!-- … --~}}`, <https://handlebarsjs.com/guide/expressions.html#whitespace-control>), and `.`
//! for `this`.
//!
//! Each is written as something that the crate reads, of as many characters, so that every place stays where it is;
//! what was meant is put in its place once the template is read.

use std::borrow::Cow;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, Template};

use super::tags::{self, Tags};

/// Stand for `~` at the beginning and the end of a comment; nobody types them.
const OPENS: &str = "\u{1}";
const CLOSES: &str = "\u{2}";

/// Stands for `.` where it is a name; nobody types it.
const DOT: &str = "\u{e0f1}";

/// The source as the crate can read it.
pub(super) fn readable(source: &str) -> Cow<'_, str> {
    let mut text = with_marks(source);
    let mut dots: Vec<usize> = Tags::new(source).flat_map(|tag| tag.dots).collect();
    while let Some(at) = dots.pop() {
        // The last one first, since bytes behind it move; marks have left all bytes where they were.
        text.to_mut().replace_range(at..=at, DOT);
    }
    text
}

/// What was written as something else, once it is read.
pub(super) fn restore(template: &mut Template) {
    take_space(template);
    for element in &mut template.elements {
        restore_in(element);
    }
}

fn restore_in(element: &mut TemplateElement) {
    match element {
        TemplateElement::Expression(call)
        | TemplateElement::HtmlExpression(call)
        | TemplateElement::HelperBlock(call) => restore_in_call(call),
        TemplateElement::PartialExpression(include)
        | TemplateElement::PartialBlock(include)
        | TemplateElement::DecoratorExpression(include)
        | TemplateElement::DecoratorBlock(include) => {
            let values = include.params.iter_mut().chain(include.hash.values_mut());
            values.for_each(restore_dot);
            include.template.iter_mut().for_each(restore);
        }
        _ => {}
    }
}

fn restore_in_call(call: &mut HelperTemplate) {
    restore_dot(&mut call.name);
    let values = call.params.iter_mut().chain(call.hash.values_mut());
    values.for_each(restore_dot);
    let inner = call.template.iter_mut().chain(call.inverse.iter_mut());
    inner.for_each(restore);
}

fn restore_dot(parameter: &mut Parameter) {
    match parameter {
        Parameter::Subexpression(inner) => restore_in(&mut inner.element),
        Parameter::Path(Path::Relative((_, raw))) if raw == DOT => {
            if let Ok(this) = Path::parse("this") {
                *parameter = Parameter::Path(this);
            }
        }
        _ => {}
    }
}

/// Comments with `~` as comments with a mark.
fn with_marks(source: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(source);
    for comment in tags::comments(source) {
        let written = comment.text;
        let (opens, closes) = (written.starts_with("{{~"), written.ends_with("~}}"));
        if !opens && !closes {
            continue;
        }
        let dashes = if comment.is_long { "--" } else { "" };
        let begin = format!("{{{{{}!{dashes}", if opens { "~" } else { "" });
        let end = format!("{dashes}{}}}}}", if closes { "~" } else { "" });
        let inner = written.strip_prefix(begin.as_str());
        let Some(inner) = inner.and_then(|inner| inner.strip_suffix(end.as_str())) else {
            continue;
        };
        let before = if opens { OPENS } else { "" };
        let after = if closes { CLOSES } else { "" };
        let new = format!("{{{{!{dashes}{before}{inner}{after}{dashes}}}}}");
        // As long as the old one, so that the places of those to come hold.
        let range = comment.offset..comment.offset + written.len();
        text.to_mut().replace_range(range, &new);
    }
    text
}

/// Takes away the white space beside comments that were marked.
fn take_space(template: &mut Template) {
    for at in 0..template.elements.len() {
        let (before, after) = match &template.elements[at] {
            TemplateElement::Comment(comment) => {
                let inner = comment.trim_start_matches(['{', '!', '-']);
                let inner = inner.trim_end_matches(['}', '-']);
                (inner.starts_with(OPENS), inner.ends_with(CLOSES))
            }
            _ => continue,
        };
        if before
            && let Some(TemplateElement::RawString(text)) = at
                .checked_sub(1)
                .and_then(|at| template.elements.get_mut(at))
        {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(TemplateElement::RawString(text)) = template.elements.get_mut(at + 1) {
            *text = text.trim_start().to_owned();
        }
    }
}
