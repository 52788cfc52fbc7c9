//! Text as HTML: nothing that comes from a list or a server is ever markup.

use handlebars::html_escape;

/// Text, escaped; what no page may hold becomes the mark of a character that cannot be shown.
pub(super) fn text(text: &str) -> String {
    let legible = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    html_escape(&text.chars().map(legible).collect::<String>())
}

/// Text of others, which may be written in the other direction and try to turn round what stands beside it.
pub(super) fn foreign(words: &str) -> String {
    format!("<bdi>{}</bdi>", text(words))
}

/// Sentences, with commands between backticks as code.
pub(super) fn prose(words: &str) -> String {
    let parts: Vec<&str> = words.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let parts = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        1 if is_paired => format!("<code>{}</code>", text(part)),
        1 => format!("&#x60;{}", text(part)),
        _ if at > 0 && !is_paired => format!("&#x60;{}", text(part)),
        _ => text(part),
    });
    format!("<bdi>{}</bdi>", parts.collect::<String>())
}

/// With a capital at its beginning.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.collect::<String>() + letters.as_str()
}

/// `12.5 %`, never 0 or 100 for what is not.
pub(super) fn share(count: u64, of: u64) -> String {
    if of == 0 {
        return String::new();
    }
    let thousandths = (count * 1000 + of / 2) / of;
    let thousandths = if count == 0 || count == of {
        thousandths
    } else {
        thousandths.clamp(1, 999)
    };
    match thousandths % 10 {
        0 => format!("{} %", thousandths / 10),
        tenth => format!("{}.{tenth} %", thousandths / 10),
    }
}

/// A table whose columns are named; `rows` are cells that are markup already. Where there is no room it can be
/// moved sideways, by the keyboard too.
pub(super) fn table(caption: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    let head = columns
        .iter()
        .map(|name| format!("<th scope=\"col\">{name}</th>"));
    let body = rows.iter().map(|row| {
        let cells = row.iter().map(|cell| format!("<td>{cell}</td>"));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    });
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\">\n<table>\n<caption>{0}</caption>\n\
         <thead><tr>{1}</tr></thead>\n<tbody>\n{2}</tbody>\n</table>\n</div>\n",
        text(caption),
        head.collect::<String>(),
        body.collect::<String>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_markup() {
        let attack = "<img src=x onerror=\"alert(1)\">'`\u{0}\u{1b}\u{202e}";
        for shown in [text(attack), foreign(attack), prose(attack)] {
            let inner = shown.replace("<bdi>", "").replace("</bdi>", "");
            assert!(
                !inner.contains(['<', '"', '\'', '\u{0}', '\u{1b}']),
                "{inner}"
            );
        }
        assert_eq!(
            prose("run `a <b>`."),
            "<bdi>run <code>a &lt;b&gt;</code>.</bdi>"
        );
    }

    #[test]
    fn shares_say_neither_all_nor_nothing_of_what_is_some() {
        assert_eq!(share(1, 100_000), "0.1 %");
        assert_eq!(share(99_999, 100_000), "99.9 %");
        assert_eq!(share(1, 8), "12.5 %");
        assert_eq!(share(0, 8), "0 %");
        assert_eq!(share(8, 8), "100 %");
        assert_eq!(share(0, 0), "");
    }
}
