//! Bytes of mail, read again by a parser that is not ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::recipients::{Address, Cells, Columns};
use crate::template::{Language, Source, Sources};

const ID: &str = "<0123456789abcdef0123456789abcdef@contoso.com>";

fn source(text: &str) -> Source {
    Source::new("test", text)
}

fn definition(sources: Sources) -> Definition {
    Definition {
        senders: std::collections::BTreeMap::new(),
        sources,
        data: Map::new(),
        columns: Columns::new(["email", "First Name", "note"].map(str::to_owned)).unwrap(),
        grouped: false,
        from: "Contoso Comms <comms@contoso.com>".to_owned(),
        inline: vec![],
        list_unsubscribe: None,
        unsubscribe: None,
        inline_css: false,
        internal: vec!["contoso.com".to_owned()],
    }
}

fn no_files() -> Files {
    Arc::new(|path| Err(std::io::Error::other(format!("no file {path}"))))
}

fn renderer(sources: Sources) -> Renderer {
    Renderer::new(definition(sources), no_files()).unwrap()
}

fn identity(shared: bool) -> Identity<'static> {
    Identity {
        message_id: ID,
        date: "2026-12-01T08:00:00Z".parse().unwrap(),
        shared,
    }
}

fn cells(name: &str, note: &str) -> Vec<String> {
    vec![
        "ann@contoso.com".to_owned(),
        name.to_owned(),
        note.to_owned(),
    ]
}

fn compose(renderer: &Renderer, cells: &[String]) -> Result<Vec<u8>, Error> {
    let page = renderer.page(&Cells::Row(cells))?;
    let address = Address::parse(&cells[0]).unwrap();
    renderer.compose(&page, &address, &identity(false))
}

fn newsletter() -> Sources {
    Sources {
        subject: source("Dear {{first_name}}"),
        html: Some(source("<p>Hello {{first_name}}</p><p>{{note}}</p>")),
        ..Sources::default()
    }
}

fn text_only(text: &str) -> Sources {
    Sources {
        subject: source("Hello"),
        text: Some(source(text)),
        ..Sources::default()
    }
}

#[test]
fn a_newsletter_has_both_parts_and_says_that_it_is_automatic() {
    let bytes = compose(&renderer(newsletter()), &cells("Tom & O'Brien", "a < b")).unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        mail.subject(),
        Some("Dear Tom & O'Brien"),
        "no escaping in a subject"
    );
    assert_eq!(
        mail.from().unwrap().first().unwrap().address(),
        Some("comms@contoso.com")
    );
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some("ann@contoso.com")
    );
    assert_eq!(mail.message_id(), Some(ID.trim_matches(['<', '>'])));
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-12-01T08:00:00Z");
    assert!(mail.body_html(0).unwrap().contains("<p>a &lt; b</p>"));
    let text = mail.body_text(0).unwrap();
    assert!(
        text.contains("Hello Tom & O'Brien") && text.contains("a < b"),
        "{text}"
    );
    let header = |name: &'static str| mail.header_raw(name).map(str::trim);
    assert_eq!(header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(
        header("X-Auto-Response-Suppress"),
        Some("OOF, AutoReply, DR, RN, NRN")
    );
    assert_eq!(header("Bcc"), None);
    assert_eq!(mail.content_type().unwrap().subtype(), Some("alternative"));
}

#[test]
fn a_shared_message_shows_nobodys_address() {
    let renderer = renderer(text_only("the same for all"));
    let row = |address: &str| serde_json::to_string(&[address, "", ""]).unwrap();
    let (ann, bob) = (row("ann@contoso.com"), row("bob@fabrikam.com"));
    let listed = [
        ("ann@contoso.com", ann.as_str()),
        ("bob@fabrikam.com", bob.as_str()),
    ];
    let prepared = renderer.prepare(listed, &identity(true)).unwrap();
    assert_eq!(prepared.envelope, ["ann@contoso.com", "bob@fabrikam.com"]);
    assert_eq!(prepared.external, [false, true]);
    assert_eq!(prepared.sender, "comms@contoso.com");
    let content = prepared.content.into_bytes();
    let text = String::from_utf8(content.clone()).unwrap();
    assert!(!text.contains("ann@") && !text.contains("bob@"), "{text}");
    let mail = MessageParser::default().parse(&content).unwrap();
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some("comms@contoso.com")
    );
}

