//! Each flaw, and what must not be taken for it.

use super::*;

const UNKNOWN: char = '\u{e0f0}';

fn codes(tag: &str) -> Vec<&'static str> {
    let judged = judge(tag, UNKNOWN);
    judged.flaws.iter().map(|flaw| flaw.code).collect()
}
