//! Addresses, mailboxes and domains.

use postroom::recipients::{Address, Domains, Mailbox, Subject, person_key};

/// What is taken for an address is one for the library that builds mails too, holds nothing that could end a line,
/// and is the same when it is read again.
pub fn addresses(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let bare = Address::parse(&text);
    if let Ok(address) = &bare {
        sound(address);
        assert_eq!(person_key(&text), address.key());
    }
    if let Ok(mailbox) = Mailbox::parse(&text) {
        sound(&mailbox.address);
        let name = mailbox.name.as_deref().unwrap_or_default();
        assert!(!name.contains(['\r', '\n', '\0']), "{name:?}");
    } else {
        assert!(bare.is_err(), "an address is a mailbox: {text:?}");
    }
    if let Ok(subject) = Subject::parse(&text) {
        let again = Subject::parse(&subject.key()).expect("a key is a subject");
        assert_eq!(again.key(), subject.key());
    }
    let _ = Domains::parse(&text.split(' ').collect::<Vec<_>>());
}

fn sound(address: &Address) {
    assert!(!address.as_str().chars().any(char::is_control));
    assert!(address.domain().is_ascii());
    let again = Address::parse(address.as_str()).expect("what is written out is an address");
    assert_eq!(&again, address);
    let key = Address::parse(&address.key()).expect("a key is an address");
    assert_eq!(key.key(), address.key(), "a key is its own key");
    if let Some(ascii) = address.to_ascii() {
        let theirs = ascii.parse::<lettre::Address>();
        assert!(theirs.is_ok(), "{ascii}: {theirs:?}");
    }
}
