//! What planning, building and sending cost, each beside the least that it could cost here and now.
//!
//! `cargo bench` prints a line for each figure; with `-- --once` (or `--test`) each is taken once, and what needs a
//! million people has fewer. The machines that this runs on are noisy, so a figure
//! means little by itself: the ratio to its floor, measured in the same run, is what to compare.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints real time, and has nobody to report errors to"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postroom::limits::{Decision, Limiter, Reservation, Rule, Unit, Weight};
use postroom::message::{Definition, Files, Identity, Renderer};
use postroom::recipients::{Address, Cells, Columns};
use postroom::template::{Source, Sources, TemplateSet};

const OFFICES: [&str; 5] = ["Berlin", "Oslo", "Nairobi", "Lisbon", "Toronto"];

fn main() {
    let home = tempfile::tempdir().unwrap();
    println!("{:<58}{:>12}  ratio to the floor", "", "per second");
    planning(home.path());
    checking(home.path());
    building();
    styling();
    deciding();
    sending(home.path());
    previewing(home.path());
    memory(home.path());
    standing(home.path());
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begin = Instant::now();
    drop(work());
    begin.elapsed()
}

fn is_once() -> bool {
    std::env::args().any(|argument| argument == "--once" || argument == "--test")
}

/// People of a long list.
fn many() -> usize {
    if is_once() { 20_000 } else { 1_000_000 }
}

/// The best of three: noise only ever slows down.
fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let rounds = if is_once() { 1 } else { 3 };
    (0..rounds).map(|_| timed(&mut work)).min().unwrap()
}

fn line(what: &str, count: usize, took: Duration, floor: Option<Duration>) {
    let rate = count as f64 / took.as_secs_f64();
    let ratio = floor.map_or_else(
        || "the floor".to_owned(),
        |floor| format!("{:.1} times", took.as_secs_f64() / floor.as_secs_f64()),
    );
    println!("{what:<58}{rate:>12.0}  {ratio}");
}

/// A campaign of so many people: in five groups that share, or each with a mail of their own.
fn campaign(home: &Path, people: usize, personal: bool, account: &str) -> PathBuf {
    let folder = home.join(format!("{people}-{personal}-{account}"));
    fs::create_dir_all(&folder).unwrap();
    let mut list = "email,first_name,office\n".to_owned();
    for n in 0..people {
        list.push_str(&["p", &n.to_string(), "@contoso.com,P", &n.to_string(), ","].concat());
        list.push_str(OFFICES[n % OFFICES.len()]);
        list.push('\n');
    }
    fs::write(folder.join("staff.csv"), list).unwrap();
    let who = if personal {
        "{{first_name}} in {{office}}"
    } else {
        "all in {{office}}"
    };
    let body =
        "<p>A paragraph of news, as long as these usually are in such letters.</p>\n".repeat(20);
    fs::write(
        folder.join("news.html.hbs"),
        format!("<p>Dear {who}</p>\n{body}"),
    )
    .unwrap();
    let toml = format!(
        "account = \"{account}\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News\"\n\
         html = \"news.html.hbs\"\n[recipients]\nfile = \"staff.csv\"\n"
    );
    fs::write(folder.join("campaign.toml"), toml).unwrap();
    folder
}

