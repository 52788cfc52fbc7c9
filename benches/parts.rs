//! What the parts of a message's way cost, each beside the least that it could cost here and now.
//!
//! `cargo bench --bench parts` prints a line for each, the best of several runs; with `-- --once` (or `--test`) it goes
//! once through all of it. What a limiter takes to decide is measured in `speed`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints real time, and has nobody to report errors to"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handlebars::Handlebars;
use jiff::Timestamp;
use postroom::message::{Definition, Files, Identity, Renderer};
use postroom::recipients::{Address, Columns};
use postroom::template::{Source, Sources};
use serde_json::{Map, Value, json};

/// How often each is done in one run, and how many runs there are.
fn times() -> (usize, usize) {
    let once = std::env::args().any(|argument| argument == "--once" || argument == "--test");
    if once { (1, 1) } else { (5_000, 5) }
}

/// What one takes, in the best of several runs: noise only ever slows down.
fn best<T>(mut work: impl FnMut(usize) -> T) -> Duration {
    let (count, runs) = times();
    let run = |_| {
        let begin = Instant::now();
        for n in 0..count {
            black_box(work(n));
        }
        begin.elapsed() / count as u32
    };
    (0..runs).map(run).min().unwrap()
}

fn line(what: &str, took: Duration, floor: Option<Duration>) {
    let micros = took.as_secs_f64() * 1e6;
    match floor {
        Some(floor) => {
            let ratio = took.as_secs_f64() / floor.as_secs_f64();
            println!("{what:<66}{micros:>10.2} µs  {ratio:.2} times");
        }
        None => println!("{what:<66}{micros:>10.2} µs  the floor"),
    }
}

fn main() {
    rendering_and_building();
    addresses();
}

const COLUMNS: [&str; 9] = [
    "email",
    "first_name",
    "last_name",
    "office",
    "team",
    "manager",
    "start",
    "room",
    "vip",
];

fn cells(n: usize) -> [String; 9] {
    [
        format!("p{n}@contoso.com"),
        format!("Pat{n}"),
        "O'Brien".to_owned(),
        "Berlin".to_owned(),
        "Finance".to_owned(),
        "Ann Lee".to_owned(),
        "1 March".to_owned(),
        format!("{n}"),
        "yes".to_owned(),
    ]
}

/// Some 6 KB: eight fields, an `if`, an `each`, a partial.
fn page() -> String {
    let story = "<tr><td style=\"padding:20px;color:#111\"><p>Some sentences of a story, as long as they usually are \
                 in such letters.</p></td></tr>\n";
    format!(
        "<!doctype html><html><body><p>Dear {{{{first_name}}}} {{{{last_name}}}},</p>\n\
         <p>you begin in {{{{office}}}} on {{{{start}}}}, in room {{{{room}}}}, with {{{{team}}}} of {{{{manager}}}}.</p>\n\
         {{{{#if vip}}}}<p>We will meet you at the door, {{{{first_name}}}}.</p>{{{{/if}}}}\n<table>\n{}</table>\n\
         <ul>{{{{#each talks}}}}<li>{{{{this}}}}</li>{{{{/each}}}}</ul>{{{{> foot}}}}</body></html>\n",
        story.repeat(38)
    )
}

const FOOT: &str = "<p>Sent to {{email}} by the people of Contoso.</p>";

fn text() -> String {
    let story = "Some sentences of a story, as long as they usually are in such letters.\n";
    format!(
        "Dear {{{{first_name}}}} {{{{last_name}}}},\n\n{}",
        story.repeat(38)
    )
}

fn values() -> Map<String, Value> {
    let talks = json!({ "talks": ["Welcome", "Payroll", "Safety"] });
    talks.as_object().unwrap().clone()
}

fn renderer(text: Option<String>) -> Renderer {
    let files: Files = Arc::new(|_| Err(std::io::Error::other("no files")));
    let definition = Definition {
        senders: std::collections::BTreeMap::new(),
        sources: Sources {
            subject: Source::new("subject", "Welcome, {{first_name}}"),
            html: Some(Source::new("html", page())),
            text: text.map(|text| Source::new("text", text)),
            partials: vec![Source::new("foot", FOOT)],
            ..Sources::default()
        },
        data: values(),
        columns: Columns::new(COLUMNS.map(str::to_owned)).unwrap(),
        from: "Contoso Comms <comms@contoso.com>".to_owned(),
        grouped: false,
        inline: vec![],
        list_unsubscribe: None,
        unsubscribe: None,
        inline_css: false,
        internal: vec!["contoso.com".to_owned()],
    };
    Renderer::new(definition, files).unwrap()
}

/// A frozen row to the bytes of its mail, beside handlebars alone with the same templates and values.
fn rendering_and_building() {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_partial("foot", FOOT).unwrap();
    handlebars.register_template_string("html", page()).unwrap();
    handlebars.register_template_string("text", text()).unwrap();
    let mut data = values();
    for (name, cell) in COLUMNS.iter().zip(cells(7)) {
        data.insert((*name).to_owned(), cell.into());
    }
    let data = Value::Object(data);
    let html = best(|_| handlebars.render("html", &data).unwrap().len());
    let both = best(|_| {
        let text = handlebars.render("text", &data).unwrap();
        handlebars.render("html", &data).unwrap().len() + text.len()
    });
    line("handlebars: a page of 6 KB", html, None);
    line("handlebars: the page and a text of 3 KB", both, Some(html));
    let frozen = |n| serde_json::to_string(&cells(n)).unwrap();
    let rows: Vec<String> = (0..times().0).map(frozen).collect();
    let identity = Identity {
        message_id: "<0123456789abcdef0123456789abcdef@contoso.com>",
        date: Timestamp::UNIX_EPOCH,
        shared: false,
    };
    for (what, text, floor) in [
        ("page and text", Some(text()), both),
        ("page, the text derived from it", None, html),
    ] {
        let renderer = renderer(text);
        let prepare = |n: usize| {
            let listed = [("pat@contoso.com", rows[n].as_str())];
            renderer.prepare(listed, &identity).unwrap().content.len()
        };
        let all = best(prepare);
        let building = all.saturating_sub(floor);
        line(
            &format!("a frozen row to a mail ({what})"),
            all,
            Some(floor),
        );
        let what = format!("... less handlebars' part: building ({what})");
        line(&what, building, Some(floor));
    }
}

/// Is it an address? Beside reading its letters once.
fn addresses() {
    let written: Vec<String> = (0..times().0)
        .map(|n| format!("p{n}@contoso.com"))
        .collect();
    let reading = best(|n| written[n].chars().filter(|c| c.is_control()).count());
    line("reading the letters of an address", reading, None);
    let parsing = best(|n| Address::parse(&written[n]).unwrap());
    line("reading it as an address", parsing, Some(reading));
}
