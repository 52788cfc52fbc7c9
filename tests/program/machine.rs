//! What a machine does to a program: disks that are full or can only be read.
//!
//! They mount small disks, which needs root: without `POSTROOM_TEST_MACHINE` these tests say that they did nothing;
//! with it, they must succeed.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::at_dot::AtDot;
use crate::home::{Ended, Home};
use crate::server::Server;

#[expect(clippy::print_stderr, reason = "a test that did nothing is to say so")]
fn may_mount() -> bool {
    let may = std::env::var_os("POSTROOM_TEST_MACHINE").is_some();
    if !may {
        eprintln!(
            "skipped: POSTROOM_TEST_MACHINE is not set (it mounts small disks, which needs root)"
        );
    }
    may
}

fn as_root(args: &[&str]) -> bool {
    let direct = Command::new(args[0]).args(&args[1..]).output();
    if direct.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let other = Command::new("sudo").arg("-n").args(args).output();
    other.is_ok_and(|output| output.status.success())
}

/// A disk of its own, in memory.
struct Disk(PathBuf);

impl Disk {
    fn new(home: &Home, kilobytes: u32) -> Self {
        let path = home.path("disk");
        fs::create_dir(&path).unwrap();
        let options = format!("size={kilobytes}k,mode=0777");
        let mounted = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            &options,
            "tmpfs",
            path.to_str().unwrap(),
        ];
        assert!(as_root(&mounted), "a disk can be mounted");
        Self(path)
    }

    /// Leaves room for so many kilobytes.
    fn fill(&self, leaves: usize) {
        fill(&self.0, leaves);
    }

    fn make_room(&self) {
        let _none = fs::remove_file(self.0.join("filler"));
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let path = self.0.to_str().unwrap();
        assert!(as_root(&["mount", "-o", &options, path]));
    }

    /// What lies on it, but for the filler.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "filler").collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy", self.0.to_str().unwrap()]);
    }
}

fn fill(disk: &Path, leaves: usize) {
    let mut filler = File::create(disk.join("filler")).unwrap();
    let mut kilobytes = 0;
    while filler.write_all(&[0; 1024]).is_ok() {
        kilobytes += 1;
    }
    let kept = kilobytes - leaves.min(kilobytes);
    filler.set_len(kept as u64 * 1024).unwrap();
}

/// It ended for want of room, and says so.
fn wants_room(ended: &Ended) {
    assert_eq!(ended.code, 74, "{ended:?}");
    let said = &ended.err;
    assert!(said.contains("make room"), "{said}");
    assert!(said.contains("disk"), "{said}");
}

const STORE: &str = "disk/postroom.db";

fn on_disk(home: &Home, args: &[&str]) -> Ended {
    home.run(&[args, &["--store", STORE]].concat())
}

#[test]
fn a_plan_that_finds_no_room_is_none_and_is_made_once_there_is() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    home.campaign("sandbox", 400, true);
    let disk = Disk::new(&home, 4096);
    let mut failed = 0;
    for leaves in [0, 4, 16, 40, 80, 120, 160, 200] {
        disk.fill(leaves);
        let ended = on_disk(&home, &["plan", "news"]);
        if ended.code != 0 {
            wants_room(&ended);
            failed += 1;
        }
        disk.make_room();
        if ended.code == 0 {
            break;
        }
        assert_ne!(on_disk(&home, &["store", "check"]).code, 74);
    }
    assert!(failed >= 4, "{failed}");
    on_disk(&home, &["plan", "news"]).exits(0);
    on_disk(&home, &["store", "check"]).exits(0);
    // An edited one is not taken in by half either.
    home.write("news/news.txt.hbs", "Dear {{first_name}}, other news.\n");
    for leaves in [0, 8, 40, 80] {
        disk.fill(leaves);
        wants_room(&on_disk(&home, &["plan", "news", "--update", "--yes"]));
        disk.make_room();
        on_disk(&home, &["store", "check"]).exits(0);
    }
    on_disk(&home, &["plan", "news", "--update", "--yes"]).exits(0);
}

