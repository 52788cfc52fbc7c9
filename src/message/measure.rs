//! Proving that mails can be built and how large they are, without building each of them.
//!
//! Encoding a body and deriving a text from HTML cost a hundred times what rendering does. Neither can fail
//! by what a text says, only by what surrounds it: so headers are built wherever one has a value that might matter,
//! files are read and encoded once each, a text is derived once for each order of tags, and of bodies it is known
//! how much they take at most.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash as _, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

use hashbrown::DefaultHashBuilder;

use super::error::Error;
use super::head::wire_address;
use super::renderer::{Identity, Page, Renderer};
use super::text_part;
use crate::recipients::Address;
use crate::template::Rendered;

/// Files and orders of tags that are remembered; past it they are looked at again.
const REMEMBERED: usize = 4096;

/// The most bytes that the headers and boundaries around images and attachments take.
const AROUND: u64 = 512;

/// Measures the mails of one campaign; shared freely between threads.
#[derive(Debug)]
pub struct Measure<'a> {
    renderer: &'a Renderer,
    hasher: RandomState,
    /// For what is asked for each tag.
    quick: DefaultHashBuilder,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Bytes of headers, by all in them that might matter.
    frames: HashMap<u64, u64>,
    /// Orders of tags of which a text was derived.
    derived: HashSet<u64>,
    /// Bytes that a file takes as a part.
    files: HashMap<String, u64>,
    /// Bytes that all inline images take.
    images: Option<u64>,
}

impl<'a> Measure<'a> {
    /// Nothing known yet.
    pub fn new(renderer: &'a Renderer) -> Self {
        Self {
            renderer,
            hasher: RandomState::new(),
            quick: DefaultHashBuilder::default(),
            known: Mutex::default(),
        }
    }

    /// Proves that this mail can be built, and tells how many bytes it has at most. A mail that may be too
    /// large for a server must be composed to know exactly.
    ///
    /// # Errors
    /// Those of [`Renderer::compose`].
    pub fn at_most(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<u64, Error> {
        let (html, text) = (&page.rendered.html, &page.rendered.text);
        let frame = self.frame(page, recipient, identity)?;
        let mut bytes = frame + AROUND + text.as_deref().map_or(0, encoded);
        if let Some(html) = html {
            bytes += encoded(html);
            if text.is_none() {
                self.derive(&page.rendered, html)?;
                bytes += derived(html);
            }
            bytes += self.images()?;
        }
        for path in page.attachments() {
            bytes += self.file(path)?;
        }
        Ok(bytes)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most bytes that headers and empty bodies take.
    fn frame(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<u64, Error> {
        let mut telling = self.hasher.build_hasher();
        (identity.message_id, identity.date, identity.shared).hash(&mut telling);
        let plain = page.frame(&mut telling);
        let telling = telling.finish();
        let known = self.known().frames.get(&telling).copied();
        if let Some(bytes) = known {
            wire_address("To", recipient)?;
            // A fold after each character is more than any has.
            return Ok(bytes + 4 * (plain + recipient.as_str().len() as u64));
        }
        let bytes = self.renderer.size_of_frame(page, recipient, identity)?;
        let mut known = self.known();
        if known.frames.len() < REMEMBERED {
            known.frames.insert(telling, bytes);
        }
        Ok(bytes)
    }

    fn derive(&self, rendered: &Rendered, html: &str) -> Result<(), Error> {
        let tags = order_of_tags(html, self.quick.build_hasher());
        if self.known().derived.contains(&tags) {
            return Ok(());
        }
        text_part::of(rendered)?;
        let mut known = self.known();
        if known.derived.len() < REMEMBERED {
            known.derived.insert(tags);
        }
        Ok(())
    }

    fn images(&self) -> Result<u64, Error> {
        let known = self.known().images;
        if let Some(bytes) = known {
            return Ok(bytes);
        }
        let bytes = self.renderer.size_of_images()?;
        self.known().images = Some(bytes);
        Ok(bytes)
    }

    fn file(&self, path: &str) -> Result<u64, Error> {
        let known = self.known().files.get(path).copied();
        if let Some(bytes) = known {
            return Ok(bytes);
        }
        let bytes = self.renderer.size_of_attachment(path)?;
        let mut known = self.known();
        if known.files.len() < REMEMBERED {
            known.files.insert(path.to_owned(), bytes);
        }
        Ok(bytes)
    }
}

/// The most bytes that a text takes when it is encoded: three for each of its own (RFC 2045 6.7), and a soft
/// line break for every line of 76. Base64 takes less.
fn encoded(text: &str) -> u64 {
    let tripled = text.len() as u64 * 3;
    tripled + tripled / 24 + 256
}

/// The most bytes that the text derived from this HTML takes: a full line for each of its bytes.
fn derived(html: &str) -> u64 {
    let width = text_part::WIDTH as u64 + 2;
    html.len() as u64 * width * 3
}

/// The names of a document's tags in their order, as a number. What a tag's attributes say changes a text
/// that is derived, never whether it can be.
fn order_of_tags(html: &str, mut order: impl Hasher) -> u64 {
    let bytes = html.as_bytes();
    for start in memchr::memchr_iter(b'<', bytes) {
        let name = bytes.get(start..).unwrap_or_default();
        let name = name.get(..24).unwrap_or(name);
        let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
        let length = name.iter().position(ends).unwrap_or(name.len());
        order.write(name.get(..length).unwrap_or_default());
    }
    order.finish()
}

#[cfg(test)]
mod tests;
