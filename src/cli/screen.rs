//! What is printed where: results to standard output, everything else to standard error.

use std::io::{self, BufRead, IsTerminal, Write};

use serde_json::{Value, json};

use super::args::Global;
use super::disk::cannot_write;
use super::exit::Exit;
use super::explain::codes;
use super::failure::Failure;

/// The terminal, or what stands in its place.
#[derive(Debug)]
pub(super) struct Screen {
    json: bool,
    quiet: bool,
    verbose: bool,
    out: Stream,
    err: Stream,
}

/// What is at the other end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// A terminal that can show colours.
    Painted,
    /// A terminal that cannot, or shall not.
    Plain,
    /// A file, a pipe, another program.
    Elsewhere,
}

impl Stream {
    fn of(stream: &impl IsTerminal, colours: bool) -> Self {
        match (stream.is_terminal(), colours) {
            (true, true) => Self::Painted,
            (true, false) => Self::Plain,
            (false, _) => Self::Elsewhere,
        }
    }
}

/// What a word is painted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// A heading or an important figure.
    Bold,
    /// An error.
    Red,
    /// A warning.
    Yellow,
    /// Less important.
    Dim,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Red => "1;31",
            Self::Yellow => "1;33",
            Self::Dim => "2",
        }
    }
}

fn paint(stream: Stream, paint: Paint, text: &str) -> String {
    if stream == Stream::Painted {
        format!("\x1b[{}m{text}\x1b[0m", paint.code())
    } else {
        text.to_owned()
    }
}

