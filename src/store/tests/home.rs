//! Copied, moved and restored: every way that a store's file can come to be where it is.

use std::fs;
use std::path::Path;

use super::*;

/// The writing thread, to be joined: only then are all files of the store closed.
fn writer(world: &World) -> (Journal, std::thread::JoinHandle<()>) {
    let claiming = Claiming {
        campaign: world.campaign,
        calendar: Calendar::always(),
        lanes: vec![lane("comms", "comms@contoso.com", &[])],
    };
    Journal::start(world.store(), claiming)
}

/// Sends so many messages and closes the store; the last `in_hand` of them get no verdict.
async fn send(world: &World, messages: usize, in_hand: usize) {
    let (journal, thread) = writer(world);
    let mut claims = Vec::new();
    for _ in 0..messages {
        claims.push(claimed(&journal, at(1)).await);
    }
    for claim in &claims[..messages - in_hand] {
        journal
            .hand_over(0, claim, mark(claim, at(2)))
            .await
            .unwrap();
        journal.finish(0, claim, accepted(at(3))).await.unwrap();
    }
    drop(journal);
    thread.join().unwrap();
}

fn found(path: &Path) -> Whereabouts {
    Store::open(path).unwrap().whereabouts().unwrap()
}

fn away(path: &Path) -> Option<Displacement> {
    match found(path) {
        Whereabouts::Away(away) => Some(away.displacement),
        Whereabouts::Home | Whereabouts::Moved => None,
    }
}

/// Everything in a folder, by name.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

fn mark_of(path: &Path) -> String {
    fs::read_to_string(path.with_extension("db.mark")).unwrap()
}

fn set(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute(sql, []).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn by_whatever_path_it_is_reached_a_store_is_at_home() {
    let world = world(0, 2);
    send(&world, 1, 0).await;
    assert_eq!(found(&world.path), Whereabouts::Home);
    let link = world.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&world.path, &link).unwrap();
    let up: PathBuf = std::env::current_dir()
        .unwrap()
        .ancestors()
        .skip(1)
        .map(|_| "..")
        .collect();
    let relative = up.join(
        world
            .path
            .canonicalize()
            .unwrap()
            .strip_prefix("/")
            .unwrap(),
    );
    for path in [&link, &relative] {
        assert_eq!(found(path), Whereabouts::Home, "{}", path.display());
        Store::open(path)
            .unwrap()
            .lock_for_sending("news", at(9))
            .unwrap();
    }
    assert!(!link.with_extension("db.mark").exists());
}

#[tokio::test]
async fn a_copy_elsewhere_sends_only_after_it_was_claimed_and_leaves_the_original_alone() {
    let world = world(0, 3);
    send(&world, 1, 0).await;
    let original = (fs::read(&world.path).unwrap(), mark_of(&world.path));
    let folder = world.path.parent().unwrap().with_file_name("elsewhere");
    copy_folder(world.path.parent().unwrap(), &folder);
    let path = folder.join("postroom.db");

    let mut copy = Store::open(&path).unwrap();
    let Err(Error::Elsewhere(away)) = copy.lock_for_sending("news", at(9)) else {
        panic!("a copy may not send");
    };
    assert_eq!(away.displacement, Displacement::Copied);
    assert_eq!(away.home, world.path.canonicalize().unwrap());
    assert_eq!(away.known_until, Some(at(3)));

    copy.claim(at(10)).unwrap();
    assert_eq!(copy.whereabouts().unwrap(), Whereabouts::Home);
    drop(copy.lock_for_sending("news", at(11)).unwrap());
    assert_ne!(
        mark_of(&path)[..32],
        original.1[..32],
        "it is another store now"
    );
    assert_eq!(fs::read(&world.path).unwrap(), original.0);
    assert_eq!(mark_of(&world.path), original.1);
    assert_eq!(found(&world.path), Whereabouts::Home);
}