fn postroom(home: &Path, store: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
    command
        .env("POSTROOM_STORE", home.join(store))
        .env("POSTROOM_ACCOUNTS", home.join("accounts.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Takes away a store with all that is beside it: a store alone that is gone is missed.
fn begin_anew(home: &Path, store: &str) {
    for entry in fs::read_dir(home).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with(store) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn planning(home: &Path) {
    const ROWS: usize = 100_000;
    for personal in [false, true] {
        let folder = campaign(home, ROWS, personal, "sandbox");
        let reading = best(|| read_list(&folder));
        let inserting = best(|| insert_rows(&home.join("floor.db"), ROWS));
        let took = best(|| {
            begin_anew(home, "plan.db");
            assert!(
                postroom(home, "plan.db")
                    .arg("plan")
                    .arg(&folder)
                    .status()
                    .unwrap()
                    .success()
            );
        });
        let kind = if personal { "individual" } else { "shared" };
        line(
            "reading 100,000 rows with the csv crate",
            ROWS,
            reading,
            None,
        );
        line(
            "inserting them into a table of SQLite",
            ROWS,
            inserting,
            None,
        );
        line(
            &format!("planning them ({kind})"),
            ROWS,
            took,
            Some(reading + inserting),
        );
    }
}

/// Everything proved of a page of 20 KB that is personal to each, beside rendering it and nothing else.
fn checking(home: &Path) {
    const ROWS: usize = 100_000;
    let folder = campaign(home, ROWS, true, "sandbox");
    let paragraph = "<p style=\"margin:0 0 12px\">A paragraph with <a href=\"https://contoso.com/news/12345\">a link</a> \
        in it, as long as these usually are.</p>\n";
    let page = format!(
        "<p>Dear {{{{first_name}}}}</p>\n{}<p>{{{{#if office}}}}{{{{office}}}}{{{{/if}}}}</p>\n",
        paragraph.repeat(20_000 / paragraph.len())
    );
    fs::write(folder.join("news.html.hbs"), &page).unwrap();
    let sources = Sources {
        subject: Source::new("subject", "News"),
        html: Some(Source::new("html", page)),
        ..Sources::default()
    };
    let set = TemplateSet::compile(&sources).unwrap();
    let columns = Columns::new(["email", "first_name", "office"].map(str::to_owned)).unwrap();
    let render = |n: usize| {
        let cells = [
            format!("p{n}@contoso.com"),
            format!("P{n}"),
            OFFICES[n % 5].to_owned(),
        ];
        set.render(columns.data_of(&cells))
            .unwrap()
            .html
            .unwrap()
            .len()
    };
    let rendering = best(|| (0..ROWS).map(render).sum::<usize>());
    let took = best(|| {
        let checked = postroom(home, "check.db")
            .arg("check")
            .arg(&folder)
            .status();
        assert!(checked.unwrap().success());
    });
    line("rendering 100,000 pages of 20 KB", ROWS, rendering, None);
    line(
        "checking them (everything proved)",
        ROWS,
        took,
        Some(rendering),
    );
}

/// Reads a campaign's list with the csv crate: its cells.
fn read_list(folder: &Path) -> usize {
    let mut reader = csv::Reader::from_path(folder.join("staff.csv")).unwrap();
    let records = reader.records();
    records.map(|row| row.unwrap().len()).sum()
}

/// The first line that a program prints, as JSON.
fn said(child: &mut Child) -> serde_json::Value {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    serde_json::from_str(&line).unwrap()
}

fn insert_rows(path: &Path, rows: usize) {
    let _ = fs::remove_file(path);
    let mut connection = rusqlite::Connection::open(path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    let transaction = connection.transaction().unwrap();
    transaction
        .execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)",
            [],
        )
        .unwrap();
    for n in 0..rows {
        let address = format!("p{n}@contoso.com");
        transaction
            .prepare_cached("INSERT INTO t (a, b) VALUES (?, ?)")
            .unwrap()
            .execute([address.as_str(), "[\"p@contoso.com\",\"P\",\"Berlin\"]"])
            .unwrap();
    }
    transaction.commit().unwrap();
}

fn building() {
    const MAILS: usize = 1_000;
    let attachment: Arc<[u8]> = vec![0x5a; 100 << 10].into();
    let kept = Arc::clone(&attachment);
    let files: Files = Arc::new(move |_| Ok(Arc::clone(&kept)));
    let body =
        "<p>A paragraph of news, as long as these usually are in such letters.</p>\n".repeat(20);
    let definition = Definition {
        senders: std::collections::BTreeMap::new(),
        sources: Sources {
            subject: Source::new("subject", "News for {{first_name}}"),
            html: Some(Source::new(
                "html",
                format!("<p>Dear {{{{first_name}}}}</p>{body}"),
            )),
            text: Some(Source::new(
                "text",
                "Dear {{first_name}}, this is the news.",
            )),
            attach: vec![Source::new("attach", "agenda.pdf")],
            ..Sources::default()
        },
        data: serde_json::Map::new(),
        columns: Columns::new(["email", "first_name"].map(str::to_owned)).unwrap(),
        from: "comms@contoso.com".to_owned(),
        grouped: false,
        inline: vec![("logo".to_owned(), "logo.png".to_owned())],
        list_unsubscribe: None,
        unsubscribe: None,
        inline_css: false,
        internal: vec![],
    };
    let renderer = Renderer::new(definition, files).unwrap();
    let address = Address::parse("ann@contoso.com").unwrap();
    let identity = Identity {
        message_id: "<bench@contoso.com>",
        date: Timestamp::UNIX_EPOCH,
        shared: false,
    };
    let cells = |n: usize| [format!("p{n}@contoso.com"), format!("P{n}")];
    let build = |n| {
        let page = renderer.page(&Cells::Row(&cells(n))).unwrap();
        renderer.compose(&page, &address, &identity).unwrap()
    };
    let example = build(0);
    let copying = best(|| {
        (0..MAILS)
            .map(|_| std::hint::black_box(example.clone()).len())
            .sum::<usize>()
    });
    let took = best(|| (0..MAILS).map(|n| build(n).len()).sum::<usize>());
    line(
        "copying a mail with image and attachment (270 KB)",
        MAILS,
        copying,
        None,
    );
    line("rendering and building it", MAILS, took, Some(copying));
}

/// Rows of an HTML of some 20 KB whose `<style>` is inlined: rows that share their tags, and rows that do not.
fn styling() {
    const ROWS: usize = 2_000;
    let story = "<tr><td class=\"cell\"><h2>A story</h2><p>Some sentences about it, as long as they usually are.</p>\
                 <p><a href=\"https://x.example/{{id}}\">More</a></p></td></tr>\n";
    let sheet = "p{margin:0 0 16px}h2{font-size:20px}a{color:#125e4a}.cell{padding:20px;color:#111}\n\
                 @media (prefers-color-scheme:dark){.cell{color:#eee}a{color:#7fd6bb}}";
    let renderer = |body: &str, inline_css| {
        let html = format!(
            "<!doctype html><html><head><style>{sheet}</style></head><body><p>Dear {{{{first_name}}}}</p>{body}<table>{}</table></body></html>",
            story.repeat(120)
        );
        let definition = Definition {
            senders: std::collections::BTreeMap::new(),
            sources: Sources {
                subject: Source::new("subject", "News"),
                html: Some(Source::new("html", html)),
                text: Some(Source::new("text", "News")),
                ..Sources::default()
            },
            data: serde_json::Map::new(),
            columns: Columns::new(["email", "first_name", "id"].map(str::to_owned)).unwrap(),
            from: "comms@contoso.com".to_owned(),
            inline: vec![],
            list_unsubscribe: None,
            unsubscribe: None,
            inline_css,
            internal: vec![],
            grouped: false,
        };
        Renderer::new(
            definition,
            Arc::new(|_| Err(std::io::Error::other("no files"))),
        )
        .unwrap()
    };
    let rows = |renderer: &Renderer, count: usize| {
        let row = |n: usize| [format!("p{n}@contoso.com"), format!("P{n}"), n.to_string()];
        best(|| {
            (0..count)
                .map(|n| renderer.page(&Cells::Row(&row(n))).unwrap().digest[0])
                .filter(|b| *b == 0)
                .count()
        })
    };
    let plain = rows(&renderer("", false), ROWS);
    line("rendering a row of 20 KB", ROWS, plain, None);
    line(
        "with its styles inlined",
        ROWS,
        rows(&renderer("", true), ROWS),
        Some(plain),
    );
    let own = "<p style=\"width:{{id}}px\">x</p>";
    let took = rows(&renderer(own, true), ROWS);
    line(
        "with tags that no other row has",
        ROWS / 10,
        took,
        Some(plain / 10),
    );
}

/// May a message go? With a day's window of 10,000 entries.
fn deciding() {
    const TIMES: usize = 1_000_000;
    const HELD: i64 = 10_000;
    let rule = |max, seconds, unit| Rule {
        max,
        per: Duration::from_secs(seconds),
        unit,
    };
    let rules = [
        rule(HELD as u64, 86_400, Unit::Recipients),
        rule(30, 60, Unit::Messages),
    ];
    let at = |n: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_millis(n * 2_001);
    let one = Weight {
        recipients: 1,
        external: 0,
    };
    let mut limiter = Limiter::new(&rules);
    let mut stamps = Vec::new();
    for n in 0..HELD {
        limiter.record(at(n), one);
        stamps.push(at(n));
    }
    let look = |n: usize| at((n as i64 * 7_919) % HELD);
    let searching = best(|| {
        let find = |n| stamps.partition_point(|stamp| *stamp <= std::hint::black_box(look(n)));
        (0..TIMES).map(find).sum::<usize>()
    });
    line("searching 10,000 times for one", TIMES, searching, None);
    let now = at(HELD);
    let took = best(|| {
        let decide = |_| limiter.decide(std::hint::black_box(now), one);
        (0..TIMES).filter(|n| decide(*n) == Decision::Go).count()
    });
    let name = "deciding whether a message may go, 10,000 in the window";
    line(name, TIMES, took, Some(searching));
    let took = best(|| {
        let mut limiter = limiter.clone();
        for n in 0..TIMES {
            let n = HELD + n as i64 * 50;
            let _decision = std::hint::black_box(limiter.decide(at(n), one));
            limiter.reserve(Reservation(n), one);
            limiter.stamp(Reservation(n), at(n));
        }
    });
    line(
        "… and taking its share, and stamping it",
        TIMES,
        took,
        Some(searching),
    );
}

fn sending(home: &Path) {
    const MAILS: usize = 5_000;
    let commits = timed(|| commit_each(&home.join("commits.db"), 500)) * (MAILS as u32 / 500);
    line(
        "commits of SQLite on this disk, one after the other",
        MAILS,
        commits,
        None,
    );
    let pings = timed(|| ping_pong(MAILS));
    line("round trips over loopback", MAILS, pings, None);
    for connections in [1, 3] {
        for tls in ["none", "starttls"] {
            let (mut server, port) = sink(home, tls);
            fs::write(
                home.join("accounts.toml"),
                format!(
                    "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {port}\nauth = \"none\"\ntls = \"{tls}\"\n\
                     ca_file = \"cert.pem\"\nlimits = []\nmax_connections = {connections}\n"
                ),
            )
            .unwrap();
            let folder = campaign(home, MAILS, true, "t");
            let store = format!("send-{connections}-{tls}.db");
            assert!(
                postroom(home, &store)
                    .arg("plan")
                    .arg(&folder)
                    .status()
                    .unwrap()
                    .success()
            );
            let took = timed(|| {
                let ended = postroom(home, &store)
                    .arg("send")
                    .arg(&folder)
                    .arg("--yes")
                    .status()
                    .unwrap();
                assert!(ended.success());
            });
            server.kill().unwrap();
            server.wait().unwrap();
            // Two marks and a verdict, and four round trips.
            let what = format!("sending one by one, {connections} connection(s), TLS {tls}");
            line(&what, MAILS, took, Some(commits * 3 + pings * 4));
        }
    }
}

fn commit_each(path: &Path, rows: usize) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
        .execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", [])
        .unwrap();
    for n in 0..rows {
        connection
            .execute("INSERT INTO t (a) VALUES (?)", [n.to_string()])
            .unwrap();
    }
}

fn ping_pong(times: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut byte = [0];
        while stream.read(&mut byte).unwrap() > 0 {
            stream.write_all(&byte).unwrap();
        }
    });
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut byte = [1];
    for _ in 0..times {
        stream.write_all(&byte).unwrap();
        stream.read_exact(&mut byte).unwrap();
    }
    drop(stream);
    answering.join().unwrap();
}

