//! HTML in pieces, and the piece that differs from what was shown before.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The place to which the frame is scrolled.
pub(super) const CHANGED: &str = "postroom-changed";

/// A piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Doctype(Doctype),
    Tag(Tag),
    Comment(String),
    Text(String),
    /// The text of an element whose text is no markup.
    Raw(String),
}

/// Collects the pieces, and tells the tokenizer which elements hold no markup, as a tree builder would.
#[derive(Default)]
struct Collected {
    pieces: RefCell<Vec<Piece>>,
    raw: RefCell<bool>,
}

impl TokenSink for Collected {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut result = TokenSinkResult::Continue;
        let piece = match token {
            Token::DoctypeToken(doctype) => Piece::Doctype(doctype),
            Token::TagToken(tag) => {
                let kind = match &*tag.name {
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
                    "script" => Some(RawKind::ScriptData),
                    "title" | "textarea" => Some(RawKind::Rcdata),
                    _ => None,
                };
                let begins = tag.kind == TagKind::StartTag;
                if let (Some(kind), true) = (kind, begins) {
                    *self.raw.borrow_mut() = kind != RawKind::Rcdata;
                    result = TokenSinkResult::RawData(kind);
                } else if &*tag.name == "plaintext" && begins {
                    result = TokenSinkResult::Plaintext;
                } else {
                    *self.raw.borrow_mut() = false;
                }
                Piece::Tag(tag)
            }
            Token::CommentToken(text) => Piece::Comment(text.to_string()),
            Token::CharacterTokens(text) => {
                let mut pieces = self.pieces.borrow_mut();
                // The tokenizer gives a text in runs; together they are compared and searched.
                match (*self.raw.borrow(), pieces.last_mut()) {
                    (true, Some(Piece::Raw(known))) | (false, Some(Piece::Text(known))) => {
                        known.push_str(&text);
                    }
                    (true, _) => pieces.push(Piece::Raw(text.to_string())),
                    (false, _) => pieces.push(Piece::Text(text.to_string())),
                }
                return result;
            }
            Token::NullCharacterToken | Token::EOFToken | Token::ParseError(_) => return result,
        };
        self.pieces.borrow_mut().push(piece);
        result
    }
}

/// Reads HTML as the tokenizer of a browser does.
pub(super) fn pieces(html: &str) -> Vec<Piece> {
    let tokenizer = Tokenizer::new(Collected::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(html.into());
    // It stops after each script, which is not run here.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.pieces.take()
}

/// Names the first place in the body that differs.
pub(super) fn mark(pieces: &mut [Piece], before: &[Piece]) {
    let Some(differs) = pieces
        .iter()
        .zip(before)
        .position(|(now, then)| now != then)
    else {
        return;
    };
    let body = pieces
        .iter()
        .position(|piece| matches!(piece, Piece::Tag(tag) if &*tag.name == "body"));
    let from = body.map_or(0, |body| body + 1);
    let upto = pieces.get_mut(from..=differs).unwrap_or_default();
    let opening = upto.iter_mut().rev().find_map(|piece| match piece {
        Piece::Tag(tag) if tag.kind == TagKind::StartTag => Some(tag),
        _ => None,
    });
    if let Some(tag) = opening {
        tag.attrs.retain(|attribute| &*attribute.name.local != "id");
        tag.attrs.push(attribute("id", CHANGED));
    }
}

fn attribute(name: &str, value: &str) -> html5ever::Attribute {
    html5ever::Attribute {
        name: html5ever::QualName::new(None, html5ever::ns!(), name.into()),
        value: value.into(),
    }
}
