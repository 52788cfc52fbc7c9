//! What is wrong with one tag.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::{Flaw, links, shown};

/// Servers of web fonts: a style sheet from them is left out without harm where it is not read.
const FONTS: [&str; 4] = [
    "fonts.googleapis.com",
    "fonts.bunny.net",
    "use.typekit.net",
    "fonts.adobe.com",
];

/// What was found in one tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
    /// The inline images that it shows: what stands after `cid:`.
    pub cids: Vec<String>,
}

/// Parses a start tag, as [`super::look`] cuts it, and says what is wrong with it. A value that holds
/// `unknown` is not judged: nobody knows what it will be.
pub fn judge(tag: &str, unknown: char) -> Judged {
    let mut judged = Judged::default();
    if tag.starts_with("</") {
        return judged;
    }
    let Some(tag) = parse(tag) else {
        return judged;
    };
    let element = Element { tag: &tag, unknown };
    element.links(&mut judged);
    element.images(&mut judged);
    judged.flaws.extend(element.unsupported());
    judged
}

/// The inline images of a style sheet or comment.
pub fn judge_hidden(content: &str) -> Judged {
    Judged {
        flaws: Vec::new(),
        cids: cids(content),
    }
}

struct Element<'t> {
    tag: &'t Tag,
    unknown: char,
}

impl Element<'_> {
    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.tag.name.as_ref())
    }

    /// An attribute's value as it stands.
    fn raw(&self, name: &str) -> Option<&str> {
        let attribute = self
            .tag
            .attrs
            .iter()
            .find(|attribute| &*attribute.name.local == name)?;
        Some(&attribute.value)
    }

    /// An attribute's value where it is known.
    fn value(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.contains(self.unknown))
    }

    fn links(&self, judged: &mut Judged) {
        if self.is(&["a", "area"]) {
            judged
                .flaws
                .extend(self.value("href").and_then(links::link));
        }
    }

    fn images(&self, judged: &mut Judged) {
        for attribute in &self.tag.attrs {
            // Elsewhere, as in a title, the letters mean nothing.
            let shows = match &*attribute.name.local {
                "src" | "srcset" | "background" | "poster" | "style" => true,
                "href" => attribute.value.trim_start().starts_with("cid:"),
                _ => false,
            };
            if shows {
                judged.cids.extend(cids(&attribute.value));
            }
        }
        if !self.is(&["img"]) {
            return;
        }
        if self.raw("alt").is_none() && !self.is_pixel() {
            let which = self.raw("src").unwrap_or_default();
            judged.flaws.push(Flaw::warning(
                "image-alt",
                format!(
                    "the image '{}' has no text for those who do not see it",
                    shown(&which.replace(self.unknown, "…"))
                ),
                "add alt=\"what it shows\"; alt=\"\" where it is only decoration",
            ));
        }
        match self.raw("src") {
            None => judged.flaws.extend(links::image("")),
            Some(_) => judged
                .flaws
                .extend(self.value("src").and_then(links::image)),
        }
    }

    /// An image that only counts who opens the mail.
    fn is_pixel(&self) -> bool {
        let small = |name| matches!(self.raw(name), Some("0" | "1" | "0px" | "1px"));
        small("width") && small("height")
    }

    fn unsupported(&self) -> Option<Flaw> {
        let flaw =
            |message: &str, remedy: &str| Some(Flaw::warning("html-unsupported", message, remedy));
        match self.tag.name.as_ref() {
            "script" if self.raw("type") != Some("application/ld+json") => flaw(
                "mail programs take scripts out",
                "take the script out, and link to a page that does what it did",
            ),
            "form" => flaw(
                "mail programs take forms out, or warn of them",
                "link to a page with the form",
            ),
            "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" => flaw(
                &format!(
                    "mail programs do not show what stands in <{}>",
                    self.tag.name
                ),
                "show an image that is linked to the page",
            ),
            "link" if self.is_style_sheet() => flaw(
                "most mail programs do not load style sheets from elsewhere",
                "put the styles into the HTML, in <style> and in style=\"…\"",
            ),
            _ => None,
        }
    }

    fn is_style_sheet(&self) -> bool {
        let rel = self.raw("rel").unwrap_or_default();
        let href = self.raw("href").unwrap_or_default();
        rel.split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("stylesheet"))
            && !FONTS.iter().any(|server| href.contains(server))
    }
}

/// What stands after each `cid:` that is an address of its own, or of a style sheet's `url(…)`.
fn cids(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lower = value.to_ascii_lowercase();
    for (at, _) in lower.match_indices("cid:") {
        let begins = lower[..at].trim_end().is_empty()
            || lower[..at].ends_with(['(', '"', '\'', '=', ' ', ',']);
        let rest = value.get(at + 4..).unwrap_or_default();
        let end = rest
            .find(|c: char| matches!(c, ')' | '"' | '\'' | '>' | ',' | '&') || c.is_whitespace())
            .unwrap_or(rest.len());
        if begins && end > 0 {
            found.push(rest[..end].to_owned());
        }
    }
    found
}

/// Keeps the first tag.
#[derive(Default)]
struct First(RefCell<Option<Tag>>);

impl TokenSink for First {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
        {
            self.0.borrow_mut().get_or_insert(tag);
        }
        TokenSinkResult::Continue
    }
}

fn parse(tag: &str) -> Option<Tag> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(tag));
    let tokenizer = Tokenizer::new(First::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// An image that the mail does not carry.
pub fn unknown_image(cid: &str, declared: &[&str]) -> Flaw {
    let near = declared
        .iter()
        .map(|name| (strsim::damerau_levenshtein(cid, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1));
    let remedy = match near {
        Some((_, near)) => format!("write cid:{near} if that is meant"),
        None if declared.is_empty() => format!(
            "add inline = {{ {cid} = \"images/{cid}.png\" }} under [message] in campaign.toml"
        ),
        None => format!(
            "add it to inline = {{ … }} under [message] in campaign.toml; there are: {}",
            declared.join(", ")
        ),
    };
    let name = shown(cid);
    Flaw::error(
        "cid-unknown",
        format!("the mail carries no image '{name}' (cid:{name})"),
        remedy,
    )
}