/// A server in another process that takes everything and keeps nothing.
fn sink(home: &Path, tls: &str) -> (Child, u16) {
    let mut child = postroom(home, "unused.db")
        .args([
            "sandbox",
            "--json",
            "--no-sign-in",
            "--tls",
            tls,
            "--certificate",
        ])
        .arg(home.join("cert.pem"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = said(&mut child);
    let address: std::net::SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
    (child, address.port())
}

/// The page on a long list: until the list can be looked through, and until a row in it is shown. The full check
/// goes on beside it.
fn previewing(home: &Path) {
    const ROWS: usize = 100_000;
    const SHOWN: usize = 50;
    let folder = campaign(home, ROWS, true, "sandbox");
    let reading = best(|| read_list(&folder));
    let mut page: Option<(Child, String)> = None;
    let opening = timed(|| {
        let mut child = postroom(home, "page.db")
            .args(["preview", "--serve", "--json"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = said(&mut child);
        let address = said["url"].as_str().unwrap().to_owned();
        let mut seen = 0;
        while !ask(&address, &format!("api/state?seen={seen}")).contains("\"rows\":100000") {
            seen += 1;
        }
        page = Some((child, address));
    });
    let (mut child, address) = page.unwrap();
    line(
        "opening the page on 100,000 rows",
        ROWS,
        opening,
        Some(reading),
    );
    let showing = timed(|| {
        for n in 1..=SHOWN {
            let row = n * (ROWS / SHOWN);
            assert!(ask(&address, &format!("api/row/{row}")).contains("\"mail\""));
            assert!(ask(&address, &format!("mail/{row}/html")).contains("Dear P"));
        }
    });
    line(
        "showing a row of it, while all are checked",
        SHOWN,
        showing,
        None,
    );
    let searching = timed(|| assert!(ask(&address, "api/search?q=p99999").contains("\"count\":1")));
    line("searching it", ROWS, searching, None);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What a program answers to a GET of something below an address.
fn ask(address: &str, below: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request =
        format!("GET /{path}{below} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Peak resident memory of planning, where the system tells it.
fn memory(home: &Path) {
    if !Path::new("/proc/self/status").exists() {
        println!("memory: this system has no /proc to read it from");
        return;
    }
    for (people, personal) in [
        (10_000, false),
        (10_000, true),
        (many(), false),
        (many(), true),
    ] {
        let folder = campaign(home, people, personal, "sandbox");
        begin_anew(home, "memory.db");
        let mut child = postroom(home, "memory.db")
            .arg("plan")
            .arg(&folder)
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes =
                high.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0));
            std::thread::sleep(Duration::from_millis(2));
        }
        let kind = if personal { "individual" } else { "shared" };
        println!(
            "{:<58}{:>9} MiB",
            format!("memory of planning {people} rows ({kind})"),
            peak >> 10
        );
    }
}

/// Where a campaign of a million messages stands, told by a process of its own: before anything is sent, and when
/// half of it is. Its plan is the one that memory was measured with last.
fn standing(home: &Path) {
    let people = many();
    let folder = campaign(home, people, true, "sandbox");
    let store = home.join("memory.db");
    if !store.exists() {
        let planned = postroom(home, "memory.db")
            .arg("plan")
            .arg(&folder)
            .status();
        assert!(planned.unwrap().success());
    }
    let command = |args: &[&str]| {
        let ended = postroom(home, "memory.db").args(args).status();
        assert!(ended.unwrap().success());
    };
    let folder = folder.to_str().unwrap();
    for half in [false, true] {
        if half {
            send_half(&store, people / 2);
        }
        let floor = best(|| command(&["accounts", "--json"]));
        let took = best(|| command(&["status", folder, "--json"]));
        let stands = if half { "half sent" } else { "planned" };
        line("starting and listing the accounts", 1, floor, None);
        line(
            &format!("status of {people} messages ({stands})"),
            1,
            took,
            Some(floor),
        );
    }
}

/// Makes the first so many messages ones that were sent, one in fifty refused, at the pace of the provider: the last
/// 10,000 of them fill its day.
fn send_half(store: &Path, messages: usize) {
    let connection = rusqlite::Connection::open(store).unwrap();
    connection
        .pragma_update(None, "synchronous", "OFF")
        .unwrap();
    let now = postroom::clock::Clock::system().now().as_millisecond();
    let sent = format!(
        "CREATE TEMP TABLE sent AS SELECT id, {now} - 60000 - ({messages} - number) / 10000 * 86400001
             - ({messages} - number) % 10000 / 30 * 60001 AS at FROM message WHERE number <= {messages};
         CREATE UNIQUE INDEX temp.sent_by_id ON sent (id, at);
         UPDATE message SET state = 'claimed', attempts = 1, dated_at = sent.at FROM sent WHERE sent.id = message.id;
         INSERT INTO attempt (message, number, account, claimed_at, handover_at, finished_at, outcome, phase, reply)
             SELECT id, 1, 'sandbox', at, at, at, iif(id % 50 = 0, 'refused', 'sent'), 'final-dot', '250 2.0.0 OK' FROM sent;
         UPDATE message SET state = iif(id % 50 = 0, 'refused', 'sent'), sent_at = iif(id % 50 = 0, NULL, dated_at),
             reply = iif(id % 50 = 0, '550 5.1.10 no such mailbox', '250 2.0.0 OK') WHERE state = 'claimed';
         UPDATE recipient SET state = m.state, sent_at = m.sent_at, reply = m.reply
             FROM message m JOIN sent ON sent.id = m.id WHERE m.id = recipient.message;
         INSERT INTO ledger (mailbox, attempt, stamped_at, recipients, external, sequence)
             SELECT 'sandbox', id, at, 1, 0, id FROM sent ORDER BY at;"
    );
    let sending = format!("BEGIN; {sent} COMMIT;");
    connection.execute_batch(&sending).unwrap();
}
