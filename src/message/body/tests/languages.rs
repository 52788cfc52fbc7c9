//! Markdown and MJML: the template's marks are markup, the list's values are not.

use proptest::prelude::*;

use super::super::markdown::Markdown;
use super::super::mjml::Mjml;
use super::inline;
use crate::template::{Language, Source, Sources, TemplateSet, held};

/// What a Markdown body becomes for these values, without the page around it.
fn markdown(template: &str, values: &serde_json::Value) -> String {
    let sources = Sources {
        html: Some(Source::new("news.md.hbs", template)),
        language: Language::Markdown,
        ..Sources::default()
    };
    let data = values.as_object().unwrap().clone();
    let rendered = TemplateSet::compile(&sources)
        .unwrap()
        .render(data)
        .unwrap();
    let page = Markdown::new(Some("en")).page(&rendered.html.unwrap(), "Title");
    let text = page.split_once("<div class=\"page\">\n").unwrap().1;
    text.split_once("</div>\n<!--[if mso]></td>")
        .unwrap()
        .0
        .to_owned()
}

#[test]
fn markdown_is_markup_and_values_are_not() {
    let values = serde_json::json!({
        "name": "*Ann* <b>", "number": "1. x", "lines": "a\n\n# b", "pipe": "a|b", "url": "https://x.example/?a=1&b=(2",
        "mail": "ann@x.example", "html": "<em>raw</em> *too*", "empty": "", "list": ["- a", "`b`"],
    });
    let html = |template: &str| markdown(template, &values);
    assert_eq!(html("# Hi {{name}}"), "<h1>Hi *Ann* &lt;b&gt;</h1>\n");
    assert_eq!(html("{{number}}"), "<p>1. x</p>\n");
    assert_eq!(html("{{lines}}"), "<p>a\n\n# b</p>\n");
    assert_eq!(
        html("**{{name}}**"),
        "<p><strong>*Ann* &lt;b&gt;</strong></p>\n"
    );
    assert_eq!(html("`{{name}}`"), "<p><code>*Ann* &lt;b&gt;</code></p>\n");
    assert_eq!(
        html("[go]({{url}})"),
        "<p><a href=\"https://x.example/?a=1&amp;b=(2\">go</a></p>\n"
    );
    assert_eq!(
        html("![{{name}}](cid:x)"),
        "<p><img src=\"cid:x\" alt=\"*Ann* &lt;b&gt;\" /></p>\n"
    );
    assert_eq!(html("{{{html}}}"), "<p><em>raw</em> <em>too</em></p>\n");
    assert_eq!(
        html("<{{url}}>")
            .matches("https://x.example/?a=1&amp;b=(2")
            .count(),
        2
    );
    assert_eq!(
        html("Write to <{{mail}}>."),
        "<p>Write to <a href=\"mailto:ann@x.example\">ann@x.example</a>.</p>\n"
    );
    assert_eq!(html("<{{name}}>"), "<p>&lt;*Ann* &lt;b&gt;&gt;</p>\n");
    assert_eq!(html("a\n\n{{empty}}\n\nb"), "<p>a</p>\n<p>b</p>\n");
    assert_eq!(html("**{{empty}}**"), "<p><strong></strong></p>\n");
    assert_eq!(
        html("{{#each list}}\n- {{this}}\n{{/each}}\n"),
        "<ul>\n<li>- a</li>\n<li>`b`</li>\n</ul>\n"
    );
    assert!(html("|a|b|\n|-|-|\n|{{pipe}}|~~x~~|").contains("<td>a|b</td><td><del>x</del></td>"));
    assert_eq!(
        html("<p title=\"{{name}}\">x</p>"),
        "<p title=\"*Ann* &lt;b&gt;\">x</p>"
    );
    assert_eq!(html("{{upper name}}"), "<p>*ANN* &lt;B&gt;</p>\n");
}