#[tokio::test]
async fn a_copy_of_the_file_alone_is_noticed_too() {
    let world = world(0, 1);
    let path = world.path.with_file_name("copy.db");
    fs::copy(&world.path, &path).unwrap();
    assert_eq!(away(&path), Some(Displacement::Copied));
    // Neither is it the original's fault when that one is gone.
    fs::remove_file(&world.path).unwrap();
    assert_eq!(away(&path), Some(Displacement::Copied));
}

#[tokio::test]
async fn looking_at_a_copy_changes_nothing() {
    let world = world(0, 3);
    send(&world, 2, 1).await;
    let folder = world.path.with_file_name("elsewhere");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("postroom.db");
    fs::copy(&world.path, &path).unwrap();
    let before = contents(&folder);
    let mut copy = Store::open(&path).unwrap();
    assert!(copy.has_in_hand(world.campaign).unwrap());
    assert!(matches!(
        copy.recover_abandoned(&Clock::simulated(at(9))),
        Err(Error::Elsewhere(_))
    ));
    assert_eq!(copy.recipient_counts(world.campaign).unwrap().sent, 1);
    drop(copy);
    assert_eq!(contents(&folder), before);
}

#[tokio::test]
async fn an_older_copy_that_is_put_over_it_is_noticed_when_more_was_sent_since() {
    let world = world(0, 3);
    send(&world, 1, 0).await;
    let backup = world.path.with_file_name("backup");
    fs::copy(&world.path, &backup).unwrap();
    fs::copy(&backup, &world.path).unwrap();
    assert_eq!(
        found(&world.path),
        Whereabouts::Home,
        "nothing was sent in between"
    );
    send(&world, 1, 0).await;
    fs::copy(&backup, &world.path).unwrap();
    assert_eq!(away(&world.path), Some(Displacement::Restored));

    let mut store = world.store();
    store.claim(at(9)).unwrap();
    drop(store.lock_for_sending("news", at(9)).unwrap());
    drop(store);
    send(&world, 1, 0).await;
    fs::copy(&backup, &world.path).unwrap();
    assert_eq!(
        away(&world.path),
        Some(Displacement::Restored),
        "also when that copy is from before the claim"
    );
}

#[tokio::test]
async fn an_older_copy_that_knows_of_the_same_messages_but_not_of_their_verdicts_is_noticed() {
    let world = world(0, 1);
    let backup = world.path.with_file_name("backup");
    let (journal, thread) = writer(&world);
    let claim = claimed(&journal, at(1)).await;
    Connection::open(&world.path)
        .unwrap()
        .execute("VACUUM INTO ?", [backup.to_str().unwrap()])
        .unwrap();
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    drop(journal);
    thread.join().unwrap();
    fs::copy(&backup, &world.path).unwrap();
    assert_eq!(away(&world.path), Some(Displacement::Restored));
}

#[tokio::test]
async fn a_folder_that_is_restored_with_all_its_files_is_noticed() {
    let world = world(0, 2);
    send(&world, 1, 0).await;
    let folder = world.path.parent().unwrap().to_owned();
    let backup = folder.with_file_name("backup");
    copy_folder(&folder, &backup);
    send(&world, 1, 0).await;
    fs::remove_dir_all(&folder).unwrap();
    // The system may give the new file the number of the old one.
    copy_folder(&backup, &folder);
    assert_eq!(away(&world.path), Some(Displacement::Restored));
}

#[tokio::test]
async fn a_move_needs_no_claim() {
    let world = world(0, 2);
    send(&world, 1, 0).await;
    let folder = world.path.parent().unwrap().with_file_name("moved");
    fs::rename(world.path.parent().unwrap(), &folder).unwrap();
    let path = folder.join("postroom.db");
    let before = contents(&folder);
    assert_eq!(found(&path), Whereabouts::Moved);
    assert_eq!(
        contents(&folder),
        before,
        "whoever only looks changes nothing"
    );
    drop(
        Store::open(&path)
            .unwrap()
            .lock_for_sending("news", at(9))
            .unwrap(),
    );
    assert_eq!(found(&path), Whereabouts::Home);
    assert_eq!(
        mark_of(&path)[..32],
        String::from_utf8_lossy(&before[1].1)[..32]
    );
    // A new store at the old place is another one.
    assert_eq!(found(&world.path), Whereabouts::Home);
    assert_ne!(mark_of(&world.path)[..32], mark_of(&path)[..32]);
}

