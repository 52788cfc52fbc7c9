//! The command line: a file per command, its arguments and what it prints.
//!
//! The only room that prints or ends the process. Results go to standard output; progress, notes,
//! questions and errors to standard error; no colour, bar or question where there is no terminal.
//! Every error becomes plain words with a remedy and a documented exit code ([`failure`]). Must not
//! decide anything about lists, mails, limits or replies: it asks the other rooms. Called by `main`.

mod accounts;
mod amend;
mod args;
mod bar;
mod canary;
mod cancel;
mod changing;
mod check;
mod connect;
mod days;
mod disk;
mod doctor;
mod events;
mod examination;
mod exit;
mod explain;
mod failure;
mod faults;
mod findings;
mod foresight;
mod forget;
mod halting;
mod intent;
mod interrupt;
mod log;
mod login;
mod logout;
mod made;
mod manual;
mod new;
mod page;
mod plan;
mod preview;
mod progress;
mod providers;
mod pulse;
mod recording;
mod rehearse;
mod rehearsed;
mod rehearsing;
mod rejects;
mod report;
mod resolve;
mod retry;
mod sandbox;
mod screen;
mod secrets;
mod send;
mod sending;
mod setup;
mod show;
mod signing;
mod since;
mod stages;
mod starting;
mod status;
mod store;
mod suppress;
mod testing;
#[cfg(test)]
mod tests;
mod timetable;
mod update;
mod who;
mod whom;
mod words;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tracing::{debug, error, info};

use args::{Arguments, Command};
use exit::Exit;
use failure::Failure;
use screen::Screen;

use crate::clock::Clock;

/// What every command is given.
struct Context {
    screen: Screen,
    clock: Clock,
    places: args::Places,
}

/// Reads the arguments, runs the command and says how it ended.
pub fn run() -> ExitCode {
    keep_memory_private();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            return shown(&error).into();
        }
    };
    let screen = Screen::new(&arguments.global);
    let begun = log::start(&arguments.global);
    let log = arguments.global.log.clone();
    note_command(&arguments.command);
    let context = Context {
        clock: Clock::system(),
        places: arguments.global.places,
        screen,
    };
    let (ended, written) = match begun {
        Ok(written) => (execute(&context, arguments.command), Some(written)),
        Err(failure) => (Err(failure), None),
    };
    let exit = match ended {
        Ok(exit) => {
            info!(exit = exit as u8, "ended");
            exit
        }
        Err(failure) => {
            error!(exit = failure.exit as u8, because = ?failure.message, "ended");
            context.screen.failure(&failure);
            failure.exit
        }
    };
    if let (Some(written), Some(path)) = (written, log) {
        written.close(&path, &context.screen);
    }
    exit.into()
}

/// Shows help, the version, or what is wrong with the arguments; clap knows which stream each belongs to.
fn shown(error: &clap::Error) -> Exit {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    match printed {
        _ if error.use_stderr() => Exit::Usage,
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            // Nobody can be told that standard error is gone too.
            let _ = writeln!(
                std::io::stderr(),
                "{}",
                disk::cannot_write("the help", &cause).message
            );
            Exit::Io
        }
        _ => Exit::Done,
    }
}

/// No copy of the program's memory is left on disk when it crashes, and no other process looks into it: passwords and
/// tokens are in it.
fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Where it is not granted, things are as they are with any other program.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Says in the log what is run. What the arguments name may be addresses, which are for the debug level.
fn note_command(command: &Command) {
    let whole = format!("{command:?}");
    let name = whole.split(|c: char| !c.is_alphanumeric()).next();
    let name = name.unwrap_or_default().to_lowercase();
    info!(command = name, version = env!("CARGO_PKG_VERSION"), "begun");
    debug!(arguments = ?std::env::args_os().skip(1).collect::<Vec<_>>(), "begun");
}

fn execute(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Plan(args) => plan::run(context, &args),
        Command::Preview(args) => preview::run(context, &args),
        Command::Rehearse(args) => rehearse::run(context, &args),
        Command::Test(args) => testing::run(context, &args),
        Command::Send(args) => send::run(context, &args),
        Command::Halt(args) => halting::halt(context, &args),
        Command::Resume(args) => halting::resume(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Report(args) => report::run(context, &args),
        Command::Resolve(args) => resolve::run(context, &args),
        Command::Retry(args) => retry::run(context, &args),
        Command::Cancel(args) => cancel::run(context, &args),
        Command::Suppress(args) => suppress::run(context, &args),
        Command::Store(command) => store::run(context, &command),
        Command::Login(args) => login::run(context, &args),
        Command::Logout(args) => logout::run(context, &args),
        Command::Accounts => accounts::run(context),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Providers(args) => providers::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::Sandbox(args) => sandbox::run(context, &args),
        Command::Forget(args) => forget::run(context, &args),
        Command::Amend(args) => amend::run(context, &args),
        Command::Show(args) => show::run(context, &args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(context, &args),
    }
}
