use crate::recipients::{Address, AddressError, DomainError, Domains, Duplicates, Mailbox};

fn parsed(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> AddressError {
    match Address::parse(text) {
        Ok(address) => panic!("{text:?} was taken as {address}"),
        Err(error) => error,
    }
}

#[test]
fn usual_addresses_are_accepted() {
    for text in [
        "anna@example.org",
        "Anna.Lee+news@sub.example.co.uk",
        "o'brien@example.org",
        "x_1!#$%&*/=?^`{|}~-@example.org",
        "\"anna lee\"@example.org",
        "\"a@b\"@example.org",
        "zoë@example.org",
        "用户@例子.测试",
        "anna@bücher.example",
        "root@localhost",
        "a@r3---sn.example.org",
    ] {
        assert_eq!(parsed(text).as_str(), text);
    }
}

#[test]
fn white_space_around_an_address_does_not_count_and_domains_are_lower_case() {
    let address = parsed("  Anna@Example.ORG\u{a0}\n");
    assert_eq!(address.as_str(), "Anna@example.org");
    assert_eq!((address.local(), address.domain()), ("Anna", "example.org"));
}

#[test]
fn a_backslash_stays_only_where_it_must() {
    let cases = [
        (r#""ann lee\ x"@contoso.com"#, r#""ann lee x"@contoso.com"#),
        (r#""an\n\"a"@contoso.com"#, r#""ann\"a"@contoso.com"#),
        (r#""ann\\a"@contoso.com"#, r#""ann\\a"@contoso.com"#),
        (r#""zo\ë"@contoso.com"#, r#""zoë"@contoso.com"#),
    ];
    for (written, kept) in cases {
        let address = parsed(written);
        assert_eq!(address.as_str(), kept);
        let theirs = address
            .to_ascii()
            .map(|ascii| ascii.parse::<lettre::Address>());
        assert!(theirs.is_none_or(|theirs| theirs.is_ok()), "{kept}");
    }
    assert_eq!(parsed(r#""an\na"@contoso.com"#).key(), "anna@contoso.com");
}

#[test]
fn international_domains_have_an_ascii_form_and_international_locals_have_none() {
    let address = parsed("anna@Bücher.example");
    assert_eq!(address.as_str(), "anna@bücher.example");
    assert_eq!(address.domain(), "xn--bcher-kva.example");
    assert_eq!(
        address.to_ascii().as_deref(),
        Some("anna@xn--bcher-kva.example")
    );
    assert_eq!(address, parsed("anna@xn--bcher-kva.example"));
    assert_eq!(
        parsed("anna@bu\u{308}cher.example").as_str(),
        "anna@bücher.example"
    );
    assert!(parsed("zoë@example.org").to_ascii().is_none());
    assert!(!parsed("zoë@example.org").is_ascii());
}

#[test]
fn what_is_wrong_is_named() {
    use AddressError as E;
    assert_eq!(refused(" \t "), E::Empty);
    assert_eq!(refused("anna.example.org"), E::NoAt);
    assert_eq!(refused("a@b@x.org"), E::ManyAts);
    assert_eq!(refused("Anna <anna@x.org>"), E::NotBare);
    assert_eq!(refused("\"Lee, Anna\" <anna@x.org>"), E::NotBare);
    assert_eq!(refused("<anna@x.org>"), E::NotBare);
    assert_eq!(refused("anna lee@x.org"), E::Space);
    assert_eq!(refused("anna@x .org"), E::Space);
    assert_eq!(refused("an\nna@x.org"), E::LineBreak);
    assert_eq!(refused("anna@x.org\r\nBcc: b@y.org"), E::LineBreak);
    assert_eq!(refused("an\u{7}na@x.org"), E::Control('\u{7}'));
    assert_eq!(refused("anna@x.org\u{200b}"), E::Invisible('\u{200b}'));
    assert_eq!(refused("m\u{fffd}ller@x.org"), E::Invisible('\u{fffd}'));
    assert_eq!(refused("@x.org"), E::NoLocal);
    assert_eq!(refused(".anna@x.org"), E::LocalDots);
    assert_eq!(refused("an..na@x.org"), E::LocalDots);
    assert_eq!(refused("mailto:anna@x.org"), E::LocalCharacter(':'));
    assert_eq!(refused("\"anna@x.org"), E::LocalQuotes);
    for two in [
        "a@x.org; b@x.org",
        "a@x.org,b@x.org",
        "a@x.org b@x.org",
        "a@x.org / b@x.org",
    ] {
        assert_eq!(refused(two), E::Several, "{two}");
    }
}

#[test]
fn what_is_wrong_with_a_domain_is_named() {
    use DomainError as D;
    let domain = |text: &str| match refused(text) {
        AddressError::Domain(error) => error,
        other => panic!("{text}: {other}"),
    };
    assert_eq!(domain("anna@"), D::Empty);
    assert_eq!(domain("anna@x..org"), D::EmptyLabel("x..org".into()));
    assert_eq!(domain("anna@x.org."), D::EmptyLabel("x.org.".into()));
    assert_eq!(
        domain("anna@x\u{3002}\u{3002}org"),
        D::EmptyLabel("x\u{3002}\u{3002}org".into())
    );
    assert_eq!(domain("anna@contoso"), D::SingleLabel("contoso".into()));
    assert_eq!(domain("anna@[192.0.2.1]"), D::Literal("[192.0.2.1]".into()));
    assert_eq!(domain("anna@192.0.2.1"), D::Literal("192.0.2.1".into()));
    assert_eq!(domain("anna@-x.org"), D::Hyphen("-x.org".into()));
    let found = |found, domain: &str| D::Character {
        found,
        domain: domain.into(),
    };
    assert_eq!(domain("anna@my_host.org"), found('_', "my_host.org"));
    assert_eq!(domain("anna@x.org;"), found(';', "x.org;"));
    assert_eq!(
        domain("anna@xn--a.org"),
        D::International("xn--a.org".into())
    );
    let label = "a".repeat(64);
    assert_eq!(
        domain(&format!("anna@{label}.org")),
        D::LabelTooLong(format!("{label}.org"))
    );
}

#[test]
fn lengths_are_held_to_the_byte() {
    assert_eq!(
        parsed(&format!("{}@x.org", "a".repeat(64))).local().len(),
        64
    );
    assert_eq!(
        refused(&format!("{}@x.org", "a".repeat(65))),
        AddressError::LocalTooLong(65)
    );
    assert_eq!(
        refused(&format!("{}@x.org", "é".repeat(33))),
        AddressError::LocalTooLong(66)
    );
    let domain = |last: usize| format!("{0}.{0}.{0}.{1}.org", "d".repeat(60), "e".repeat(last));
    let local = "a".repeat(30);
    let longest = format!("{local}@{}", domain(36));
    assert_eq!(longest.len(), 254);
    assert_eq!(parsed(&longest).as_str(), longest);
    assert_eq!(
        refused(&format!("{local}@{}", domain(37))),
        AddressError::TooLong(255)
    );
}

#[test]
fn a_mailbox_may_have_a_name() {
    let mailbox = |text: &str| {
        let mailbox = Mailbox::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (mailbox.name, mailbox.address.to_string())
    };
    let named = |name: &str, address: &str| (Some(name.to_owned()), address.to_owned());
    let comms = "comms@contoso.com";
    assert_eq!(
        mailbox("Contoso Comms <comms@contoso.com>"),
        named("Contoso Comms", comms)
    );
    assert_eq!(
        mailbox("\"Lee, Anna\" <comms@contoso.com>"),
        named("Lee, Anna", comms)
    );
    assert_eq!(
        mailbox("\"The \\\"A\\\" \\\\ Team\"<comms@contoso.com>"),
        named("The \"A\" \\ Team", comms)
    );
    assert_eq!(
        mailbox("\"A <b@x.org>\" <comms@contoso.com>"),
        named("A <b@x.org>", comms)
    );
    assert_eq!(
        mailbox("Smith, Jr. <comms@contoso.com>"),
        named("Smith, Jr.", comms)
    );
    assert_eq!(
        mailbox("Dwayne \"Rock\" J. <comms@contoso.com>"),
        named("Dwayne \"Rock\" J.", comms)
    );
    assert_eq!(
        mailbox("Anna  Núñez <comms@contoso.com>"),
        named("Anna Núñez", comms)
    );
    assert_eq!(mailbox("  <comms@contoso.com> "), (None, comms.to_owned()));
    assert_eq!(
        mailbox("\"\" <comms@contoso.com>"),
        (None, comms.to_owned())
    );
    assert_eq!(mailbox("comms@contoso.com"), (None, comms.to_owned()));
}

#[test]
fn a_mailbox_that_hides_something_is_refused() {
    use AddressError as E;
    let refused = |text: &str| Mailbox::parse(text).expect_err(text);
    assert_eq!(refused("a@x.org, B <b@x.org>"), E::Several);
    assert_eq!(refused("A <a@x.org>, B <b@x.org>"), E::NameCharacter('<'));
    assert_eq!(refused("a@x.org; b@x.org"), E::Several);
    assert_eq!(refused("b@x.org <a@x.org>"), E::NameCharacter('@'));
    assert_eq!(refused("A\r\nBcc: c@x.org <a@x.org>"), E::LineBreak);
    assert_eq!(refused("A\u{200b}\r\n B <a@x.org>"), E::LineBreak);
    assert_eq!(refused("A\u{2028}B <a@x.org>"), E::LineBreak);
    assert_eq!(refused("A\u{1b}[31m <a@x.org>"), E::Control('\u{1b}'));
    assert_eq!(refused("\"A <a@x.org>"), E::NameQuotes);
    assert_eq!(refused("A <a@x.org> B"), E::Brackets);
    assert_eq!(refused("A a@x.org>"), E::Brackets);
    assert_eq!(refused("A <>"), E::Empty);
}

#[test]
fn the_same_person_is_seen_again_however_the_address_is_written() {
    let mut duplicates = Duplicates::new();
    assert_eq!(duplicates.first_row(&parsed("Anna@example.org"), 1), None);
    assert_eq!(duplicates.first_row(&parsed("bert@example.org"), 2), None);
    assert_eq!(
        duplicates.first_row(&parsed("anna@EXAMPLE.org"), 3),
        Some(1)
    );
    assert_eq!(
        duplicates.first_row(&parsed("\"anna\"@example.org"), 4),
        Some(1)
    );
    assert_eq!(duplicates.first_row(&parsed("ÉVA@bücher.example"), 5), None);
    assert_eq!(
        duplicates.first_row(&parsed("éva@xn--bcher-kva.example"), 6),
        Some(5)
    );
    assert_eq!(
        duplicates.first_row(&parsed("anna.@example.org".replace(".@", "@").as_str()), 7),
        Some(1)
    );
    assert_eq!(duplicates.first_row(&parsed("ann.a@example.org"), 8), None);
}

#[test]
fn internal_domains_stand_for_themselves_alone() {
    let internal = Domains::parse(&["Contoso.com", " bücher.example "]).unwrap();
    assert!(internal.contains(&parsed("a@CONTOSO.com")));
    assert!(internal.contains(&parsed("a@xn--bcher-kva.example")));
    assert!(!internal.contains(&parsed("a@news.contoso.com")));
    assert!(!internal.contains(&parsed("a@notcontoso.com")));
    assert!(Domains::of(&parsed("a@x.org")).contains(&parsed("b@X.org")));
    assert!(!Domains::default().contains(&parsed("a@x.org")));
    assert!(matches!(
        Domains::parse(&["@contoso.com"]),
        Err(DomainError::Character { found: '@', .. })
    ));
}
