//! Bodies: what is inlined, what is left alone, and that nothing kept between rows changes a byte.

use css_inline::InlineOptions;
use proptest::prelude::*;

use super::inline::Inliner;
use super::markdown::Markdown;
use super::mjml::Mjml;
use super::{important, tags};
use crate::template::{Language, Source, Sources, TemplateSet, held};

fn inline(html: &str) -> String {
    Inliner::new().inline(html.to_owned()).unwrap()
}

/// What css-inline makes of a document, seen by its own parser.
fn normal(html: &str, inline_style_tags: bool) -> String {
    let options = InlineOptions {
        inline_style_tags,
        keep_style_tags: true,
        keep_link_tags: true,
        load_remote_stylesheets: false,
        ..InlineOptions::default()
    };
    options.build().inline(html).unwrap()
}

#[test]
fn a_document_without_style_is_left_as_it_is() {
    for html in [
        "",
        "Hello",
        "<p class=a>Tom &amp; Ann&nbsp;<br/>\r\n",
        "<!-- no block --><link rel=stylesheet href=https://x.example/a.css>",
    ] {
        assert_eq!(inline(html), html);
    }
}

#[test]
fn rules_become_attributes_and_nothing_else_changes() {
    let html = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\r\n\
        <html lang=de><head><!--[if mso]><style>p{color:red}</style><![endif]-->\n\
        <style>p { color: green } .a { margin: 0 } a[href] { color: blue }</style></head>\n\
        <BODY><P CLASS=\"a\" style='padding:1px'>&euro;&nbsp;&#x27;x&#39; <!--[if mso]><p>y</p><![endif]--><![if !mso]><br/><![endif]>\n\
        <A HREF='?a=1&b=2'>z</A><p>< 3\n</BODY></html>\n";
    let expected = html
        .replace(
            "<P CLASS=\"a\" style='padding:1px'>",
            "<P CLASS=\"a\" style=\"color: green;margin: 0;padding:1px\">",
        )
        .replace("'?a=1&b=2'>", "'?a=1&b=2' style=\"color: blue;\">")
        .replace("<p>< 3", "<p style=\"color: green;\">< 3");
    assert_eq!(
        inline(html).replace("padding: 1px", "padding:1px"),
        expected
    );
}

#[test]
fn what_stands_in_media_still_wins() {
    let css = "p{color:red}/* } */@media (max-width:9px){/* ; */p{color:blue;margin:0 ! important;background:url(a;b)}a{}}\
               @font-face{src:url(x)}@media print{@keyframes k{from{top:0}}p{top:1px /* last */}}";
    let expected = "p{color:red}/* } */@media (max-width:9px){/* ; */p{color:blue !important;margin:0 ! important;background:url(a;b) !important}a{}}\
                    @font-face{src:url(x)}@media print{@keyframes k{from{top:0}}p{top:1px !important /* last */}}";
    assert_eq!(
        important::conditional(css, false).as_deref(),
        Some(expected)
    );
    assert_eq!(important::conditional("p{color:red}", false), None);
    assert_eq!(
        important::conditional("p{color:red", true).as_deref(),
        Some("p{color:red !important")
    );
    for odd in [
        "@media{",
        "@media{p{",
        "@media{p{a:\"",
        "}}}@media{p{a:b{c:d}}q{e:f",
        "@media x{@media y{p{q:r}",
    ] {
        important::conditional(odd, true);
    }
}

#[test]
fn a_sheet_for_some_screens_only_is_not_inlined() {
    let html = "<html><head><style media=\"(prefers-color-scheme: dark)\">p{color:white}</style><style>p{color:black}</style></head>\
                <body><p>x</p></body></html>";
    let inlined = inline(html);
    assert!(inlined.contains("<p style=\"color: black;\">"), "{inlined}");
    assert!(inlined.contains("p{color:white !important}"), "{inlined}");
    assert!(!inlined.contains("data-"), "{inlined}");
}

#[test]
fn an_element_that_is_not_written_gets_its_style_too() {
    let html = "<!doctype html><style>tbody { color: red }</style><table><tr><td>x</table>";
    assert!(
        inline(html).contains("<tbody style=\"color: red;\">"),
        "{}",
        inline(html)
    );
    // The parser makes two elements of the <b>, and the rule is for one of them.
    let html = "<!DOCTYPE html PUBLIC \"p\"><style>p + p b { color: red }</style><p><b>x<p>y";
    assert!(
        inline(html).contains("<b style=\"color: red;\">y"),
        "{}",
        inline(html)
    );
    assert!(
        inline(html).starts_with("<!DOCTYPE html PUBLIC \"p\">"),
        "{}",
        inline(html)
    );
}

