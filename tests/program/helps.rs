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

/// Commands whose examples are about a campaign that is being sent.
const UNDER_WAY: [&str; 2] = ["status", "report"];

/// Examples that end otherwise than with 0 here, and why.
const ENDINGS: [(&str, i32); 4] = [
    // The sign-in page of that account is nowhere.
    ("login comms --flow", 69),
    ("AADSTS7000218", 0),
    // They run until Ctrl-C.
    ("postroom sandbox", 130),
    ("postroom preview my-news", 130),
];

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
        .skip_while(|line| !matches!(line.trim(), "Example:" | "Examples:"));
    below
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(|line| line.trim().split("   (").next().unwrap_or_default().to_owned())
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
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            assert!(example.contains(&format!("postroom {name}")), "{name}: {example}");
        }
    }
}

/// A home with the campaign, half of it sent or not even planned.
fn prepare(home: &Home, server: &Server, under_way: bool) {
    home.run(&["new", "my-news"]).exits(0);
    let people = (1..=30).map(|n| format!("p{n}@contoso.com,P{n},Berlin\n"));
    let list = format!("email,first_name,office\n{}", people.collect::<String>());
    let toml = "account = \"comms\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News, {{first_name}}\"\n\
                text = \"news.txt.hbs\"\n[recipients]\nfile = \"staff.csv\"\n";
    home.write("my-news/staff.csv", list);
    home.write("my-news/news.txt.hbs", "Dear {{first_name}} in {{office}},\n\nthis is the news.\n");
    home.write("my-news/campaign.toml", toml);
    home.write("bounce.txt", "550 5.1.1 User unknown\n");
    let accounts = format!(
        "[comms]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"comms@contoso.com\"\n\
         auth = \"password\"\nca_file = \"{}\"\n[comms.password]\nenv = \"TEST_PASSWORD\"\n",
        server.port(),
        server.certificate().display()
    );
    home.write("config/postroom/accounts.toml", accounts);
    if under_way {
        home.run(&["send", "my-news", "--yes", "--max", "15"]).exits(0);
    }
}

fn expected(example: &str) -> i32 {
    let known = ENDINGS.iter().find(|(part, _)| example.contains(part));
    known.map_or(0, |(_, code)| *code)
}

fn type_it(home: &Home, example: &str) -> (i32, String) {
    let folder = Path::new(env!("CARGO_BIN_EXE_postroom")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", folder.display(), home.path("bin").display());
    let mut command = Command::new("setsid");
    let like = home.command(&[]);
    command.args(["--ctty", "--wait", "sh", "-c", example]);
    command.current_dir(home.path("")).env_clear().envs(
        like.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.env("PATH", path);
    let mut terminal = Terminal::start(command);
    terminal.types("y");
    if expected(example) == 130 {
        terminal.until("Ctrl-C");
        terminal.interrupt();
    }
    terminal.end()
}
