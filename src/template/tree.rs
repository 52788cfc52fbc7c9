//! Going through a compiled template's elements.

use handlebars::Template;
use handlebars::template::{DecoratorTemplate, Parameter, TemplateElement};

/// Line and column, both from 1; unknown for an `{{else if}}`, which then has its block's.
pub(super) type Position = Option<(usize, usize)>;

/// The position of the element at `index`, or `outer` where handlebars noted none.
pub(super) fn position(template: &Template, index: usize, outer: Position) -> Position {
    match template.mapping.get(index) {
        Some(mapping) => Some((mapping.0, mapping.1)),
        None => outer,
    }
}

/// Calls `visit` for every element, outer ones first; goes into an element when it says so.
pub(super) fn visit<'a>(
    template: &'a Template,
    outer: Position,
    visitor: &mut dyn FnMut(&'a TemplateElement, Position) -> bool,
) {
    for (index, element) in template.elements.iter().enumerate() {
        let at = position(template, index, outer);
        if !visitor(element, at) {
            continue;
        }
        match element {
            TemplateElement::HelperBlock(block) => {
                for inner in [&block.template, &block.inverse].into_iter().flatten() {
                    visit(inner, at, visitor);
                }
            }
            TemplateElement::PartialBlock(block) | TemplateElement::DecoratorBlock(block) => {
                if let Some(inner) = &block.template {
                    visit(inner, at, visitor);
                }
            }
            _ => {}
        }
    }
}

/// The name and body of an `{{#*inline "name"}}`; nothing for any other decorator.
pub(super) fn inline_partial(decorator: &DecoratorTemplate) -> Option<(&str, &Template)> {
    if decorator.name.as_name() != Some("inline") {
        return None;
    }
    match decorator.params.first() {
        Some(Parameter::Literal(serde_json::Value::String(name))) => {
            Some((name, decorator.template.as_ref()?))
        }
        _ => None,
    }
}
