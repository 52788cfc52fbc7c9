//! Files of people who are never written to.

use postroom::recipients::{Subject, Suppressions};

/// Whatever such a file holds: each line is used or named, what is used names a person or a domain, and the same
/// subjects a line read the same.
pub fn suppressions(data: &[u8]) {
    let Ok(found) = Suppressions::read(data.to_vec(), data.starts_with(b"PK")) else {
        return;
    };
    for entry in &found.entries {
        let (subject, written) = (&entry.subject, &entry.written);
        let again = Subject::parse(&subject.key()).expect("a key is a subject");
        assert_eq!(again.key(), subject.key());
        assert!(!written.contains(['\r', '\n', '\0']), "{written:?}");
    }
    let lines: String = found
        .entries
        .iter()
        .map(|one| one.subject.key() + "\n")
        .collect();
    if !lines.is_empty() {
        let again = Suppressions::read(lines.into_bytes(), false).expect("lines are read");
        let keys = |found: &Suppressions| -> Vec<String> {
            found.entries.iter().map(|one| one.subject.key()).collect()
        };
        assert_eq!(keys(&again), keys(&found));
    }
}
