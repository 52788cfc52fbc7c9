//! Files and folders that cannot be what they are named for: each reason has a sentence and a remedy of its own.

use crate::home::{Ended, Home};

/// A planned campaign, and what stands in the way: a folder, a file.
fn home() -> Home {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    std::fs::create_dir(home.path("folder")).unwrap();
    home.write("file", "no database\n");
    home
}

/// The command is refused thus, by words that stand in what it says, and gives no advice about room on the disk.
fn refused(home: &Home, args: &[&str], code: i32, words: &[&str]) -> Ended {
    let ended = home.run(args).exits(code);
    for word in words {
        assert!(
            ended.err.contains(word),
            "{word} after {args:?}: {}",
            ended.err
        );
    }
    for wrong in ["os error", " room "] {
        assert!(
            !ended.err.contains(wrong),
            "{wrong} after {args:?}: {}",
            ended.err
        );
    }
    ended
}

#[test]
fn a_folder_where_a_file_belongs() {
    let home = home();
    let folder = &["it is a folder", "name a file"];
    let report = ["report", "news", "--out", "folder", "--format", "csv"];
    refused(&home, &report, 73, &["is no file", "name a new file"]);
    refused(&home, &["status", "news", "--log", "folder"], 73, folder);
    let rejects = ["check", "news", "--rejects", "folder"];
    refused(&home, &rejects, 73, &["is there already", "name another"]);
    refused(&home, &["accounts", "--accounts", "folder"], 74, folder);
    refused(&home, &["suppress", "import", "folder"], 74, folder);
    for command in ["status", "plan", "report"] {
        let words = ["no-store", "it is a folder", "--store"];
        refused(&home, &[command, "news", "--store", "folder"], 74, &words);
    }
}

#[test]
fn a_file_where_a_folder_belongs() {
    let home = home();
    for command in [
        &["preview", "news", "--out", "file"][..],
        &["rehearse", "news", "--out", "file"],
        &["man", "--out", "file"],
        &["new", "file"],
    ] {
        refused(&home, command, 73, &["is there already", "name another"]);
    }
    for command in ["status", "check", "plan"] {
        let words = ["no folder", "holds campaign.toml"];
        refused(&home, &[command, "file"], 74, &words);
    }
}

#[test]
fn a_path_that_goes_through_a_file_or_through_nothing() {
    let home = home();
    let through = ["a file and no folder", "correct the path"];
    let nowhere = ["is not there", "make that folder first"];
    for (before, words) in [("file", through), ("nowhere", nowhere)] {
        let path = format!("{before}/x");
        for command in [
            &["report", "news", "--format", "csv", "--out", &path][..],
            &["status", "news", "--log", &path],
            // Said before the list is read, whether it has defects or not.
            &["check", "news", "--rejects", &path],
        ] {
            refused(&home, command, 73, &words);
        }
    }
    refused(&home, &["accounts", "--accounts", "file/x"], 74, &through);
    refused(&home, &["suppress", "import", "file/x"], 74, &through);
    refused(&home, &["status", "file/x"], 74, &["holds campaign.toml"]);
    let missing = ["is not there", "correct the name"];
    refused(&home, &["suppress", "import", "nowhere/x"], 66, &missing);
    let store = ["a file and no folder", "--store"];
    refused(&home, &["plan", "news", "--store", "file/x"], 73, &store);
    let none = ["there is no store", "correct --store"];
    refused(&home, &["status", "news", "--store", "file/x"], 66, &none);
}

#[test]
fn a_store_that_is_none_is_not_touched() {
    let home = home();
    let words = ["no-store", "a file of another kind", "--store"];
    for command in ["status", "plan", "send"] {
        refused(&home, &[command, "news", "--store", "file"], 74, &words);
    }
    assert_eq!(
        std::fs::read_to_string(home.path("file")).unwrap(),
        "no database\n"
    );
    // Another program's database.
    let other = home.path("other.db");
    let connection = rusqlite::Connection::open(&other).unwrap();
    connection
        .execute_batch("CREATE TABLE bookmark (url TEXT); PRAGMA user_version = 3")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&other).unwrap();
    let words = ["no-store", "another program"];
    refused(&home, &["plan", "news", "--store", "other.db"], 74, &words);
    assert_eq!(std::fs::read(&other).unwrap(), before);
    let meaning = home.run(&["explain", "no-store"]).exits(0).out;
    assert!(meaning.contains("POSTROOM_STORE"), "{meaning}");
}

#[test]
fn no_path_at_all() {
    let home = home();
    for command in [
        &["report", "news", "--out", ""][..],
        &["status", "news", "--store", ""],
        &["status", "news", "--log", ""],
        &["check", "news", "--rejects", ""],
        &["accounts", "--accounts", ""],
        &["suppress", "import", ""],
        &["preview", "news", "--out", ""],
        &["show", "p1@contoso.com", "--eml", ""],
    ] {
        let ended = home.run(command).exits(2);
        assert!(
            ended.err.contains("a value is required"),
            "{command:?}: {}",
            ended.err
        );
    }
}
