//! What paths lead to.

use handlebars::{Path, PathSeg};

use super::shape::{Locals, Shape};
use super::walk::Walker;

impl<'a> Walker<'a> {
    /// What a path leads to, by handlebars' own rules.
    pub(super) fn path(&mut self, path: &'a Path) -> Shape<'a> {
        let (segments, raw) = match path {
            Path::Local((level, name, raw)) => {
                self.local(*level, name, raw);
                return Shape::Any;
            }
            Path::Relative((segments, raw)) => (segments, raw),
        };
        let names = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.as_str()),
            _ => None,
        });
        // The grammar's rules have no public name.
        let rules: Vec<_> = (segments
            .iter()
            .take_while(|segment| matches!(segment, PathSeg::Ruled(_))))
        .map(|segment| format!("{segment:?}"))
        .collect();
        let ups = rules.iter().filter(|rule| rule.contains("path_up")).count();
        let from_root = rules.iter().any(|rule| rule.contains("path_root"));
        let mut names = names.peekable();
        let param = names.peek().and_then(|first| {
            self.scopes
                .iter()
                .rev()
                .find_map(|scope| scope.params.get(first))
        });
        let mut shape = match param {
            _ if from_root => Shape::Root,
            Some(given) => {
                let given = given.clone();
                names.next();
                given
            }
            // Above the outermost, handlebars stays where it is.
            None => (self.scopes.iter().rev().nth(ups))
                .unwrap_or_else(|| self.scope())
                .base
                .clone(),
        };
        for name in names {
            shape = self.member(&shape, name, raw);
        }
        shape
    }

    fn local(&mut self, level: usize, name: &str, raw: &str) {
        let locals = self
            .scopes
            .iter()
            .rev()
            .nth(level)
            .map_or(Locals::None, |scope| scope.locals);
        if locals.has(name) {
            return;
        }
        let remedy = match name {
            "root" => "write what you want of it, as in @root.title",
            _ => {
                "@index, @first and @last have a value inside {{#each}}, @key where it goes through an object"
            }
        };
        self.usage(raw, format!("'{raw}' has no value here"), remedy);
    }

    pub(super) fn member(&mut self, inside: &Shape<'a>, name: &str, raw: &str) -> Shape<'a> {
        if matches!(inside, Shape::Root | Shape::Row) && self.known.fields.contains(name) {
            self.used.insert(name.to_owned());
            if matches!(inside, Shape::Root) {
                self.used_outside_rows.insert(name.to_owned());
            }
            self.note_use(name, matches!(inside, Shape::Row));
        }
        if let Some(shape) = inside.member(name, self.known, self.data) {
            return shape;
        }
        self.unknown_field(inside, name, raw);
        Shape::Any
    }
}