#[test]
fn a_markdown_page_says_its_language_and_is_styled() {
    let page = |lang, title: &str| Markdown::new(lang).page("Hi", title);
    assert!(
        page(Some("de\"><x"), "A")
            .starts_with("<!doctype html>\n<html lang=\"de&quot;&gt;&lt;x\">")
    );
    assert!(page(None, "A").starts_with("<!doctype html>\n<html>"));
    assert!(page(None, "<A>").contains("<title>&lt;A&gt;</title>"));
    let inlined = inline(&page(None, "A"));
    assert!(
        inlined.contains("<p style=\"margin: 0 0 16px;\">Hi</p>"),
        "{inlined}"
    );
    assert!(inlined.contains("color: #e8ebee !important;"), "{inlined}");
}

proptest! {
    #[test]
    fn no_value_can_change_what_markdown_makes_of_the_template(value in "[ -~é\n\t]{0,12}") {
        let template = "# {{x}}\n\n{{x}} and *{{x}}*\n{{x}}\n\n- {{x}}\n\n|a|\n|-|\n|{{x}}|\n\n[l]({{x}} \"{{x}}\")\n\n    {{x}}\n";
        let plain = markdown(template, &serde_json::json!({ "x": "PLAIN" }));
        let found = markdown(template, &serde_json::json!({ "x": value }));
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;");
        prop_assert_eq!(found, plain.replace("PLAIN", &escaped));
    }

    #[test]
    fn what_is_held_comes_out_as_it_went_in(value in ".{0,20}", around in "[a-z ]{0,9}") {
        let text = format!("{around}{}{around}", held::hold(&value));
        let out: String = held::cut(&text).map(|cut| match cut {
            held::Cut::Text(text) => text.to_owned(),
            held::Cut::Value(found) => { assert_eq!(found, value); String::new() }
        }).collect();
        prop_assert_eq!(out, format!("{around}{around}"));
    }

    #[test]
    fn any_text_can_be_cut(text in "(xpostroomheldx|x|[0-9a-fé]){0,12}") {
        let _ = held::cut(&text).count();
    }
}

const MJML: &str = "<mjml lang=\"en\"><mj-head><mj-title>T</mj-title><mj-preview>P &amp; Q</mj-preview>\
    <mj-style>p { color: red }</mj-style></mj-head><mj-body><mj-section><mj-column>\
    <mj-text>Tom &amp; Jo&#x27;s &lt;b&gt; <b>b</b>\n &nbsp; <!--[if mso]>m<![endif]--></mj-text>\
    <mj-button href=\"https://x.example/?a=1&amp;b=2\">Go</mj-button><mj-image src=\"cid:x\" alt=\"A&quot;\" />\
    <mj-raw><p>raw</p></mj-raw></mj-column></mj-section></mj-body></mjml>";

/// What mrml makes of a text, with nothing kept and nothing left out.
fn mrml(mjml: &str) -> Option<String> {
    let options = mrml::prelude::render::RenderOptions {
        fonts: std::collections::HashMap::new(),
        ..Default::default()
    };
    mrml::parse(mjml).ok()?.element.render(&options).ok()
}

#[test]
fn mjml_is_laid_out_with_its_texts_as_they_are() {
    let page = Mjml::default().page(MJML).unwrap();
    assert_eq!(Some(&page), mrml(MJML).as_ref());
    for kept in [
        "Tom &amp; Jo&#x27;s &lt;b&gt; <b>b</b>",
        "href=\"https://x.example/?a=1&amp;b=2\"",
        "lang=\"en\"",
        "alt=\"A&quot;\"",
    ] {
        assert!(page.contains(kept), "{kept}\n{page}");
    }
    assert!(!page.contains("fonts.googleapis.com"), "{page}");
    assert!(inline(&page).contains("color: red;\">raw"), "{page}");
}

