//! A mail is, to the byte, what lettre's own builder makes of the same.

use std::sync::Arc;
use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName};
use lettre::message::{
    Attachment, Body, Mailbox as LettreMailbox, MultiPart, MultiPartBuilder, MultiPartKind,
    SinglePart,
};
use proptest::prelude::*;

use super::*;
use crate::message::{headers, unsubscribe};

const ID: &str = "<0123456789abcdef0123456789abcdef@contoso.com>";

/// Larger than what is copied, as base64 too.
const LARGE: usize = 20_000;

/// What a mail is made of.
#[derive(Debug, Clone)]
struct Made {
    from: Mailbox,
    to: Mailbox,
    cc: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
    inline: Vec<(String, String)>,
    list_unsubscribe: Option<String>,
    unsubscribe: Option<Unsubscribe>,
    names: Vec<String>,
    shared: bool,
    test_of: Option<&'static str>,
    rendered: Rendered,
}

fn file(path: &str) -> Arc<[u8]> {
    let length = if path.contains("large") { LARGE } else { 100 };
    vec![0x5a; length].into()
}

impl Made {
    fn addressing(&self) -> Addressing<'_> {
        Addressing {
            to: self.to.clone(),
            cc: &self.cc,
            reply_to: self.reply_to.as_ref(),
            message_id: ID,
            date: "2026-12-01T08:00:00Z".parse().unwrap(),
            shared: self.shared,
            test_of: self.test_of,
        }
    }

    fn ours(&self) -> Option<Vec<u8>> {
        let frame = Frame::new(
            self.from.clone(),
            self.inline.clone(),
            self.list_unsubscribe.clone(),
            self.unsubscribe,
            &self.names,
            Arc::new(|path| Ok(file(path))),
        );
        let frame = frame.unwrap();
        let first = frame.compose(&self.rendered, &self.addressing());
        let again = frame.compose(&self.rendered, &self.addressing());
        let both = (
            first.map(Content::into_bytes).ok(),
            again.map(Content::into_bytes).ok(),
        );
        assert_eq!(both.0, both.1, "files that are kept change nothing");
        both.0
    }

    fn by_lettre(&self) -> Option<Vec<u8>> {
        headers::check_value("Subject", &self.rendered.subject).ok()?;
        let addressing = self.addressing();
        let mut builder = lettre::Message::builder()
            .from(lettre_mailbox(&self.from)?)
            .to(lettre_mailbox(&self.to)?)
            .subject(self.rendered.subject.clone())
            .date(SystemTime::try_from(addressing.date).unwrap())
            .message_id(Some(ID.to_owned()));
        for copy in &self.cc {
            builder = builder.cc(lettre_mailbox(copy)?);
        }
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(lettre_mailbox(reply_to)?);
        }
        let anybody = lettre_mailbox(&self.from)?.email;
        builder = builder.envelope(Envelope::new(None, vec![anybody]).unwrap());
        let mut message = match self.parts() {
            Part::Single(part) => builder.singlepart(part),
            Part::Multi(part) => builder.multipart(part),
        }
        .ok()?;
        self.set_headers(message.headers_mut())?;
        Some(message.formatted())
    }

    fn set_headers(&self, into: &mut lettre::message::header::Headers) -> Option<()> {
        headers::set_own(into, "Subject", &self.rendered.subject).ok()?;
        headers::set_own(into, "Auto-Submitted", "auto-generated").ok()?;
        let suppressed = "OOF, AutoReply, DR, RN, NRN";
        headers::set_own(into, "X-Auto-Response-Suppress", suppressed).ok()?;
        if let Some(target) = &self.list_unsubscribe {
            headers::set_own(into, "List-Unsubscribe", &format!("<{target}>")).ok()?;
        }
        let addresses = self.unsubscribe.map_or(0, |one| one.addresses);
        let (own, others) = self.rendered.headers.split_at(addresses);
        if let Some(unsubscribe) = self.unsubscribe {
            unsubscribe::set(into, unsubscribe, own, self.shared).ok()?;
        }
        for (name, (_, value)) in self.names.iter().skip(addresses).zip(others) {
            let name = HeaderName::new_from_ascii(name.clone()).unwrap();
            headers::set(into, name, value).ok()?;
        }
        if let Some(what) = self.test_of {
            headers::set_own(into, "X-Postroom-Test", what).ok()?;
        }
        Some(())
    }

    fn parts(&self) -> Part {
        let rendered = &self.rendered;
        let text = body(&text_part::of(rendered).unwrap(), ContentType::TEXT_PLAIN);
        let mut part = match &rendered.html {
            None => Part::Single(text),
            Some(html) => {
                let both = multipart(MultiPartKind::Alternative, "alternative").singlepart(text);
                Part::Multi(both.singlepart(body(html, ContentType::TEXT_HTML)))
            }
        };
        if rendered.html.is_some() && !self.inline.is_empty() {
            let mut related = part.inside(multipart(MultiPartKind::Related, "related"));
            for (cid, path) in &self.inline {
                let image = Attachment::new_inline_with_name(cid.clone(), name_of(path));
                related = related.singlepart(image.body(content(path), type_of(path)));
            }
            part = Part::Multi(related);
        }
        if !rendered.attach.is_empty() {
            let mut mixed = part.inside(multipart(MultiPartKind::Mixed, "mixed"));
            for path in &rendered.attach {
                let attached = Attachment::new(name_of(path));
                mixed = mixed.singlepart(attached.body(content(path), type_of(path)));
            }
            part = Part::Multi(mixed);
        }
        part
    }
}