#[test]
fn copies_are_in_the_envelope_and_blind_ones_nowhere_else() {
    let mut sources = text_only("x");
    sources.cc = vec![source("Boss <boss@contoso.com>"), source("")];
    sources.bcc = vec![source("archive@fabrikam.com")];
    sources.reply_to = Some(source("desk@contoso.com"));
    let renderer = renderer(sources);
    let row = serde_json::to_string(&cells("Ann", "")).unwrap();
    let prepared = renderer
        .prepare([("ann@contoso.com", row.as_str())], &identity(false))
        .unwrap();
    assert_eq!(
        prepared.envelope,
        [
            "ann@contoso.com",
            "boss@contoso.com",
            "archive@fabrikam.com"
        ]
    );
    assert_eq!((prepared.copies, prepared.external_copies), (2, 1));
    let content = prepared.content.into_bytes();
    let mail = MessageParser::default().parse(&content).unwrap();
    assert_eq!(
        mail.cc().unwrap().first().unwrap().address(),
        Some("boss@contoso.com")
    );
    assert_eq!(
        mail.reply_to().unwrap().first().unwrap().address(),
        Some("desk@contoso.com")
    );
    assert!(
        !String::from_utf8(content.clone())
            .unwrap()
            .contains("archive@")
    );
}

/// Files from memory, counting how often they are read.
fn counted_files(files: &[(&str, Vec<u8>)]) -> (Files, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let reads = Arc::clone(&count);
    let files: HashMap<String, Arc<[u8]>> = files
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), Arc::from(bytes.as_slice())))
        .collect();
    let read: Files = Arc::new(move |path| {
        reads.fetch_add(1, Ordering::Relaxed);
        files
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::Error::other("no such file"))
    });
    (read, count)
}

#[test]
fn images_and_attachments_arrive_and_are_read_once() {
    let agenda: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (files, reads) = counted_files(&[
        ("images/logo.png", vec![1, 2, 3]),
        ("files/Größe.pdf", agenda.clone()),
    ]);
    let mut sources = newsletter();
    sources.attach = vec![
        source("files/Größe.pdf"),
        source("{{#if note}}files/Größe.pdf{{/if}}"),
    ];
    let mut definition = definition(sources);
    definition.inline = vec![("logo".to_owned(), "images/logo.png".to_owned())];
    let renderer = Renderer::new(definition, files).unwrap();
    for name in ["Ann", "Bob"] {
        let bytes = compose(&renderer, &cells(name, "")).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.content_type().unwrap().subtype(), Some("mixed"));
        assert_eq!(
            mail.attachment_count(),
            2,
            "the image and one attachment: an empty path is none"
        );
        let attached = mail
            .attachments()
            .find(|part| part.attachment_name() == Some("Größe.pdf"))
            .unwrap();
        assert_eq!(attached.contents(), agenda);
        assert_eq!(attached.content_type().unwrap().subtype(), Some("pdf"));
        let image = mail
            .attachments()
            .find(|part| part.content_id() == Some("logo"))
            .unwrap();
        assert_eq!(image.contents(), [1, 2, 3]);
        assert_eq!(image.content_disposition().unwrap().ctype(), "inline");
    }
    assert_eq!(
        reads.load(Ordering::Relaxed),
        2,
        "each file is read and encoded once"
    );
}

