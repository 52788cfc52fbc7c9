//! Holds the arrows between rooms to the map at the top of `src/lib.rs`, and some words to one room.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The map: what each room may use.
fn map() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let (room, rest) = row.split_once("` | ").unwrap();
        let used = rest.split(" | ").next().unwrap();
        let used = used.split(", ").filter(|name| *name != "–");
        (room.to_owned(), used.map(str::to_owned).collect())
    })
    .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file without its comments, and up to where its own tests begin.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .to_owned();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The rooms that a piece of code names: `crate::room`, also in `use crate::{a::…, b::…}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let word = |text: &str| -> String {
            text.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        };
        match after.strip_prefix('{') {
            None => drop(rooms.insert(word(after))),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            rooms.insert(word(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

#[test]
fn every_room_is_on_the_map() {
    let folders: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let rooms: BTreeSet<String> = map().into_keys().collect();
    assert_eq!(folders, rooms);
}

#[test]
fn arrows_go_one_way() {
    let map = map();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while done.len() < map.len() {
        let next = map.iter().find(|(room, used)| {
            let all = used.contains("every room");
            !done.contains(room.as_str())
                && (if all {
                    done.len() + 1 == map.len()
                } else {
                    used.iter().all(|name| done.contains(name.as_str()))
                })
        });
        let (room, _) =
            next.unwrap_or_else(|| panic!("a cycle, or an unknown room, beyond {done:?}"));
        done.insert(room);
    }
}

#[test]
fn rooms_use_what_the_map_allows() {
    let mut wrong = Vec::new();
    for (room, allowed) in map() {
        if allowed.contains("every room") {
            continue;
        }
        for path in sources(&root().join(&room))
            .into_iter()
            .filter(|path| !is_test(path))
        {
            for used in named(&code(&path)) {
                if used != room && !allowed.contains(&used) {
                    wrong.push(format!("{} uses {used}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_map_draws_no_arrow_that_is_not_there() {
    let mut idle = Vec::new();
    for (room, allowed) in map()
        .into_iter()
        .filter(|(_, used)| !used.contains("every room"))
    {
        let used: BTreeSet<String> = sources(&root().join(&room))
            .into_iter()
            .flat_map(|path| named(&code(&path)))
            .collect();
        idle.extend(
            allowed
                .difference(&used)
                .map(|name| format!("{room} → {name}")),
        );
    }
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn every_room_says_what_it_is_for() {
    for room in map().keys() {
        let text = fs::read_to_string(root().join(room).join("mod.rs")).unwrap();
        assert!(text.starts_with("//! "), "{room}");
    }
}

#[test]
fn sql_printing_and_the_time_have_one_room_each() {
    let one_room = [
        ("rusqlite", "store"),
        ("println!", "cli"),
        ("stdout()", "cli"),
        ("stderr()", "cli"),
        ("Timestamp::now", "clock"),
        ("Instant::now", "clock"),
        ("lettre::message", "message"),
        ("tracing_subscriber", "cli"),
    ];
    let mut wrong = Vec::new();
    for path in sources(&root()).into_iter().filter(|path| !is_test(path)) {
        let room = path
            .strip_prefix(root())
            .unwrap()
            .components()
            .next()
            .unwrap();
        let code = code(&path);
        for (word, owner) in one_room {
            if room.as_os_str() != owner && code.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
