//! The renderers of a campaign that was edited while it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, Renderer};

/// Makes the renderer of the edition with this number.
type Make = Box<dyn Fn(u64) -> Result<Renderer, Error> + Send + Sync>;

/// One account's renderers: that of the current edition, and those of others, each made when it is first asked
/// for and kept.
pub struct Editions {
    current: Arc<Renderer>,
    made: Mutex<BTreeMap<u64, Arc<Renderer>>>,
    make: Make,
}

impl std::fmt::Debug for Editions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Editions")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

impl Editions {
    /// With the renderer of the current edition, and a way to make the others, which may come to be later.
    pub fn new(
        number: u64,
        current: Renderer,
        make: impl Fn(u64) -> Result<Renderer, Error> + Send + Sync + 'static,
    ) -> Self {
        let current = Arc::new(current);
        let known = BTreeMap::from([(number, Arc::clone(&current))]);
        Self {
            current,
            made: Mutex::new(known),
            make: Box::new(make),
        }
    }

    /// The one that was current when these were made.
    pub fn current(&self) -> &Renderer {
        &self.current
    }

    /// The one of this edition.
    ///
    /// # Errors
    /// [`Error::Edition`] when what was frozen of it cannot be read; that of its templates otherwise.
    pub fn of(&self, edition: u64) -> Result<Arc<Renderer>, Error> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(&edition) {
            return Ok(Arc::clone(known));
        }
        let renderer = Arc::new((self.make)(edition)?);
        made.insert(edition, Arc::clone(&renderer));
        Ok(renderer)
    }
}
