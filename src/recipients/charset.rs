//! Encodings that a list may have, and the labels by which a user names them.

use encoding_rs::Encoding;

/// An encoding of text, named by any label of <https://encoding.spec.whatwg.org/#names-and-labels>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(pub(super) &'static Encoding);

impl Charset {
    /// The encoding of this label, whatever its case; none when it is not known.
    pub fn named(label: &str) -> Option<Self> {
        Encoding::for_label_no_replacement(label.as_bytes()).map(Self)
    }

    /// Its usual name, such as `windows-1252`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What is written in it, for a sentence.
    pub(super) fn script(self) -> &'static str {
        match self.name() {
            "windows-1250" | "ISO-8859-2" => "Central European",
            "windows-1251" | "ISO-8859-5" | "KOI8-U" | "KOI8-R" | "IBM866" => "Cyrillic",
            "windows-1253" | "ISO-8859-7" => "Greek",
            "windows-1254" => "Turkish",
            "windows-1255" | "ISO-8859-8" => "Hebrew",
            "windows-1256" | "ISO-8859-6" => "Arabic",
            "windows-1257" | "ISO-8859-4" | "ISO-8859-13" => "Baltic",
            "windows-1258" => "Vietnamese",
            "windows-874" => "Thai",
            "Shift_JIS" | "EUC-JP" | "ISO-2022-JP" => "Japanese",
            "EUC-KR" => "Korean",
            "GBK" | "gb18030" => "Chinese (simplified)",
            "Big5" => "Chinese (traditional)",
            _ => "Western European",
        }
    }
}