#[test]
fn a_mistake_in_mjml_is_said_in_words() {
    let mjml = Mjml::default();
    let (reason, remedy) = mjml
        .page("<mjml><mj-body>\n<mj-txt>x</mj-txt></mj-body></mjml>")
        .unwrap_err();
    assert!(
        reason.contains("<mj-txt>") && reason.contains("line 2"),
        "{reason}"
    );
    assert!(remedy.contains("mj-column"), "{remedy}");
    let included =
        "<mjml><mj-body><mj-include path=\"https://x.example/a.mjml\" /></mj-body></mjml>";
    let (reason, remedy) = mjml.page(included).unwrap_err();
    assert!(
        reason.contains("mj-include is not followed") && remedy.contains("{{> name}}"),
        "{reason}: {remedy}"
    );
    for broken in [
        "",
        "Hello",
        "<p>x</p>",
        "<mjml>",
        "<mjml><mj-body><mj-section>",
        "<mjml",
        "<mjml><mj-body a=",
        "</mjml>",
    ] {
        let (reason, remedy) = mjml.page(broken).unwrap_err();
        assert!(!reason.is_empty() && !remedy.is_empty(), "{broken}");
    }
    let deep = format!("<mjml><mj-body>{}", "<mj-wrapper>".repeat(100_000));
    assert!(mjml.page(&deep).unwrap_err().0.contains("nested"));
}

const MJML_PIECES: &[&str] = &[
    "<mjml>",
    "</mjml>",
    "<mj-head>",
    "</mj-head>",
    "<mj-body>",
    "</mj-body>",
    "<mj-section padding=\"1px 2\">",
    "</mj-section>",
    "<mj-column width=\"50%\">",
    "<mj-column width=\"é\">",
    "</mj-column>",
    "<mj-text font-size=\"-1px\">",
    "</mj-text>",
    "<mj-image src=\"\" />",
    "<mj-image width=\"99999999999px\" src=\"x\" />",
    "<mj-include path=\"x\" />",
    "<mj-raw>",
    "</mj-raw>",
    "<mj-table>",
    "</mj-table>",
    "<p>",
    "</p>",
    "<br>",
    "text",
    "&amp;",
    "&x;",
    "<!-- c -->",
    "<!--[if mso]>",
    "<![endif]-->",
    "<![CDATA[",
    "]]>",
    "<mj-carousel>",
    "</mj-carousel>",
    "<mj-carousel-image src=\"a\" />",
    "<mj-navbar base-url=\"x\">",
    "</mj-navbar>",
    "<mj-navbar-link href=\"a\">",
    "</mj-navbar-link>",
    "<mj-hero height=\"1\">",
    "</mj-hero>",
    "<mj-group>",
    "</mj-group>",
    "<mj-divider />",
    "<mj-spacer height=\"x\" />",
    "<mj-social>",
    "</mj-social>",
    "<mj-social-element name=\"x\" />",
    "<mj-accordion>",
    "</mj-accordion>",
    "<mj-wrapper>",
    "</mj-wrapper>",
    "<mj-attributes>",
    "</mj-attributes>",
    "<mj-all a=\"b\" />",
    "<",
    ">",
    "\"",
    "=",
    "<?xml",
    "\0",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Soup is laid out or refused, in a moment and without a panic; and what was kept changes nothing.
    #[test]
    fn mjml_can_be_anything(
        parts in prop::collection::vec(prop::sample::select(MJML_PIECES), 0..30),
        framed in any::<bool>(),
    ) {
        let soup = parts.concat();
        let mjml = if framed { format!("<mjml><mj-body><mj-section><mj-column>{soup}</mj-column></mj-section></mj-body></mjml>") } else { soup };
        let kept = Mjml::default();
        let first = kept.page(&mjml);
        prop_assert_eq!(&kept.page(&mjml), &first);
        if let Ok(page) = first {
            // A text that XML does not allow is let through.
            prop_assert!(mrml(&mjml).is_none_or(|direct| direct == page), "{}", mjml);
        }
    }
}