#[test]
fn rows_that_differ_in_text_and_links_share_an_answer() {
    let inliner = Inliner::new();
    for (name, link) in [("Ann", "a"), ("Tom &amp; Jo", "b?c=d&amp;e"), ("1. x", "c")] {
        let html = format!(
            "<style>a{{color:red}}</style><body><p>Dear {name}, <a href=\"https://x.example/{link}\">go</a></p></body>"
        );
        assert!(
            inliner
                .inline(html)
                .unwrap()
                .contains(&format!("{link}\" style=\"color: red;\">go"))
        );
    }
    assert_eq!(inliner.known(), 1);
    // With brackets in the sheet the link may decide.
    for (link, color) in [("a", "red"), ("b", "blue")] {
        let html =
            format!("<style>a{{color:blue}} a[href=a]{{color:red}}</style><a href={link}>x</a>");
        let styled = format!("<a href={link} style=\"color: {color};\">x");
        assert!(inliner.inline(html).unwrap().contains(&styled));
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_and_not_tried() {
    let html = format!("<style>p{{color:red}}</style>{}", "<div>".repeat(100_000));
    let refused = Inliner::new().inline(html).unwrap_err();
    assert!(refused.contains("nested"), "{refused}");
    // As deep as is allowed, on a thread's usual stack.
    let html = format!(
        "<style>b{{color:red}}</style>{}<b>x</b>",
        "<div>".repeat(998)
    );
    std::thread::spawn(move || assert!(inline(&html).contains("<b style")))
        .join()
        .unwrap();
}

const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<p class=\"a\">",
    "<div id=i style=\"top:0\">",
    "</div>",
    "<b>",
    "</b>",
    "<i class='b a'>",
    "</i>",
    "<table>",
    "<tr>",
    "<td class=a>",
    "</td>",
    "</tr>",
    "</table>",
    "<a href=\"x y\">",
    "</a>",
    "<br/>",
    "<img src=a alt='>'>",
    "text",
    " ",
    "\n",
    "&amp;",
    "&nbsp;",
    "&#32;",
    "<",
    ">",
    "a < b",
    "<!-- <p> -->",
    "<!--[if mso]><td><![endif]-->",
    "<style>p{color:red}.a,b i{margin:0}#i{left:1px}</style>",
    "<style>a[href]{color:red}p:empty{top:0}p+p{left:0}</style>",
    "<style>td:first-child>i{right:0} body,tbody{margin:1px}</style>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<svg>",
    "</svg>",
    "<select>",
    "<option>",
    "<body class=a>",
    "<html>",
    "<form>",
    "</form>",
    "<span =x a\"b='>'>",
    "</",
    "<?x>",
    "é",
    "\0",
    "<script>",
    "</script>",
    "<p style='font-family:\"A\"'>",
    "<li>",
    "<h1>",
    "</h1>",
    "</html>",
    "<p",
    "<p a=",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// A row's bytes do not depend on what was kept of others, and its elements have the styles that
    /// css-inline gives them when it sees the document itself.
    #[test]
    fn kept_answers_and_new_ones_are_the_same(
        parts in prop::collection::vec(prop::sample::select(PIECES), 0..24),
        texts in prop::collection::vec("[a-z&;<>\"' \n]{0,6}", 2),
    ) {
        let sheet = "<style>p{color:red}.a{margin:0}b i,td{top:0}</style>";
        let documents: Vec<String> = texts
            .iter()
            .map(|text| format!("{sheet}{}", parts.join(&text.replace('<', "&lt;"))))
            .collect();
        let kept = Inliner::new();
        kept.inline(documents[0].clone()).unwrap();
        for html in &documents {
            let inlined = kept.inline(html.clone()).unwrap();
            prop_assert_eq!(&inlined, &inline(html));
            let bare = |html: &str| normal(html, false).replace(" !important", "");
            let direct = normal(html, true);
            // Where not every style has a tag, it is css-inline's own page that is sent.
            prop_assert!(
                bare(&inlined) == direct || inlined.replace(" !important", "") == direct,
                "{}\n{}\n{}", html, inlined, direct
            );
        }
    }

    #[test]
    fn tokens_cover_a_document_without_gaps(html in "[<>/!a-z=\"' \\-é?\0]{0,60}") {
        let mut tokens = tags::Tokens::new(&html);
        let mut next = 0;
        while tokens.advance().is_some() {
            prop_assert_eq!(tokens.span.start, next);
            prop_assert!(tokens.span.end > next);
            next = tokens.span.end;
            for attribute in &tokens.attributes {
                prop_assert!(html.get(attribute.whole.clone()).is_some());
            }
        }
        prop_assert_eq!(next, html.len());
    }

    #[test]
    fn a_style_sheet_can_be_anything(css in "(@media|p|[{};:()/*\"'\\\\a!\n]){0,40}") {
        for all in [false, true] {
            if let Some(changed) = important::conditional(&css, all) {
                prop_assert_eq!(changed.replace(" !important", ""), css.replace(" !important", ""));
            }
        }
    }
}

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

/// By hand: `cargo test --release --lib how_long -- --ignored --nocapture`.
#[test]
#[ignore = "measures, and is read by a person"]
fn how_long_inlining_takes() {
    let story = "<tr><td class=\"cell\"><h2 class=\"t\">A story</h2><p>Some sentences about it, as long as they usually are.</p>\
                 <p><a href=\"https://x.example/1\">More</a></p></td></tr>\n";
    let sheet = include_str!("page.css");
    let page = |name: &str| {
        format!(
            "<!doctype html><html><head><style>{sheet}</style></head><body><p>Dear {name}</p><table>{}</table></body></html>",
            story.repeat(100)
        )
    };
    let inliner = Inliner::new();
    let mut sizes = 0;
    let start = std::time::Instant::now();
    for row in 0..2000 {
        sizes += inliner
            .inline(page(&format!("Person {row}")))
            .unwrap()
            .len();
    }
    let kept = start.elapsed() / 2000;
    let start = std::time::Instant::now();
    for row in 0..100 {
        sizes += inline(&page(&format!("Person {row}"))).len();
    }
    let new = start.elapsed() / 100;
    let sized = page("x").len();
    println!("{sized} bytes: kept {kept:?}, new {new:?} ({sizes})");
}
