//! Taking secrets, and pieces of them, out of what a server said.

use std::collections::HashSet;

use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::prelude::Engine as _;
use secrecy::{ExposeSecret, SecretString};

const HIDDEN: &str = "[hidden]";

/// A piece of a secret of this many bytes is hidden wherever it stands; shorter secrets only whole.
const PIECE: usize = 8;

/// The forms in which a secret can come back.
pub(super) struct Veil {
    /// In lower case, as some servers write what they quote in capitals.
    forms: Vec<SecretString>,
}

impl Veil {
    /// Hides `secret`, its base64 wherever it begins within a longer text, and each of `encoded` as it is.
    pub(super) fn over(secret: &SecretString, encoded: &[SecretString]) -> Self {
        let bytes = secret.expose_secret().as_bytes();
        let mut forms = vec![lower(secret.expose_secret())];
        for engine in [STANDARD, URL_SAFE] {
            // Three bytes become four characters: what stands before decides how they are cut.
            for before in 0..3 {
                let mut shifted = vec![0; before];
                shifted.extend_from_slice(bytes);
                let text = SecretString::from(engine.encode(shifted));
                let text = text.expose_secret().trim_end_matches('=');
                // The first and the last characters also have bits of what stands beside the secret.
                let first = [0, 2, 3][before];
                let last = text.len() - usize::from((before + bytes.len()) % 3 != 0);
                forms.push(lower(text.get(first..last).unwrap_or_default()));
            }
        }
        forms.extend(encoded.iter().map(|text| lower(text.expose_secret())));
        forms.retain(|form| !form.expose_secret().is_empty());
        Self { forms }
    }

    /// The text with every piece of a secret replaced.
    pub(super) fn conceal(&self, text: &str) -> String {
        let lowered = lower(text);
        let bytes = lowered.expose_secret().as_bytes();
        let mut covered = vec![false; bytes.len()];
        for form in &self.forms {
            let form = form.expose_secret().as_bytes();
            let length = form.len().min(PIECE);
            let pieces: HashSet<&[u8]> = form.windows(length).collect();
            for (at, window) in bytes.windows(length).enumerate() {
                if pieces.contains(window) {
                    covered[at..at + length].fill(true);
                }
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut hiding = false;
        for (at, character) in text.char_indices() {
            let hidden = covered[at..at + character.len_utf8()].contains(&true);
            if !hidden {
                shown.push(character);
            } else if !hiding {
                shown.push_str(HIDDEN);
            }
            hiding = hidden;
        }
        shown
    }
}

/// Only ASCII changes, so that every byte keeps its place.
fn lower(text: &str) -> SecretString {
    text.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn veil(secret: &str) -> Veil {
        Veil::over(&secret.into(), &[])
    }

    #[test]
    fn pieces_and_short_secrets_are_hidden_and_the_rest_is_kept() {
        let long = veil("correct horse battery staple");
        assert_eq!(
            long.conceal("535 not \"horse battery st\", is it"),
            "535 not \"[hidden]\", is it"
        );
        assert_eq!(long.conceal("CORRECT HORSE"), "[hidden]");
        assert_eq!(long.conceal("535 5.7.8 a horse"), "535 5.7.8 a horse");
        assert_eq!(veil("äb").conceal("no äb ä"), "no [hidden] ä");
        assert_eq!(veil("").conceal("nothing to hide"), "nothing to hide");
    }

    proptest! {
        /// However a secret is quoted, in clear or base64, whole or cut, nothing of it is left.
        #[test]
        fn no_piece_is_left(
            secret in "[a-zA-Z0-9._~-]{12,60}",
            before in "[ -~]{0,20}",
            after in "[ -~]{0,20}",
            cut in 0_usize..4,
            in_base64 in any::<bool>(),
        ) {
            let quoted = format!("{before}{secret}{after}");
            let quoted = if in_base64 { STANDARD.encode(&quoted) } else { quoted };
            let shown = veil(&secret).conceal(&quoted[cut..]);
            let lowered = shown.to_ascii_lowercase();
            let form = secret.to_ascii_lowercase();
            for piece in form.as_bytes().windows(PIECE) {
                let piece = std::str::from_utf8(piece).unwrap();
                prop_assert!(!lowered.contains(piece), "{}", shown);
            }
            if in_base64 {
                prop_assert!(shown.contains(HIDDEN), "{}", shown);
            }
        }
    }
}