#[test]
fn one_click_is_offered_in_a_message_to_one_person_only() {
    let mut sources = text_only("x");
    let header = |text: &str| ("List-Unsubscribe".to_owned(), source(text));
    sources.headers = vec![
        header("leave@contoso.com?subject=leave"),
        header(
            "https://contoso.com/leave/{{urlencode email}}/of-a-list-with-quite-a-long-name-that-is-not-broken",
        ),
        ("X-Campaign".to_owned(), source("December")),
    ];
    let mut definition = definition(sources);
    definition.unsubscribe = Some(Unsubscribe {
        addresses: 2,
        one_click: true,
    });
    let renderer = Renderer::new(definition, no_files()).unwrap();
    let row = cells("Ann", "");
    let page = renderer.page(&Cells::Row(&row)).unwrap();
    let ann = Address::parse("ann@contoso.com").unwrap();
    for shared in [false, true] {
        let bytes = renderer.compose(&page, &ann, &identity(shared)).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let header = |name: &str| {
            let raw = mail.header_raw(name.to_owned())?;
            Some(raw.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            header("List-Unsubscribe").as_deref(),
            Some(
                "<mailto:leave@contoso.com?subject=leave>, \
                 <https://contoso.com/leave/ann%40contoso.com/of-a-list-with-quite-a-long-name-that-is-not-broken>"
            )
        );
        let post = header("List-Unsubscribe-Post");
        let expected = (!shared).then_some("List-Unsubscribe=One-Click");
        assert_eq!(post.as_deref(), expected);
        assert_eq!(header("X-Campaign").as_deref(), Some("December"));
    }
}

#[test]
fn unsubscribing_and_own_headers_are_set_where_configured() {
    let mut sources = text_only("x");
    sources.headers = vec![(
        "X-Campaign".to_owned(),
        source("December für {{first_name}}"),
    )];
    let mut definition = definition(sources);
    definition.list_unsubscribe = Some("mailto:leave@contoso.com".to_owned());
    let renderer = Renderer::new(definition, no_files()).unwrap();
    let bytes = compose(&renderer, &cells("Ann", "")).unwrap();
    let parser = MessageParser::default().header_text("X-Campaign");
    let mail = parser.parse(&bytes).unwrap();
    assert_eq!(
        mail.header_raw("List-Unsubscribe").map(str::trim),
        Some("<mailto:leave@contoso.com>")
    );
    assert_eq!(
        mail.header("X-Campaign").unwrap().as_text(),
        Some("December für Ann")
    );
    assert!(bytes.is_ascii());
}

#[test]
fn headers_of_the_program_cannot_be_set_by_a_campaign() {
    for name in [
        "Bcc",
        "message-id",
        "Content-Type",
        "X-Auto-Response-Suppress",
        "bad name",
        "",
    ] {
        let mut sources = text_only("x");
        sources.headers = vec![(name.to_owned(), source("x"))];
        let refused = Renderer::new(definition(sources), no_files()).unwrap_err();
        assert!(matches!(refused, Error::Header { .. }), "{name}: {refused}");
    }
}

#[test]
fn no_header_holds_a_line_break_whatever_the_list_says() {
    for evil in [
        "x\r\nBcc: victim@example.com",
        "x\nEvil: 1",
        "x\rEvil: 1",
        "x\0y",
        "x\u{85}y",
    ] {
        let mut in_header = text_only("x");
        in_header.headers = vec![("X-Note".to_owned(), source("{{note}}"))];
        let mut in_subject = text_only("x");
        in_subject.subject = source("{{note}}");
        let mut in_name = text_only("x");
        in_name.to = Some(source("\"{{note}}\" <{{email}}>"));
        let mut in_reply_to = text_only("x");
        in_reply_to.reply_to = Some(source("{{note}} <a@contoso.com>"));
        for sources in [in_header, in_subject, in_name, in_reply_to] {
            let refused = compose(&renderer(sources.clone()), &cells("Ann", evil));
            assert!(refused.is_err(), "{evil:?} in {sources:?}");
        }
    }
}

#[test]
fn attachments_cannot_be_fetched_from_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let campaign = home.path().join("campaign");
    std::fs::create_dir_all(campaign.join("sub")).unwrap();
    std::fs::write(campaign.join("sub/a.pdf"), "a").unwrap();
    std::fs::write(home.path().join("secret.txt"), "secret").unwrap();
    assert!(resolve_attachment(&campaign, "sub/a.pdf").is_ok());
    assert!(resolve_attachment(&campaign, "./sub/a.pdf").is_ok());
    let absolute = home.path().join("secret.txt");
    for path in [
        "../secret.txt",
        "sub/../../secret.txt",
        absolute.to_str().unwrap(),
        "",
        "sub",
        "none.pdf",
        "a\0b",
    ] {
        assert!(resolve_attachment(&campaign, path).is_err(), "{path:?}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&absolute, campaign.join("link.txt")).unwrap();
        assert!(resolve_attachment(&campaign, "link.txt").is_err());
    }
}

#[test]
fn the_same_message_has_the_same_bytes_every_time() {
    let (first, second) = (renderer(newsletter()), renderer(newsletter()));
    let cells = cells("Ann", "Zoë");
    assert_eq!(
        compose(&first, &cells).unwrap(),
        compose(&second, &cells).unwrap()
    );
}

#[test]
fn message_ids_are_of_the_senders_domain_and_never_the_same() {
    let (first, second) = (
        new_message_id("contoso.com").unwrap(),
        new_message_id("contoso.com").unwrap(),
    );
    assert_ne!(first, second);
    assert!(
        first.starts_with('<') && first.ends_with("@contoso.com>"),
        "{first}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_survives_in_lines_that_every_server_takes(note in "[^\\r\\p{Cc}]{0,3000}") {
        let bytes = compose(&renderer(text_only("{{note}}")), &cells("Ann", &note)).unwrap();
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let text = mail.body_text(0).unwrap();
        prop_assert_eq!(text.trim_end_matches("\r\n"), note);
    }

    #[test]
    fn any_name_survives_in_subject_and_address(name in "[\\p{L}\\p{N}'\"&<>(),.;:@-][\\p{L}\\p{N} '\"&<>(),.;:@-]{0,80}[\\p{L}\\p{N}]") {
        let mut sources = text_only("x");
        sources.subject = source("{{first_name}}");
        let quoted = name.replace(['"', '\\'], "");
        sources.to = Some(source("\"{{note}}\" <{{email}}>"));
        let bytes = compose(&renderer(sources), &cells(&name, &quoted)).unwrap();
        prop_assert!(bytes.is_ascii());
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let subject = mail.subject().unwrap_or_default().to_owned();
        prop_assert_eq!(squeeze(&subject), squeeze(&name));
        let to = mail.to().unwrap().first().unwrap();
        prop_assert_eq!(to.address(), Some("ann@contoso.com"));
        prop_assert_eq!(squeeze(to.name().unwrap_or_default()), squeeze(&quoted));
    }

    #[test]
    fn any_attachment_arrives_byte_for_byte(content in prop::collection::vec(any::<u8>(), 0..4000)) {
        let (files, _) = counted_files(&[("a.bin", content.clone())]);
        let mut sources = text_only("x");
        sources.attach = vec![source("a.bin")];
        let renderer = Renderer::new(definition(sources), files).unwrap();
        let bytes = compose(&renderer, &cells("Ann", "")).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        prop_assert_eq!(mail.attachment(0).unwrap().contents(), content);
    }
}

#[test]
fn blanks_between_words_that_are_encoded_arrive() {
    for text in [
        "𐨐  𞹉",
        "Grüße   an  Jürgen",
        "é \u{a0} è",
        "ä\t ö",
        "not =?utf-8?q?encoded?= yet",
    ] {
        let mut sources = text_only("x");
        sources.subject = source("{{first_name}}");
        sources.to = Some(source("\"{{note}}\" <{{email}}>"));
        sources.headers = vec![("Comments".to_owned(), source("{{first_name}}"))];
        let bytes = compose(&renderer(sources), &cells(text, &text.replace('\t', " "))).unwrap();
        assert!(bytes.is_ascii());
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.subject(), Some(text));
        assert_eq!(mail.header("Comments").unwrap().as_text(), Some(text));
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!(squeeze(to.name().unwrap()), squeeze(text));
    }
}