#[test]
fn a_send_that_finds_no_room_goes_on_once_there_is_and_nobody_gets_it_twice() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 3");
    home.campaign("t", 150, true);
    // Room for what is written before it is put into the store itself, too.
    let disk = Disk::new(&home, 16384);
    on_disk(&home, &["plan", "news"]).exits(0);
    let mut failed = 0;
    for leaves in (0..30).map(|step| step * 9) {
        disk.fill(leaves);
        let ended = on_disk(&home, &["send", "news", "--yes"]);
        match ended.code {
            74 => {
                wants_room(&ended);
                failed += 1;
            }
            code => assert!([0, 1].contains(&code), "{ended:?}"),
        }
        disk.make_room();
        on_disk(&home, &["store", "check"]).exits(0);
    }
    assert!(failed >= 5, "{failed}");
    let ended = on_disk(&home, &["send", "news", "--yes"]);
    assert!([0, 1].contains(&ended.code), "{ended:?} {:?}", disk.names());
    let copies = server.copies();
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    let status = on_disk(&home, &["status", "news", "--json"])
        .exits(0)
        .json();
    let count = |name: &str| status["recipients"][name].as_u64().unwrap();
    assert_eq!(count("sent") + count("in_doubt"), 150, "{status}");
    assert!(copies.len() as u64 >= count("sent"));
}

#[test]
fn a_verdict_that_cannot_be_written_is_in_doubt_and_never_sent_again() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    let disk = Disk::new(&home, 4096);
    let full = disk.0.clone();
    let server = AtDot::start(move |number| {
        if number == 3 {
            fill(&full, 0);
        }
        true
    });
    server.account(&home);
    home.campaign("t", 6, true);
    on_disk(&home, &["plan", "news"]).exits(0);
    wants_room(&on_disk(&home, &["send", "news", "--yes"]));
    assert_eq!(server.copies().len(), 3);
    disk.make_room();
    on_disk(&home, &["store", "check"]).exits(0);
    let status = on_disk(&home, &["status", "news", "--json"])
        .exits(0)
        .json();
    assert_eq!(status["recipients"]["sent"], 2, "{status}");
    assert_eq!(status["recipients"]["in_doubt"], 1, "{status}");
    on_disk(&home, &["send", "news", "--yes"]).exits(1);
    let copies = server.copies();
    assert_eq!(copies.len(), 6);
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
}

#[test]
fn what_is_written_onto_a_full_disk_is_whole_or_not_there() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 300, true);
    home.run(&["send", "news", "--yes"]).exits(0);
    let disk = Disk::new(&home, 1024);
    for command in [
        &["report", "news", "--out", "disk/report.csv"][..],
        &["report", "news", "--out", "disk/report.html"],
        &["preview", "news", "--out", "disk/mails"],
        &["store", "backup", "disk/copy.db"],
        &["amend", "news", "disk/again"],
        &["new", "disk/first"],
        &["show", "p1@contoso.com", "--eml", "disk/mail.eml"],
    ] {
        disk.fill(0);
        wants_room(&home.run(command));
        assert_eq!(disk.names(), [] as [&str; 0], "{command:?}");
        disk.make_room();
        disk.fill(4);
        let ended = home.run(command);
        if ended.code != 0 {
            wants_room(&ended);
            assert_eq!(disk.names(), [] as [&str; 0], "{command:?}");
        }
        disk.make_room();
        for name in disk.names() {
            let path = disk.0.join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
    // The log is no reason to fail, and it is said that it is not whole.
    disk.fill(0);
    let ended = home.run(&["status", "news", "--log", "disk/log"]).exits(0);
    assert!(ended.err.contains("it is not whole"), "{}", ended.err);
    assert!(
        ended.err.contains("no room left on the disk"),
        "{}",
        ended.err
    );
}

#[test]
fn a_store_that_can_only_be_read_is_said_to_be_so() {
    if !may_mount() {
        return;
    }
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    let disk = Disk::new(&home, 4096);
    on_disk(&home, &["send", "news", "--yes", "--max", "4"]).exits(0);
    disk.remount("ro");
    for command in [
        &["send", "news", "--yes"][..],
        &["plan", "news", "--update", "--yes"],
        &["cancel", "news", "--yes"],
        &["suppress", "add", "p9@contoso.com"],
    ] {
        let ended = on_disk(&home, command).exits(74);
        assert!(ended.err.contains("write"), "{command:?}: {}", ended.err);
    }
    assert_eq!(server.received().len(), 4);
    disk.remount("rw");
    on_disk(&home, &["store", "check"]).exits(0);
    on_disk(&home, &["send", "news", "--yes"]).exits(0);
    assert!(server.copies().values().all(|count| *count == 1));
}
