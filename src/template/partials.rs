//! Partials that include each other: no circle, no dynamic name, an end to the depth.
//!
//! A partial's name is looked up when it is rendered, and an `{{#*inline}}` of the same name wins. So
//! names are what is looked at: an edge goes from a name to each name that any template of that name
//! includes. That refuses a little more than it must, and never lets a circle through.

use std::collections::BTreeMap;

use handlebars::Template;
use handlebars::template::{Parameter, TemplateElement};

use super::error::TemplateError;
use super::tree::{self, Position};

/// How deep partials may include each other.
const MAX_DEPTH: usize = 32;

/// An inclusion of the partial `target`, and where it is written.
struct Edge<'a> {
    target: &'a str,
    part: &'a str,
    at: Position,
}

type Graph<'a> = BTreeMap<&'a str, Vec<Edge<'a>>>;

/// Checks all templates: `parts` are the ones that are rendered, `partials` those that are included,
/// each with the name of its source.
pub(super) fn check<'a>(
    parts: impl Iterator<Item = (&'a str, &'a Template)>,
    partials: impl Iterator<Item = (&'a str, &'a Template)>,
) -> Vec<TemplateError> {
    let mut graph = Graph::new();
    let mut errors = Vec::new();
    for (part, template) in parts {
        collect(part, None, template, &mut graph, &mut errors);
    }
    for (name, template) in partials {
        collect(name, Some(name), template, &mut graph, &mut errors);
    }
    let mut heights = BTreeMap::new();
    for &name in graph.keys() {
        let mut path = vec![name];
        if let Err(error) = height(&graph, &mut path, &mut heights) {
            errors.push(error);
            break;
        }
    }
    errors
}

/// Notes what `template`, which is known as `owner`, includes; a part has no owner, for nothing includes it.
fn collect<'a>(
    part: &'a str,
    owner: Option<&'a str>,
    template: &'a Template,
    graph: &mut Graph<'a>,
    errors: &mut Vec<TemplateError>,
) {
    let mut inlines = Vec::new();
    tree::visit(template, None, &mut |element, at| {
        match element {
            TemplateElement::DecoratorBlock(decorator) => {
                inlines.extend(tree::inline_partial(decorator));
                return false;
            }
            TemplateElement::PartialExpression(include)
            | TemplateElement::PartialBlock(include) => {
                if let (Some(target), false) = (include.name.as_name(), is_computed(&include.name))
                {
                    if let Some(owner) = owner {
                        graph
                            .entry(owner)
                            .or_default()
                            .push(Edge { target, part, at });
                    }
                } else {
                    errors.push(error(
                        part,
                        at,
                        "a partial's name is computed".to_owned(),
                        "write the name out, and choose with {{#if}}",
                    ));
                }
            }
            _ => {}
        }
        true
    });
    for (name, body) in inlines {
        collect(part, Some(name), body, graph, errors);
    }
}

fn is_computed(name: &Parameter) -> bool {
    matches!(name, Parameter::Subexpression(_) | Parameter::Literal(_))
}

/// How many levels of partials hang below the last name of `path`.
fn height<'a>(
    graph: &Graph<'a>,
    path: &mut Vec<&'a str>,
    heights: &mut BTreeMap<&'a str, usize>,
) -> Result<usize, TemplateError> {
    let Some(&name) = path.last() else {
        return Ok(0);
    };
    if let Some(&known) = heights.get(name) {
        return Ok(known);
    }
    let mut highest = 0;
    for edge in graph.get(name).into_iter().flatten() {
        if let Some(start) = path.iter().position(|&seen| seen == edge.target) {
            let circle = [&path[start..], &[edge.target]].concat().join(" → ");
            return Err(error(
                edge.part,
                edge.at,
                format!("the partial '{}' includes itself: {circle}", edge.target),
                "a partial must come to an end: go through a list with {{#each}} instead",
            ));
        }
        path.push(edge.target);
        let below = if path.len() > MAX_DEPTH {
            MAX_DEPTH
        } else {
            height(graph, path, heights)?
        };
        path.pop();
        highest = highest.max(below + 1);
        if highest > MAX_DEPTH {
            return Err(error(
                edge.part,
                edge.at,
                format!("partials include each other more than {MAX_DEPTH} levels deep"),
                "put some of them together",
            ));
        }
    }
    heights.insert(name, highest);
    Ok(highest)
}

fn error(part: &str, at: Position, message: String, remedy: &str) -> TemplateError {
    let (line, column) = at.unwrap_or((1, 1));
    TemplateError {
        part: part.to_owned(),
        line,
        column,
        message,
        remedy: remedy.to_owned(),
    }
}
