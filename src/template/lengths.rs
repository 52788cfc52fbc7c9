//! `list.length`, which Handlebars has from JavaScript: how many entries a list has, or letters a text.
//!
//! Templates ask it often (`{{#if news.length}}`), and handlebars itself looks for nothing but a value of that
//! name. So the path is written as a call of a helper that looks for both; a value called `length` comes first.

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, Template};

/// The name of the helper; no tag of a template is written so.
pub(super) const LENGTH: &str = "\u{1}length";

/// Writes every such path of a template as a call.
pub(super) fn call_for_lengths(template: &mut Template) {
    for element in &mut template.elements {
        in_element(element);
    }
}

fn in_element(element: &mut TemplateElement) {
    match element {
        TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
            let is_name = call.params.is_empty() && call.hash.is_empty();
            match measured(&call.name).filter(|_| is_name) {
                Some(what) => {
                    call.name = Parameter::Name(LENGTH.to_owned());
                    call.params = vec![what];
                }
                None => in_call(call),
            }
        }
        TemplateElement::HelperBlock(block) => in_call(block),
        TemplateElement::PartialExpression(include)
        | TemplateElement::PartialBlock(include)
        | TemplateElement::DecoratorExpression(include)
        | TemplateElement::DecoratorBlock(include) => {
            let values = include.params.iter_mut().chain(include.hash.values_mut());
            values.for_each(in_parameter);
            include.template.iter_mut().for_each(call_for_lengths);
        }
        _ => {}
    }
}

fn in_call(call: &mut HelperTemplate) {
    in_parameter_of_name(&mut call.name);
    let values = call.params.iter_mut().chain(call.hash.values_mut());
    values.for_each(in_parameter);
    let inner = call.template.iter_mut().chain(call.inverse.iter_mut());
    inner.for_each(call_for_lengths);
}

/// A tag may begin with a call in parentheses.
fn in_parameter_of_name(name: &mut Parameter) {
    if let Parameter::Subexpression(inner) = name {
        in_element(&mut inner.element);
    }
}

fn in_parameter(parameter: &mut Parameter) {
    if let Parameter::Subexpression(inner) = parameter {
        in_element(&mut inner.element);
    } else if let Some(what) = measured(parameter)
        && let Ok(Parameter::Subexpression(mut made)) = Parameter::parse("(length it)")
        && let TemplateElement::Expression(call) = made.element.as_mut()
    {
        call.name = Parameter::Name(LENGTH.to_owned());
        call.params = vec![what];
        *parameter = Parameter::Subexpression(made);
    }
}

/// What a path asks the length of.
fn measured(parameter: &Parameter) -> Option<Parameter> {
    let Parameter::Path(Path::Relative((_, raw))) = parameter else {
        return None;
    };
    let what = raw
        .strip_suffix(".length")
        .filter(|what| !what.is_empty())?;
    Some(Parameter::Path(Path::parse(what).ok()?))
}
