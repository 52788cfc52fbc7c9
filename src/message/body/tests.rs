//! Bodies: what is inlined, what is left alone, and that nothing kept between rows changes a byte.

use css_inline::InlineOptions;
use proptest::prelude::*;

use super::inline::Inliner;
use super::{important, tags};

mod languages;

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