#[test]
fn a_quoted_local_part_is_an_address_like_any_other() {
    for address in ["\"john doe\"@contoso.com", "\"a@b\"@contoso.com"] {
        let renderer = renderer(text_only("x"));
        let page = renderer.page(&Cells::Row(&cells("John", ""))).unwrap();
        let to = Address::parse(address).unwrap();
        let bytes = renderer.compose(&page, &to, &identity(false)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(&format!("To: {address}\r\n")), "{text}");
    }
}

/// Folding may turn a run of spaces into one.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_frozen_of_a_row_or_of_rows_is_read_as_it_was_frozen() {
    let sources = text_only("{{first_name}}:{{#each rows}} {{note}}{{/each}}");
    let grouped = Definition {
        grouped: true,
        ..definition(sources.clone())
    };
    let grouped = Renderer::new(grouped, no_files()).unwrap();
    let (first, second) = (cells("Ann", "a"), cells("Anne", "b"));
    let rows = Cells::Rows(vec![first.as_slice(), second.as_slice()]);
    let frozen = serde_json::to_string(&rows).unwrap();
    let page = grouped.page_of_frozen(&frozen).unwrap();
    assert_eq!(page.rendered.text.as_deref(), Some("Ann: a b"));
    assert_eq!(page.digest, grouped.page(&rows).unwrap().digest);
    let alone = serde_json::to_string(&Cells::Row(&first)).unwrap();
    assert_eq!(alone, serde_json::to_string(&first).unwrap());
    for wrong in ["[]", "", "{}", alone.as_str()] {
        let read = grouped.page_of_frozen(wrong);
        assert!(matches!(read, Err(Error::Cells(_))), "{wrong}");
    }
    let single = renderer(text_only("{{first_name}}"));
    assert!(single.page_of_frozen(&alone).is_ok());
    assert!(matches!(
        single.page_of_frozen(&frozen),
        Err(Error::Cells(_))
    ));
}

