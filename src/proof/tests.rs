//! Each flaw, and what must not be taken for it.

use super::*;

const UNKNOWN: char = '\u{e0f0}';

fn codes(tag: &str) -> Vec<&'static str> {
    let judged = judge(tag, UNKNOWN);
    judged.flaws.iter().map(|flaw| flaw.code).collect()
}

#[test]
fn images_need_a_text_and_a_file() {
    assert_eq!(codes(r#"<img src="https://x.test/a.png">"#), ["image-alt"]);
    assert_eq!(codes("<IMG SRC='https://x.test/a.png' ALT>"), [""; 0]);
    assert_eq!(codes(r#"<img src="cid:logo" alt="Logo">"#), [""; 0]);
    let pixel = r#"<img src="https://x.test/open" width="1" height="1">"#;
    assert_eq!(codes(pixel), [""; 0], "counts who opens the mail");
    assert_eq!(codes(r#"<img alt="">"#), ["link-scheme"]);
    assert_eq!(
        codes(r#"<img alt="" src="images/a.png">"#),
        ["link-relative"]
    );
    assert_eq!(
        codes(r#"<img alt="" src="file:///C:/a.png">"#),
        ["link-scheme"]
    );
    assert_eq!(codes(r#"<img alt="" src="C:\a.png">"#), ["link-scheme"]);
    assert_eq!(
        codes(r#"<img alt="" src="data:image/png;base64,AA">"#),
        ["html-unsupported"]
    );
}

#[test]
fn links_that_lead_somewhere_are_left_alone() {
    for href in [
        "https://www.contoso.com/a?b=c#d",
        "HTTP://contoso.com",
        "mailto:comms@contoso.com?subject=x",
        "tel:+49-30-1234",
        "#top",
        "ms-teams:/l/chat",
        "file://server/share/a.docx",
        "https://contoso.com/?next=https://fabrikam.com",
        "sip:ann@contoso.com",
        "cid:agenda",
    ] {
        assert_eq!(codes(&format!("<a href=\"{href}\">")), [""; 0], "{href}");
    }
    assert_eq!(codes("<a name=\"top\">"), [""; 0]);
    assert_eq!(codes("<p href=\"x\">"), [""; 0]);
}

#[test]
fn links_that_lead_nowhere_are_told_apart() {
    for (href, code) in [
        ("", "link-scheme"),
        ("#", "link-scheme"),
        ("www.contoso.com", "link-scheme"),
        ("contoso.com/news", "link-scheme"),
        ("//contoso.com/news", "link-scheme"),
        ("ann@contoso.com", "link-scheme"),
        ("javascript:go()", "link-scheme"),
        ("http://http://contoso.com", "link-scheme"),
        ("https://https//contoso.com", "link-scheme"),
        ("htps://contoso.com", "link-scheme"),
        ("https:/contoso.com", "link-scheme"),
        ("https:///x", "link-scheme"),
        ("[link]", "link-scheme"),
        ("%unsubscribe%", "link-scheme"),
        ("news.html", "link-relative"),
        ("/news", "link-relative"),
        ("../a/b.pdf", "link-relative"),
    ] {
        assert_eq!(codes(&format!("<a href=\"{href}\">")), [code], "{href}");
    }
}

#[test]
fn a_value_that_nobody_knows_is_not_judged() {
    let tag = format!("<a href=\"{UNKNOWN}\">");
    assert_eq!(codes(&tag), [""; 0]);
    let image = format!("<img src=\"{UNKNOWN}\">");
    assert_eq!(codes(&image), ["image-alt"]);
}

#[test]
fn what_mail_programs_drop() {
    for tag in [
        "<script>",
        "<form action=\"https://x.test\">",
        "<iframe src=\"https://x.test\">",
        "<link rel=\"stylesheet\" href=\"https://x.test/a.css\">",
    ] {
        assert_eq!(codes(tag), ["html-unsupported"], "{tag}");
    }
    for tag in [
        "<script type=\"application/ld+json\">",
        "<link rel=\"stylesheet\" href=\"https://fonts.googleapis.com/css?family=Lato\">",
        "<link rel=\"icon\" href=\"https://x.test/a.ico\">",
        "<style>",
        "<formula>",
        "</form>",
    ] {
        assert_eq!(codes(tag), [""; 0], "{tag}");
    }
}

#[test]
fn inline_images_are_found_wherever_they_are_shown() {
    let cids = |tag: &str| judge(tag, UNKNOWN).cids;
    assert_eq!(cids(r#"<img alt="" src="cid:logo">"#), ["logo"]);
    assert_eq!(cids(r#"<td background="CID:bg">"#), ["bg"]);
    assert_eq!(cids(r#"<td style="background:url('cid:bg')">"#), ["bg"]);
    assert_eq!(cids(r#"<p title="acid:rain">"#), [""; 0]);
    assert_eq!(cids(r#"<p title="your cid:number">"#), [""; 0]);
    assert_eq!(cids(r#"<a href="https://contoso.com/?q=cid:q">"#), [""; 0]);
    assert_eq!(cids(r#"<a href="cid:agenda">"#), ["agenda"]);
    assert_eq!(judge_hidden(".a{background:url(cid:bg)}").cids, ["bg"]);
    let flaw = unknown_image("lgoo", &["logo", "banner"]);
    assert!(flaw.is_error && flaw.remedy.contains("cid:logo"));
}

#[test]
fn documents_are_cut_as_browsers_cut_them() {
    let html = "<!doctype html><style>a>b{c:d}</style><title><b></title>\
                <!-- <i> --><a title=\"x > y\" href='z'>1 < 2</a><p title=it's>x</p>";
    let looked = look(html);
    assert_eq!(
        looked.tags,
        [
            "<style>",
            "</style>",
            "<title>",
            "</title>",
            "<a title=\"x > y\" href='z'>",
            "</a>",
            "<p title=it's>",
            "</p>"
        ]
    );
    assert_eq!(looked.hidden, ["a>b{c:d}", "<!-- <i> -->"]);
    assert!(looked.has_text);
    for unfinished in ["<", "<a", "<a href=\"", "<!--", "<style>", "</", "<!"] {
        look(unfinished);
    }
}

#[test]
fn pictures_alone_are_nothing_to_read() {
    let has_text = |html: &str| look(html).has_text;
    assert!(!has_text(
        "<title>News</title><p>&nbsp;\u{200b} </p><img src='x'>"
    ));
    assert!(has_text("<p>&nbsp;x</p>"));
}

#[test]
fn braces_that_are_left_are_found_where_they_are_shown() {
    assert_eq!(leftover("Dear {{name}}!", false).unwrap(), "{{name}}");
    assert!(leftover("Dear name}}", false).is_some());
    assert_eq!(leftover("{a}", false), None);
    let style = "<style>@media print{a{b:c}}</style><p>{{</p>";
    assert!(leftover(style, true).is_some());
    assert_eq!(leftover(&style.replace("{{", ""), true), None);
    assert!(leftover("<a href=\"{{url}}\">", true).is_some());
}

#[test]
fn the_place_in_the_template_is_that_which_says_most() {
    let mut origins = Origins::default();
    let template =
        "<p>\n<a href=\"{{url}}\">\n ä<a href=\"{{url}}\" class=\"x\"><img src=\"a.png\">";
    origins.add(7, template);
    let at = |tag: &str| {
        let found = origins.find(tag)?;
        Some((found.source, found.line, found.column))
    };
    assert_eq!(at("<img src=\"a.png\">"), Some((7, 3, 31)));
    assert_eq!(at("<a href=\"https://x.test\">"), Some((7, 2, 1)));
    assert_eq!(at("<a href=\"y\" class=\"x\">"), Some((7, 3, 3)));
    assert_eq!(at("<b>"), None);
}

#[test]
fn slips_are_told_from_other_companies() {
    for (domain, meant) in [
        ("contso.com", "contoso.com"),
        ("contosso.com", "contoso.com"),
        ("cotnoso.com", "contoso.com"),
        ("contoso.con", "contoso.com"),
        ("gmial.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("mail.contso.com", "mail.contoso.com"),
    ] {
        assert!(near::is_slip(domain, meant), "{domain}");
    }
    for (domain, other) in [
        ("contoso.com", "contoso.com"),
        ("contoso.de", "contoso.dk"),
        ("contoso.co", "contoso.com"),
        ("mail.com", "gmail.com"),
        ("ymail.com", "gmail.com"),
        ("site1.com", "site2.com"),
        ("abc.com", "abd.com"),
        ("news.contoso.com", "contoso.com"),
        ("fabrikam.com", "contoso.com"),
    ] {
        assert!(!near::is_slip(domain, other), "{domain}");
    }
}

#[test]
fn cells_that_say_no() {
    for cell in ["0", " 0 ", "0.00", "0,0", "False"] {
        assert_eq!(answer(cell), Answer::No, "{cell}");
    }
    for cell in ["no", "NEIN", "non", "n", "off"] {
        assert_eq!(answer(cell), Answer::MaybeNo, "{cell}");
    }
    for cell in ["", "00", "0815", "-", "10", "North", "0.5", "0."] {
        assert_eq!(answer(cell), Answer::Other, "{cell}");
    }
    assert_eq!(answer("Ja"), Answer::Yes);
}
