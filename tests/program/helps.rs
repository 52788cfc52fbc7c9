//! Every command's help has an example, and each example is a command that works as it stands there.
//!
//! Each is typed at a terminal, with y for an answer, in a home that has the campaign `my-news`: just written, or
//! half sent where the command is about a campaign that goes out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::home::Home;
use crate::server::Server;
use crate::terminal::Terminal;

/// Examples that may end otherwise than with 0 here, and why.
const ENDINGS: [(&str, &[i32]); 8] = [
    // Ctrl-C is how it is ended.
    ("postroom preview my-news", &[0]),
    // The sign-in page of that account is nowhere.
    ("postroom login", &[69]),
    // One of the list is refused.
    ("postroom send", &[0, 1]),
    ("postroom resume", &[0, 1]),
    // Messages of a sender that is killed may be in doubt.
    ("--fault", &[0, 1]),
    // The port may be taken.
    ("postroom sandbox --listen", &[0, 73]),
    ("postroom sandbox", &[0]),
    ("--watch", &[0]),
];

/// They run until Ctrl-C.
fn runs_on(example: &str) -> bool {
    example.starts_with("postroom sandbox")
        || example == "postroom preview my-news"
        || example.ends_with("--watch")
}

/// A command with the words that lead to it, and its help.
struct Helped {
    words: Vec<String>,
    help: String,
}

