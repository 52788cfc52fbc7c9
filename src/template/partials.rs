//! Partials that include each other: no circle, no dynamic name, an end to the depth.
//!
//! Rendering goes down one call for every block and partial inside another, so with the depth of all
//! of them together the program would run out of stack, which nothing can catch.
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
/// How deep blocks and partials may be nested in each other, all taken together. A thread's stack of
/// 2 MiB bears more than twice as much.
const MAX_LEVELS: usize = 320;

/// An inclusion of the partial `target`, and where it is written.
struct Edge<'a> {
    target: &'a str,
    part: &'a str,
    at: Position,
}

/// What one name stands for.
#[derive(Default)]
struct Node<'a> {
    includes: Vec<Edge<'a>>,
    bodies: Vec<&'a Template>,
}

type Graph<'a> = BTreeMap<&'a str, Node<'a>>;

/// Checks all templates: `parts` are the ones that are rendered, `partials` those that are included,
/// each with the name of its source.
pub(super) fn check<'a>(
    parts: impl Iterator<Item = (&'a str, &'a Template)>,
    partials: impl Iterator<Item = (&'a str, &'a Template)>,
) -> Vec<TemplateError> {
    let mut graph = Graph::new();
    let mut errors = Vec::new();
    let parts: Vec<_> = parts.collect();
    for &(part, template) in &parts {
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
            return errors;
        }
    }
    let levels = levels_of_names(&graph, &heights);
    let too_deep = |&(part, template): &(&'a str, &'a Template)| {
        let index = (0..template.elements.len())
            .find(|&index| levels_of(&template.elements[index], &levels) > MAX_LEVELS)?;
        Some(error(
            part,
            tree::position(template, index, None),
            "too many blocks and partials are nested in each other here".to_owned(),
            "put fewer of them inside each other",
        ))
    };
    errors.extend(parts.iter().filter_map(too_deep));
    errors
}

/// How deep things are nested in what each name stands for. The names below come first, so that none
/// needs more calls inside each other than one template has blocks.
fn levels_of_names<'a>(
    graph: &Graph<'a>,
    heights: &BTreeMap<&'a str, usize>,
) -> BTreeMap<&'a str, usize> {
    let mut names: Vec<_> = graph.keys().copied().collect();
    names.sort_by_key(|name| heights.get(name));
    let mut levels = BTreeMap::new();
    for name in names {
        let bodies = graph.get(name).map(|node| &node.bodies);
        let deepest = bodies.into_iter().flatten();
        let deepest = deepest.map(|body| levels_in(body, &levels)).max();
        levels.insert(name, deepest.unwrap_or_default());
    }
    levels
}

fn levels_in(template: &Template, levels: &BTreeMap<&str, usize>) -> usize {
    let each = template.elements.iter();
    each.map(|element| levels_of(element, levels))
        .max()
        .unwrap_or_default()
}

fn levels_of(element: &TemplateElement, levels: &BTreeMap<&str, usize>) -> usize {
    let inner = |template: &Option<Template>| {
        template
            .as_ref()
            .map_or(0, |template| levels_in(template, levels))
    };
    match element {
        TemplateElement::HelperBlock(block) => {
            1 + inner(&block.template).max(inner(&block.inverse))
        }
        TemplateElement::PartialExpression(include) | TemplateElement::PartialBlock(include) => {
            // What stands inside the block is rendered first, and the partial after it.
            let name = include.name.as_name().unwrap_or_default();
            let partial = levels.get(name).copied().unwrap_or_default();
            1 + partial.max(inner(&include.template))
        }
        _ => 0,
    }
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
    if let Some(owner) = owner {
        graph.entry(owner).or_default().bodies.push(template);
    }
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
                            .includes
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
    for edge in graph.get(name).into_iter().flat_map(|node| &node.includes) {
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