#[test]
fn a_definition_of_an_earlier_version_reads_and_is_written_as_it_was() {
    let now = serde_json::to_value(definition(text_only("x"))).unwrap();
    assert!(now.get("grouped").is_none());
    let read: Definition = serde_json::from_value(now.clone()).unwrap();
    assert!(!read.grouped);
    assert_eq!(serde_json::to_value(read).unwrap(), now);
}

#[test]
fn a_body_is_what_its_file_is_called() {
    for (name, language) in [
        ("news.html.hbs", Language::Html),
        ("news.hbs", Language::Html),
        ("mails/News.MD.hbs", Language::Markdown),
        ("news.md", Language::Markdown),
        ("news.mjml.hbs", Language::Mjml),
        ("news.mjml", Language::Mjml),
        ("md.hbs", Language::Html),
    ] {
        assert_eq!(Language::of(name), language, "{name}");
    }
}

#[test]
fn what_an_earlier_version_froze_renders_as_it_did() {
    let html = "<style>p{color:red}</style><p>Hello {{first_name}}</p>";
    let mut sources = newsletter();
    sources.html = Some(source(html));
    let now = definition(sources);
    let frozen = serde_json::to_string(&now).unwrap();
    assert!(
        !frozen.contains("inline_css") && !frozen.contains("language"),
        "{frozen}"
    );
    let thawed: Definition = serde_json::from_str(&frozen).unwrap();
    let page = Renderer::new(thawed, no_files())
        .unwrap()
        .page(&Cells::Row(&cells("Ann", "")))
        .unwrap();
    assert_eq!(
        page.rendered.html.as_deref(),
        Some("<style>p{color:red}</style><p>Hello Ann</p>")
    );
}

#[test]
fn a_style_block_is_inlined_in_the_mail_and_kept() {
    let mut sources = newsletter();
    sources.html = Some(source(
        "<style>p{color:red}</style><p>Hello {{first_name}}</p>",
    ));
    let definition = Definition {
        inline_css: true,
        ..definition(sources)
    };
    assert!(definition.can_have_styles());
    let bytes = compose(
        &Renderer::new(definition, no_files()).unwrap(),
        &cells("Ann", ""),
    )
    .unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        mail.body_html(0).unwrap().trim_end(),
        "<style>p{color:red}</style><p style=\"color: red;\">Hello Ann</p>"
    );
    assert_eq!(mail.body_text(0).unwrap().trim(), "Hello Ann");
}

#[test]
fn a_markdown_mail_has_a_page_and_a_text() {
    let mut sources = newsletter();
    sources.html = Some(source("# News\n\nDear **{{first_name}}**, {{note}}\n"));
    sources.language = Language::Markdown;
    let mut definition = definition(sources);
    definition.inline_css = true;
    definition.data.insert("lang".to_owned(), "de".into());
    let bytes = compose(
        &Renderer::new(definition, no_files()).unwrap(),
        &cells("*Ann* <b>", "# x"),
    )
    .unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let html = mail.body_html(0).unwrap();
    assert!(
        html.starts_with("<!doctype html>") && html.contains("<html lang=\"de\">"),
        "{html}"
    );
    assert!(
        html.contains("<title>Dear *Ann* &lt;b&gt;</title>"),
        "{html}"
    );
    assert!(
        html.contains("<strong>*Ann* &lt;b&gt;</strong>, # x</p>"),
        "{html}"
    );
    let text = mail.body_text(0).unwrap();
    assert_eq!(
        text.trim().replace("\r\n", "\n"),
        "# News\n\nDear ***Ann* <b>**, # x",
        "emphasis is marked in the text part"
    );
}

#[test]
fn mjml_that_is_none_says_where_and_what_to_do() {
    let mut sources = newsletter();
    sources.html = Some(source(
        "<mjml><mj-body><mj-txt>{{first_name}}</mj-txt></mj-body></mjml>",
    ));
    sources.language = Language::Mjml;
    let error = compose(&renderer(sources), &cells("Ann", "")).unwrap_err();
    assert_eq!(error.code(), "bad-body");
    assert!(error.to_string().contains("test: <mj-txt>"), "{error}");
    assert!(!error.remedy().is_empty());
}