fn all_commands(home: &Home, words: &[String], found: &mut Vec<Helped>) {
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    args.push("--help");
    let help = home.run(&args).exits(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed: Vec<&str> = listed
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    for name in &listed {
        let words = [words, &[(*name).to_owned()]].concat();
        all_commands(home, &words, found);
    }
    if listed.is_empty() {
        let words = words.to_vec();
        found.push(Helped { words, help });
    }
}

/// The command lines below `Example:` or `Examples:`, without the remarks behind them.
fn examples(help: &str) -> Vec<String> {
    let below = help
        .lines()
        .skip_while(|line| !line.ends_with("Example:") && !line.ends_with("Examples:"));
    below
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(|line| {
            line.trim()
                .split("   (")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[test]
fn every_command_has_an_example() {
    let home = Home::new();
    let mut commands = Vec::new();
    all_commands(&home, &[], &mut commands);
    assert!(commands.len() > 20, "{}", commands.len());
    for command in commands {
        let name = command.words.join(" ");
        let examples = examples(&command.help);
        let is_of_it = |example: &String| example.contains(&format!("postroom {name}"));
        assert!(examples.iter().any(is_of_it), "{name} has no example");
        assert!(
            examples.iter().all(|one| one.contains("postroom ")),
            "{examples:?}"
        );
    }
}

/// A home with the campaign, of the starter's people and 27 more.
fn prepare(home: &Home, server: &Server) {
    home.run(&["new", "my-news"]).exits(0);
    let list = fs::read_to_string(home.path("my-news/readers.csv")).unwrap();
    let more = (1..=27).map(|n| format!("p{n}@example.com,P{n},Miller\n"));
    home.write(
        "my-news/readers.csv",
        format!("{}\n{}", list.trim_end(), more.collect::<String>()),
    );
    let toml = fs::read_to_string(home.path("my-news/campaign.toml")).unwrap();
    let toml = toml
        .replace("account = \"sandbox\"", "account = \"comms\"")
        .replace(
            "subject = \"{{title}}\"",
            "subject = \"{{first_name}}: {{title}}\"",
        );
    home.write("my-news/campaign.toml", toml);
    home.write("bounce.txt", "550 5.1.1 User unknown\n");
    home.write("left-out.csv", "email\np1@example.com\n");
    home.write("bin/man", "#!/bin/sh\ncat >/dev/null\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(home.path("bin/man"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let accounts = format!(
        "[comms]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"news@example.com\"\n\
         auth = \"password\"\nca_file = \"{}\"\n[comms.password]\nenv = \"TEST_PASSWORD\"\n",
        server.port(),
        server.certificate().display()
    );
    home.write("config/postroom/accounts.toml", accounts);
}

/// Brings the home to where somebody would type this.
fn come_to(home: &Home, example: &str) {
    let suppress = |what: &str| {
        home.run(&["suppress", what, "anna.kowalska@example.com"])
            .exits(0)
    };
    let half = || {
        home.run(&["send", "my-news", "--yes", "--max", "15"])
            .exits(0)
    };
    let words: Vec<&str> = example.split_whitespace().collect();
    match words.get(1..).unwrap_or_default() {
        ["store", "restore", ..] => {
            home.run(&["plan", "my-news"]).exits(0);
            home.run(&["store", "backup", "postroom-backup.db"])
                .exits(0);
        }
        ["new", ..] => fs::remove_dir_all(home.path("my-news")).unwrap(),
        ["store" | "cancel", ..] => drop(home.run(&["plan", "my-news"]).exits(0)),
        ["plan", _, "--update", ..] => {
            home.run(&["plan", "my-news"]).exits(0);
            home.write("my-news/newsletter.txt.hbs", "Another text.\n");
        }
        ["suppress", "remove", ..] => drop(suppress("add")),
        ["retry", _, "--suppressed", ..] => {
            suppress("add");
            half();
            suppress("remove");
        }
        ["completions", "fish", ..] => {
            fs::create_dir_all(home.path(".config/fish/completions")).unwrap();
        }
        ["login" | "logout", ..] => {
            let accounts = "[comms]\nprovider = \"microsoft365\"\n\
                 username = \"news@example.com\"\nauth = \"oauth2\"\n[comms.oauth2]\ntenant = \"t\"\n\
                 client_id = \"c\"\nflow = \"device-code\"\nauthority = \"http://127.0.0.1:1\"\n";
            home.write("config/postroom/accounts.toml", accounts);
        }
        [
            "status" | "report" | "retry" | "resolve" | "halt" | "resume" | "show" | "forget"
            | "amend",
            ..,
        ] => {
            half();
        }
        _ => {}
    }
}

fn allowed(example: &str) -> &'static [i32] {
    let known = ENDINGS.iter().find(|(part, _)| example.contains(part));
    match known {
        Some((_, codes)) => codes,
        None => &[0],
    }
}

/// Types it at a terminal that is the program's own, so that it can be asked there.
fn type_it(home: &Home, example: &str) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_postroom"));
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        program.parent().unwrap().display(),
        home.path("bin").display()
    );
    let like = home.command(&[]);
    // A shell that is interrupted along with the program would end by the signal.
    let exec = if runs_on(example) { "exec " } else { "" };
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", "--wait", "sh", "-c", &format!("{exec}{example}")])
        .current_dir(home.path(""))
        .env_clear()
        .envs(
            like.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", path)
        .env("BROWSER", "true");
    let mut terminal = Terminal::start(command);
    if runs_on(example) {
        let shown = if example.ends_with("--watch") {
            "planned"
        } else {
            "Ctrl-C"
        };
        terminal.until(shown);
        terminal.types("\u{3}");
    } else {
        // The canary asks a second time.
        terminal.types("y\ny");
    }
    terminal.end()
}

#[test]
fn every_example_of_every_help_works() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p3@*"]);
    prepare(&home, &server);
    let mut commands = Vec::new();
    all_commands(&home, &[], &mut commands);
    let examples: Vec<String> = commands
        .iter()
        .flat_map(|command| examples(&command.help))
        .collect();
    let queue = std::sync::Mutex::new(examples.into_iter());
    // Each in a copy of the home, several at a time.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(example) = next(&queue) {
                    let copy = Home::new();
                    copy_into(&home.path(""), &copy.path(""));
                    come_to(&copy, &example);
                    let (code, shown) = type_it(&copy, &example);
                    let allowed = allowed(&example);
                    assert!(
                        allowed.contains(&code),
                        "{example} ended with {code}:\n{shown}"
                    );
                }
            });
        }
    });
}

fn next(queue: &std::sync::Mutex<std::vec::IntoIter<String>>) -> Option<String> {
    queue.lock().ok()?.next()
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