#[tokio::test]
async fn a_move_of_an_older_copy_is_known_by_the_mark_that_stayed_behind() {
    let world = world(0, 2);
    send(&world, 1, 0).await;
    let backup = world.path.with_file_name("backup");
    fs::copy(&world.path, &backup).unwrap();
    send(&world, 1, 0).await;
    fs::copy(&backup, &world.path).unwrap();
    let path = world.path.with_file_name("moved.db");
    fs::rename(&world.path, &path).unwrap();
    assert_eq!(away(&path), Some(Displacement::Restored));
}

#[cfg(unix)]
#[tokio::test]
async fn one_file_under_two_paths_is_sent_from_the_first() {
    let world = world(0, 1);
    let path = world.path.with_file_name("link.db");
    fs::hard_link(&world.path, &path).unwrap();
    assert_eq!(away(&path), Some(Displacement::Copied));
    assert_eq!(found(&world.path), Whereabouts::Home);
}

#[test]
fn another_machine_is_noticed_and_an_unknown_one_is_not() {
    let world = world(0, 1);
    set(&world.path, "UPDATE home SET machine = ''");
    assert_eq!(found(&world.path), Whereabouts::Home);
    set(&world.path, "UPDATE home SET machine = 'another'");
    let here = place::Place::of(&world.path);
    let expected = (!here.machine.is_empty()).then_some(Displacement::OtherMachine);
    assert_eq!(away(&world.path), expected);
}

#[test]
fn a_file_without_a_number_is_known_by_its_path() {
    let world = world(0, 1);
    set(&world.path, "UPDATE home SET file = 0");
    assert_eq!(found(&world.path), Whereabouts::Home);
    let path = world.path.with_file_name("copy.db");
    fs::copy(&world.path, &path).unwrap();
    assert_eq!(away(&path), Some(Displacement::Copied));
    fs::remove_file(&world.path).unwrap();
    assert_eq!(found(&path), Whereabouts::Moved);
}

#[tokio::test]
async fn a_mark_that_lags_behind_or_cannot_be_read_does_no_harm() {
    let world = world(0, 3);
    let file = world.path.with_extension("db.mark");
    let fresh = fs::read(&file).unwrap();
    send(&world, 2, 0).await;
    let sent = fs::read(&file).unwrap();
    assert_ne!(sent, fresh, "every commit is in the mark");
    for left in [&fresh[..], &fresh[..20], b"", b"something else\n"] {
        fs::write(&file, left).unwrap();
        assert_eq!(found(&world.path), Whereabouts::Home);
        drop(world.store().lock_for_sending("news", at(9)).unwrap());
        assert_eq!(
            fs::read(&file).unwrap(),
            sent,
            "a send brings it up to date"
        );
    }
    fs::remove_file(&file).unwrap();
    send(&world, 1, 0).await;
    assert_eq!(found(&world.path), Whereabouts::Home);
    assert_eq!(fs::read(&file).unwrap().len(), sent.len());
}

#[test]
fn a_store_of_an_older_version_is_at_home_where_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postroom.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../schema/001_initial.sql"))
        .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    assert_eq!(found(&path), Whereabouts::Home);
    assert_eq!(found(&path), Whereabouts::Home);
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(away(&copy), Some(Displacement::Copied));
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_mark() {
    use std::os::unix::fs::PermissionsExt;
    let world = world(0, 1);
    let mark = fs::metadata(world.path.with_extension("db.mark")).unwrap();
    assert_eq!(mark.permissions().mode() & 0o777, 0o600);
}
