//! The little of CSS that the frame must change: what asks for a colour scheme, and what would be fetched.

/// Makes a style sheet see this scheme, whatever the viewer's own is: `@media (prefers-color-scheme: …)`
/// becomes a condition that always or never holds, and `color-scheme: light dark` the one that is wanted.
pub(super) fn in_scheme(css: &str, dark: bool) -> String {
    const WORD: &str = "color-scheme";
    const ASKED: &str = "prefers-";
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = find(rest, WORD) {
        let (before, after) = (&rest[..at], &rest[at + WORD.len()..]);
        let Some(value) = after.trim_start().strip_prefix(':') else {
            out.push_str(&rest[..at + WORD.len()]);
            rest = after;
            continue;
        };
        let end = value.find([';', '}', ')', '"']).unwrap_or(value.len());
        let (value, behind) = value.split_at(end);
        if ends_with(before, ASKED) {
            out.push_str(&before[..before.len() - ASKED.len()]);
            let holds = value.trim().eq_ignore_ascii_case(name(dark));
            // No width is negative, and every width is at least nothing.
            out.push_str(if holds {
                "min-width: 0"
            } else {
                "max-width: -1px"
            });
        } else {
            out.push_str(before);
            out.push_str("color-scheme: ");
            out.push_str(chosen(value, dark).unwrap_or(value.trim()));
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Of several schemes that are offered, the one that is wanted.
pub(super) fn chosen(value: &str, dark: bool) -> Option<&'static str> {
    let offers = |scheme: &str| {
        let mut words = value.split([' ', ',', '\t', '\n']);
        words.any(|word| word.eq_ignore_ascii_case(scheme))
    };
    (offers("light") && offers("dark")).then_some(name(dark))
}

/// Whether a style sheet has rules for the dark scheme.
pub(super) fn has_dark_rules(css: &str) -> bool {
    let mut rest = css;
    while let Some(at) = find(rest, "prefers-color-scheme") {
        rest = &rest[at + "prefers-color-scheme".len()..];
        let value = rest.trim_start().strip_prefix(':').unwrap_or_default();
        if value
            .trim_start()
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case("dark"))
        {
            return true;
        }
    }
    false
}

pub(super) fn name(dark: bool) -> &'static str {
    if dark { "dark" } else { "light" }
}

/// Takes every `url(…)` through `each`, which says what stands in its place.
pub(super) fn with_urls(css: &str, mut each: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = find(rest, "url(") {
        out.push_str(&rest[..at]);
        let inside = &rest[at + "url(".len()..];
        let end = end_of_url(inside);
        let (address, behind) = inside.split_at(end);
        let address = address.trim().trim_matches(['"', '\'']);
        match each(address) {
            None => out.push_str(&rest[at..at + "url(".len() + end]),
            Some(other) => {
                out.push_str("url(\"");
                out.push_str(&other);
                out.push('"');
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Where the closing bracket of a `url(` stands: behind a quoted address, if it is quoted.
fn end_of_url(inside: &str) -> usize {
    let start = inside.len() - inside.trim_start().len();
    let quoted = inside[start..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''));
    let from = quoted.and_then(|quote| {
        let after = start + 1;
        inside[after..].find(quote).map(|at| after + at + 1)
    });
    let from = from.unwrap_or(0);
    inside[from..]
        .find(')')
        .map_or(inside.len(), |at| from + at)
}

/// The first place of an ASCII word, whatever its case.
fn find(text: &str, word: &str) -> Option<usize> {
    let first = word.as_bytes().first()?;
    let upper = first.to_ascii_uppercase();
    memchr::memchr2_iter(*first, upper, text.as_bytes()).find(|at| {
        text.as_bytes()
            .get(*at..at + word.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
    })
}

fn ends_with(text: &str, word: &str) -> bool {
    let from = text.len().checked_sub(word.len());
    from.and_then(|from| text.as_bytes().get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_holds_whatever_the_viewer_prefers() {
        let css = "@media screen and (Prefers-Color-Scheme: DARK){a{color:red}} :root{color-scheme: light dark; x:y}";
        let dark = in_scheme(css, true);
        assert_eq!(
            dark,
            "@media screen and (min-width: 0){a{color:red}} :root{color-scheme: dark; x:y}"
        );
        assert!(in_scheme(css, false).contains("(max-width: -1px){a"));
        assert!(
            in_scheme("@media (prefers-color-scheme:light){}", false).contains("(min-width: 0)")
        );
        assert_eq!(
            in_scheme(":root{color-scheme:only light}", true),
            ":root{color-scheme: only light}"
        );
        assert_eq!(in_scheme("/* color-scheme */", true), "/* color-scheme */");
        assert!(has_dark_rules(css) && !has_dark_rules("@media (prefers-color-scheme: light){}"));
    }

    #[test]
    fn addresses_in_styles_are_replaced_one_by_one() {
        let css =
            "a{background:url('cid:x') no-repeat} b{background:URL(data:y)} c{background:url(";
        let seen = with_urls(css, |url| (url == "cid:x").then(|| "data:z".to_owned()));
        assert_eq!(
            seen,
            "a{background:url(\"data:z\") no-repeat} b{background:URL(data:y)} c{background:url("
        );
    }
}
