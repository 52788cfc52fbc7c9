//! What is printed, piece by piece; whole commands are tried in the program's own tests.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{report, screen, words};

#[test]
fn numbers_and_spans_read_well() {
    assert_eq!(words::number(0), "0");
    assert_eq!(words::number(999), "999");
    assert_eq!(words::number(1_203), "1,203");
    assert_eq!(words::number(1_000_000), "1,000,000");
    assert_eq!(words::count(1, "row", "rows"), "1 row");
    assert_eq!(words::span(SignedDuration::from_secs(20)), "20 s");
    assert_eq!(words::span(SignedDuration::from_secs(19_980)), "5 h 33 min");
    assert_eq!(
        words::span(SignedDuration::from_secs(2 * 86_400 + 60)),
        "2 d"
    );
    assert_eq!(words::day("2026-12-01"), "Tue 1 Dec 2026");
    let at = "2026-12-01T07:05:00Z".parse().unwrap();
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    assert_eq!(words::time(at, &berlin), "Tue 1 Dec 2026, 08:05");
}

#[test]
fn a_report_holds_no_formula() {
    for cell in ["=1+1", "+1", "-1", "@x", "\tx"] {
        assert_eq!(report::defused(cell), format!("'{cell}"));
    }
    assert_eq!(report::defused("250 2.0.0 OK"), "250 2.0.0 OK");
}

#[test]
fn a_long_note_is_broken_between_words_and_never_in_a_command() {
    let note = "waiting until Tue 24 Nov 2026, 09:00 for the sending hours; Ctrl-C stops, `postroom send` goes on\n    450 busy";
    let text = screen::broken(note, 80);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(text.contains("`postroom send`"), "{text}");
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&text), words(note));
    assert!(text.ends_with("\n    450 busy"), "{text}");
}
