//! Findings as a compiler prints them: what, where, the line with the place underlined, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::explain::codes;
use super::failure::Failure;
use super::screen::Screen;
use crate::plan::{Excerpt, Finding, Severity};

/// Columns where results go to a file or another program.
const ELSEWHERE: usize = 120;

/// The narrowest that lines are cut to.
const NARROWEST: usize = 40;

/// Prints findings, one below the other.
pub(super) fn show(screen: &Screen, findings: &[Finding]) -> Result<(), Failure> {
    let width = screen.width().unwrap_or(ELSEWHERE).max(NARROWEST);
    let renderer = if screen.is_painted() {
        Renderer::styled().hyperlink(false)
    } else {
        Renderer::plain()
    };
    let decor = if screen.needs_ascii() {
        DecorStyle::Ascii
    } else {
        DecorStyle::Unicode
    };
    let renderer = renderer.term_width(width).decor_style(decor);
    for (at, finding) in findings.iter().enumerate() {
        if at > 0 {
            screen.result("")?;
        }
        // Elsewhere nothing is broken, so that a message can be searched for.
        let wrap = screen.width().map(|_| width);
        screen.result(&rendered(&renderer, finding, width, wrap))?;
    }
    Ok(())
}

fn rendered(renderer: &Renderer, finding: &Finding, width: usize, wrap: Option<usize>) -> String {
    debug_assert!(codes::is_known(finding.code), "{}", finding.code);
    let (level, word) = match finding.severity {
        Severity::Error => (Level::ERROR, "error"),
        Severity::Warning => (Level::WARNING, "warning"),
        Severity::Note => (Level::NOTE, "note"),
    };
    let before = word.len() + finding.code.len() + 4;
    let title = broken(&clean(&finding.message), wrap, before);
    let place = place(finding);
    let mut group = Group::with_title(level.primary_title(title).id(finding.code));
    group = group.element(Origin::path(place));
    if let Some(excerpt) = finding
        .excerpt
        .as_ref()
        .filter(|one| !one.text.trim().is_empty())
    {
        let number = usize::try_from(finding.line.unwrap_or(1)).unwrap_or(1);
        let (line, span) = fitted(excerpt, width.saturating_sub(number.to_string().len() + 4));
        let snippet = Snippet::source(line)
            .line_start(number)
            .annotation(AnnotationKind::Primary.span(span));
        group = group.element(snippet);
    }
    let gutter = 12;
    let remedy = broken(&clean(&finding.remedy), wrap, gutter);
    let text = renderer.render(&[group.element(Level::HELP.message(remedy))]);
    let lines = text.lines().filter(|line| !is_gap(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Between a place of its own and the line, the renderer marks that lines are left out: there is only one line.
fn is_gap(line: &str) -> bool {
    let mut bare = String::new();
    let mut parts = line.split('\x1b');
    bare.push_str(parts.next().unwrap_or_default());
    for part in parts {
        bare.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    matches!(bare.trim(), "⸬" | ":::" | "...")
}

/// `newsletter.html.hbs:12:5`, `staff.csv:5 (row 4, column email)`.
fn place(finding: &Finding) -> String {
    let file = finding.file.display();
    let line = finding.line.map(|line| format!(":{line}"));
    let line = line.unwrap_or_default();
    let place = match (finding.row, &finding.column) {
        // Of a list's header it is which column, not where in the line.
        (None, Some(column)) if finding.code == "header" => {
            format!("{file}{line} (column {column})")
        }
        (None, Some(column)) => format!("{file}{line}:{column}"),
        (Some(row), None) => format!("{file}{line} (row {row})"),
        (Some(row), Some(column)) => format!("{file}{line} (row {row}, column {column})"),
        (None, None) => format!("{file}{line}"),
    };
    clean(&place)
}

/// Text in lines that end before the screen does, where they begin after so many columns.
fn broken(text: &str, wrap: Option<usize>, before: usize) -> String {
    let Some(width) = wrap else {
        return text.to_owned();
    };
    let room = width.saturating_sub(before).max(NARROWEST / 2);
    super::screen::broken_flush(text, room)
}

/// The line, cut so that the place can be seen, and the bytes to underline.
fn fitted(excerpt: &Excerpt, width: usize) -> (String, std::ops::Range<usize>) {
    let chars: Vec<char> = excerpt.text.chars().map(harmless).collect();
    let width = width.max(NARROWEST / 2);
    let columns = |c: char| unicode_width::UnicodeWidthChar::width(c).unwrap_or(1);
    let of = |chars: &[char]| chars.iter().copied().map(columns).sum::<usize>();
    let start = excerpt.start.min(chars.len().saturating_sub(1));
    let mut end = (start + excerpt.length.max(1)).min(chars.len());
    // Of a place that is wider than the screen, its beginning.
    while end > start + 1 && of(&chars[start..end]) + 2 > width {
        end -= 1;
    }
    let (mut from, mut to) = (0, chars.len());
    if of(&chars) > width {
        (from, to) = (start, end);
        let room = width.saturating_sub(2);
        let before = room.saturating_sub(of(&chars[from..to])) / 3;
        while from > 0 && of(&chars[from - 1..start]) <= before {
            from -= 1;
        }
        while to < chars.len() && of(&chars[from..=to]) <= room {
            to += 1;
        }
        while from > 0 && of(&chars[from - 1..to]) <= room {
            from -= 1;
        }
    }
    let mut line = String::new();
    if from > 0 {
        line.push('…');
    }
    line.extend(&chars[from..start]);
    let begins = line.len();
    line.extend(&chars[start..end]);
    let ends = line.len();
    line.extend(&chars[end..to]);
    if to < chars.len() {
        line.push('…');
    }
    (line, begins..ends)
}

/// The user's text must not steer the terminal: no control character, nothing that turns the direction of
/// writing or takes no room.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

fn clean(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// A finding as JSON has it.
pub(super) fn json_of(finding: &Finding) -> Value {
    debug_assert!(codes::is_known(finding.code), "{}", finding.code);
    json!({
        "severity": finding.severity.as_str(),
        "code": finding.code,
        "file": finding.file,
        "row": finding.row,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "remedy": finding.remedy,
        "excerpt": finding.excerpt.as_ref().map(|excerpt| json!({
            "text": excerpt.text,
            "start": excerpt.start,
            "length": excerpt.length,
        })),
    })
}
