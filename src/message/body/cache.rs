//! Answers that are worth keeping, by what was asked.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// As many answers are kept: what differs in more ways than that is personal, and hardly comes again.
const MOST: usize = 256;

/// Answers by a digest of the question (BLAKE3: nobody can write two that are taken for the same).
pub(super) struct Cache<T>(RwLock<HashMap<[u8; 32], Arc<T>>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Cache<T> {
    /// The answer to `question`, made where it is not known. It must depend on nothing else, so that
    /// it is the same whether it was kept or not.
    pub(super) fn get_or_make<E>(
        &self,
        question: &str,
        make: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let digest = *blake3::hash(question.as_bytes()).as_bytes();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&digest) {
            return Ok(Arc::clone(answer));
        }
        drop(known);
        let answer = Arc::new(make(question)?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Arc::clone(&answer));
        Ok(answer)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