#[expect(
    clippy::unused_self,
    reason = "what is printed goes through the screen, whether it looks at its settings or not"
)]
impl Screen {
    pub(super) fn new(global: &Global) -> Self {
        // https://no-color.org: set to anything but nothing.
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            out: Stream::of(&io::stdout(), wanted),
            err: Stream::of(&io::stderr(), wanted),
        }
    }

    /// Results are wanted as JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// A bar may be drawn.
    pub(super) fn may_draw(&self) -> bool {
        self.err != Stream::Elsewhere && !self.quiet && !self.json
    }

    /// Notes are shown.
    pub(super) fn may_note(&self) -> bool {
        !self.quiet && !self.json
    }

    /// A line of the result, for whoever reads along.
    pub(super) fn result_at_once(&self, line: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        written(writeln!(out, "{line}").and_then(|()| out.flush()))
    }

    /// A line of the result.
    pub(super) fn result(&self, line: &str) -> Result<(), Failure> {
        written(writeln!(io::stdout().lock(), "{line}"))
    }

    /// Results may be painted.
    pub(super) fn is_painted(&self) -> bool {
        self.out == Stream::Painted
    }

    /// The terminal says that it can show nothing but ASCII: its locale names another encoding than UTF-8.
    pub(super) fn needs_ascii(&self) -> bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"];
        let mut set = names.into_iter().filter_map(std::env::var_os);
        let locale = set.find(|value| !value.is_empty());
        self.out != Stream::Elsewhere
            && locale.is_some_and(|name| {
                let name = name.to_string_lossy().to_ascii_lowercase();
                !name.contains("utf-8") && !name.contains("utf8")
            })
    }

    /// The columns of the terminal that results go to; none where they go elsewhere.
    pub(super) fn width(&self) -> Option<usize> {
        (self.out != Stream::Elsewhere).then(textwrap::termwidth)
    }

    /// The rows of the terminal that results go to; none where they go elsewhere.
    pub(super) fn rows(&self) -> Option<usize> {
        let size = terminal_size::terminal_size();
        let rows = size.map_or(24, |(_, rows)| usize::from(rows.0));
        (self.out != Stream::Elsewhere).then_some(rows)
    }

    /// A part of the result under a short heading. On a terminal it is broken between words, and what follows
    /// stands below its first line.
    pub(super) fn field(&self, heading: &str, width: usize, text: &str) -> Result<(), Failure> {
        let lines = self.field_lines(heading, width, text);
        lines.iter().try_for_each(|line| self.result(line))
    }

    /// The lines of such a part.
    pub(super) fn field_lines(&self, heading: &str, width: usize, text: &str) -> Vec<String> {
        let first = match width {
            0 => String::new(),
            _ => format!("  {heading:<width$}"),
        };
        let below = " ".repeat(first.len());
        let Some(columns) = self.width() else {
            return vec![format!("{first}{text}")];
        };
        let options = textwrap::Options::new(columns.max(first.len() + 20))
            .initial_indent(&first)
            .subsequent_indent(&below)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        let text = unbroken_commands(text);
        let lines = textwrap::wrap(&text, options);
        let lines = lines
            .iter()
            .map(|line| line.trim_end().replace(NO_BREAK, " "));
        lines.collect()
    }

    /// Results can be written over: they go to a terminal that can move its cursor.
    pub(super) fn can_redraw(&self) -> bool {
        let can = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        self.out != Stream::Elsewhere && can
    }

    /// Writes lines in the place of so many that were written last, cut off where the terminal ends; how many
    /// there are now.
    pub(super) fn redraw(&self, lines: &[String], before: usize) -> Result<usize, Failure> {
        let rows = self.rows().unwrap_or(usize::MAX);
        let shown = lines.len().min(rows.saturating_sub(1));
        let mut text = match before {
            0 => String::new(),
            before => format!("\x1b[{before}F"),
        };
        // A line that is too long must not become two.
        text.push_str("\x1b[?7l");
        for line in lines.iter().take(shown) {
            text.push_str("\x1b[2K");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("\x1b[0J\x1b[?7h");
        let mut out = io::stdout().lock();
        written(write!(out, "{text}").and_then(|()| out.flush()))?;
        Ok(shown)
    }

    /// The result, or an event, as one line of JSON.
    pub(super) fn json(&self, value: &Value) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        written(writeln!(out, "{value}").and_then(|()| out.flush()))
    }

    /// A remark that is no result. On a terminal it is broken between words.
    pub(super) fn note(&self, line: &str) {
        if self.quiet {
            return;
        }
        self.remark(line);
    }

    /// A line of standard error. On a terminal it is broken between words.
    fn remark(&self, line: &str) {
        let columns = (self.err != Stream::Elsewhere).then(textwrap::termwidth);
        let text = columns.map_or_else(|| line.to_owned(), |columns| broken(line, columns));
        // Nobody can be told that standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// A remark that must not be missed, on standard error even when quiet.
    pub(super) fn warning(&self, line: &str) {
        let word = paint(self.err, Paint::Yellow, "warning:");
        self.remark(&format!("{word} {line}"));
    }

    /// Says why a command failed.
    pub(super) fn failure(&self, failure: &Failure) {
        if self.json {
            let value = json!({ "error": {
                "exit": failure.exit as u8,
                "code": failure.code,
                "message": failure.message,
                "remedy": failure.remedy,
            }});
            let _ = self.json(&value);
        }
        debug_assert!(codes::is_known(failure.code), "{}", failure.code);
        let word = paint(self.err, Paint::Red, &format!("error[{}]:", failure.code));
        self.remark(&format!("{word} {}", failure.message));
        if !failure.remedy.is_empty() {
            self.remark(&format!("  → {}", failure.remedy));
        }
    }

    /// Paints a word of a result.
    pub(super) fn painted(&self, style: Paint, text: &str) -> String {
        paint(self.out, style, text)
    }

    /// Whether there is a person to ask.
    pub(super) fn can_ask(&self) -> bool {
        !self.json && self.err != Stream::Elsewhere && io::stdin().is_terminal()
    }

    /// Asks a person; true for yes. Where nobody can be asked, `--yes` is needed.
    pub(super) fn confirm(&self, question: &str, yes: bool) -> Result<bool, Failure> {
        if yes {
            return Ok(true);
        }
        if !self.can_ask() {
            return Err(Failure::new(
                Exit::Usage,
                "this needs a yes, and there is no terminal to ask on",
                "add --yes once you are sure",
            )
            .named("needs-yes"));
        }
        let question = textwrap::fill(&format!("{question} [y/N]"), textwrap::termwidth());
        let mut err = io::stderr().lock();
        let _ = write!(err, "{question} ");
        let _ = err.flush();
        drop(err);
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
        let answer = answer.trim().to_lowercase();
        Ok(answer == "y" || answer == "yes")
    }
}

/// A space at which no line is broken.
const NO_BREAK: char = '\u{a0}';

/// The text in lines of so many columns; what follows a line that was broken is indented.
pub(super) fn broken(text: &str, columns: usize) -> String {
    let options = textwrap::Options::new(columns.max(24))
        .subsequent_indent("    ")
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    let text = unbroken_commands(text);
    let lines = text.split('\n').map(|line| textwrap::fill(line, &options));
    lines.collect::<Vec<_>>().join("\n").replace(NO_BREAK, " ")
}

/// The text in lines of so many columns, none of them indented.
pub(super) fn broken_flush(text: &str, columns: usize) -> String {
    let options = textwrap::Options::new(columns)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(&unbroken_commands(text), options).replace(NO_BREAK, " ")
}

/// A command is copied whole: it is not broken, however long it is.
fn unbroken_commands(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        1 => part.replace(' ', &NO_BREAK.to_string()),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Somebody who reads only the first lines (`| head`) has not been failed.
fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(cannot_write("the result", &cause))
        }
        _ => Ok(()),
    }
}