enum Part {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Part {
    fn inside(self, around: MultiPartBuilder) -> MultiPart {
        match self {
            Self::Single(part) => around.singlepart(part),
            Self::Multi(part) => around.multipart(part),
        }
    }
}

fn multipart(kind: MultiPartKind, level: &str) -> MultiPartBuilder {
    let digest = blake3::hash(format!("{level}{ID}").as_bytes());
    let boundary = digest.to_hex()[..32].to_owned();
    MultiPart::builder().kind(kind).boundary(boundary)
}

fn body(text: &str, content_type: ContentType) -> SinglePart {
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    let encoding = if foreign * 5 > text.len() {
        ContentTransferEncoding::Base64
    } else {
        ContentTransferEncoding::QuotedPrintable
    };
    let body = Body::new_with_encoding(text.to_owned(), encoding).unwrap();
    SinglePart::builder().header(content_type).body(body)
}

fn content(path: &str) -> Body {
    let bytes = file(path).to_vec();
    Body::new_with_encoding(bytes, ContentTransferEncoding::Base64).unwrap()
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

fn type_of(path: &str) -> ContentType {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    ContentType::parse(guess.essence_str()).unwrap()
}

fn lettre_mailbox(mailbox: &Mailbox) -> Option<LettreMailbox> {
    if let Some(name) = &mailbox.name {
        headers::check_value("To", name).ok()?;
    }
    let address = wire(&mailbox.address).parse().ok()?;
    Some(LettreMailbox::new(mailbox.name.clone(), address))
}

fn mailbox() -> impl Strategy<Value = Mailbox> {
    let name = prop_oneof![
        Just(String::new()),
        "[A-Za-z]{1,12}( [A-Za-z]{1,12}){0,8}",
        "[A-Za-zé., =?-]{1,40}",
    ];
    let address = prop_oneof![
        "[a-z]{1,8}@contoso\\.com",
        "[a-z]{60}@[a-z]{50}\\.example",
        Just("\"a@b, c\"@contoso.com".to_owned()),
        Just("zoë@bücher.example".to_owned()),
    ];
    (name, address).prop_map(|(name, address)| Mailbox {
        name: (!name.trim().is_empty()).then(|| name.trim().to_owned()),
        address: Address::parse(&address).unwrap(),
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,120}",
        "[a-zéß \\n]{0,60}",
        "[a-z]{1,12}( [a-zé]{1,12}){0,20}"
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["(?s).{0,200}", "[a-z=. \\r\\n]{0,400}", "[а-я ]{0,200}"]
}

fn rendered() -> impl Strategy<Value = Rendered> {
    let html = prop::option::of(prop_oneof![
        "<p>[a-z =.<>/\\n]{0,300}</p>",
        "<p>[а-я ]{0,100}</p>",
    ]);
    let paths = ["a.pdf", "sub/large.pdf", "Größe.bin", "large.png"].map(str::to_owned);
    let attach = prop::sample::subsequence(paths.to_vec(), 0..=4);
    let headers = prop::collection::vec(value(), 3);
    (value(), html, prop::option::of(text()), headers, attach).prop_map(
        |(subject, html, text, headers, attach)| Rendered {
            text: text.or_else(|| html.is_none().then(String::new)),
            subject,
            html,
            headers: headers
                .into_iter()
                .map(|value| (String::new(), value))
                .collect(),
            attach,
            ..Rendered::default()
        },
    )
}

fn made() -> impl Strategy<Value = Made> {
    let people = (
        mailbox(),
        mailbox(),
        prop::collection::vec(mailbox(), 0..4),
        prop::option::of(mailbox()),
    );
    let images = ["logo.png", "img/large.jpg"].map(|path| (format!("{path}@cid"), path.to_owned()));
    let inline = prop::sample::subsequence(images.to_vec(), 0..=2);
    let leaving = (
        prop::option::of(Just("mailto:leave@contoso.com".to_owned())),
        prop::option::of((0..3_usize, any::<bool>())),
    );
    let kind = (any::<bool>(), prop::option::of(Just("message 7")));
    (people, inline, leaving, kind, rendered()).prop_map(
        |((from, to, cc, reply_to), inline, (list_unsubscribe, unsubscribe), kind, rendered)| {
            Made {
                from,
                to,
                cc,
                reply_to,
                inline,
                list_unsubscribe,
                unsubscribe: unsubscribe.map(|(addresses, one_click)| Unsubscribe {
                    addresses,
                    one_click,
                }),
                names: ["Comments", "X-Campaign", "comments"]
                    .map(str::to_owned)
                    .to_vec(),
                shared: kind.0,
                test_of: kind.1,
                rendered,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_is_what_lettre_makes_of_the_same(made in made()) {
        let (ours, lettres) = (made.ours(), made.by_lettre());
        if let (Some(ours), Some(lettres)) = (&ours, &lettres) {
            let (ours, lettres) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(lettres));
            prop_assert_eq!(ours, lettres);
        }
        // The last look may refuse what lettre builds.
        prop_assert!(ours.is_none() || lettres.is_some());
    }
}
